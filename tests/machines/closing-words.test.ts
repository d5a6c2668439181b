import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

import { createVocabulary, readIntent, vocabularyOf } from '../../src/machines/conversation/closing-words.ts'
import type { Intent, Scheme } from '../../src/machines/conversation/closing-words.ts'
import { readMessageIntent, toScheme } from '../../src/machines/conversation/message-intent.ts'

type Labelled = { readonly intent: Intent | null; readonly scheme: Scheme; readonly phrases: readonly string[] }

const file = new URL('closing-phrases.json', import.meta.url)
const labelled = JSON.parse(readFileSync(file, 'utf8')) as readonly Labelled[]
const closing = ['close', 'thanks', 'stop'] as const

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
    const phrases = labelled.filter(({ intent }) => closing.includes(intent as never)).flatMap((group) => group.phrases)
    const negated = phrases.flatMap((phrase) =>
      ['não', 'nunca', 'do not', "don't", 'never', 'no', 'jamás'].map((no) => `${no} ${phrase}`),
    )
    const closingAnyway = negated.filter((phrase) => readIntent(phrase, vocabularyOf.whatsapp) !== null)
    expect(closingAnyway).toEqual([])
  })

  test('a closing phrase inside a sentence that goes on decides nothing', () => {
    const phrases = labelled.filter(({ intent }) => closing.includes(intent as never)).flatMap((group) => group.phrases)
    const goingOn = phrases.flatMap((phrase) => [
      `${phrase} mas tenho outra dúvida`,
      `${phrase} but where is my order`,
      `minha filha escreveu ${phrase}`,
      `pero ${phrase}`,
    ])
    expect(goingOn.filter((phrase) => readIntent(phrase, vocabularyOf.whatsapp) !== null)).toEqual([])
  })
})

describe('readIntent', () => {
  test('a tenant adds its own phrases', () => {
    const vocabulary = createVocabulary('whatsapp', { close: ['#fim do papo'], thanks: ['tmj'] })
    expect(readIntent('FIM DO PAPO!', vocabulary)).toBe('close')
    expect(readIntent('tmj, valeu', vocabulary)).toBe('thanks')
    expect(readIntent('fim do papo', vocabularyOf.whatsapp)).toBeNull()
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
