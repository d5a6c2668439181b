/** The database defends itself against everybody's SQL (supabase/migrations/…_guards.sql names the rules). */
import { describe, expect, test } from 'vitest'
import { statuses, closedStatusesByRank, isClosed, type Status } from '../../../src/machines/status.ts'
import { toSessionKey } from '../../../src/actors/session-key.ts'
import {
  at,
  batchOf,
  claimAll,
  commitOf,
  conversationSteps,
  journalEntry,
  newEffect,
  newSession,
  nextId,
  opening,
  type TestSession,
} from './batches.ts'
import type { DatabaseInUse } from './use-database.ts'

/** DESIGN section 6, row by row. */
const allowed: { readonly [from: string]: readonly Status[] } = {
  PENDING: ['PROGRESS', 'HUMAN_HANDOFF', ...closedStatusesByRank],
  PROGRESS: ['HUMAN_HANDOFF', 'IDLE_TIMEOUT', ...closedStatusesByRank],
  HUMAN_HANDOFF: ['PROGRESS', ...closedStatusesByRank],
  IDLE_TIMEOUT: ['PROGRESS', 'HUMAN_HANDOFF', ...closedStatusesByRank],
  EXPIRED: ['AGENT_CLOSED', 'SUPPORT_CLOSED', 'USER_CLOSED', 'FAILED'],
  AGENT_CLOSED: ['SUPPORT_CLOSED', 'USER_CLOSED', 'FAILED'],
  SUPPORT_CLOSED: ['USER_CLOSED', 'FAILED'],
  USER_CLOSED: ['FAILED'],
  FAILED: [],
}

/** A way from an opening to each status. */
const ways: { readonly [status in Status]: readonly Status[] } = {
  PENDING: ['PENDING'],
  PROGRESS: ['PENDING', 'PROGRESS'],
  HUMAN_HANDOFF: ['PENDING', 'HUMAN_HANDOFF'],
  IDLE_TIMEOUT: ['PENDING', 'PROGRESS', 'IDLE_TIMEOUT'],
  AGENT_CLOSED: ['PENDING', 'AGENT_CLOSED'],
  SUPPORT_CLOSED: ['PENDING', 'SUPPORT_CLOSED'],
  USER_CLOSED: ['PENDING', 'USER_CLOSED'],
  EXPIRED: ['PENDING', 'EXPIRED'],
  FAILED: ['PENDING', 'FAILED'],
}

const insertJournal = `insert into duologue.conversation_events
  (conversation_id, version, event_id, event, from_status, to_status, initiator, machine_version, occurred_at, hash)`

