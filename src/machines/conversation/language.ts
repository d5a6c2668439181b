/**
 * Which of our three languages a message is written in, by small words that only one of them uses.
 * Good enough to answer in kind; a message that shows nothing (a number, a name) is `null`, and the
 * conversation keeps the language that it had.
 */
import { foldText } from './fold-text.ts'

export const languages = ['pt', 'en', 'es'] as const
export type Language = (typeof languages)[number]

export function isLanguage(value: unknown): value is Language {
  return languages.includes(value as Language)
}

/** Enough to know a language by; the rest of a long message is not looked at. */
const charactersMax = 400

const markers: { readonly [language in Language]: ReadonlySet<string> } = {
  pt: toSet(`oi ola bom boa dia tarde noite obrigado obrigada valeu tchau nao sim voce voces eu meu minha meus minhas seu sua
    um uma quero queria preciso posso pode qual quais quando onde quem com sem em no na nos nas ao do da dos das pelo pela
    pedido horario ajuda ajudar falar atendente pessoa sair encerrar cancelar isso esta estou tem tenho fazer ainda mas muito
    entrega prazo vcs vc pra tambem aqui cade funcionamento abre abrem fecham hoje amanha`),
  en: toSet(`hi hello hey good morning afternoon evening thanks thank you please yes not the a an i my your is are was do does
    did can could would want need have has what when where who how why order status hours open close help talk speak person
    human agent exit quit cancel bye and but with for about of to it this that im its today tomorrow`),
  es: toSet(`hola buenos buenas dias tardes noches gracias adios chau chao si usted ustedes yo mi mis su sus un una unos quiero
    necesito puedo puede cual cuales cuando donde quien con sin en el la los las del al pedido horario ayuda ayudar hablar
    persona agente asesor salir terminar cerrar cancelar eso esto estoy tengo tiene hacer todavia pero muy mucho envio
    entrega tambien aqui estan abren cierran hoy manana`),
}

export function detectLanguage(body: string): Language | null {
  const text = body.slice(0, charactersMax)
  const score = { pt: /[ãõç]/iu.test(text) ? 2 : 0, en: 0, es: /[ñ¿¡]/iu.test(text) ? 2 : 0 }
  for (const word of foldText(text).split(' ')) {
    for (const language of languages) if (markers[language].has(word)) score[language] += 1
  }
  const most = Math.max(...Object.values(score))
  const best = languages.filter((language) => score[language] === most)
  return best.length === 1 ? (best[0] ?? null) : null
}

function toSet(words: string): ReadonlySet<string> {
  return new Set(words.split(/\s+/u))
}
