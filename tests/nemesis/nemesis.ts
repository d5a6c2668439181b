/**
 * Three nodes under an open load while a seeded nemesis kills, pauses, cuts and slows down whatever they stand on. At
 * the end everything is healed, has a bounded time to settle, and the history checker reads what is left.
 */
import { untilShared, createCluster } from '../support/cluster.ts'
import type { Cluster, ClusterNode } from '../support/cluster.ts'
import { createRandom, startLoad, toUsers, wait } from '../support/cluster-load.ts'
import type { SentMessage } from '../support/cluster-load.ts'
import { readStored, toDelays, toPercentile } from '../support/commit-delays.ts'
import { checkHistory } from '../support/history-checker.ts'
import type { Verdict } from '../support/history-checker.ts'
import { startOperators } from '../support/operator-load.ts'
import { until } from '../support/service.ts'
import { faults } from './faults.ts'
import type { FaultKind } from './faults.ts'

export type NemesisOptions = {
  readonly durationMs: number
  readonly perSecond: number
  readonly seed: number
  readonly natsServers: 1 | 3
  readonly users: number
  /** Between the end of one fault and the next. */
  readonly restMs: number
  readonly tell: (line: string) => void
}

export type NemesisReport = Verdict & {
  readonly seed: number
  readonly seconds: number
  readonly sent: number
  readonly faults: { readonly [kind: string]: number }
  readonly staleAttempted: number
  readonly staleAccepted: number
  readonly settledAfterMs: number
  /** Of the webhook, from when the message was due to the 200; of the commit, from the 200. */
  readonly webhookMs: Percentiles
  readonly commitMs: Percentiles
}

type Percentiles = { readonly p50: number; readonly p99: number; readonly max: number }

const partitions = 24
const leaseMs = 1_000
const names = ['a', 'b', 'c']
const settleMsMax = 180_000
const operatorIds = ['ana', 'bia', 'caio', 'dora']
/** They look after the most talkative ones, and so get into each other's way. */
const operatedUsers = 20
const operatorPauseMs = 600

export async function runNemesis(options: NemesisOptions): Promise<NemesisReport> {
  const cluster = await createCluster({
    partitions,
    leaseMs,
    natsServers: options.natsServers,
    settings: {
      quietMs: 200,
      quietMaxMs: 1_000,
      // The most talkative ones write more than a person may, and are answered more often than WhatsApp likes.
      senderPerMinuteMax: 100_000,
      senderPerHourMax: 1_000_000,
      paceIntervalMs: 0,
    },
    env: { DUOLOGUE_SEND_RESOLVE_AFTER_MS: '300,1000,3000' },
  })
  try {
    for (const name of names) await cluster.start(name)
    await untilShared(cluster, partitions, 15_000)
    return await runOn(cluster, options)
  } finally {
    await cluster.remove()
  }
}

async function runOn(cluster: Cluster, options: NemesisOptions): Promise<NemesisReport> {
  const { durationMs, perSecond, seed, tell } = options
  const counters = watchStaleCommits(cluster)
  const startedAt = Date.now()
  const load = startLoad({
    url: cluster.publicUrl,
    perSecond,
    users: toUsers(options.users),
    pick: 'zipf',
    seed,
    duplicates: 0.05,
    burstEveryMs: 5_000,
  })
  const operators = startOperators({
    url: cluster.publicUrl,
    users: toUsers(operatedUsers),
    operators: operatorIds,
    seed: seed + 2,
    pauseMs: operatorPauseMs,
  })
  const happened = await disturb(cluster, options, startedAt + durationMs, counters.read).catch(
    async (error: unknown) => {
      tell(`the nemesis itself failed: ${String(error).slice(0, 4_000)}`)
      load.abandon()
      await counters.stop()
      throw error
    },
  )
  const seconds = (Date.now() - startedAt) / 1_000
  await Promise.all([load.stop(), operators.stop()])
  const healedAt = Date.now()
  await untilSettled(cluster, load.sent, tell)
  const settledAfterMs = Date.now() - healedAt
  const staleAttempted = await counters.stop()
  const accepted = await cluster.fake.sent()
  const verdict = await checkHistory({
    sent: load.sent,
    sql: cluster.sql,
    natsUrl: cluster.log.url,
    accepted,
    calls: operators.calls,
  })
  const answered = load.sent.filter(({ answeredAt }) => answeredAt !== null)
  return {
    ...verdict,
    seed,
    seconds: Math.round(seconds),
    sent: load.sent.length,
    faults: happened,
    staleAttempted,
    // A stale commit that was accepted breaks the versions or the chain of hashes.
    staleAccepted: verdict.violations.filter((violation) => /^I[346]/u.test(violation)).length,
    settledAfterMs,
    webhookMs: toPercentiles(answered.map(({ answeredAt, dueAt }) => (answeredAt ?? 0) - dueAt)),
    commitMs: toPercentiles(toDelays(load.sent, await readStored(cluster))),
  }
}

