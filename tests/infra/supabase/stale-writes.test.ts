/**
 * Two owners that both believe: of two commits to one version exactly one wins, whichever way they meet. The owners
 * are two processes on both backends; PGlite, which lives in one process, is passed on to them by this one.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import postgres from 'postgres'
import { describe, expect, onTestFinished, test } from 'vitest'
import { toCommitPayload } from '../../../src/infra/supabase/commit-payload.ts'
import { batchOf, claimAll, commitOf, newSession, nextStep, opening, type TestSession } from './batches.ts'
import type { Attempt, Owner, Rival } from './rival-owner.ts'
import { serveClient } from './serve-client.ts'
import { useDatabase, type DatabaseInUse } from './use-database.ts'

const pairs = 1_000
/** In every tenth round both claim the partition anew before they commit; in the others both use the last epoch. */
const claimEvery = 10

/** A call of the embedded database costs most of its time whatever it carries: there the pairs are shared by ten. */
describe.each([
  { backend: 'pglite', conversations: 10 },
  { backend: 'postgres', conversations: 1 },
] as const)('two owners on $backend', ({ backend, conversations }) => {
  const database = useDatabase(backend, 1)

  test(`of ${pairs} pairs of commits exactly one wins each`, async () => {
    const { store, deployment, sql } = database()
    const sessions = Array.from({ length: conversations }, () => newSession(deployment))
    let owner: Owner = { nodeId: 'setup', owned: await claimAll(database(), 'setup') }
    await store.commitSteps(
      batchOf(
        owner.nodeId,
        owner.owned,
        sessions.map((session) => opening(session, 1)),
      ),
    )
    const rivals = await openRivals(database())
    const refusals = { stale: 0, fenced: 0 }
    const rounds = pairs / conversations
    for (let baseVersion = 1; baseVersion <= rounds; baseVersion += 1) {
      const request = { sessions, baseVersion, owner, claims: baseVersion % claimEvery === 0 }
      const attempts = await Promise.all(
        rivals.map((rival, index) => rival.attempt({ ...request, reversed: index === 1 })),
      )
      for (const { sessionId } of sessions) {
        const kinds = attempts.map((one) => one.kinds[sessionId] ?? 'nothing')
        expect(
          kinds.filter((kind) => kind === 'committed'),
          `version ${baseVersion}: ${kinds.join(', ')}`,
        ).toHaveLength(1)
        for (const kind of kinds) if (kind === 'stale' || kind === 'fenced') refusals[kind] += 1
      }
      owner = toNewest(attempts.map((one) => one.owner))
    }
    await Promise.all(rivals.map((rival) => rival.close()))
    expect(refusals.stale + refusals.fenced).toBe(pairs)
    expect(refusals.stale).toBeGreaterThan(pairs / 2)
    expect(refusals.fenced).toBeGreaterThan(0)
    const journals = await sql(`select count(*)::int as rows, min(version)::int as first, max(version)::int as last,
      count(distinct version)::int as versions from duologue.conversation_events group by conversation_id`)
    const all = rounds + 1
    expect(journals).toEqual(sessions.map(() => ({ rows: all, first: 1, last: all, versions: all })))
    expect(await sql('select count(*)::int as messages from duologue.messages')).toEqual([
      { messages: all * conversations },
    ])
  }, 180_000)
})

