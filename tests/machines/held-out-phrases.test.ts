/**
 * Phrases and sentences written by somebody who has not seen the matcher, and which nobody tunes it to: what it
 * makes of them is what it would make of strangers. Misreadings are printed by name.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

import { readIntent, vocabularyOf } from '../../src/machines/conversation/closing-words.ts'
import type { Intent, Scheme } from '../../src/machines/conversation/closing-words.ts'

type Labelled = { readonly intent: Intent | null; readonly scheme: Scheme; readonly phrases: readonly string[] }

const labelled = read('held-out-phrases.json') as Labelled[]
const sentences = read('sentences-with-closing-words.json') as string[]
const ending: readonly (Intent | null)[] = ['close', 'thanks', 'stop']

const all = labelled.flatMap(({ intent, scheme, phrases }) =>
  phrases.map((phrase) => ({ phrase, scheme, intent, isRead: readIntent(phrase, vocabularyOf[scheme]) })),
)

describe('held-out phrases', () => {
  test('none that goes on is taken for an end, and none that ends for another kind of end', () => {
    const wrong = all.filter(({ intent, isRead }) => isRead !== null && isRead !== intent)
    expect(wrong.map(({ phrase, intent, isRead }) => `${phrase}: ${isRead}, not ${intent}`)).toEqual([])
  })

  test.each([
    ['close', 0.85],
    ['thanks', 0.85],
    ['handoff', 0.85],
    ['stop', 0.85],
  ] as const)('most of those that mean %s are understood; the others cost one more message', (intent, shareMin) => {
    const asked = all.filter((one) => one.intent === intent)
    const missed = asked.filter(({ isRead }) => isRead !== intent).map(({ phrase }) => phrase)
    console.log(`${intent}: ${asked.length - missed.length} of ${asked.length}; missed: ${missed.join(' | ')}`)
    expect((asked.length - missed.length) / asked.length).toBeGreaterThanOrEqual(shareMin)
  })

  test('they are a third and more of all labelled phrases', () => {
    const tuned = (read('closing-phrases.json') as Labelled[]).flatMap(({ phrases }) => phrases)
    expect(tuned.length + all.length).toBeGreaterThanOrEqual(300)
    expect(all.length * 3).toBeGreaterThanOrEqual(tuned.length + all.length)
    const known = new Set(tuned.map((phrase) => phrase.toLowerCase()))
    expect(all.filter(({ phrase }) => !known.has(phrase.toLowerCase())).length).toBeGreaterThanOrEqual(200)
  })
})

test(`no sentence of ${sentences.length} that merely contains a closing word ends a conversation`, () => {
  expect(sentences.length).toBeGreaterThanOrEqual(200)
  for (const vocabulary of [vocabularyOf.whatsapp, vocabularyOf.sms]) {
    expect(sentences.filter((sentence) => ending.includes(readIntent(sentence, vocabulary)))).toEqual([])
  }
})

function read(name: string): unknown {
  return JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8'))
}
