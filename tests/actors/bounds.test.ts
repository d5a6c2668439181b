/** What is bounded while the store does not answer, and what becomes of it after. */
import { expect, test } from 'vitest'

import { limits } from '../../src/actors/host.ts'
import { createMemoryLog } from '../support/memory-log.ts'
import type { MemoryLog } from '../support/memory-log.ts'
import { businessAddress, createMemoryWorld, toMessage } from '../support/memory-world.ts'
import { createMemoryStore } from '../support/memory-store.ts'
import { createVirtualClock } from '../support/virtual-clock.ts'

/** Some two thousand steps take a while where others work, too. */
const busyMachineMs = 30_000

/** A world whose store answers no commit until it is let go, and a log that counts what it has delivered. */
async function createSilentWorld() {
  const clock = createVirtualClock()
  const plain = createMemoryLog(clock)
  let delivered = 0
  const log: MemoryLog = {
    ...plain,
    read: (partition, after, deliver) =>
      plain.read(partition, after, (entry) => {
        delivered += 1
        return deliver(entry)
      }),
  }
  const store = createMemoryStore({ clock, businessAddress })
  const { promise: answers, resolve: answer } = Promise.withResolvers<void>()
  store.beforeCommit = async () => answers
  const world = await createMemoryWorld({ after: { clock, log, store }, leaseMs: 60_000 })
  return { ...world, delivered: () => delivered, answer }
}

async function publish(log: MemoryLog, count: number, body: string): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const user = `whatsapp:+1500555${1_000 + (index % 100)}`
    await log.publish(toMessage(user, `${body} ${Math.floor(index / 100)}`, `SM${index}`))
  }
}

test(
  'reading stops at a bounded number of uncommitted events, and all are stepped in order after',
  async () => {
    const world = await createSilentWorld()
    await publish(world.log, 2_200, 'n')
    await world.clock.advance(5_000)
    expect(world.delivered()).toBe(limits.uncommittedPerPartition)
    expect(world.store.messages).toEqual([])
    world.answer()
    await world.clock.advance(1_000)
    expect(world.delivered()).toBe(2_200)
    const inbound = world.store.messages.filter(({ direction }) => direction === 'inbound')
    expect(inbound).toHaveLength(2_200)
    for (const own of Map.groupBy(inbound, ({ conversationId }) => conversationId).values()) {
      const numbers = own.map(({ body }) => Number(body.split(' ')[1]))
      expect(numbers).toEqual(numbers.toSorted((one, other) => one - other))
    }
    await world.node.stop()
  },
  busyMachineMs,
)

test(
  'reading stops at a bounded number of uncommitted bytes',
  async () => {
    const world = await createSilentWorld()
    const long = 'x'.repeat(40_000)
    await publish(world.log, 100, long)
    await world.clock.advance(5_000)
    const bytesEach = Buffer.byteLength(JSON.stringify(toMessage(businessAddress, `${long} 0`, 'SM0')))
    expect(world.delivered()).toBeGreaterThan(40)
    expect(world.delivered() * bytesEach).toBeLessThan(limits.uncommittedBytesPerPartition + 2 * bytesEach)
    world.answer()
    await world.clock.advance(1_000)
    expect(world.store.messages.filter(({ direction }) => direction === 'inbound')).toHaveLength(100)
    await world.node.stop()
  },
  busyMachineMs,
)
