/** What may come back of an effect: of a draft and of a transcription exactly their form, and nothing else. */
import { describe, expect, test } from 'vitest'

import { toDraft } from '../../src/machines/conversation/draft.ts'
import { toTranscripts } from '../../src/machines/conversation/transcription.ts'

const draft = { reply: 'Hello', intent: 'continue', confidence: 0.5 }
const transcript = { messageId: 'm1', media: 0, text: 'hello' }

describe('a draft', () => {
  test.each(['continue', 'handoff', 'close'])('may want to %s', (intent) => {
    expect(toDraft({ ...draft, intent })).toEqual({ ...draft, intent })
  })

  test('is sure from 0 to 1, and has up to 4,096 characters', () => {
    for (const confidence of [0, 1]) expect(toDraft({ ...draft, confidence })).toEqual({ ...draft, confidence })
    for (const confidence of [-0.1, 1.1, Number.NaN, '1', null]) expect(toDraft({ ...draft, confidence })).toBeNull()
    expect(toDraft({ ...draft, reply: 'x'.repeat(4_096) })).not.toBeNull()
    for (const reply of ['x'.repeat(4_097), '', ' \n', 7, null, ['Hello']])
      expect(toDraft({ ...draft, reply })).toBeNull()
  })

  test('has nothing more than its three fields', () => {
    expect(toDraft({ ...draft, to: 'somebody else' })).toEqual(draft)
  })

  test('is an object', () => {
    const list = Object.assign([], draft)
    for (const output of [undefined, null, 'Hello', 7, true, [draft], list]) expect(toDraft(output)).toBeNull()
  })
})

describe('a transcription', () => {
  test('is a list of up to ten, each trimmed, with nothing where nothing was said', () => {
    const listed = [
      transcript,
      { ...transcript, text: ' hi\n' },
      { ...transcript, text: ' ' },
      { ...transcript, text: null },
    ]
    expect(toTranscripts({ transcripts: listed })).toEqual(
      ['hello', 'hi', null, null].map((text) => ({ ...transcript, text })),
    )
    const many = (length: number) => ({ transcripts: Array.from({ length }, () => transcript) })
    expect(toTranscripts(many(10))).toHaveLength(10)
    expect(toTranscripts(many(11))).toBeNull()
    expect(toTranscripts({ transcripts: [] })).toEqual([])
  })

  test('has texts of up to 4,096 characters, and nothing more than its fields', () => {
    const text = 'x'.repeat(4_096)
    expect(toTranscripts({ transcripts: [{ ...transcript, text, to: 'x' }] })).toEqual([{ ...transcript, text }])
    expect(toTranscripts({ transcripts: [{ ...transcript, text: `${text}x` }] })).toBeNull()
  })

  test.each([
    { ...transcript, text: 7 },
    { ...transcript, text: undefined },
    { ...transcript, text: ['hello'] },
    { ...transcript, text: 'half a letter: \ud83d' },
    { ...transcript, messageId: 7 },
    { ...transcript, media: '0' },
    null,
    'hello',
    7,
  ])('with %j among its texts is none', (wrong) => {
    expect(toTranscripts({ transcripts: [transcript, wrong] })).toBeNull()
  })

  test('is an object with a list', () => {
    for (const output of [
      undefined,
      null,
      'hello',
      7,
      [],
      {},
      { transcripts: 'hello' },
      { transcripts: { length: 1 } },
    ]) {
      expect(toTranscripts(output)).toBeNull()
    }
  })
})
