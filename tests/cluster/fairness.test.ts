/**
 * One number that writes as fast as the log stores it, beside many that write now and then: their messages are committed
 * about as soon as without it. The long form, in which each of ten thousand writes once in each part:
 * `DUOLOGUE_FAIRNESS_USERS=10000 DUOLOGUE_FAIRNESS_PER_SECOND=100 DUOLOGUE_FAIRNESS_MS=100000`.
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
const coldPerSecond = Number(process.env['DUOLOGUE_FAIRNESS_PER_SECOND'] ?? 30)
const measuredMs = Number(process.env['DUOLOGUE_FAIRNESS_MS'] ?? 15_000)
/** How many events of the hot number are on their way to the log: the next leaves when one is stored. */
const hotAtOnce = 4
/** Below that a p99 is the machine's noise. */
const noiseMs = 50

let cluster: Cluster

beforeAll(async () => {
  // Answers would be the larger load, and are another question: nobody is quiet for so long here.
  const settings = { quietMs: 60_000, quietMaxMs: 600_000, senderPerMinuteMax: 100_000, senderPerHourMax: 1_000_000 }
  cluster = await createCluster({ partitions: 16, settings })
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

let published = 0

/** Straight to the log, as any program may: how many events it stored. */
async function writeWithoutPause(ms: number, toUser: (count: number) => string): Promise<number> {
  const connection = await openNats({ url: cluster.log.url }, 'hot number')
  const publisher = createEventPublisher(connection, 10_000)
  const endsAt = Date.now() + ms
  let written = 0
  const lane = async (): Promise<void> => {
    while (Date.now() < endsAt) {
      written += 1
      published += 1
      const providerId = `SM${String(published).padStart(32, '0')}`
      await publisher.publish({ ...toMessage(toUser(written), `again ${written}`, providerId), receivedAt: Date.now() })
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

test(
  'a hot number does not raise the p99 of the cold ones more than threefold',
  { timeout: 200_000 + 5 * measuredMs },
  async () => {
    await measureCold(1, async () => pass(3_000))
    const alone = await measureCold(2, async () => pass(measuredMs))
    const written = { spread: 0, hot: 0 }
    // For comparison: the same work, of many numbers.
    const spread = await measureCold(3, async () => {
      written.spread = await writeWithoutPause(
        measuredMs,
        (count) => `${hotUser.slice(0, -4)}${String(count % 1_000).padStart(4, '0')}`,
      )
    })
    const hot = await measureCold(4, async () => {
      written.hot = await writeWithoutPause(measuredMs, () => hotUser)
    })
    const perSecond = (count: number): number => Math.round((count * 1_000) / measuredMs)
    const tell = (delays: readonly number[]): string =>
      `p50 ${Math.round(toPercentile(delays, 0.5))} ms, p99 ${Math.round(toPercentile(delays, 0.99))} ms`
    console.log(
      `${coldUsers.length} cold numbers at ${coldPerSecond}/s: ${tell(alone)} alone; ${tell(spread)} beside ${perSecond(written.spread)}/s of a thousand others; ` +
        `${tell(hot)} beside ${perSecond(written.hot)}/s of one`,
    )
    expect(written.hot).toBeGreaterThan(measuredMs / 50)
    expect(toPercentile(hot, 0.99)).toBeLessThan(3 * Math.max(toPercentile(alone, 0.99), noiseMs))
  },
)
