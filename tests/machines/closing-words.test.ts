import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

import { createVocabulary, readIntent, vocabularyOf } from '../../src/machines/conversation/closing-words.ts'
import type { Intent, Scheme } from '../../src/machines/conversation/closing-words.ts'
import { readMessageIntent, toScheme } from '../../src/machines/conversation/message-intent.ts'

type Labelled = { readonly intent: Intent | null; readonly scheme: Scheme; readonly phrases: readonly string[] }

const file = new URL('closing-phrases.json', import.meta.url)
const labelled = JSON.parse(readFileSync(file, 'utf8')) as readonly Labelled[]
const closing = ['close', 'thanks', 'stop'] as const
const closingPhrases = labelled
  .filter(({ intent }) => closing.includes(intent as never))
  .flatMap(({ phrases }) => phrases)

const continuations = [
  'mas tenho outra dúvida',
  'mas não agora',
  'but where is my order',
  'pero todavía no',
  'sobre meu pedido',
  'e o meu pedido',
  'and my order',
  'y mi pedido',
  'do plano',
  'del plan',
  'of the month',
  'da academia',
  'my subscription',
  'quando chegar o pacote',
  'se não resolver',
  'if it does not arrive',
  'si no llega',
  'para o Pedro',
  'depois eu volto',
  'when',
  'não',
  'yet',
  'ainda não',
  'todavía',
  'por quê',
  'because of you',
  'é o nome do filme',
  '123',
]

describe('labelled phrases', () => {
  test.each(labelled)('every phrase labelled $intent on $scheme is read so', ({ intent, scheme, phrases }) => {
    const misread = phrases
      .map((phrase) => ({ phrase, read: readIntent(phrase, vocabularyOf[scheme]) }))
      .filter(({ read }) => read !== intent)
    expect(misread).toEqual([])
  })

  test('there are at least 150 of them, and as many again that must not close', () => {
    const count = (groups: readonly Labelled[]) => groups.reduce((sum, { phrases }) => sum + phrases.length, 0)
    expect(count(labelled)).toBeGreaterThanOrEqual(300)
    expect(count(labelled.filter(({ intent }) => intent === null))).toBeGreaterThanOrEqual(100)
  })

  test('a negation before or after a closing phrase takes its force', () => {
    const negated = closingPhrases.flatMap((phrase) =>
      ['não', 'nunca', 'do not', "don't", 'never', 'no', 'jamás'].map((no) => `${no} ${phrase}`),
    )
    const closingAnyway = negated.filter((phrase) => readIntent(phrase, vocabularyOf.whatsapp) !== null)
    expect(closingAnyway).toEqual([])
  })

  test('a closing phrase inside a sentence that goes on decides nothing', () => {
    const goingOn = closingPhrases.flatMap((phrase) => [
      ...['minha filha escreveu', 'pero', 'but', 'como faço para', 'how do I', 'quando', 'se eu'].map(
        (no) => `${no} ${phrase}`,
      ),
      ...continuations.map((continuation) => `${phrase} ${continuation}`),
    ])
    expect(goingOn.filter((phrase) => readIntent(phrase, vocabularyOf.whatsapp) !== null)).toEqual([])
    expect(goingOn.filter((phrase) => readIntent(phrase, vocabularyOf.sms) !== null)).toEqual([])
  })

  test('a question ends nothing, unless it asks us to', () => {
    const put = /\b(can|could|would|will|puedes?|podés|podrías?|pueden|ya puede|pode)\b/iu
    const asked = closingPhrases.filter((phrase) => !put.test(phrase)).map((phrase) => `${phrase}?`)
    expect(asked.filter((phrase) => readIntent(phrase, vocabularyOf.whatsapp) !== null)).toEqual([])
    expect(readIntent('START?', vocabularyOf.whatsapp)).toBeNull()
    expect(readIntent('could you please end this chat?', vocabularyOf.whatsapp)).toBe('close')
    expect(readIntent('vocês podem parar de me mandar mensagens?', vocabularyOf.sms)).toBe('stop')
  })
})

