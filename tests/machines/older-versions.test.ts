import { describe, expect, test } from 'vitest'

import { migrateSnapshot } from '../../src/actors/migrate-snapshot.ts'
import type { Timers } from '../../src/actors/ports.ts'
import { noRate } from '../../src/machines/conversation/rate.ts'
import { conversationRegistration as registration } from '../../src/machines/conversation/registration.ts'
import type { JsonObject } from '../../src/machines/json.ts'
import type { PersistedSnapshot } from '../../src/machines/registry.ts'
import { at, persist, places } from './pure-conversation.ts'
import type { PureConversation } from './pure-conversation.ts'

const newest = registration.machine.version ?? ''
/** Places that older charts had too. */
const oldPlaces = places.filter((place) => !place.endsWith('.transcribing'))

/** The snapshot of today and of versions 1 and 2, and the timers that were armed. */
function stored(conversation: PureConversation) {
  const today = JSON.parse(persist(conversation.snapshot)) as PersistedSnapshot
  const { limits: _limits, rate: _rate, ...context } = today.context
  const { transcribingMs: _transcribingMs, ...settings } = context['settings'] as JsonObject
  const { hearingFailures: _hearingFailures, ...turn } = context['turn'] as JsonObject
  const messages = (turn['messages'] as readonly JsonObject[]).map(
    ({ notes: _notes, voices: _voices, ...rest }) => rest,
  )
  const second = { ...today, context: { ...context, settings, turn: { ...turn, messages } } }
  const { phrases: _phrases, line: _line, ...older } = second.context as JsonObject
  const first = { ...today, context: { ...older, recovery: false } }
  const armed = [...conversation.timers].map(([id, { dueAt, event }]) => [id, { dueAt, token: '1:0', event }])
  return { today, first, second, timers: Object.fromEntries(armed) as Timers }
}

describe.each(['1', '2'])('a conversation that version %s stored', (from) => {
  test.each(oldPlaces)(
    'in %s goes on where it was, with its timers as they were and nothing started or stopped',
    (place) => {
      const { today, first, second, timers } = stored(at(place))
      const old = from === '1' ? first : second
      const step = migrateSnapshot(registration, { from, to: newest }, JSON.stringify(old), timers)
      // What was written before is not counted.
      expect((JSON.parse(step.snapshot) as PersistedSnapshot).context).toEqual({ ...today.context, rate: noRate })
      expect((JSON.parse(step.snapshot) as PersistedSnapshot).value).toEqual(today.value)
      expect(step.orders).toEqual([])
      expect(step.status).toBe(place.split('.')[0])
    },
  )
})

test('one that failed is in recovery still, without a reason', () => {
  const { first } = stored(at('PROGRESS.waiting'))
  const failed = { ...first, context: { ...first.context, recovery: true } }
  const step = migrateSnapshot(registration, { from: '1', to: newest }, JSON.stringify(failed), {})
  expect(JSON.parse(step.snapshot)).toMatchObject({ context: { recovery: { reason: 'it is not known' } } })
})

test('a turn with an attachment that version 2 stored tells it in words, and is not heard', () => {
  const conversation = at('PENDING.collecting')
  const url = 'https://example.org/a.ogg'
  const types = ['audio/ogg', 'x'.repeat(90), 'none']
  conversation.message(
    'see',
    types.map((contentType) => ({ url, contentType })),
  )
  const { second, timers } = stored(conversation)
  // Whatever stands in a snapshot, it is migrated.
  const old = JSON.stringify(second).replace('"none"', 'null')
  const step = migrateSnapshot(registration, { from: '2', to: newest }, old, timers)
  expect(step.orders).toEqual([])
  expect(JSON.parse(step.snapshot)).toMatchObject({
    context: {
      turn: {
        messages: [
          { notes: [], voices: [] },
          { notes: ['[attached: audio/ogg]', `[attached: ${'x'.repeat(80)}]`, '[attached: ]'], voices: [] },
        ],
      },
    },
  })
})
