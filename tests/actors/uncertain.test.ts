/** Sends whose answer was lost, while the partition goes and comes back. */
import { expect, test } from 'vitest'

import type { EffectPerformers } from '../../src/actors/ports.ts'
import { createMemoryWorld } from '../support/memory-world.ts'

test('a node that lost and regained a partition asks again about its uncertain sends', async () => {
  let asked = 0
  const performers: EffectPerformers = {
    draftReply: {
      isVisible: false,
      perform: async () => ({
        kind: 'done',
        output: { reply: 'Hello!', intent: 'continue', confidence: 1 },
        providerId: null,
      }),
    },
    sendMessage: {
      isVisible: true,
      perform: async () => ({ kind: 'uncertain', reason: 'the connection was cut' }),
      async resolve() {
        asked += 1
        return asked === 1 ? 'accepted-none' : { providerId: 'SMfound' }
      },
    },
  }
  const world = await createMemoryWorld({ performers, leaseMs: 300 })
  await world.say('Hi!')
  await world.clock.advance(3_000)
  expect(asked).toBe(1)
  world.store.usurp()
  await world.clock.advance(1_500)
  expect(world.counts.get('partitions_lost')).toBe(1)
  await world.store.releasePartitions('usurper', [])
  await world.clock.advance(10_000)
  expect([...world.store.effects.values()].map(({ kind, status }) => `${kind} ${status}`)).toContain('sendMessage done')
})
