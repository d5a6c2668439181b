/**
 * Three real nodes on one NATS and one PostgreSQL: shares, deaths, restarts, pauses and cuts, under steady load.
 * What each test measures is printed; docs/reliability.md publishes it.
 */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'

import { createCluster, untilShared } from '../support/cluster.ts'
import type { Cluster } from '../support/cluster.ts'
import { startLoad, toUsers } from '../support/cluster-load.ts'
import type { Load } from '../support/cluster-load.ts'
import { readStored, toDelays, toPercentile } from '../support/commit-delays.ts'
import { checkHistory } from '../support/history-checker.ts'
import { until } from '../support/service.ts'

const partitions = 12
const leaseMs = 3_000
const users = toUsers(30)
const names = ['a', 'b', 'c']
const perSecond = 15

let cluster: Cluster
const loads: Load[] = []

beforeAll(async () => {
  cluster = await createCluster({ partitions, leaseMs, settings: { quietMs: 100 } })
}, 120_000)

beforeEach(async () => {
  const missing = names.filter((name) => !cluster.nodes.has(name))
  await Promise.all(missing.map(async (name) => cluster.start(name)))
  await untilShared(cluster, partitions, 10_000)
}, 90_000)

afterAll(async () => cluster.remove())

function load(): Load {
  const options = { url: cluster.publicUrl, perSecond, users, pick: 'in turn', seed: loads.length } as const
  const started = startLoad(options)
  loads.push(started)
  return started
}

const count = async (statement: string): Promise<number> => Number((await cluster.sql(statement))[0]?.['count'])
const storedMessages = async (): Promise<number> => count('select count(*) from duologue_test.stored')

/** Everything that was answered with 200 is stored. */
async function untilDrained(withinMs = 20_000): Promise<void> {
  const acknowledged = loads.flatMap(({ sent }) => sent).filter(({ answeredAt }) => answeredAt !== null).length
  let stored = 0
  await until(
    async () => {
      stored = await storedMessages()
      return stored >= acknowledged
    },
    withinMs,
    () => `${stored} of ${acknowledged} messages are stored`,
  )
}

async function partitionsOf(name: string): Promise<ReadonlySet<number>> {
  const rows = await cluster.sql(`select partition from duologue.partitions where owner = $1`, [name])
  return new Set(rows.map((row) => Number(row['partition'])))
}

const metric = async (name: string, pattern: RegExp): Promise<number> => {
  const text = await (await cluster.nodes.get(name)?.service.get('/metrics'))?.text()
  return Number(pattern.exec(text ?? '')?.[1] ?? 0)
}
const fencedCommits = /^duologue_commits_total\{outcome="fenced"\} (\d+)/mu

function report(what: string, values: readonly number[]): void {
  const [p50, p99, max] = [0.5, 0.99, 1].map((part) => Math.round(toPercentile(values, part)))
  console.log(`${what}: p50 ${p50} ms, p99 ${p99} ms, longest ${max} ms, of ${values.length}`)
}

test('each of three nodes has a third of the partitions, and half when one has left', { timeout: 60_000 }, async () => {
  expect([...(await cluster.shares()).values()]).toEqual([4, 4, 4])
  await cluster.stop('b')
  await untilShared(cluster, partitions, 10_000)
  await cluster.start('b')
  await untilShared(cluster, partitions, 10_000)
})

test('after a SIGKILL the others take over within a lease and a bit', { timeout: 90_000 }, async () => {
  const running = load()
  await until(async () => (await storedMessages()) > 50, 20_000)
  const orphaned = await partitionsOf('b')
  const killedAt = Date.now()
  await cluster.kill('b')
  await untilShared(cluster, partitions, 15_000)
  await running.stop()
  await untilDrained()
  const stored = (await readStored(cluster)).filter(({ partition, at }) => orphaned.has(partition) && at > killedAt)
  const next = new Map<string, number>()
  for (const { sessionId, at } of stored) if (!next.has(sessionId)) next.set(sessionId, at - killedAt)
  const takeovers = [...next.values()]
  report('takeover, from the SIGKILL to the next commit of a conversation of the dead node', takeovers)
  expect(takeovers.length).toBeGreaterThan(4)
  expect(toPercentile(takeovers, 0.99)).toBeLessThan(5_000)
})