describe('a negation', () => {
  const negatedStops = [
    ['não quero mais receber mensagens', 'quero mais receber mensagens', 'não não quero mais receber mensagens'],
    ['não me mandem mais mensagens', 'me mandem mais mensagens', 'não não me mandem mais mensagens'],
    ['no quiero recibir más mensajes', 'quiero recibir más mensajes', 'no no quiero recibir más mensajes'],
    ['no me escriban más', 'me escriban más', 'no no me escriban más'],
    ["I don't want any more messages", 'I want any more messages', "I don't not want any more messages"],
    ['prefiro não receber mensagens', 'prefiro receber mensagens', 'não prefiro não receber mensagens'],
    ["don't text me again", 'text me again', "don't don't text me again"],
  ] as const

  test.each(negatedStops)('%s opts out; without the negation, or with two, it does not', (stop, without, doubled) => {
    for (const vocabulary of Object.values(vocabularyOf)) {
      expect([stop, without, doubled].map((body) => readIntent(body, vocabulary))).toEqual(['stop', null, null])
    }
  })

  test('a negated wish for an end of the messages keeps them', () => {
    const kept = [
      'não quero parar de receber mensagens',
      'não parem de me mandar mensagens',
      'no quiero dejar de recibir mensajes',
      'no dejen de enviarme mensajes',
      "I don't want to stop receiving messages",
      "I don't want these messages to stop",
      "don't stop texting me",
      'não quero me descadastrar',
    ]
    expect(kept.filter((body) => readIntent(body, vocabularyOf.sms) !== null)).toEqual([])
  })

  test('nobody is opted out for a while: a time after the wish decides nothing', () => {
    const forAWhile = [
      "don't text me now",
      'não me mande mensagem agora',
      'não me mandem mensagens até amanhã',
      'no me manden mensajes hasta mañana',
      'stop texting me until tomorrow',
      'não quero receber mensagens hoje',
    ]
    expect(forAWhile.filter((body) => readIntent(body, vocabularyOf.sms) !== null)).toEqual([])
  })

  test('it refuses the robot, not the person', () => {
    for (const body of [
      'não quero falar com robô',
      'not a bot, I want a person',
      'no quiero un bot sino una persona',
    ]) {
      expect(readIntent(body, vocabularyOf.whatsapp), body).toBe('handoff')
    }
    for (const body of [
      'não quero um atendente, quero um robô',
      'I want a bot, not a person',
      'no quiero una persona',
    ]) {
      expect(readIntent(body, vocabularyOf.whatsapp), body).toBeNull()
    }
    const handoffs = labelled.filter(({ intent }) => intent === 'handoff').flatMap(({ phrases }) => phrases)
    const negated = handoffs.flatMap((phrase) =>
      ["I don't want", 'não preciso', 'nunca'].map((no) => `${no} ${phrase}`),
    )
    const read = negated.filter((phrase) => !/bot|robô/iu.test(phrase) && readIntent(phrase, vocabularyOf.sms) !== null)
    expect(read).toEqual([])
  })
})

describe('what is not understood, on purpose', () => {
  test.each([
    ['a wish for a person about something', 'quero falar com um atendente sobre meu pedido'],
    ['a way out that may be of the house', 'vou sair'],
    ['the same, as a must', 'preciso sair'],
    ['a permission that is asked for', 'posso encerrar o atendimento?'],
    ['the way to do it', 'how do I unsubscribe?'],
    ['a thing that is not named', 'you can close it'],
    ['what is sent without its name', 'não me mandem mais nada'],
    ['one message that was sent by mistake', 'cancelar a mensagem'],
    ['a session that may be a visit', 'cancel my session'],
    ['a contract that may be a gym', 'quiero darme de baja'],
    ['a list that may be for a table', 'remove me from the list'],
    ['goods that may be meant', 'no quiero ofertas'],
    ['a request that is wrapped in thanks', 'agradezco cancelar'],
    ['thanks for an answer, which open what comes next', 'obrigado pela resposta'],
    ['thanks before the help', 'thanks in advance'],
    ['an answer with thanks', 'claro, gracias'],
    ['half a sentence', 'e obrigado'],
    ['half a request', 'and cancel'],
  ])('%s', (_why, body) => {
    expect(readIntent(body, vocabularyOf.whatsapp)).toBeNull()
    expect(readIntent(body, vocabularyOf.sms)).toBeNull()
  })
})

