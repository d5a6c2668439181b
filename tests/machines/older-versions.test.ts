import { describe, expect, test } from 'vitest'

import { migrateSnapshot } from '../../src/actors/migrate-snapshot.ts'
import type { Timers } from '../../src/actors/ports.ts'
import { conversationRegistration as registration } from '../../src/machines/conversation/registration.ts'
import type { PersistedSnapshot } from '../../src/machines/registry.ts'
import { at, persist, places } from './pure-conversation.ts'

/** The snapshot of today and of version 1, and the timers that were armed. */
function stored(place: (typeof places)[number]) {
  const conversation = at(place)
  const today = JSON.parse(persist(conversation.snapshot)) as PersistedSnapshot
  const { phrases: _phrases, line: _line, ...context } = today.context
  const first = { ...today, context: { ...context, recovery: false } }
  const armed = [...conversation.timers].map(([id, { dueAt, event }]) => [id, { dueAt, token: '1:0', event }])
  return { today, first, timers: Object.fromEntries(armed) as Timers }
}

describe('a conversation that version 1 stored', () => {
  test.each(places)(
    'in %s goes on where it was, with its timers as they were and nothing started or stopped',
    (place) => {
      const { today, first, timers } = stored(place)
      const step = migrateSnapshot(registration, { from: '1', to: '2' }, JSON.stringify(first), timers)
      expect((JSON.parse(step.snapshot) as PersistedSnapshot).context).toEqual(today.context)
      expect((JSON.parse(step.snapshot) as PersistedSnapshot).value).toEqual(today.value)
      expect(step.orders).toEqual([])
      expect(step.status).toBe(place.split('.')[0])
    },
  )

  test('after one that failed is in recovery still, without a reason', () => {
    const { first } = stored('PROGRESS.waiting')
    const failed = { ...first, context: { ...first.context, recovery: true } }
    const step = migrateSnapshot(registration, { from: '1', to: '2' }, JSON.stringify(failed), {})
    expect(JSON.parse(step.snapshot)).toMatchObject({ context: { recovery: { reason: 'it is not known' } } })
  })
})