/** One fault after the other, all kinds in each round, in an order that the seed gives. */
async function disturb(
  cluster: Cluster,
  { seed, restMs, natsServers, tell }: NemesisOptions,
  endsAt: number,
  lastWords: (node: ClusterNode) => Promise<void>,
): Promise<{ [kind: string]: number }> {
  const random = createRandom(seed + 1)
  const happened: { [kind: string]: number } = {}
  // The clients of a cluster find its servers by themselves, past any link.
  const kinds = (Object.keys(faults) as FaultKind[]).filter((kind) => natsServers === 1 || kind !== 'NATS black-holed')
  const scene = { cluster, leaseMs, random, tell, lastWords }
  await wait(restMs)
  for (let round: FaultKind[] = []; Date.now() < endsAt;) {
    if (round.length === 0) round = shuffle(kinds, random)
    const kind = round.pop() ?? 'node killed'
    const node = cluster.nodes.get(names[Math.floor(random() * names.length)] ?? 'a')
    if (node === undefined) throw new Error('a node is missing')
    tell(`${kind}${kind.startsWith('node') || kind.startsWith('Supa') ? ` (${node.name})` : ''}`)
    const from = Date.now()
    await faults[kind](scene, node)
    if (Date.now() - from > 10_000) tell(`  which took ${Math.round((Date.now() - from) / 1_000)} s`)
    happened[kind] = (happened[kind] ?? 0) + 1
    await wait(restMs)
  }
  return happened
}

function shuffle<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item)
}

async function untilSettled(
  cluster: Cluster,
  sent: readonly SentMessage[],
  tell: (line: string) => void,
): Promise<void> {
  const acknowledged = sent.filter(({ answeredAt }) => answeredAt !== null).length
  let row: Record<string, unknown> | undefined
  await until(async () => {
    const rows = await cluster
      .sql(
        `select (select count(*)::int from duologue.messages where direction = 'inbound') as stored,
          (select count(*)::int from duologue.effects where status in ('pending', 'running')
            or (status = 'uncertain' and (attempts < 2 or started_at > now() - interval '15 seconds'))) as open,
          (select count(*)::int from duologue.quarantine) as parked`,
      )
      .catch(() => [])
    row = rows[0]
    const isSettled = Number(row?.['stored']) + Number(row?.['parked']) >= acknowledged && row?.['open'] === 0
    if (!isSettled) await wait(500)
    return isSettled
  }, settleMsMax).catch(() => tell(`has not settled: ${JSON.stringify(row)}, acknowledged ${acknowledged}`))
}

/** Commits that were refused as fenced or stale, of all processes that lived, as far as they could tell. */
function watchStaleCommits(cluster: Cluster) {
  const counts = new Map<number, number>()
  const read = async ({ service }: ClusterNode): Promise<void> => {
    const response = await service.get('/metrics').catch(() => null)
    const text = (await response?.text().catch(() => '')) ?? ''
    const found = [...text.matchAll(/^duologue_commits_total\{outcome="(?:fenced|stale)"\} (\d+)/gmu)]
    if (found.length > 0)
      counts.set(
        service.pid,
        found.reduce((sum, [, count]) => sum + Number(count), 0),
      )
  }
  const readAll = async (): Promise<void> => void (await Promise.all([...cluster.nodes.values()].map(read)))
  const timer = setInterval(() => void readAll(), 1_000)
  return {
    read: async (node: ClusterNode) => Promise.race([read(node), wait(1_000)]),
    async stop(): Promise<number> {
      clearInterval(timer)
      await readAll()
      return [...counts.values()].reduce((sum, count) => sum + count, 0)
    },
  }
}

function toPercentiles(values: readonly number[]): Percentiles {
  const [p50 = 0, p99 = 0, max = 0] = [0.5, 0.99, 1].map((part) => Math.round(toPercentile(values, part)))
  return { p50, p99, max }
}

/** Why a run is no good; empty when it is. */
export function toComplaints(report: NemesisReport): string[] {
  const complaints = [...report.violations]
  if (report.acknowledged < 0.9 * report.sent) complaints.push('fewer than 90 % of the messages were acknowledged')
  if (report.acknowledged !== report.processed + report.quarantined + report.pending)
    complaints.push('acknowledged is not processed + quarantined + pending')
  if (report.pending > 0) complaints.push(`${report.pending} messages were still pending`)
  if (report.leftToPerson > 0.01 * report.answers) complaints.push(`${report.leftToPerson} sends were left to a person`)
  if (report.staleAttempted === 0) complaints.push('no stale commit was attempted: the run proves nothing about them')
  return complaints
}