export function describeGuards(database: () => DatabaseInUse): void {
  const start = async (status: Status = 'PENDING') => {
    const { store, deployment } = database()
    const owned = await claimAll(database(), 'a')
    const session = newSession(deployment)
    const conversations = [conversationSteps(session, 0, null, ways[status])]
    const effects = [newEffect(session, 1, 0, { status: 'done' })]
    await store.commitSteps(batchOf('a', owned, [opening(session, 1, { conversations, effects })]))
    return { owned, session, version: ways[status].length }
  }
  const refused = (statement: string, parameters: readonly unknown[] = []) =>
    expect(database().sql(statement, parameters), statement).rejects.toThrow(/duologue: |violates/u)

  describe('guards', () => {
    test('the statuses and their pairs are those of the design, and of the code', async () => {
      const { sql } = database()
      const rows = await sql('select from_status, to_status from duologue.status_transitions')
      const pairs = rows.map(({ from_status: from, to_status: to }) => `${String(from)}>${String(to)}`).toSorted()
      const expected = [
        'null>PENDING',
        ...statuses.flatMap((from) => [from, ...(allowed[from] ?? [])].map((to) => `${from}>${to}`)),
      ]
      expect(pairs).toEqual(expected.toSorted())
      const ranks = await sql(
        `select status from unnest($1::text[]) as status where duologue.closed_rank(status) > 0
         order by duologue.closed_rank(status)`,
        [[...statuses]],
      )
      expect(ranks.map(({ status }) => status)).toEqual([...closedStatusesByRank])
    })

    test.each(statuses)('a conversation in %s goes where the design says and nowhere else', async (from) => {
      const { store } = database()
      const { owned, session, version } = await start(from)
      let sequence = 1
      for (const to of statuses.filter((status) => status !== from && !(allowed[from] ?? []).includes(status))) {
        sequence += 1
        const commit = commitOf(session, sequence, { conversations: [conversationSteps(session, version, from, [to])] })
        await expect(store.commitSteps(batchOf('a', owned, [commit])), `${from} > ${to}`).rejects.toThrow(/may not go/u)
      }
      expect((await store.getConversation(session.conversationId))?.version).toBe(version)
    })

    test('a conversation begins as PENDING only', async () => {
      const { store, deployment } = database()
      const owned = await claimAll(database(), 'a')
      for (const status of statuses.filter((other) => other !== 'PENDING')) {
        const session = newSession(deployment)
        const commit = opening(session, 1, { conversations: [conversationSteps(session, 0, null, [status])] })
        await expect(store.commitSteps(batchOf('a', owned, [commit])), status).rejects.toThrow(
          /may not go from nothing/u,
        )
      }
    })

    test("a closed conversation takes deliveries and results, and no message and no operator's word", async () => {
      const { store } = database()
      const { owned, session, version } = await start('USER_CLOSED')
      const commit = (type: string, next: number) => {
        const journal = [journalEntry(next, 'USER_CLOSED', 'USER_CLOSED', { event: { type } })]
        const conversations = [conversationSteps(session, next - 1, 'USER_CLOSED', ['USER_CLOSED'], { journal })]
        return store.commitSteps(batchOf('a', owned, [commitOf(session, next, { conversations })]))
      }
      await expect(commit('message.received', version + 1)).rejects.toThrow(/is closed and takes no message.received/u)
      await expect(commit('operator.replied', version + 1)).rejects.toThrow(/takes no operator.replied/u)
      expect((await commit('delivery.updated', version + 1)).sessions.get(session.sessionId)).toEqual({
        kind: 'committed',
      })
    })

    test.each<[string, string]>([
      ['a status without a step', `update duologue.conversations set status = 'HUMAN_HANDOFF'`],
      ['a snapshot without a step', `update duologue.conversations set snapshot = '{"value": "PROGRESS"}'`],
      ['a hash without a step', `update duologue.conversations set hash = 'x'`],
      ['a machine version without a step', `update duologue.conversations set machine_version = '9'`],
      ['a version without a journal row', `update duologue.conversations set version = version + 1`],
      ['a version that goes back', `update duologue.conversations set version = version - 1`],
      ['another session', `update duologue.conversations set session_id = gen_random_uuid()`],
      ['another tenant', `update duologue.conversations set tenant_id = gen_random_uuid()`],
      ['another opening', `update duologue.conversations set opened_at = now()`],
      ['a closing without its moment', `update duologue.conversations set status = 'FAILED', version = version + 1`],
      ['a status that does not exist', `update duologue.conversations set status = 'DONE'`],
      ['a conversation taken away', `delete from duologue.conversations`],
      ['all conversations taken away', `truncate duologue.conversations cascade`],
      ['a journal row changed', `update duologue.conversation_events set event = '{"type": "x"}'`],
      ['a journal row taken away', `delete from duologue.conversation_events`],
      ['the journal taken away', `truncate duologue.conversation_events`],
      [
        'a settled effect that runs again',
        `update duologue.effects set status = 'running', deadline = now(), started_at = now()`,
      ],
      ['an epoch that goes back', `update duologue.partitions set epoch = 0`],
      [
        'a cursor that goes back',
        `update duologue.partitions set cursor_sequence = cursor_sequence - 1 where cursor_sequence > 0`,
      ],
      [
        'a second session of the same key',
        `insert into duologue.sessions (id, tenant_id, channel_id, partition,
        business_address, user_key, reply_address, speaker, speaker_token)
        select gen_random_uuid(), tenant_id, channel_id, partition, business_address, user_key, '', '', 0 from duologue.sessions`,
      ],
      [
        "a session of a tenant with another's channel",
        `insert into duologue.sessions (id, tenant_id, channel_id, partition,
        business_address, user_key, reply_address, speaker, speaker_token)
        select gen_random_uuid(), gen_random_uuid(), channel_id, partition, business_address, 'x', '', '', 0 from duologue.sessions`,
      ],
    ])('direct SQL is refused: %s', async (_name, statement) => {
      const { sql } = database()
      await start('PROGRESS')
      const before = await sql('select * from duologue.conversations')
      await refused(statement)
      expect(await sql('select * from duologue.conversations')).toEqual(before)
    })

    test('a generated column cannot be written', async () => {
      await start()
      const write = database().sql(`update duologue.sessions set session_key = 'x'`)
      await expect(write).rejects.toThrow(/can only be updated to DEFAULT/u)
    })

    test('a journal row that belongs to no version of a conversation does not survive its transaction', async () => {
      const { sql } = database()
      const { session, version } = await start()
      for (const id of [session.conversationId, nextId()]) {
        await refused(`${insertJournal} values ($1, $2, 'e', '{}', 'PENDING', 'PENDING', 'system', '1', now(), 'h')`, [
          id,
          version + 1,
        ])
      }
      expect(await sql('select count(*)::int as rows from duologue.conversation_events')).toEqual([{ rows: version }])
    })

    test.each<[string, (session: TestSession) => string]>([
      ['a gap', ({ conversationId }) => step(conversationId, [[3, 'PENDING', 'PENDING']], 'PENDING', 3)],
      [
        'a break',
        ({ conversationId }) =>
          step(
            conversationId,
            [
              [2, 'PENDING', 'PROGRESS'],
              [3, 'PENDING', 'PENDING'],
            ],
            'PENDING',
            3,
          ),
      ],
      ['another start', ({ conversationId }) => step(conversationId, [[2, 'PROGRESS', 'PROGRESS']], 'PROGRESS', 2)],
      ['another end', ({ conversationId }) => step(conversationId, [[2, 'PENDING', 'PROGRESS']], 'PENDING', 2)],
      [
        'a row too many',
        ({ conversationId }) =>
          step(
            conversationId,
            [
              [2, 'PENDING', 'PENDING'],
              [3, 'PENDING', 'PENDING'],
            ],
            'PENDING',
            2,
          ),
      ],
      [
        'another hash',
        ({ conversationId }) => step(conversationId, [[2, 'PENDING', 'PENDING']], 'PENDING', 2, 'other'),
      ],
    ])('a step whose journal has %s is refused, in one statement or two', async (_name, toStatement) => {
      const { session } = await start()
      await refused(toStatement(session))
      expect((await database().store.getConversation(session.conversationId))?.version).toBe(1)
    })

    test('the same step with a right journal is taken', async () => {
      const { session } = await start()
      const rows = [
        [2, 'PENDING', 'PROGRESS'],
        [3, 'PROGRESS', 'USER_CLOSED'],
      ] as const
      await database().sql(step(session.conversationId, rows, 'USER_CLOSED', 3))
      expect(await database().store.getConversation(session.conversationId)).toMatchObject({
        status: 'USER_CLOSED',
        version: 3,
      })
    })

    test('commit_steps refuses journal rows that no conversation of the batch takes', async () => {
      const { client, sql } = database()
      const owned = await claimAll(database(), 'a')
      const session = newSession(database().deployment)
      const steps = conversationSteps(session, 0, null, ['PENDING'])
      const stray = journalEntry(2, 'PENDING', 'PENDING')
      const commit = opening(session, 1, { conversations: [{ ...steps, journal: [...steps.journal, stray] }] })
      await expect(database().store.commitSteps(batchOf('a', owned, [commit]))).rejects.toThrow(
        /2 journal rows for 1 steps/u,
      )
      expect(client).toBeDefined()
      expect(await sql('select count(*)::int as rows from duologue.conversation_events')).toEqual([{ rows: 0 }])
    })

    test('only timers move without a step', async () => {
      const { store, sql } = database()
      const { owned, session, version } = await start()
      const moved = conversationSteps(session, version, 'PENDING', [], { nextTimerAt: at + 1, updatedAt: at + 99 })
      const [hash] = await sql('select hash, snapshot from duologue.conversations')
      const conversation = { ...moved, hash: String(hash?.['hash']), snapshot: hash?.['snapshot'] as never }
      const outcome = await store.commitSteps(
        batchOf('a', owned, [commitOf(session, 2, { conversations: [conversation] })]),
      )
      expect(outcome.sessions.get(session.sessionId)).toEqual({ kind: 'committed' })
      expect((await store.getConversation(session.conversationId))?.nextTimerAt).toBe(new Date(at + 1).toISOString())
    })

    test('a delivery never goes back by direct SQL either', async () => {
      const { store } = database()
      const { owned, session } = await start()
      const deliveries = [{ providerId: 'SM', effectId: null, status: 'read' as const, errorCode: null, raw: {}, at }]
      await store.commitSteps(batchOf('a', owned, [commitOf(session, 2, { deliveries })]))
      await refused(`update duologue.deliveries set status = 'sent'`)
    })

    test('a session key in SQL is the session key in TypeScript', async () => {
      const { sql } = database()
      const pairs = makeAddresses(50_000)
      const rows = await sql(
        `select duologue.session_key(pair ->> 0, pair ->> 1) as key
         from jsonb_array_elements(duologue.as_object(to_jsonb($1::text))) with ordinality as pairs(pair, place) order by place`,
        [JSON.stringify(pairs)],
      )
      const wrong = pairs.filter(([business, user], index) => rows[index]?.['key'] !== toSessionKey(business, user))
      expect(wrong).toEqual([])
      expect(rows).toHaveLength(50_000)
    }, 60_000)

    test('every status of the code has a way here', () => {
      expect(Object.keys(ways).toSorted()).toEqual([...statuses].toSorted())
      expect(statuses.filter((status) => isClosed(status))).toHaveLength(closedStatusesByRank.length)
    })
  })
}

