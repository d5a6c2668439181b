/**
 * The phrases that `closing-words.ts` knows, by the part that they play in a message. Portuguese,
 * English and Spanish together: people mix them, and a word rarely means the opposite across the border.
 * Written as people write; they are folded when they are read. One phrase per line or comma.
 */
export type Role =
  /** May stand beside anything: "please". */
  | 'polite'
  /** Says nothing by itself: "ok", "perfect", "that's all", "boa noite". */
  | 'filler'
  /** Thanks or goodbye. */
  | 'thanks'
  /** Opens a wish: "I want to". */
  | 'want'
  /** This very conversation, as the thing to be closed. */
  | 'conversation'
  /** Closes, also as a wish: "sair", "quero sair". */
  | 'close'
  /** Closes alone or with the conversation named, but not as a wish: "cancelar". */
  | 'closeAlone'
  /** Closes only with the conversation named: "close the chat". */
  | 'closeWhat'
  /** Asks for a person. */
  | 'person'
  /** Opts out of messages. */
  | 'stop'
  /** Opts in again. */
  | 'start'

export type PhraseLists = { readonly [role in Role]?: readonly string[] }

export const phrases: PhraseLists = {
  polite: list(`por favor, por gentileza, pf, pfv, pfvr, please, pls, plz, porfa, porfavor`),
  filler: list(`
    ok, okay, okey, blz, beleza, certo, perfeito, ótimo, show, legal, entendi, pronto, então, agora, já, é só isso, só isso,
    era só isso, por hoje é só, é isso, nada mais, boa noite, boa tarde, bom dia, bom fim de semana, bom descanso, amigo, amiga,
    pessoal, viu, gente, por enquanto, k, rs, rsrs, haha,
    great, perfect, alright, cool, awesome, got it, now, then, thats all, that is all, that will be all, thatll be all,
    nothing else, good night, have a nice day, have a good day, have a great day, have a nice weekend, have a good one, mate, man,
    everyone, team,
    listo, vale, perfecto, genial, bueno, ahora, ya, eso es todo, es todo, nada más, buenas noches, buenas tardes,
    buen día, buenos días, que tenga buen día, que tengas buen día, amigos`),
  thanks: list(`
    obrigado, obrigada, muito obrigado, muito obrigada, obrigado pela ajuda, obrigada pela ajuda, obrigado pelo atendimento,
    obrigada pelo atendimento, obrigado pela atenção, obrigada pela atenção, muito obrigado pela ajuda, muito obrigada pela ajuda,
    muito obrigado pela atenção, muito obrigada pela atenção, muito obrigado pelo atendimento, muito obrigada pelo atendimento,
    obrigado por tudo, obrigada por tudo, obg, obgd, obgda, brigado, brigada, brigadão, obrigadão, valeu, vlw, valeu mesmo,
    agradeço, agradecido, agradecida, grato, grata, tchau, tchauzinho, tchau tchau, xau, até logo, até mais, até breve, até amanhã,
    até a próxima, adeus, flw, falou, abraço, abraços, um abraço,
    thanks, thank you, thank u, thanks a lot, thanks so much, thank you so much, thank you very much, thanks very much,
    many thanks, thx, thnx, tks, ty, tysm, cheers, thanks again, thank you again, thanks for your help, thanks for the help,
    thank you for your help, thank you for the help, thanks for your time, thank you for your time, thanks for everything,
    thank you for everything, much appreciated, bye, bye bye, byebye, goodbye, good bye, see you, see ya, see you later, see you soon,
    see you tomorrow, talk to you later, take care, farewell,
    gracias, muchas gracias, mil gracias, muchísimas gracias, gracias por todo, gracias por tu ayuda, gracias por su ayuda,
    gracias por la ayuda, muchas gracias por la ayuda, muchas gracias por su ayuda, muchas gracias por tu ayuda,
    gracias por la atención, gracias por su atención, te agradezco, le agradezco, adiós, chao, chau, hasta luego, hasta pronto,
    hasta mañana, hasta la próxima, hasta la vista, nos vemos, un abrazo, saludos`),
  want: list(`
    quero, eu quero, queria, eu queria, desejo, gostaria de, eu gostaria de, vou, posso, pode, você pode, podem, podemos,
    i want to, i want, id like to, i would like to, i wish to, you can, you may, we can, lets, can i, could i, may i, can you,
    quiero, yo quiero, quisiera, deseo, me gustaría, puedes, puede, pueden, puedo, ya puedes, ya puede`),
  conversation: list(`
    atendimento, o atendimento, este atendimento, esse atendimento, do atendimento, conversa, a conversa, esta conversa,
    essa conversa, da conversa, desta conversa, o chat, do chat, deste chat, sessão, a sessão,
    chat, the chat, this chat, our chat, conversation, the conversation, this conversation, our conversation, session, the session,
    this session,
    el chat, este chat, del chat, conversación, la conversación, esta conversación, de la conversación, sesión, la sesión,
    la charla, esta charla`),
  close: list(`
    sair, encerrar, encerra, encerre, fim,
    exit,
    salir, fin`),
  closeAlone: list(`
    cancelar, finalizar, finaliza, finalize, terminar, termina, termine,
    cancel, quit, end,
    finalice`),
  closeWhat: list(`
    fechar, fecha, feche, cancela, cancele,
    close, leave, finish, stop, terminate,
    cerrar, cierra, cierre, cancela, dejar, concluir`),
  person: list(`
    atendente, um atendente, uma atendente, humano, um humano, pessoa de verdade, falar com atendente, falar com um atendente,
    falar com uma atendente, falar com o atendente, falar com humano, falar com um humano, falar com uma pessoa, falar com pessoa,
    falar com alguém, falar com uma pessoa de verdade, falar com uma pessoa real, me transfere para um atendente,
    me passa para um atendente, atendimento humano,
    agent, an agent, human, a human, representative, a representative, real person, a real person, live agent, talk to a human,
    talk to a person, talk to someone, talk to an agent, talk to a real person, talk to a representative, speak to a human,
    speak to a person, speak to someone, speak to an agent, speak with a human, speak with a person, speak with an agent,
    speak to a representative, human agent,
    agente, un agente, asesor, un asesor, una asesora, hablar con un agente, hablar con una persona, hablar con alguien,
    hablar con un asesor, hablar con una asesora, hablar con un humano, hablar con un operador, persona real, una persona real,
    agente humano`),
  stop: list(`
    stop, stopall, stop all, unsubscribe, optout, opt out,
    parar, descadastrar, me descadastre, descadastre me,
    desuscribir, desuscribirme`),
  start: list(`start, unstop`),
}

/** Twilio's keywords for SMS, beyond the ones that everybody knows. */
export const smsPhrases: PhraseLists = { stop: list(`cancel, end, quit, revoke`) }

function list(text: string): readonly string[] {
  return text
    .split(',')
    .map((phrase) => phrase.trim().replaceAll(/\s+/gu, ' '))
    .filter((phrase) => phrase !== '')
}
