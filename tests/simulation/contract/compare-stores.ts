/** Asks the simulated store and a real one the same, and tells the first answer or row in which they differ. */
import { toCanonicalJson } from '../../../src/actors/canonical-json.ts'
import type { ClaimRequest, Store } from '../../../src/actors/ports.ts'
import { StoreRefused } from '../../../src/actors/ports.ts'
import type { Deployment } from '../../infra/supabase/batches.ts'
import type { Sql } from '../../support/database.ts'
import { createRandom } from '../engine/random.ts'
import type { SeededRandom } from '../engine/random.ts'
import { findDelivery, findKnownProviderIds, loadDue, recentMessages } from '../store/reading.ts'
import { SimulatedStore } from '../store/simulated-store.ts'
import { toToken } from '../../../src/actors/session-key.ts'
import { leaseMs, nodeIds, RandomCalls } from './random-calls.ts'
import { dumpReal, dumpSimulated } from './dump-stores.ts'

/** `answers`: how often each outcome was answered; a comparison in which everything is refused compares nothing. */
export type Compared = { readonly answers: { readonly [outcome: string]: number }; readonly difference: string | null }

const outcomes = /refused|"kind":"(?:committed|stale|duplicate|fenced|started|cancelled|held|not-pending)"/gu

type Real = { readonly store: Store; readonly sql: Sql; readonly deployment: Deployment }
type Pair = {
  readonly real: Real
  readonly simulated: SimulatedStore
  readonly random: SeededRandom
  readonly made: RandomCalls
}

/** `calls` random calls on two empty stores of four partitions. */
export async function compareStores(real: Real, seed: number, calls: number): Promise<Compared> {
  const random = createRandom(seed)
  const simulated = createEmpty(real.deployment)
  const pair: Pair = { real, simulated, random, made: new RandomCalls(random, simulated.tables, real.deployment) }
  const counts: Record<string, number> = {}
  for (let number = 0; number < calls; number += 1) {
    const [name, call] = pickCall(pair)
    const [expected, answered] = await call()
    for (const [outcome] of expected.matchAll(outcomes)) {
      const key = `${name} ${outcome.replaceAll(/"kind":|"/gu, '')}`
      counts[key] = (counts[key] ?? 0) + 1
    }
    if (expected !== answered)
      return { answers: counts, difference: `call ${number}, ${name}: ${toDifference(expected, answered)}` }
  }
  const expected = dumpSimulated(simulated.tables)
  const stored = await dumpReal(real.sql)
  for (const [table, rows] of Object.entries(expected)) {
    const [mine, theirs] = [toText(rows), toText(stored[table])]
    if (mine !== theirs) return { answers: counts, difference: `table ${table}: ${toDifference(mine, theirs)}` }
  }
  return { answers: counts, difference: null }
}

function createEmpty({ tenantId, channelId, secondChannelId }: Deployment): SimulatedStore {
  const addresses = ['whatsapp:+14155238886', 'sms:+14155238887']
  const channels = addresses.map((businessAddress, index) => ({
    channelId: index === 0 ? channelId : secondChannelId,
    tenantId,
    businessAddress,
    businessToken: toToken(businessAddress),
    settings: {},
  }))
  let last = 0
  // The database's clock tells microseconds: no two transactions have the same moment.
  const now = (): number => (last = Math.max(last + 1, Date.now()))
  return new SimulatedStore({ channels, partitions: 4, now, spend: async () => {} })
}

type Ask = () => Promise<readonly [expected: string, answered: string]>

function pickCall(pair: Pair): [string, Ask] {
  const { random } = pair
  const drawn = random.next()
  if (drawn < 0.1) return ['claim', () => claim(pair)]
  if (drawn < 0.11) return ['release', () => release(pair)]
  if (drawn < 0.13) return ['expire', () => expire(pair)]
  if (drawn < 0.15) return ['leave', () => forgetNode(pair)]
  if (drawn < 0.65) return ['commit', () => commit(pair)]
  if (drawn < 0.8) return ['start', () => start(pair)]
  if (drawn < 0.9) return ['load', () => load(pair)]
  if (drawn < 0.96) return ['due', () => due(pair)]
  return ['ask', () => ask(pair)]
}

async function both(simulated: () => unknown, real: () => unknown): Promise<readonly [string, string]> {
  return [await toAnswer(simulated), await toAnswer(real)]
}

async function toAnswer(call: () => unknown): Promise<string> {
  try {
    return toText(await call())
  } catch (error) {
    if (error instanceof StoreRefused) return 'refused'
    throw error
  }
}

function claim({ real, simulated, random, made }: Pair): ReturnType<Ask> {
  const nodeId = random.pick(nodeIds)
  const held = made.owned(nodeId)
  const machines = { conversation: ['1'] }
  const request: ClaimRequest = {
    nodeId,
    leaseMs,
    held,
    machines,
    takeAll: random.chance(0.04),
    renewOnly: random.chance(0.05),
    canRead: !random.chance(0.1),
  }
  return both(
    async () => {
      const claimed = await simulated.claim(request)
      made.held.set(
        nodeId,
        claimed.partitions.map(({ partition, epoch }) => ({ partition, epoch })),
      )
      return claimed
    },
    () => real.store.claimPartitions(request),
  )
}

