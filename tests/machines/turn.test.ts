/** What a turn keeps of the user's messages, to the last character. */
import { describe, expect, test } from 'vitest'

import type { ContentPart } from '../../src/machines/content.ts'
import type { TurnMessage, Voice } from '../../src/machines/conversation/draft.ts'
import {
  closeWindow,
  collectMessage,
  countFailure,
  countHearingFailure,
  endTurn,
  giveUpHearing,
  hasWords,
  hear,
  noTurn,
  toUnheard,
} from '../../src/machines/conversation/turn.ts'
import type { Turn } from '../../src/machines/conversation/turn.ts'
import { voiceNote } from './pure-conversation.ts'

const picture = { url: 'https://example.org/a.png', contentType: 'image/png' }
const message: TurnMessage = { messageId: 'm1', body: 'hello', media: [], notes: [], voices: [] }
const unheard: Voice = { media: 0, kind: 'unheard' }

function received(
  messageId: string,
  body: string,
  media: readonly (typeof picture)[] = [],
  content?: readonly ContentPart[],
) {
  return {
    type: 'message.received',
    messageId,
    body,
    media,
    at: 1_000,
    ...(content !== undefined && { content }),
  } as const
}

function collected(...bodies: readonly string[]): Turn {
  return bodies.reduce((turn, body, place) => collectMessage(turn, received(`m${place + 1}`, body)), noTurn)
}

function spoken(...voices: readonly Voice[]): TurnMessage {
  return { ...message, body: '', media: voices.map(() => voiceNote), voices }
}

function turnOf(...messages: readonly TurnMessage[]): Turn {
  return { ...noTurn, number: 1, messages: messages.map((each, place) => ({ ...each, messageId: `m${place + 1}` })) }
}

describe('a message that is collected', () => {
  test('opens a turn and its window; the next ones stay in both', () => {
    const first = collectMessage(noTurn, received('m1', 'one'))
    expect(first).toEqual({
      number: 1,
      failures: 0,
      hearingFailures: 0,
      omitted: 0,
      messages: [{ ...message, body: 'one' }],
      window: { firstAt: 1_000, latestAt: 1_000 },
    })
    const second = collectMessage(first, { ...received('m2', 'two'), at: 2_500 })
    expect(second).toMatchObject({ number: 1, window: { firstAt: 1_000, latestAt: 2_500 } })
    expect(second.messages.map(({ messageId }) => messageId)).toEqual(['m1', 'm2'])
    const closed = closeWindow(second)
    expect(closed).toEqual({ ...second, window: null })
    expect(collectMessage(closed, { ...received('m3', 'three'), at: 9_000 }).window).toEqual({
      firstAt: 9_000,
      latestAt: 9_000,
    })
  })

  test('keeps what the turn counted, and the next turn begins without', () => {
    const counted = countHearingFailure(countFailure(countFailure(collected('one'))))
    expect(counted).toMatchObject({ failures: 2, hearingFailures: 1 })
    const longer = collectMessage(counted, received('m2', 'two'))
    expect(longer).toMatchObject({ number: 1, failures: 2, hearingFailures: 1 })
    expect(endTurn(longer)).toEqual({ ...noTurn, number: 1 })
    expect(collectMessage(endTurn(longer), received('m3', 'three')).number).toBe(2)
  })

  test('has its text cut where the assistant would read no further, and no half of a letter', () => {
    expect(collected('x'.repeat(4_097)).messages[0]?.body).toBe('x'.repeat(4_096))
    expect(collected(`${'x'.repeat(4_095)}😀`).messages[0]?.body).toBe(`${'x'.repeat(4_095)}\ufffd`)
  })

  test('has its recordings as voices to be heard, and its other parts in words', () => {
    const mixed = collectMessage(noTurn, received('m1', '', [voiceNote, picture, voiceNote]))
    expect(mixed.messages[0]).toMatchObject({
      voices: [unheard, { media: 2, kind: 'unheard' }],
      notes: ['[image]'],
    })
  })

  test('has no voice for a recording that did not come with it', () => {
    const content = [{ kind: 'audio', media: 1 }] as const
    expect(collectMessage(noTurn, received('m1', '', [voiceNote], content)).messages[0]?.voices).toEqual([])
  })
})

describe('a turn that grows too long', () => {
  test('keeps the twenty newest messages', () => {
    const turn = collected(...Array.from({ length: 21 }, (_, place) => `message ${place + 1}`))
    expect(turn.messages.map(({ messageId }) => messageId)).toEqual(
      Array.from({ length: 20 }, (_, place) => `m${place + 2}`),
    )
    expect(turn.omitted).toBe(1)
    expect(collected(...Array.from({ length: 20 }, () => 'so')).omitted).toBe(0)
  })

  test('keeps the newest messages of 8,192 characters together', () => {
    const half = 'x'.repeat(4_096)
    expect(collected(half, half)).toMatchObject({ omitted: 0, messages: [{ messageId: 'm1' }, {}] })
    expect(collected(half, half, 'y')).toMatchObject({ omitted: 1, messages: [{ messageId: 'm2' }, {}] })
    expect(collected('y', half, half)).toMatchObject({ omitted: 1, messages: [{ messageId: 'm2' }, {}] })
    expect(collected('y', 'y', half, half)).toMatchObject({ omitted: 2, messages: [{ messageId: 'm3' }, {}] })
  })

  test('counts what its parts say in words, and nothing for a voice that nobody has heard', () => {
    const text = 'x'.repeat(4_096)
    expect(collectMessage(collected(text), received('m2', text, [voiceNote]))).toMatchObject({ omitted: 0 })
    const noted = collectMessage(collected(text, text.slice(7)), received('m3', '', [picture]))
    expect(noted).toMatchObject({ omitted: 0 })
    const more = collectMessage(collected(text, text.slice(6)), received('m3', '', [picture]))
    expect(more).toMatchObject({ omitted: 1, messages: [{ messageId: 'm2' }, { messageId: 'm3' }] })
  })

  test('counts what is heard in it, and leaves the oldest messages out then', () => {
    const long = { ...message, body: 'x'.repeat(4_096) }
    const transcript = { messageId: 'm3', media: 0, text: 'y' }
    const whole = hear(turnOf(long, { ...long, body: 'x'.repeat(4_095) }, spoken(unheard)), [transcript])
    expect(whole).toMatchObject({ omitted: 0, messages: [{}, {}, { messageId: 'm3' }] })
    const cut = hear({ ...turnOf(long, long, spoken(unheard)), omitted: 5 }, [transcript])
    expect(cut).toMatchObject({ omitted: 6, messages: [{ messageId: 'm2' }, { messageId: 'm3' }] })
  })

  test('keeps its newest message, however long it is', () => {
    const longest = { ...spoken(unheard), body: 'x'.repeat(4_096), notes: ['n'.repeat(2_048)] }
    const heard = hear(turnOf(message, longest), [{ messageId: 'm2', media: 0, text: 'y'.repeat(4_096) }])
    expect(heard).toMatchObject({ omitted: 1, messages: [{ messageId: 'm2' }] })
  })
})