type JournalRow = readonly [version: number, from: Status, to: Status]

/** One statement that writes these journal rows and then the conversation's row. */
function step(id: string, rows: readonly JournalRow[], status: Status, version: number, hash = `h${version}`): string {
  const values = rows.map(
    ([at_, from, to]) =>
      `('${id}', ${at_}, 'e${at_}', '{"type": "x"}', '${from}', '${to}', 'system', '1', now(), 'h${at_}')`,
  )
  const closedAt = isClosed(status) ? 'now()' : 'null'
  return `do $$ begin
    ${insertJournal} values ${values.join(', ')};
    update duologue.conversations
    set version = ${version}, status = '${status}', hash = '${hash}', closed_at = ${closedAt}
    where id = '${id}';
  end $$`
}

/** Well-formed addresses of 1 to 16 characters: phone numbers, and every kind of character that Unicode has. */
function makeAddresses(count: number): (readonly [string, string])[] {
  let seed = 20_261_122
  const next = (below: number): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((seed / 2 ** 32) * below)
  }
  const ranges = [
    [0x21, 0x7e],
    [0x20, 0x24f],
    [0x5d0, 0x6ff],
    [0x1f300, 0x1faff],
    [0xe000, 0xffff],
    [0x10000, 0x10ffff],
    [0x1, 0x7f],
    [0x300, 0x36f],
  ] as const
  const character = (): string => {
    const [from, to] = ranges[next(ranges.length)] ?? ranges[0]
    return String.fromCodePoint(from + next(to - from + 1))
  }
  const address = (): string => {
    if (next(4) === 0) return `whatsapp:+${next(1e9)}`
    return Array.from({ length: 1 + next(16) }, () =>
      next(3) === 0 ? 'a_-Z9.*>: +'.charAt(next(11)) : character(),
    ).join('')
  }
  return Array.from({ length: count }, () => [address(), address()] as const)
}
