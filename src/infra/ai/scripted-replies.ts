/**
 * What the scripted assistant says: the first topic that the turn touches decides, and the reply quotes
 * what it answers, so that everybody can see which messages it is about. Where it does not know, it asks
 * back; it never invents the state of an order.
 */
import type { Draft, DraftIntent, DraftRequest, TurnMessage } from '../../machines/conversation/draft.ts'
import { foldText } from '../../machines/conversation/fold-text.ts'
import { detectLanguage } from '../../machines/conversation/language.ts'
import type { Language } from '../../machines/conversation/language.ts'
import type { JsonObject } from '../../machines/json.ts'

type Topic = 'person' | 'orderNumber' | 'order' | 'hours' | 'attachment' | 'greeting' | 'unknown'

const quotesMax = 3
const quoteCharactersMax = 60

/** `settings` are the tenant's; `openingHours` is text that is said as it stands. */
export function toScriptedDraft(request: DraftRequest, settings: JsonObject): Draft {
  const bodies = request.messages
    .flatMap(toTexts)
    .map(toOneLine)
    .filter((body) => body !== '')
  const text = bodies.join(' ')
  const language = detectLanguage(text) ?? request.language
  const script = scripts[language]
  const topic = findTopic(foldText(text), request)
  const openingHours = typeof settings['openingHours'] === 'string' ? settings['openingHours'] : script.openingHours
  const facts = { orderNumber: findOrderNumber(foldText(text)) ?? '', openingHours }
  const sentences = [
    request.recovery !== null && request.turn === 1 ? script.recovery : '',
    toQuotes(bodies, script.about),
    script.replies[topic](facts),
  ]
  return {
    reply: sentences.filter((sentence) => sentence !== '').join(' '),
    intent: intentOf(topic),
    confidence: topic === 'unknown' ? 0.3 : 0.9,
  }
}

/** What the user wrote, and said. */
function toTexts({ body, voices = [] }: Pick<TurnMessage, 'body'> & Partial<TurnMessage>): readonly string[] {
  return [body, ...voices.map((voice) => (voice.kind === 'heard' ? voice.text : ''))]
}

function intentOf(topic: Topic): DraftIntent {
  return topic === 'person' ? 'handoff' : 'continue'
}

function findTopic(folded: string, { messages }: DraftRequest): Topic {
  if (patterns.person.test(folded) && !patterns.negation.test(folded)) return 'person'
  const hasNumber = findOrderNumber(folded) !== null
  if (patterns.order.test(folded)) return hasNumber ? 'orderNumber' : 'order'
  if (patterns.hours.test(folded)) return 'hours'
  // A number alone answers our own question for it.
  if (hasNumber && folded.split(' ').length <= 4) return 'orderNumber'
  if (folded === '' && messages.some(({ media }) => media.length > 0)) return 'attachment'
  return patterns.greeting.test(folded) ? 'greeting' : 'unknown'
}

function findOrderNumber(folded: string): string | null {
  return /(?:^| )(\d{3,12})(?= |$)/u.exec(folded)?.[1] ?? null
}

/** Over folded text (no accents, no punctuation), all three languages together. */
const patterns = {
  person: new RegExp(
    '\\b(?:falar|conversar|chamar|chama|passar|transferir|quero|preciso|talk|speak|chat|connect|transfer|want|need|hablar|' +
      'pasar|comunicar|quiero|necesito)\\b.*\\b(?:atendente|pessoa|humano|alguem|person|human|agent|someone|representative|' +
      'persona|agente|asesor|alguien|operador)\\b',
    'u',
  ),
  negation: /\b(?:nao|not|dont|no|never|nunca)\b/u,
  order:
    /\b(?:pedido|pedidos|encomenda|entrega|rastreio|rastrear|compra|order|orders|delivery|package|parcel|tracking|envio|paquete)\b/u,
  hours:
    /\b(?:horario|horarios|abre|abrem|aberto|abertos|aberta|funcionamento|fecha|fecham|hours|open|opening|close|closing|abren|abierto|abiertos|cierran)\b/u,
  greeting:
    /^(?:oi+|ola|bom dia|boa tarde|boa noite|e ai|tudo bem|hi|hello|hey|good (?:morning|afternoon|evening)|hola|buen[oa]s?(?: dias| tardes| noches)?)\b/u,
}

