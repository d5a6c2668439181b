/** A log that is another one than before, under a node that runs. */
import { expect, test } from 'vitest'

import type { Host } from '../../src/actors/host.ts'
import { createNode } from '../../src/actors/node.ts'
import type { EventLog } from '../../src/actors/ports.ts'
import { createMemoryWorld, toMessage } from '../support/memory-world.ts'

/** A world whose node is replaced by one that sees its log as `view` does, and reconciles as it is told. */
async function createWorld(reconciled: () => Promise<void>) {
  const first = await createMemoryWorld({ settings: { idleTimeoutMs: 60_000 }, leaseMs: 3_000 })
  await first.say('Hello!')
  await first.clock.advance(10_000)
  await first.node.stop()
  const view = { incarnation: 'memory-1', incidents: 0 }
  const log: EventLog = { ...first.log, describe: async () => ({ ...(await first.log.describe()), ...view }) }
  const host: Host = { ...first.host, log, reconciled }
  const node = createNode(host)
  await node.start()
  await first.clock.advance(20)
  return { ...first, node, view }
}

const inbound = (world: { store: { messages: readonly { direction: string; body: string }[] } }): string[] =>
  world.store.messages.filter(({ direction }) => direction === 'inbound').map(({ body }) => body)

test('a log of another name is read from its first event, and nothing in it is applied twice', async () => {
  const world = await createWorld(async () => {})
  const sent = world.sent.length
  world.view.incarnation = 'memory-2'
  world.view.incidents = 1
  await world.clock.advance(10_000)
  expect(world.counts.get('log_incarnations_changed')).toBe(1)
  expect(inbound(world)).toEqual(['Hello!'])
  expect(world.sent).toHaveLength(sent)
  await world.say('Still there?', { providerId: 'SM-later' })
  await world.clock.advance(10_000)
  expect(inbound(world)).toEqual(['Hello!', 'Still there?'])
  expect(world.store.cursor()).toEqual({ incarnation: 'memory-2', sequence: 2 })
  expect(world.only().status).toBe('PROGRESS')
  await world.node.stop()
})

test.each(['another name', 'a gap'])('after %s no timer fires before the provider was asked', async (incident) => {
  let isDue = false
  const { promise, resolve: finish } = Promise.withResolvers<void>()
  const world = await createWorld(async () => (isDue ? promise : undefined))
  isDue = true
  world.view.incidents = 1
  if (incident === 'another name') world.view.incarnation = 'memory-2'
  await world.clock.advance(5_000)
  expect(world.counts.get('partitions_lost')).toBe(1)
  // The user's silence would have ended the conversation's progress by now.
  await world.clock.advance(300_000)
  expect(world.only().status).toBe('PROGRESS')
  // What the provider's list brings back stands in the log before any timer is looked at.
  await world.log.publish(toMessage('whatsapp:+15005550006', 'I wrote before that', 'SM-recovered'))
  isDue = false
  finish()
  await world.clock.advance(5_000)
  expect(inbound(world)).toEqual(['Hello!', 'I wrote before that'])
  expect(world.only().status).toBe('PROGRESS')
  await world.clock.advance(120_000)
  expect(world.only().status).toBe('IDLE_TIMEOUT')
  await world.node.stop()
})