describe('what is heard', () => {
  test('goes to the voice that it is of, and begins the count of failures anew', () => {
    const turn = {
      ...turnOf(message, spoken(unheard, { media: 1, kind: 'unheard' }), spoken(unheard)),
      hearingFailures: 1,
    }
    const heard = hear(turn, [
      { messageId: 'm2', media: 1, text: 'second' },
      { messageId: 'm3', media: 0, text: null },
      { messageId: 'm9', media: 0, text: 'of nobody' },
      { messageId: 'm1', media: 0, text: 'of no voice' },
    ])
    expect(heard.hearingFailures).toBe(0)
    expect(heard.messages[0]).toEqual(turn.messages[0])
    expect(heard.messages[1]).toEqual({
      ...turn.messages[1],
      voices: [unheard, { media: 1, kind: 'heard', text: 'second' }],
    })
    expect(heard.messages[2]?.voices).toEqual([{ media: 0, kind: 'unreadable' }])
  })

  test('is not heard again', () => {
    const voices: readonly Voice[] = [
      { media: 0, kind: 'heard', text: 'once' },
      { media: 1, kind: 'unreadable' },
    ]
    const turn = turnOf(spoken(...voices))
    const again = [0, 1].map((media) => ({ messageId: 'm1', media, text: 'again' }))
    expect(hear(turn, again).messages[0]?.voices).toEqual(voices)
  })

  test('shares a message’s 4,096 characters among its voices, and no letter is halved', () => {
    const voices = [0, 1, 2].map((media): Voice => ({ media, kind: 'unheard' }))
    const text = `${'x'.repeat(1_364)}😀${'y'.repeat(2_000)}`
    const heard = hear(turnOf(spoken(...voices)), [{ messageId: 'm1', media: 2, text }])
    expect(heard.messages[0]?.voices[2]).toEqual({ media: 2, kind: 'heard', text: `${'x'.repeat(1_364)}\ufffd` })
  })

  test('is given up for the voices that are left, not for those that were heard', () => {
    const heard: Voice = { media: 1, kind: 'heard', text: 'hello' }
    const turn = { ...turnOf(message, spoken(unheard, heard)), hearingFailures: 1 }
    expect(giveUpHearing(turn)).toEqual({
      ...turn,
      messages: [turn.messages[0], { ...turn.messages[1], voices: [{ media: 0, kind: 'unreadable' }, heard] }],
    })
  })
})

describe('what is still to be heard', () => {
  test('is asked for by place and address, oldest first, ten at once', () => {
    const done: readonly Voice[] = [
      { media: 0, kind: 'heard', text: 'so' },
      { media: 1, kind: 'unreadable' },
    ]
    expect(toUnheard(turnOf(message, spoken(...done), spoken(unheard)))).toEqual([
      { messageId: 'm3', media: 0, ...voiceNote },
    ])
    const many = toUnheard(turnOf(...Array.from({ length: 12 }, () => spoken(unheard))))
    expect(many.map(({ messageId }) => messageId)).toEqual(Array.from({ length: 10 }, (_, place) => `m${place + 1}`))
  })

  test('is not what has no file', () => {
    expect(toUnheard(turnOf({ ...spoken(unheard), media: [] }))).toEqual([])
  })
})

describe('a turn has words', () => {
  test.each<[boolean, string, readonly TurnMessage[]]>([
    [true, 'a text', [message]],
    [true, 'a part that is told', [{ ...spoken(unheard), notes: ['[image]'] }]],
    [true, 'a text beside a voice', [{ ...spoken(unheard), body: 'hello' }]],
    [true, 'nothing at all, which the assistant may ask about', [{ ...message, body: '' }]],
    [true, 'a voice that was heard beside one that was not', [spoken(unheard, { media: 1, kind: 'heard', text: 'x' })]],
    [true, 'one message of two', [spoken(unheard), message]],
    [false, 'a voice that nobody has heard', [spoken(unheard)]],
    [
      false,
      'a voice that nobody could read, with spaces',
      [{ ...spoken({ media: 0, kind: 'unreadable' }), body: ' ' }],
    ],
    [false, 'no message', []],
  ])('(%s) when it is %s', (has, _what, messages) => {
    expect(hasWords(turnOf(...messages))).toBe(has)
  })
})
