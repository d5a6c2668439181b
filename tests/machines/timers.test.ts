import { describe, expect, test } from 'vitest'

import { defaultSettings, readSettings } from '../../src/machines/conversation/settings.ts'
import { at, goodDraft, operator, PureConversation } from './pure-conversation.ts'
import type { Place } from './pure-conversation.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs

type Boundary = readonly [place: Place, afterMs: number, name: string, then: string]

const boundaries: readonly Boundary[] = [
  ['PENDING.collecting', 1_500, 'quiet', 'PENDING.answering'],
  ['PROGRESS.collecting', 1_500, 'quiet', 'PROGRESS.answering'],
  ['PROGRESS.waiting', 15 * minuteMs, 'idleTimeout', 'IDLE_TIMEOUT'],
  ['IDLE_TIMEOUT', 24 * hourMs, 'idleExpiry', 'EXPIRED'],
  ['HUMAN_HANDOFF.queued', 30 * minuteMs, 'handoffQueue', 'PROGRESS.waiting'],
  ['HUMAN_HANDOFF.assigned', 24 * hourMs, 'handoffExpiry', 'EXPIRED'],
]

describe('each timer at its boundary', () => {
  test.each(boundaries)('%s ends after %i ms (%s)', (place, afterMs, _name, then) => {
    const before = at(place)
    before.advance(afterMs - 1)
    expect(before.state).toBe(place)
    before.advance(1)
    expect(before.state).toBe(then)

    const beyond = at(place)
    beyond.advance(afterMs + 1)
    expect(beyond.state).toBe(then)
  })

  test.each(['PENDING.answering', 'PROGRESS.answering'] as const)('%s is tried again after 60 s', (place) => {
    for (const [passedMs, attempt] of [
      [59_999, 1],
      [60_000, 2],
      [60_001, 2],
      [119_999, 2],
      [120_000, 3],
      [179_999, 3],
    ] as const) {
      const conversation = at(place)
      conversation.advance(passedMs)
      expect(conversation.state).toBe(place)
      expect(conversation.draft?.attempt).toBe(attempt)
    }
    const conversation = at(place)
    conversation.advance(180_000)
    expect(conversation.state).toBe('HUMAN_HANDOFF.queued')
  })

  test.each([
    [-1, 'PENDING.answering'],
    [0, 'EXPIRED'],
    [1, 'EXPIRED'],
  ] as const)('PENDING expires after its time since the last message: %i ms', (aroundMs, then) => {
    const conversation = at('PENDING.collecting', { pendingExpiryMs: 30_000 })
    conversation.advance(30_000 + aroundMs)
    expect(conversation.state).toBe(then)
  })

  test('PENDING waits 48 hours by default', () => {
    expect(
      [...at('PENDING.collecting').timers.values()].map(({ dueAt }) => dueAt - new PureConversation().now),
    ).toEqual([48 * hourMs, 1_500])
  })
})

describe('the quiet moment', () => {
  test('begins anew with each message', () => {
    const conversation = new PureConversation()
    conversation.message('one')
    conversation.advance(1_499)
    conversation.message('two')
    conversation.advance(1_499)
    expect(conversation.state).toBe('PENDING.collecting')
    conversation.advance(1)
    expect(conversation.state).toBe('PENDING.answering')
  })

  test('is over at the latest 8 s after the first message', () => {
    const conversation = new PureConversation()
    for (let second = 0; second < 8; second += 1) {
      conversation.message(`message ${second}`)
      conversation.advance(second === 7 ? 999 : 1_000)
    }
    expect(conversation.state).toBe('PENDING.collecting')
    conversation.advance(1)
    expect(conversation.state).toBe('PENDING.answering')
    expect(conversation.draft?.messages).toHaveLength(8)
  })

  test('opens a window of its own when a message interrupts the answer', () => {
    const conversation = at('PROGRESS.answering')
    conversation.advance(50_000)
    conversation.message('wait')
    conversation.advance(1_499)
    expect(conversation.state).toBe('PROGRESS.collecting')
    conversation.advance(1)
    expect(conversation.state).toBe('PROGRESS.answering')
  })

  test('of 0 ms answers at once, and a message that comes late does not wait at all', () => {
    const conversation = new PureConversation({
      scheme: 'whatsapp',
      settings: { quietMs: 0 },
      previousStatus: null,
      previousReason: null,
    })
    conversation.message('hello')
    conversation.advance(0)
    expect(conversation.state).toBe('PENDING.answering')
  })

  test('stays within its bounds when the moments of messages go back', () => {
    const conversation = at('PENDING.collecting')
    conversation.now -= 60_000
    conversation.message('from another clock')
    expect(conversation.nextDueMs).toBe(1_500)
    conversation.now += 120_000
    conversation.message('from a fast clock')
    expect(conversation.nextDueMs).toBe(0)
  })
})