function release({ real, simulated, random, made }: Pair): ReturnType<Ask> {
  const nodeId = random.pick(nodeIds)
  const given = made.owned(nodeId).filter(() => random.chance(0.5))
  return both(
    () => simulated.release(nodeId, given).then(() => null),
    () => real.store.releasePartitions(nodeId, given).then(() => null),
  )
}

function expire({ real, simulated, random }: Pair): ReturnType<Ask> {
  const partition = random.int(0, 3)
  const row = simulated.tables.partition(partition)
  if (row.leaseUntil !== null) row.leaseUntil = 0
  return both(
    () => null,
    () =>
      real
        .sql(
          `update duologue.partitions set lease_until = now() - interval '1 hour' where partition = $1 and lease_until is not null`,
          [partition],
        )
        .then(() => null),
  )
}

function forgetNode({ real, simulated, random }: Pair): ReturnType<Ask> {
  const nodeId = random.pick(nodeIds)
  const row = simulated.tables.nodes.get(nodeId)
  if (row !== undefined) row.seenAt -= 1_200_000
  return both(
    () => null,
    () =>
      real
        .sql(`update duologue.nodes set seen_at = seen_at - interval '20 minutes' where node_id = $1`, [nodeId])
        .then(() => null),
  )
}

function commit({ real, simulated, made }: Pair): ReturnType<Ask> {
  const batch = made.batch(made.nodeId())
  return both(
    () => simulated.commit(JSON.stringify(batch)),
    () => real.store.commitSteps(batch),
  )
}

function start({ real, simulated, made }: Pair): ReturnType<Ask> {
  const nodeId = made.nodeId()
  const partitions = made.owned(nodeId)
  const effects = made.starts()
  return both(
    () => simulated.start({ nodeId, leaseMs, partitions, effects }),
    () => real.store.startEffects(nodeId, leaseMs, partitions, effects),
  )
}

function load({ real, simulated, made }: Pair): ReturnType<Ask> {
  const requests = made.requests()
  return both(
    () => toUnordered(simulated.load(requests)),
    async () => toUnordered(await real.store.loadSessions([], requests)),
  )
}

function toUnordered({ sessions, channels, knownKeys }: ReturnType<SimulatedStore['load']>) {
  return {
    sessions: sessions.toSorted((a, b) => (a.sessionId < b.sessionId ? -1 : 1)),
    channels,
    knownKeys: [...new Set(knownKeys)].toSorted(),
  }
}

async function due({ real, simulated, random }: Pair): ReturnType<Ask> {
  const request = {
    partitions: [3, 0, 1].filter(() => random.chance(0.8)),
    of: random.pick(['timers', 'effects'] as const),
    horizon: Date.UTC(2026, 10, 22, 12) + random.int(0, 1_000),
    limit: random.int(1, 6),
  }
  let mine = loadDue(simulated.tables, { ...request, after: null })
  let theirs = await real.store.loadDue({ ...request, after: null })
  const pages: [string[], string[]] = [[], []]
  for (let page = 0; page < 30; page += 1) {
    // When an effect was created is a moment of two different clocks.
    pages[0].push(mine.sessions.map(({ sessionKey, partition }) => `${partition} ${sessionKey}`).join(' '))
    pages[1].push(theirs.sessions.map(({ sessionKey, partition }) => `${partition} ${sessionKey}`).join(' '))
    if (mine.next === null || theirs.next === null) break
    mine = loadDue(simulated.tables, { ...request, after: mine.next })
    theirs = await real.store.loadDue({ ...request, after: theirs.next })
  }
  return [toText(pages[0]), toText(pages[1])]
}

function ask({ real, simulated, random }: Pair): ReturnType<Ask> {
  const { tables } = simulated
  const effect = [...tables.effects.values()].at(-random.int(1, 5))
  const session = [...tables.sessions.values()].at(-random.int(1, 5))
  const sids = Array.from({ length: 5 }, () => `SMout${random.int(1, 60)}`)
  const { channelId } = real.deployment
  return both(
    () => ({
      delivery: findDelivery(tables, effect?.effectId ?? ''),
      known: [...new Set(findKnownProviderIds(tables, channelId, sids))].toSorted(),
      recent: session === undefined ? [] : recentMessages(tables, session.sessionId, 3),
    }),
    async () => ({
      delivery: await real.store.findDelivery(effect?.effectId ?? ''),
      known: [...new Set(await real.store.findKnownProviderIds(channelId, sids))].toSorted(),
      recent: session === undefined ? [] : await real.store.recentMessages(session.sessionId, 3),
    }),
  )
}

/** Moments that the database's clock made differ by nature: that there is one is compared. */
function toText(value: unknown): string {
  const text = JSON.stringify(value ?? null, (key, part: unknown) => {
    if (part instanceof Map)
      return Object.fromEntries([...part].toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1)))
    const isMade = key === 'deadline' || key === 'until' || key === 'startedAt' || key === 'quarantineId'
    return isMade && part !== null ? 'made' : part
  })
  return toCanonicalJson(JSON.parse(text))
}

function toDifference(expected: string, answered: string): string {
  let index = 0
  while (index < expected.length && expected[index] === answered[index]) index += 1
  const part = (text: string): string => text.slice(Math.max(0, index - 200), index + 300)
  return `the simulated store says …${part(expected)}…, the real one …${part(answered)}…`
}