// Delays on a machine that other tests share: the best of three restarts counts.
test('a rolling restart of all three under load pauses no conversation', { timeout: 120_000, retry: 2 }, async () => {
  const before = (await readStored(cluster)).length
  const running = load()
  await until(async () => (await storedMessages()) > before + 60, 20_000)
  // What this machine needs for a commit while nothing happens.
  const calm = toPercentile(toDelays(running.sent, await readStored(cluster)), 1)
  for (const name of names) {
    expect(await cluster.stop(name)).toBe(0)
    await cluster.start(name)
    await untilShared(cluster, partitions, 10_000)
  }
  await running.stop()
  await untilDrained()
  const delays = toDelays(running.sent, await readStored(cluster))
  report('rolling restart, from the 200 to the commit', delays)
  expect(running.sent.every(({ answeredAt }) => answeredAt !== null)).toBe(true)
  console.log(`longest before the first restart: ${Math.round(calm)} ms`)
  expect(toPercentile(delays, 1)).toBeLessThan(500 + 2 * calm)
})

test('a node that was paused for longer than its lease is fenced, and goes on', { timeout: 90_000 }, async () => {
  const running = load()
  const own = await partitionsOf('a')
  await until(async () => (await storedMessages()) > 50, 20_000)
  cluster.nodes.get('a')?.pause()
  await until(async () => [...(await partitionsOf('a'))].every((partition) => !own.has(partition)), 15_000)
  cluster.nodes.get('a')?.resume()
  await untilShared(cluster, partitions, 15_000)
  await running.stop()
  await untilDrained()
  console.log(`commits of the paused node that were refused: ${await metric('a', fencedCommits)}`)
})

test('a node cut off from NATS hands its partitions to those who can read', { timeout: 90_000 }, async () => {
  const running = load()
  const own = await partitionsOf('c')
  expect(own.size).toBe(4)
  const cutAt = Date.now()
  cluster.nodes.get('c')?.nats.blackHole()
  await until(async () => (await partitionsOf('c')).size === 0, 15_000)
  console.log(`a node without the log has handed over after ${Date.now() - cutAt} ms`)
  const before = (await readStored(cluster)).length
  await until(async () => {
    const later = (await readStored(cluster)).slice(before)
    return new Set(later.filter(({ partition }) => own.has(partition)).map(({ partition }) => partition)).size > 1
  }, 20_000)
  cluster.nodes.get('c')?.nats.heal()
  await untilShared(cluster, partitions, 30_000)
  await running.stop()
  await untilDrained()
})

test('a node cut off from Supabase loses its leases, and the others go on', { timeout: 90_000 }, async () => {
  const running = load()
  const own = await partitionsOf('a')
  cluster.nodes.get('a')?.supabase.blackHole()
  await until(async () => [...(await partitionsOf('a'))].every((partition) => !own.has(partition)), 15_000)
  const sentBy = async (): Promise<number> =>
    metric('a', /^duologue_effects_started_total\{kind="sendMessage",outcome="started"\} (\d+)/mu)
  const startedWithoutLease = await sentBy()
  const before = (await readStored(cluster)).length
  await until(async () => {
    const later = (await readStored(cluster)).slice(before)
    return new Set(later.filter(({ partition }) => own.has(partition)).map(({ partition }) => partition)).size > 1
  }, 20_000)
  expect(await sentBy()).toBe(startedWithoutLease)
  cluster.nodes.get('a')?.supabase.heal()
  await untilShared(cluster, partitions, 30_000)
  await running.stop()
  await untilDrained()
})

test('through all of it nothing was lost, and nothing was answered twice', { timeout: 120_000 }, async () => {
  await until(
    async () =>
      (await count(`select count(*) from duologue.effects where status in ('pending', 'running', 'uncertain')`)) === 0,
    60_000,
    () => 'effects are unsettled',
  )
  const sent = loads.flatMap((each) => each.sent)
  const accepted = await cluster.fake.sent()
  const verdict = await checkHistory({ sent, sql: cluster.sql, natsUrl: cluster.log.url, accepted, calls: [] })
  console.log(JSON.stringify(verdict))
  expect(verdict.violations).toEqual([])
  expect(verdict.processed).toBe(verdict.acknowledged)
  expect(verdict.acknowledged).toBeGreaterThan(300)
  expect(verdict.answers).toBeGreaterThan(100)
})