describe('what renews a timer', () => {
  test('a message renews PENDING', () => {
    const conversation = at('PENDING.collecting', { pendingExpiryMs: 10_000, quietMs: 60_000, quietMaxMs: 600_000 })
    conversation.advance(9_999)
    conversation.message('still there?')
    conversation.advance(9_999)
    expect(conversation.state).toBe('PENDING.collecting')
    conversation.advance(1)
    expect(conversation.state).toBe('EXPIRED')
  })

  test('a failed attempt does not renew PENDING', () => {
    const conversation = at('PENDING.answering', { pendingExpiryMs: 10_000 })
    conversation.advance(8_000)
    conversation.failDraft()
    conversation.advance(500)
    expect(conversation.state).toBe('EXPIRED')
  })

  test('silence begins with the answer, not with the message', () => {
    const conversation = at('PROGRESS.answering')
    conversation.advance(50_000)
    conversation.finishDraft(goodDraft)
    conversation.advance(15 * minuteMs - 1)
    expect(conversation.state).toBe('PROGRESS.waiting')
    conversation.advance(1)
    expect(conversation.state).toBe('IDLE_TIMEOUT')
  })

  test('a conversation whose message waits for its answer is not idle, however short the idle time', () => {
    const conversation = at('PROGRESS.collecting', { idleTimeoutMs: 1_000 })
    conversation.advance(1_500)
    expect(conversation.state).toBe('PROGRESS.answering')
    conversation.advance(59_000)
    expect(conversation.state).toBe('PROGRESS.answering')
    conversation.finishDraft(goodDraft)
    conversation.advance(1_000)
    expect(conversation.state).toBe('IDLE_TIMEOUT')
  })

  test('delivery ticks renew nothing', () => {
    const conversation = at('PROGRESS.waiting')
    const { dueAt } = [...conversation.timers.values()][0]!
    conversation.advance(1_000)
    conversation.send({ type: 'delivery.updated', effectId: 'e', status: 'read', errorCode: null, at: 0 } as never)
    expect([...conversation.timers.values()].map((timer) => timer.dueAt)).toEqual([dueAt])
  })

  test('a message in the queue does not make the wait longer', () => {
    const conversation = at('HUMAN_HANDOFF.queued')
    conversation.advance(29 * minuteMs)
    conversation.message('hello?')
    conversation.advance(minuteMs)
    expect(conversation.state).toBe('PROGRESS.waiting')
  })

  test('whatever the user or the operator writes renews an assigned handoff', () => {
    const conversation = at('HUMAN_HANDOFF.assigned')
    conversation.advance(24 * hourMs - 1)
    conversation.message('are you there?')
    conversation.advance(24 * hourMs - 1)
    conversation.send(operator(conversation, 'replied', { body: 'yes' }))
    conversation.advance(24 * hourMs - 1)
    expect(conversation.state).toBe('HUMAN_HANDOFF.assigned')
    conversation.advance(1)
    expect(conversation.state).toBe('EXPIRED')
  })
})

describe('settings', () => {
  test('what a tenant sets is used', () => {
    expect(readSettings({ idleTimeoutMs: 1_000, quietMs: 0 })).toEqual({
      ...defaultSettings,
      idleTimeoutMs: 1_000,
      quietMs: 0,
    })
  })

  test.each([
    ['text', '1000'],
    ['negative', -1],
    ['zero', 0],
    ['a fraction', 1.5],
    ['beyond 90 days', 91 * 24 * hourMs],
    ['null', null],
    ['a list', [1_000]],
    ['NaN', Number.NaN],
    ['endless', Number.POSITIVE_INFINITY],
  ])('a value that is %s gives the default', (_, value) => {
    expect(readSettings({ idleTimeoutMs: value })).toEqual(defaultSettings)
  })

  test('settings that are not the conversation’s are left out, inherited ones too', () => {
    const inherited = Object.create({ quietMs: 7 }) as Record<string, never>
    expect(readSettings({ colour: 'red', __proto__: { quietMs: 7 } })).toEqual(defaultSettings)
    expect(readSettings(inherited)).toEqual(defaultSettings)
  })
})
