/** The few sentences that the chart says itself, when neither an assistant nor a person speaks. */
import type { Language } from './language.ts'

export type SentenceName =
  | 'goodbye'
  | 'personIsComing'
  | 'answerFailed'
  | 'nobodyCame'
  | 'cannotGoOn'
  | 'cannotHear'
  | 'tooMany'
  | 'tooBusy'

export const sentences: { readonly [language in Language]: { readonly [name in SentenceName]: string } } = {
  pt: {
    goodbye: 'Obrigado pelo contato! Se precisar, é só escrever de novo. Até logo!',
    personIsComing: 'Certo, vou chamar uma pessoa da equipe. Ela continua com você por aqui.',
    answerFailed: 'Desculpe, não consegui preparar uma resposta. Vou chamar uma pessoa da equipe para ajudar você.',
    nobodyCame: 'Desculpe, ninguém da equipe está livre agora. Eu continuo por aqui: é só escrever.',
    cannotGoOn: 'Desculpe, não consigo continuar esta conversa agora. Escreva de novo mais tarde e recomeçamos.',
    cannotHear: 'Desculpe, não consigo ouvir mensagens de voz agora. Pode escrever, por favor?',
    tooMany: 'Você enviou muitas mensagens em pouco tempo. Guardei todas, mas só respondo de novo daqui a pouco.',
    tooBusy: 'Estamos recebendo mensagens demais agora. Guardei a sua: escreva de novo daqui a pouco, por favor.',
  },
  en: {
    goodbye: 'Thank you for getting in touch! Write again whenever you need us. Goodbye!',
    personIsComing: 'All right, I am asking a person of our team to join. They will answer you here.',
    answerFailed: 'Sorry, I could not prepare an answer. I am asking a person of our team to help you.',
    nobodyCame: 'Sorry, nobody of our team is free right now. I am still here: just write.',
    cannotGoOn: 'Sorry, I cannot go on with this conversation now. Please write again later and we start afresh.',
    cannotHear: 'Sorry, I cannot listen to voice messages right now. Could you write to me instead, please?',
    tooMany: 'You sent many messages in a short time. I kept all of them, but I can only answer again in a while.',
    tooBusy: 'We are getting too many messages right now. I kept yours: please write again in a while.',
  },
  es: {
    goodbye: '¡Gracias por escribirnos! Si nos necesita, escriba de nuevo. ¡Hasta luego!',
    personIsComing: 'De acuerdo, voy a llamar a una persona del equipo. Le responderá por aquí.',
    answerFailed: 'Lo siento, no pude preparar una respuesta. Voy a llamar a una persona del equipo para ayudarle.',
    nobodyCame: 'Lo siento, nadie del equipo está libre ahora. Sigo por aquí: escriba cuando quiera.',
    cannotGoOn: 'Lo siento, no puedo continuar esta conversación ahora. Escriba más tarde y empezamos de nuevo.',
    cannotHear: 'Lo siento, ahora no puedo escuchar mensajes de voz. ¿Puede escribirme, por favor?',
    tooMany:
      'Ha enviado muchos mensajes en poco tiempo. Los guardé todos, pero solo podré responder dentro de un rato.',
    tooBusy:
      'Ahora estamos recibiendo demasiados mensajes. Guardé el suyo: escriba de nuevo dentro de un rato, por favor.',
  },
}