describe('two owners that meet at the lock', () => {
  const database = useDatabase('postgres', 2)

  /** An open transaction of another program; everything it did waits for `end`. */
  const openTransaction = async () => {
    const sql = postgres(database().databaseUrl ?? '', { max: 1, onnotice: () => {} })
    await sql`begin`
    const call = async (name: string, request: object) => {
      const [row] = await sql.unsafe(`select public.${name}($1::text::jsonb) as answer`, [JSON.stringify(request)])
      return row?.['answer'] as never
    }
    const end = async () => {
      await sql`commit`
      await sql.end()
    }
    return { call, end }
  }
  const waitForLock = async () => {
    const findWaiting = () =>
      database().sql(`select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`)
    await expect.poll(findWaiting, { timeout: 10_000, interval: 10 }).toHaveLength(1)
  }
  const start = async () => {
    const { store, deployment } = database()
    const owned = await claimAll(database(), 'old')
    const session = newSession(deployment)
    await store.commitSteps(batchOf('old', owned, [opening(session, 1)]))
    return { owned, session }
  }
  const versionOf = async (session: TestSession) =>
    (await database().store.getConversation(session.conversationId))?.version

  test("an old owner's commit that waits while a new owner claims is fenced and writes nothing", async () => {
    const { store, sql } = database()
    const { owned, session } = await start()
    await sql(`update duologue.partitions set lease_until = now() - interval '1 second'`)
    const claiming = await openTransaction()
    const answer = await claiming.call('claim_partitions', { node_id: 'new', lease_ms: 3_000, held: [] })
    expect(answer).toMatchObject({ partitions: [{ partition: 0, epoch: 2, cursor_sequence: 1 }] })
    const late = store.commitSteps(batchOf('old', owned, [nextStep(session, 1, 2)]))
    await waitForLock()
    await claiming.end()
    expect((await late).partitions.get(0)).toBe('fenced')
    expect(await versionOf(session)).toBe(1)
    expect(await sql('select owner, cursor_sequence from duologue.partitions where partition = 0')).toEqual([
      { owner: 'new', cursor_sequence: 1 },
    ])
  })

  test('effects of an old owner that wait while a new owner claims do not start', async () => {
    const { store } = database()
    const { owned, session } = await start()
    const claiming = await openTransaction()
    await claiming.call('claim_partitions', { node_id: 'new', lease_ms: 3_000, held: [], take_all: true })
    const effectId = `${session.conversationId}:1:0`
    const late = store.startEffects('old', 3_000, owned, [{ effectId, partition: 0, sessionId: session.sessionId }])
    await waitForLock()
    await claiming.end()
    expect((await late).get(effectId)).toEqual({ kind: 'fenced' })
  })

  test('a claim passes over a partition whose owner is committing, and a forced one waits and sees the commit', async () => {
    const { store, sql } = database()
    const { owned, session } = await start()
    await sql(`update duologue.partitions set lease_until = now() - interval '1 second'`)
    const committing = await openTransaction()
    const batch = batchOf('old', owned, [nextStep(session, 1, 2)])
    expect(await committing.call('commit_steps', toCommitPayload(batch))).toEqual({
      committed: [0],
      fenced: [],
      exceptions: {},
    })
    const request = { nodeId: 'new', leaseMs: 3_000, held: [], machines: {}, takeAll: false, renewOnly: false }
    expect((await store.claimPartitions(request)).partitions.map(({ partition }) => partition)).toEqual([1])
    const forced = store.claimPartitions({ ...request, takeAll: true })
    await waitForLock()
    await committing.end()
    expect((await forced).partitions[0]).toEqual({
      partition: 0,
      epoch: 2,
      cursor: { incarnation: 'log-1', sequence: 2 },
      isSurplus: false,
    })
    expect(await versionOf(session)).toBe(2)
  })

  test("a commit that waits for its partition's earlier commit is judged by what that one wrote", async () => {
    const { store } = database()
    const { owned, session } = await start()
    const first = await openTransaction()
    await first.call('commit_steps', toCommitPayload(batchOf('old', owned, [nextStep(session, 1, 2)])))
    const same = store.commitSteps(batchOf('old', owned, [nextStep(session, 1, 3)]))
    await waitForLock()
    await first.end()
    expect((await same).sessions.get(session.sessionId)).toEqual({ kind: 'stale' })
    expect(await versionOf(session)).toBe(2)
  })

  test('the lease is counted from the moment the lock was got', async () => {
    const { store, sql } = database()
    const { owned, session } = await start()
    const holder = await openTransaction()
    await holder.call('commit_steps', toCommitPayload(batchOf('old', owned, [nextStep(session, 1, 2)])))
    const waiting = store.commitSteps(batchOf('old', owned, [commitOf(session, 3)]))
    await waitForLock()
    const [released] = await sql('select clock_timestamp()::text as at')
    await holder.end()
    await waiting
    const [row] = await sql(
      `select lease_until > $1::text::timestamptz + interval '3 seconds' as is_later from duologue.partitions where partition = 0`,
      [released?.['at']],
    )
    expect(row).toEqual({ is_later: true })
  })
})

/** Who claimed last owns the partition, whoever won the pair. */
function toNewest(owners: readonly Owner[]): Owner {
  const epochOf = ({ owned }: Owner): number => owned[0]?.epoch ?? 0
  return owners.reduce((newest, other) => (epochOf(other) > epochOf(newest) ? other : newest))
}

type OpenRival = { attempt(request: Rival): Promise<Attempt>; close(): Promise<void> }

async function openRivals({ http, client }: DatabaseInUse): Promise<readonly OpenRival[]> {
  if (http !== null) return Promise.all(['left', 'right'].map((nodeId) => openProcess(http, nodeId)))
  const served = await serveClient(client)
  onTestFinished(() => served.stop())
  return Promise.all(['left', 'right'].map((nodeId) => openProcess({ url: served.url, secretKey: 'unused' }, nodeId)))
}

async function openProcess(
  http: { readonly url: string; readonly secretKey: string },
  nodeId: string,
): Promise<OpenRival> {
  const program = join(import.meta.dirname, 'rival-owner.ts')
  const child: ChildProcess = fork(program, [http.url, http.secretKey, nodeId], { execArgv: [] })
  await once(child, 'message')
  return {
    attempt: async (request) => {
      const answered = once(child, 'message')
      child.send(request)
      const [answer] = (await answered) as [Attempt]
      return answer
    },
    close: async () => {
      child.disconnect()
      await once(child, 'exit')
    },
  }
}
