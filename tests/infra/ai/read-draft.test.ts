/** Whatever a model writes, what is read of it is a draft that the chart takes, or nothing. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { findForeignContact } from '../../../src/infra/ai/foreign-contact.ts'
import { readDraft } from '../../../src/infra/ai/read-draft.ts'
import { toDraft } from '../../../src/machines/conversation/draft.ts'
import { badAnswers } from '../../support/fake-ai.ts'

const nobody = { links: [], phones: [], said: [] }
const worstTexts = Object.values(badAnswers).flatMap((bad) => (bad.kind === 'content' ? [bad.content] : []))

const keys = fc.constantFrom(
  'reply',
  'intent',
  'confidence',
  '__proto__',
  'constructor',
  'toString',
  'tool_calls',
  'to',
)
const values = fc.oneof(
  fc.constantFrom('continue', 'close', 'handoff', 'CLOSE', 'refund', '', 0, 1, 0.5, -1, 2, null, true),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ maxLength: 60 }),
  fc.double(),
  fc.jsonValue(),
)
const objects = fc.array(fc.tuple(keys, values), { maxLength: 5 }).map((entries) => {
  const fields = entries.map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value) ?? 'NaN'}`)
  return `{${fields.join(', ')}}`
})
const drafts = fc
  .record({
    reply: fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), fc.lorem()),
    intent: fc.constantFrom('continue', 'close', 'handoff', 'x'),
    confidence: fc.double({ min: -0.5, max: 1.5 }),
  })
  .map((draft) => JSON.stringify(draft))
const texts = fc.oneof(
  objects,
  drafts,
  drafts.map((text) => `\`\`\`json\n${text}\n\`\`\``),
  fc.tuple(drafts, fc.constantFrom(...worstTexts)).map((both) => both.join('')),
  fc.constantFrom(...worstTexts),
  fc.string(),
  fc.json(),
)

describe('whatever a model writes', () => {
  test('is a draft of exactly three fields that the chart takes, or nothing', () => {
    let taken = 0
    fc.assert(
      fc.property(texts, (text) => {
        const read = readDraft(text, nobody)
        if (read.kind === 'refused') return
        taken += 1
        expect(Object.keys(read.draft).toSorted()).toEqual(['confidence', 'intent', 'reply'])
        expect(toDraft(read.draft)).toEqual(read.draft)
        expect(read.draft.reply.isWellFormed()).toBe(true)
        expect(read.draft.reply).not.toMatch(/[^\P{Cc}\n\r\t]/u)
        expect(findForeignContact(read.draft.reply, nobody)).toBeNull()
      }),
      { numRuns: 5_000 },
    )
    expect(taken).toBeGreaterThan(300)
    expect(({} as { isAdmin?: unknown }).isAdmin).toBeUndefined()
  })

  test('the worst is nothing', () => {
    expect(worstTexts.length).toBeGreaterThan(25)
    for (const text of worstTexts.filter((worst) => !worst.includes('All is well.'))) {
      expect(readDraft(text, nobody).kind, text.slice(0, 80)).toBe('refused')
    }
  })
})

describe('a link', () => {
  const hosts = fc.constantFrom(
    'evil.com',
    'pay.evil.co',
    'xn--e1awd7f.com',
    't.me',
    'wa.me',
    '203.0.113.9',
    'ev-il.shop',
  )
  const wraps = fc.constantFrom(
    (host: string) => host,
    (host: string) => `https://${host}/path?x=example.com`,
    (host: string) => `HTTP://${host.toUpperCase()}`,
    (host: string) => `https://example.com@${host}`,
    (host: string) => `https://example.com:443@${host}/`,
    (host: string) => `mailto:example.com@${host}`,
    (host: string) => `[example.com](https://${host})`,
    (host: string) => `example.com.${host}`,
    (host: string) => host.split('').join('\u200B'),
    (host: string) => host.replaceAll('.', '。'),
  )
  const around = fc.constantFrom('', ' ', '(', '"', '\n', ', ', '! ', 'see: ', 'á ')

  test('in any dress that leads elsewhere than the list is found', () => {
    fc.assert(
      fc.property(hosts, wraps, around, fc.lorem(), (host, wrap, before, text) => {
        const allowed = { links: ['example.com'], phones: [], said: [] }
        expect(findForeignContact(`${text}${before === '' ? ' ' : before}${wrap(host)} ${text}`, allowed)).toBe(
          'a link',
        )
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('a phone number', () => {
  const digits = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 10, maxLength: 13 })
  const dresses = fc.constantFrom(
    (text: string) => text,
    (text: string) => `+${text}`,
    (text: string) => `+${text.slice(0, 2)} (${text.slice(2, 4)}) ${text.slice(4, 8)}-${text.slice(8)}`,
    (text: string) => `(${text.slice(0, 2)}) ${text.slice(2)}`,
    (text: string) => text.replaceAll(/(..)/gu, '$1 '),
    (text: string) => text.split('').join('-'),
    (text: string) => text.split('').join('\u2011'),
    (text: string) => text.replaceAll(/\d/gu, '$&\uFE0F\u20E3'),
    (text: string) => `*${text.slice(0, 4)}* _${text.slice(4)}_`,
    (text: string) => text.replaceAll(/\d/gu, (digit) => String.fromCodePoint(0xff10 + Number(digit))),
    (text: string) => text.replaceAll(/\d/gu, (digit) => String.fromCodePoint(0x0660 + Number(digit))),
  )

  test('in any dress is found, and allowed when it is on the list', () => {
    fc.assert(
      fc.property(digits, dresses, (numbers, dress) => {
        const number = `55${numbers.join('')}`
        const text = `Call ${dress(number)} now`
        expect(findForeignContact(text, nobody)).toBe('a phone number')
        if (/[\u0660-\u0669]/u.test(text)) return
        expect(findForeignContact(text, { ...nobody, phones: [`+${number}`] })).toBeNull()
      }),
      { numRuns: 1_000 },
    )
  })

  test.each([
    'Amanhã, 25/11/2026, das 9h às 18h30.',
    'Open 2026-11-25 from 9:00 to 18:00, since 2019-2024.',
    'R$ 12.345.678,90 or $12,345,678.90 in 12x of 99,90',
    'Tracking AB123456789BR, order 45120, version 1.2.3 of nota.pdf, p.ex.',
    '10 - 20 - 30, 2 a 5 dias',
  ])('is not seen in "%s"', (text) => {
    expect(findForeignContact(text, nobody)).toBeNull()
  })

  test('that ends like a pair of years or a date is one', () => {
    for (const text of ['(11) 2019-2024', '+55 11 2019-2024', '0800 20-12-2024']) {
      expect(findForeignContact(text, nobody), text).toBe('a phone number')
    }
  })

  test('an order number that the user wrote may be repeated, one that is like it may not', () => {
    const said = ['where is 4512345678, and call me at +55 11 98765-4321']
    expect(findForeignContact('4512345678 is on its way', { ...nobody, said })).toBeNull()
    expect(findForeignContact('4512345679 is on its way', { ...nobody, said })).toBe('a phone number')
    expect(findForeignContact('we call +55 11 98765-4321', { ...nobody, said })).toBe('a phone number')
  })
})

test('a long text without end is read in a moment', () => {
  const units = ['1.', 'a.', '1-', '(', '+', '1 ', 'http://', 'mailto:', '2024-', '1h', '1.1.1.1 ', '\u200b1']
  for (const unit of units) {
    const startedAt = performance.now()
    findForeignContact(unit.repeat(4_096 / unit.length), nobody)
    expect(performance.now() - startedAt, unit).toBeLessThan(200)
  }
})