describe('readIntent', () => {
  test('a tenant adds its own phrases', () => {
    const vocabulary = createVocabulary('whatsapp', { close: ['#câmbio e desligo'], thanks: ['tmj'] })
    expect(readIntent('CAMBIO E DESLIGO!', vocabulary)).toBe('close')
    expect(readIntent('tmj, valeu', vocabulary)).toBe('thanks')
    expect(readIntent('câmbio e desligo', vocabularyOf.whatsapp)).toBeNull()
  })

  test('a word that stops on SMS closes on WhatsApp', () => {
    for (const word of ['CANCEL', 'END', 'QUIT']) {
      expect(readIntent(word, vocabularyOf.sms)).toBe('stop')
      expect(readIntent(word, vocabularyOf.whatsapp)).toBe('close')
    }
  })

  test('a long message is never a closing, whatever it consists of, and costs little', () => {
    expect(readIntent('obrigado '.repeat(17), vocabularyOf.whatsapp)).toBeNull()
    expect(readIntent('ok '.repeat(50), vocabularyOf.whatsapp)).toBeNull()
    const startedAt = performance.now()
    for (let round = 0; round < 1_000; round += 1) readIntent('tchau '.repeat(16), vocabularyOf.whatsapp)
    expect(performance.now() - startedAt).toBeLessThan(2_000)
  })

  test('accents, case, punctuation, emoji and invisible characters change nothing', () => {
    for (const body of [
      'OBRIGADO',
      'obrigádo',
      '…obrigado…',
      'obri\u200Bgado',
      '🙏🏽 obrigado 🙏🏽',
      'ｏｂｒｉｇａｄｏ',
      'obrigado\u0301',
    ]) {
      expect(readIntent(body, vocabularyOf.whatsapp), body).toBe('thanks')
    }
  })
})

describe('a message as it came', () => {
  const message = { type: 'message.received', messageId: 'm1', at: 0 } as const
  const picture = { url: 'https://example.org/receipt.jpg', contentType: 'image/jpeg' }

  test('a picture with the caption "obrigado" says more than goodbye', () => {
    expect(readMessageIntent({ ...message, body: 'obrigado', media: [] }, 'whatsapp')).toBe('thanks')
    expect(readMessageIntent({ ...message, body: 'obrigado', media: [picture] }, 'whatsapp')).toBeNull()
  })

  test('STOP stays STOP with a picture', () => {
    expect(readMessageIntent({ ...message, body: 'STOP', media: [picture] }, 'sms')).toBe('stop')
  })

  test('an address of another scheme is held to the rules of SMS', () => {
    expect(toScheme('whatsapp:+14155238886')).toBe('whatsapp')
    expect(toScheme('sms:+14155238886')).toBe('sms')
    expect(toScheme('rcs:brand')).toBe('sms')
  })
})

describe('how long a message may be that is read', () => {
  const read = (body: string) => readIntent(body, vocabularyOf.whatsapp)

  test('is 160 characters', () => {
    expect(read(`tchau${'!'.repeat(155)}`)).toBe('thanks')
    expect(read(`tchau${'!'.repeat(156)}`)).toBeNull()
  })

  test('is 16 words', () => {
    expect(read('tchau '.repeat(16))).toBe('thanks')
    expect(read('tchau '.repeat(17))).toBeNull()
  })

  test('is not nothing', () => {
    for (const body of ['', ' ', '?', '👋']) expect(read(body)).toBeNull()
  })
})

test('a list of phrases that has no part in the grammar is refused by its name', () => {
  expect(() => createVocabulary('sms', { nonsense: ['x'] } as never)).toThrow('the grammar has no role nonsense')
})
