/**
 * A SIGKILL at every named point, while conversations on every path of the lifecycle are under way in the one process
 * that owns them; its successor crashes at the next point. Every conversation ends as it does without a crash, every
 * message is stored once, and Twilio accepted every answer once.
 */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'

import { crashPoints } from '../../src/actors/ports.ts'
import type { CrashPoint } from '../../src/actors/ports.ts'
import { createCluster } from '../support/cluster.ts'
import type { Cluster, ClusterNode } from '../support/cluster.ts'
import { until } from '../support/service.ts'
import { channelSettings, channels, createUser, lifecyclePaths } from './lifecycle-paths.ts'
import type { LifecyclePath } from './lifecycle-paths.ts'

const partitions = 4
const leaseMs = 500
const pathMs = 120_000

let cluster: Cluster
let users = 0
let kills = 0

beforeAll(async () => {
  cluster = await createCluster({
    partitions,
    leaseMs,
    env: {
      TWILIO_NUMBERS: Object.values(channels).join(','),
      DUOLOGUE_SESSION_IDLE_MS: '300',
      DUOLOGUE_SEND_RESOLVE_AFTER_MS: '100,200',
    },
  })
  await cluster.start('first')
  for (const [address, settings] of Object.entries(channelSettings)) {
    await cluster.sql('update duologue.channels set settings = $2::text::jsonb where address = $1', [
      address,
      JSON.stringify(settings),
    ])
  }
  await cluster.kill('first')
}, 120_000)

afterEach(async () => void (await Promise.all([...cluster.nodes.keys()].map(async (name) => cluster.kill(name)))))

afterAll(async () => cluster.remove())

type Life = { readonly path: LifecyclePath; readonly user: string; readonly led: Promise<void> }

/** Conversations on all paths at once, each of a user of its own. */
function leadAll(): readonly Life[] {
  return lifecyclePaths.map((path) => {
    users += 1
    const user = createUser(cluster, `whatsapp:+1500${String(5_560_000 + users)}`, path.channel)
    const led = path.lead(user)
    // Awaited later; meanwhile it must not count as unhandled.
    led.catch(() => {})
    return { path, user: user.address, led }
  })
}

/** What has to happen for a node to come to a point that messages alone do not lead to. */
const provocations: { readonly [point in CrashPoint]?: (node: ClusterNode) => Promise<unknown> } = {
  spooled: async () => cluster.log.kill(),
  'spool-published': async () => {
    await cluster.log.kill()
    await until(async () => (await cluster.sql('select 1 from duologue.spool limit 1')).length > 0, 20_000)
    await cluster.log.restart()
  },
  'commit-answer-lost': async (node) => node.supabase.loseAnswers('commit_steps', 1),
  'lease-lost': async () => usurp(),
  'taken-over': async () => usurp(),
  draining: async (node) => void node.service.child.kill('SIGTERM'),
  'before-release': async (node) => void node.service.child.kill('SIGTERM'),
  'after-release': async (node) => void node.service.child.kill('SIGTERM'),
}

/** Points that a node comes to all the time, and those that are provoked: only when the conversations have begun. */
const later: ReadonlySet<CrashPoint> = new Set<CrashPoint>([
  'spooled',
  'spool-published',
  'migrated',
  'before-claim',
  'after-claim',
  'timer-due',
  'barrier-passed',
  'passivated',
  'commit-answer-lost',
  'lease-lost',
  'taken-over',
  'draining',
  'before-release',
  'after-release',
])

/** Another owner, for a moment. */
async function usurp(): Promise<void> {
  await cluster.sql(`update duologue.partitions set owner = 'nobody', epoch = epoch + 1, lease_until = now()`)
}

/**
 * Every conversation becomes one that the chart's first version wrote, as its migration expects it. Guards that keep
 * stored conversations as they are stand aside for it.
 */
async function growOld(): Promise<void> {
  await cluster.sql(`
    do $$ begin
      perform set_config('session_replication_role', 'replica', true);
      update duologue.conversations set machine_version = '1', snapshot = jsonb_set(snapshot, '{context}',
        (snapshot -> 'context') - 'phrases' - 'line' || '{"recovery": false}');
    end $$`)
}

/** The node ends, its conversations grow old, and a node that stands still at the point goes on with them. */
async function restartOverOldVersions(name: string, point: CrashPoint): Promise<ClusterNode> {
  await cluster.kill(name)
  await growOld()
  return cluster.start(name, { DUOLOGUE_TEST_CRASH_POINT: point })
}

/** At these points the log is away for a while, and timers wait for it. */
const timersWaitAt: ReadonlySet<CrashPoint> = new Set<CrashPoint>(['spooled', 'spool-published'])

async function ended({ path, user }: Life, timersWait: boolean): Promise<void> {
  const ends = [path.ends, ...(timersWait ? [path.endsWhenTimersWait] : [])]
  let last: unknown = null
  await until(
    async () => {
      last = await describeEnd(user)
      const { status, open, inbound } = last as Awaited<ReturnType<typeof describeEnd>>
      return ends.some((end) => end === status) && open === 0 && inbound === path.inbound
    },
    pathMs,
    () => `${path.name} (${user}) has not ended: ${JSON.stringify(last)}`,
  )
}

