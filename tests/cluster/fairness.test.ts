/**
 * One number that writes as fast as the log stores it, beside many that write now and then: their messages are committed
 * about as soon as without it. The long form is `DUOLOGUE_FAIRNESS_USERS=10000`.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'

import { openNats } from '../../src/infra/nats/connection.ts'
import { createEventPublisher } from '../../src/infra/nats/publisher.ts'
import { createCluster } from '../support/cluster.ts'
import type { Cluster } from '../support/cluster.ts'
import { startLoad, toUsers } from '../support/cluster-load.ts'
import type { Load } from '../support/cluster-load.ts'
import { readStored, toDelays, toPercentile } from '../support/commit-delays.ts'
import { toMessage } from '../support/memory-world.ts'
import { until } from '../support/service.ts'

const coldUsers = toUsers(Number(process.env['DUOLOGUE_FAIRNESS_USERS'] ?? 1_000))
const hotUser = 'whatsapp:+15005559999'
const coldPerSecond = 30
const measuredMs = Number(process.env['DUOLOGUE_FAIRNESS_MS'] ?? 15_000)
/** How many events of the hot number are on their way to the log: the next leaves when one is stored. */
const hotAtOnce = 32

let cluster: Cluster

beforeAll(async () => {
  // Answers would be the larger load, and are another question: nobody is quiet for so long here.
  cluster = await createCluster({ partitions: 16, settings: { quietMs: 60_000, quietMaxMs: 600_000 } })
  await cluster.start('only')
}, 120_000)

afterAll(async () => cluster.remove())

function load(users: readonly string[], perSecond: number, seed: number): Load {
  return startLoad({ url: cluster.publicUrl, perSecond, users, pick: 'in turn', seed })
}

/** The part of the cold numbers' messages that is committed within so many ms after the 200. */
async function measureCold(seed: number, during: () => Promise<void>): Promise<number[]> {
  const cold = load(coldUsers, coldPerSecond, seed)
  await during()
  await cold.stop()
  const acknowledged = cold.sent.filter(({ answeredAt }) => answeredAt !== null)
  let delays: number[] = []
  await until(async () => {
    delays = toDelays(acknowledged, await readStored(cluster))
    return delays.length >= acknowledged.length
  }, 60_000)
  return delays
}

/** Straight to the log, as any program may: how many events it stored. */
async function writeWithoutPause(ms: number): Promise<number> {
  const connection = await openNats({ url: cluster.log.url }, 'hot number')
  const publisher = createEventPublisher(connection, 10_000)
  const endsAt = Date.now() + ms
  let written = 0
  const lane = async (): Promise<void> => {
    while (Date.now() < endsAt) {
      written += 1
      const providerId = `SM${String(written).padStart(32, '0')}`
      await publisher.publish({ ...toMessage(hotUser, `again ${written}`, providerId), receivedAt: Date.now() })
    }
  }
  await Promise.all(Array.from({ length: hotAtOnce }, lane))
  await connection.close()
  return written
}

const pass = async (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms)
  })

test('a hot number does not raise the p99 of the cold ones more than threefold', { timeout: 240_000 }, async () => {
  await measureCold(1, async () => pass(3_000))
  const alone = await measureCold(2, async () => pass(measuredMs))
  let hotSent = 0
  const beside = await measureCold(3, async () => {
    hotSent = await writeWithoutPause(measuredMs)
  })
  const [before, after] = [toPercentile(alone, 0.99), toPercentile(beside, 0.99)]
  console.log(
    `${coldUsers.length} cold numbers at ${coldPerSecond}/s: p50 ${Math.round(toPercentile(alone, 0.5))} ms, p99 ${Math.round(before)} ms alone; ` +
      `p50 ${Math.round(toPercentile(beside, 0.5))} ms, p99 ${Math.round(after)} ms beside one at ${Math.round((hotSent * 1_000) / measuredMs)}/s`,
  )
  expect(hotSent).toBeGreaterThan(500)
  // Below that a p99 is the machine's noise.
  expect(after).toBeLessThan(3 * Math.max(before, 50))
})