type Facts = { readonly orderNumber: string; readonly openingHours: string }
type Script = {
  readonly about: (quotes: string) => string
  readonly recovery: string
  readonly openingHours: string
  readonly replies: { readonly [topic in Topic]: (facts: Facts) => string }
}

const scripts: { readonly [language in Language]: Script } = {
  pt: {
    about: (quotes) => `Sobre ${quotes}:`,
    recovery: 'Desculpe pela interrupção de antes.',
    openingHours: 'segunda a sexta das 9h às 18h, sábado das 9h às 13h',
    replies: {
      person: () => 'claro, vou chamar uma pessoa da equipe para falar com você.',
      orderNumber: ({ orderNumber }) =>
        `anotei o pedido ${orderNumber}. Não consigo ver entregas por aqui; escreva "atendente" e uma pessoa confere para você.`,
      order: () => 'qual é o número do pedido?',
      hours: ({ openingHours }) => `nosso horário é ${openingHours}.`,
      attachment: () => 'Recebi o arquivo. Como posso ajudar com ele?',
      greeting: () => 'olá! Posso ajudar com pedidos e horários. O que você precisa?',
      unknown: () => 'pode me contar um pouco mais? Posso ajudar com pedidos e horários.',
    },
  },
  en: {
    about: (quotes) => `About ${quotes}:`,
    recovery: 'Sorry for the interruption before.',
    openingHours: 'Monday to Friday 9:00 to 18:00, Saturday 9:00 to 13:00',
    replies: {
      person: () => 'of course, I am asking a person of our team to talk to you.',
      orderNumber: ({ orderNumber }) =>
        `I have noted order ${orderNumber}. I cannot see deliveries from here; write "agent" and a person will check it for you.`,
      order: () => 'what is the number of the order?',
      hours: ({ openingHours }) => `our hours are ${openingHours}.`,
      attachment: () => 'I have received the file. How can I help you with it?',
      greeting: () => 'hello! I can help with orders and opening hours. What do you need?',
      unknown: () => 'could you tell me a little more? I can help with orders and opening hours.',
    },
  },
  es: {
    about: (quotes) => `Sobre ${quotes}:`,
    recovery: 'Disculpe la interrupción de antes.',
    openingHours: 'de lunes a viernes de 9:00 a 18:00, sábado de 9:00 a 13:00',
    replies: {
      person: () => 'claro, voy a llamar a una persona del equipo para que hable con usted.',
      orderNumber: ({ orderNumber }) =>
        `anoté el pedido ${orderNumber}. No puedo ver entregas desde aquí; escriba "agente" y una persona lo revisa.`,
      order: () => '¿cuál es el número del pedido?',
      hours: ({ openingHours }) => `nuestro horario es ${openingHours}.`,
      attachment: () => 'Recibí el archivo. ¿Cómo puedo ayudarle con él?',
      greeting: () => '¡hola! Puedo ayudar con pedidos y horarios. ¿Qué necesita?',
      unknown: () => '¿puede contarme un poco más? Puedo ayudar con pedidos y horarios.',
    },
  },
}

/** The newest messages of the turn, shortened. */
function toQuotes(bodies: readonly string[], about: Script['about']): string {
  const quotes = bodies.slice(-quotesMax).map((body) => `“${shorten(body)}”`)
  return quotes.length === 0 ? '' : about(quotes.join(', '))
}

function shorten(body: string): string {
  if (body.length <= quoteCharactersMax) return body
  // A cut may fall into the middle of a character.
  return `${body
    .slice(0, quoteCharactersMax)
    .toWellFormed()
    .replace(/\uFFFD$/u, '')
    .trimEnd()}…`
}

function toOneLine(body: string): string {
  return body
    .toWellFormed()
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
}