async function describeEnd(user: string) {
  const [row] = await cluster.sql(
    `select
      (select status from duologue.conversations where session_id = session.id order by id desc limit 1) as status,
      (select count(*)::int from duologue.conversations where session_id = session.id) as conversations,
      (select count(*)::int from duologue.messages where session_id = session.id and direction = 'inbound') as inbound,
      (select count(*)::int from duologue.effects where session_id = session.id
        and status in ('pending', 'running', 'uncertain')) as open,
      (select coalesce(json_agg(distinct history.to_status), '[]') from duologue.conversation_state_history as history
        join duologue.conversations as own on own.id = history.conversation_id and own.session_id = session.id) as visited,
      opted_out, quarantined_at
    from duologue.sessions as session where user_key = $1`,
    [user],
  )
  return {
    status: row?.['status'],
    conversations: row?.['conversations'],
    inbound: row?.['inbound'],
    open: row?.['open'],
    visited: (row?.['visited'] as string[] | undefined)?.toSorted(),
    optedOut: row?.['opted_out'],
    quarantinedAt: row?.['quarantined_at'],
  }
}

/** Twilio accepted each answer once, and each is one that a step wanted. */
async function checkAnswers({ path, user }: Life): Promise<void> {
  const accepted = await cluster.fake.sent(user)
  const effects = accepted.map(({ statusCallback }) => new URL(statusCallback ?? '').searchParams.get('effect'))
  expect(new Set(effects).size, `${path.name}: every answer is an effect of its own`).toBe(accepted.length)
  expect(accepted.length, `${path.name}: answers`).toBeGreaterThanOrEqual(path.answers.min)
  expect(accepted.length, `${path.name}: answers`).toBeLessThanOrEqual(path.answers.max)
}

type Ends = ReadonlyMap<string, Awaited<ReturnType<typeof describeEnd>>>

let expectedEnds: Ends = new Map()

async function finish(lives: readonly Life[], timersWait = false): Promise<Ends> {
  await Promise.all(lives.map(async ({ led }) => led))
  await Promise.all(lives.map(async (life) => ended(life, timersWait)))
  for (const life of lives) await checkAnswers(life)
  return new Map(await Promise.all(lives.map(async ({ path, user }) => [path.name, await describeEnd(user)] as const)))
}

test('without a crash every path comes to its end', { timeout: pathMs }, async () => {
  await cluster.start('calm')
  expectedEnds = await finish(leadAll())
  expect(expectedEnds.size).toBe(lifecyclePaths.length)
})

test.each(crashPoints)('a kill at %s changes no end and repeats no answer', { timeout: 2 * pathMs }, async (point) => {
  const name = `at-${point}`
  let doomed = await cluster.start(name, {
    DUOLOGUE_TEST_CRASH_POINT: point,
    DUOLOGUE_TEST_CRASH_ON: 'SIGUSR2',
  })
  const arm = (): void => void doomed.service.child.kill('SIGUSR2')
  if (!later.has(point)) arm()
  const lives = leadAll()
  if (later.has(point)) {
    await until(async () => (await cluster.fake.sent()).some(({ to }) => lives.some(({ user }) => user === to)), 20_000)
    arm()
    await provocations[point]?.(doomed)
    if (point === 'migrated') doomed = await restartOverOldVersions(name, point)
  }
  await doomed.service.crashPointReached()
  await cluster.kill(name)
  kills += 1
  if (point === 'spooled') await cluster.log.restart()
  await cluster.start(`after-${point}`)
  const timersWait = timersWaitAt.has(point)
  const ends = await finish(lives, timersWait)
  const free = timersWait
    ? lifecyclePaths.filter((path) => ends.get(path.name)?.status === path.endsWhenTimersWait)
    : []
  const without = (all: Ends): Ends => new Map([...all].filter(([path]) => !free.some((other) => other.name === path)))
  expect(without(ends)).toEqual(without(expectedEnds))
})

test('all of it: nothing is open, no journal has a gap, every message is stored once', async () => {
  console.log(`${kills} kills, ${lifecyclePaths.length} paths each, ${users} conversations`)
  expect(kills).toBe(crashPoints.length)
  const gaps = await cluster.sql(`
    select conversation.id from duologue.conversations as conversation
    join duologue.conversation_events as event on event.conversation_id = conversation.id
    group by conversation.id having count(*) <> conversation.version or max(event.version) <> conversation.version`)
  expect(gaps).toEqual([])
  const open = await cluster.sql(
    `select id, status from duologue.effects where status in ('pending', 'running', 'uncertain')`,
  )
  expect(open).toEqual([])
  const [row] = await cluster.sql(`
    select count(*)::int as stored, count(distinct provider_id)::int as ids from duologue.messages where direction = 'inbound'`)
  expect(row?.['stored']).toBe(row?.['ids'])
  const perRound = lifecyclePaths.reduce((sum, { inbound }) => sum + inbound, 0)
  expect(row?.['stored']).toBe(perRound * (crashPoints.length + 1))
})
