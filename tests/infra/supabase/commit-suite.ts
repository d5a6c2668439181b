/** What one call of commit_steps writes, refuses and answers. */
import { describe, expect, test } from 'vitest'
import { StoreRefused, type OwnedPartition } from '../../../src/actors/ports.ts'
import { toSessionKey } from '../../../src/actors/session-key.ts'
import { toCommitPayload } from '../../../src/infra/supabase/commit-payload.ts'
import {
  at,
  batchOf,
  claimAll,
  commitOf,
  conversationSteps,
  inbound,
  newSession,
  nextId,
  nextStep,
  opening,
  parkedEvent,
  type TestSession,
} from './batches.ts'
import type { DatabaseInUse } from './use-database.ts'

export function describeCommits(database: () => DatabaseInUse): void {
  const load = async (session: TestSession, duplicateKeys: readonly string[] = []) => {
    const sessionKey = toSessionKey(session.created.businessAddress, session.created.userKey)
    const loaded = await database().store.loadSessions(
      [],
      [{ sessionKey, partition: session.partition, duplicateKeys }],
    )
    return { ...loaded, session: loaded.sessions[0] ?? null }
  }
  const cursor = async (partition = 0) => {
    const [row] = await database().sql(
      'select cursor_incarnation, cursor_sequence from duologue.partitions where partition = $1',
      [partition],
    )
    return row
  }
  const counts = async () => {
    const [row] = await database().sql(`select (select count(*)::int from duologue.sessions) as sessions,
      (select count(*)::int from duologue.conversations) as conversations,
      (select count(*)::int from duologue.conversation_events) as events,
      (select count(*)::int from duologue.messages) as messages`)
    return row
  }
  const start = async () => {
    const { deployment } = database()
    const owned = await claimAll(database(), 'a')
    return { owned, session: newSession(deployment) }
  }

  describe('commits', () => {
    test('a first message makes a session, a conversation, a journal row and a message', async () => {
      const { store } = database()
      const { owned, session } = await start()
      const outcome = await store.commitSteps(batchOf('a', owned, [opening(session, 7)]))
      expect(outcome.partitions).toEqual(new Map([[0, 'committed']]))
      expect(outcome.sessions).toEqual(new Map([[session.sessionId, { kind: 'committed' }]]))
      expect(await counts()).toEqual({ sessions: 1, conversations: 1, events: 1, messages: 1 })
      expect(await cursor()).toEqual({ cursor_incarnation: 'log-1', cursor_sequence: 7 })
    })

    test('a loaded session is what was committed', async () => {
      const { store, deployment } = database()
      const { owned, session } = await start()
      const commit = opening(session, 7, { speaker: 'operator:ana', speakerToken: 3, optedOut: true, clockOffsetMs: 5 })
      await store.commitSteps(batchOf('a', owned, [commit]))
      const [conversation] = commit.conversations
      expect((await load(session)).session).toEqual({
        sessionKey: toSessionKey(session.created.businessAddress, session.created.userKey),
        sessionId: session.sessionId,
        ...session.created,
        position: { incarnation: 'log-1', sequence: 7 },
        replyAddress: session.created.userKey,
        lastInboundAt: at,
        speaker: 'operator:ana',
        speakerToken: 3,
        optedOut: true,
        clockOffsetMs: 5,
        quarantined: false,
        redirects: {},
        identityVersion: 0,
        parked: null,
        settings: {},
        conversation: {
          conversationId: session.conversationId,
          status: 'PENDING',
          machine: 'conversation',
          machineVersion: '1.0.0',
          version: 1,
          notableVersion: 1,
          snapshot: conversation?.snapshot,
          hash: conversation?.hash,
          timers: conversation?.timers,
          updatedAt: conversation?.updatedAt,
        },
        effects: [],
      })
      expect((await store.getConversation(session.conversationId))?.assignedOperator).toBe('ana')
      expect(deployment.tenantId).toBe(session.created.tenantId)
    })

    test('an unknown session answers its channel, with the settings of tenant and channel', async () => {
      const { sql, deployment } = database()
      await sql(`update duologue.tenants set settings = '{"quietMs": 1, "idleTimeoutMs": 2}'`)
      await sql(`update duologue.channels set settings = '{"quietMs": 3}' where id = $1`, [deployment.channelId])
      const { channels, sessions } = await load(newSession(deployment))
      expect(sessions).toEqual([])
      expect(channels).toEqual([
        {
          businessAddress: 'whatsapp:+14155238886',
          businessToken: 'whatsapp_3A_2B14155238886',
          channelId: deployment.channelId,
          tenantId: deployment.tenantId,
          settings: { quietMs: 3, idleTimeoutMs: 2 },
        },
      ])
    })

    test('loading tells which provider ids are stored already, for known and for new sessions', async () => {
      const { store, deployment } = database()
      const { owned, session } = await start()
      await store.commitSteps(batchOf('a', owned, [opening(session, 1)]))
      const known = `SM-${session.sessionId}`
      const own = toSessionKey(session.created.businessAddress, session.created.userKey)
      expect((await load(session, [known, 'SM-other'])).knownKeys).toEqual([`${own} ${known}`])
      const stranger = newSession(deployment)
      const other = toSessionKey(stranger.created.businessAddress, stranger.created.userKey)
      expect((await load(stranger, [known])).knownKeys).toEqual([`${other} ${known}`])
    })

    test('many folded steps of one conversation are one row and as many journal rows', async () => {
      const { store, sql } = database()
      const { owned, session } = await start()
      const through = ['PENDING', 'PENDING', 'PROGRESS', 'IDLE_TIMEOUT', 'PROGRESS', 'USER_CLOSED'] as const
      const conversations = [conversationSteps(session, 0, null, through)]
      await store.commitSteps(batchOf('a', owned, [opening(session, 1, { conversations })]))
      expect(await counts()).toMatchObject({ conversations: 1, events: 6 })
      expect(await sql('select version, status, closed_at is not null as closed from duologue.conversations')).toEqual([
        { version: 6, status: 'USER_CLOSED', closed: true },
      ])
    })

    test('the same commit id answers the same and is written once, whatever came to be known meanwhile', async () => {
      const { store, deployment } = database()
      const { owned, session } = await start()
      await store.commitSteps(batchOf('a', owned, [opening(session, 1)]))
      const stale = newSession(deployment)
      const batch = batchOf('a', owned, [
        nextStep(session, 1, 2),
        nextStep(stale, 4, 3),
        opening(newSession(deployment, 1), 4),
      ])
      const first = await store.commitSteps(batch)
      const rows = await counts()
      expect(first.sessions.get(stale.sessionId)).toEqual({ kind: 'stale' })
      expect(await store.commitSteps(batch)).toEqual(first)
      expect(await store.commitSteps(batch)).toEqual(first)
      expect(await counts()).toEqual(rows)
    })

    test('a commit that comes after a newer one of its owner changes nothing, whatever it holds', async () => {
      const { store } = database()
      const { owned, session } = await start()
      const late = batchOf('a', owned, [commitOf(session, 1, { speakerToken: 1 })])
      await store.commitSteps(batchOf('a', owned, [opening(session, 1)]))
      await store.commitSteps(batchOf('a', owned, [commitOf(session, 1, { speakerToken: 2 })]))
      const outcome = await store.commitSteps(late)
      expect(outcome.sessions.get(session.sessionId)).toEqual({ kind: 'stale' })
      expect((await load(session)).session?.speakerToken).toBe(2)
    })

    test('a stale version changes nothing, and the others of the call are committed', async () => {
      const { store, deployment } = database()
      const { owned, session } = await start()
      const [other, elsewhere] = [newSession(deployment, 0), newSession(deployment, 1)]
      await store.commitSteps(batchOf('a', owned, [opening(session, 1), opening(other, 2), opening(elsewhere, 3)]))
      await store.commitSteps(batchOf('a', owned, [nextStep(session, 1, 4)]))
      const before = await load(session)
      const outcome = await store.commitSteps(
        batchOf('a', owned, [nextStep(session, 1, 5), nextStep(other, 1, 6), nextStep(elsewhere, 1, 7)]),
      )
      expect(outcome.sessions.get(session.sessionId)).toEqual({ kind: 'stale' })
      expect(outcome.sessions.get(other.sessionId)).toEqual({ kind: 'committed' })
      expect(await load(session)).toEqual(before)
      expect((await load(other)).session?.conversation?.version).toBe(2)
      expect(await cursor(0)).toMatchObject({ cursor_sequence: 4 })
      expect(await cursor(1)).toMatchObject({ cursor_sequence: 7 })
    })

    test.each([
      ['a version ahead of the stored one', (session: TestSession) => nextStep(session, 2, 9)],
      ['an opening of a conversation that exists', (session: TestSession) => opening(session, 9, { created: null })],
      [
        'a second open conversation',
        (session: TestSession) =>
          commitOf(session, 9, {
            conversations: [conversationSteps({ conversationId: nextId() }, 0, null, ['PENDING'])],
          }),
      ],
      [
        'a creation of a session that exists',
        (session: TestSession) => commitOf(session, 9, { created: session.created }),
      ],
      [
        'a creation of another session with the same key',
        (session: TestSession) => opening({ ...session, sessionId: nextId(), conversationId: nextId() }, 9),
      ],
      ['a position behind the stored one', (session: TestSession) => commitOf(session, 0)],
      ['a session of another partition', (session: TestSession) => nextStep({ ...session, partition: 1 }, 1, 9)],
    ])('%s is stale', async (_name, toCommit) => {
      const { store } = database()
      const { owned, session } = await start()
      await store.commitSteps(batchOf('a', owned, [opening(session, 1)]))
      const before = await counts()
      const commit = toCommit(session)
      const outcome = await store.commitSteps(batchOf('a', owned, [commit]))
      expect(outcome.sessions.get(commit.sessionId)).toEqual({ kind: 'stale' })
      expect(await counts()).toEqual(before)
    })

    test('a step of a session that does not exist is stale', async () => {
      const { owned, session } = await start()
      const outcome = await database().store.commitSteps(batchOf('a', owned, [nextStep(session, 0, 1)]))
      expect(outcome.sessions.get(session.sessionId)).toEqual({ kind: 'stale' })
    })

    test('a step of a conversation of another session is stale', async () => {
      const { store, deployment } = database()
      const { owned, session } = await start()
      const thief = newSession(deployment)
      await store.commitSteps(batchOf('a', owned, [opening(session, 1), opening(thief, 2)]))
      const commit = nextStep({ ...thief, conversationId: session.conversationId }, 1, 3)
      const outcome = await store.commitSteps(batchOf('a', owned, [commit]))
      expect(outcome.sessions.get(thief.sessionId)).toEqual({ kind: 'stale' })
    })

    test('a closing and the opening after it are one commit', async () => {
      const { store, sql } = database()
      const { owned, session } = await start()
      await store.commitSteps(batchOf('a', owned, [opening(session, 1)]))
      const next = nextId()
      const outcome = await store.commitSteps(
        batchOf('a', owned, [
          commitOf(session, 2, {
            conversationId: next,
            conversations: [
              conversationSteps(session, 1, 'PENDING', ['EXPIRED']),
              conversationSteps({ conversationId: next }, 0, null, ['PENDING'], {
                opened: { previousId: session.conversationId, openedAt: at },
              }),
            ],
          }),
        ]),
      )
      expect(outcome.sessions.get(session.sessionId)).toEqual({ kind: 'committed' })
      expect((await load(session)).session?.conversation?.conversationId).toBe(next)
      expect(await sql('select previous_id from duologue.conversations where id = $1', [next])).toEqual([
        { previous_id: session.conversationId },
      ])
    })

    test('a message that is stored already is named as duplicate, and nothing of its session is written', async () => {
      const { store, deployment } = database()
      const { owned, session } = await start()
      await store.commitSteps(batchOf('a', owned, [opening(session, 1)]))
      const before = await counts()
      const known = `SM-${session.sessionId}`
      const repeated = nextStep(session, 1, 2, { messages: [inbound(session, known), inbound(session, 'SM-new')] })
      const stranger = newSession(deployment, 1)
      const outcome = await store.commitSteps(
        batchOf('a', owned, [repeated, opening(stranger, 3, { messages: [inbound(stranger, known)] })]),
      )
      const duplicate = { kind: 'duplicate', duplicateKeys: [known] }
      expect(outcome.sessions.get(session.sessionId)).toEqual(duplicate)
      expect(outcome.sessions.get(stranger.sessionId)).toEqual(duplicate)
      expect(await counts()).toEqual(before)
      expect(await cursor()).toMatchObject({ cursor_sequence: 1 })
    })

    test('the same provider id on two channels is two messages', async () => {
      const { store, deployment } = database()
      const { owned, session } = await start()
      const created = { ...session.created, channelId: deployment.secondChannelId, businessAddress: 'sms:+14155238887' }
      const other = { ...newSession(deployment, 1), created }
      const outcome = await store.commitSteps(
        batchOf('a', owned, [
          opening(session, 1, { messages: [inbound(session, 'SM-same')] }),
          opening(other, 2, { messages: [inbound(other, 'SM-same')] }),
        ]),
      )
      expect([...outcome.sessions.values()]).toEqual([{ kind: 'committed' }, { kind: 'committed' }])
    })

    test('a replaced owner is fenced for that partition alone', async () => {
      const { store, deployment, sql } = database()
      const { owned, session } = await start()
      const other = newSession(deployment, 1)
      await sql(`update duologue.partitions set owner = 'b', epoch = epoch + 1 where partition = 0`)
      const outcome = await store.commitSteps(batchOf('a', owned, [opening(session, 1), opening(other, 2)]))
      expect(outcome.partitions).toEqual(
        new Map([
          [0, 'fenced'],
          [1, 'committed'],
        ]),
      )
      expect(outcome.sessions.get(session.sessionId)).toEqual({ kind: 'fenced' })
      expect(outcome.sessions.get(other.sessionId)).toEqual({ kind: 'committed' })
      expect(await counts()).toMatchObject({ sessions: 1, conversations: 1 })
    })

    test('an earlier claim of the same node is fenced too: its epoch is old', async () => {
      const { store } = database()
      const { owned, session } = await start()
      await claimAll(database(), 'a')
      const outcome = await store.commitSteps(batchOf('a', owned, [opening(session, 1)]))
      expect(outcome.partitions.get(0)).toBe('fenced')
      expect(await counts()).toMatchObject({ sessions: 0 })
    })

    test('an expired lease alone does not fence, and the commit renews it', async () => {
      const { store, sql } = database()
      const { owned, session } = await start()
      await sql(`update duologue.partitions set lease_until = now() - interval '1 minute'`)
      const outcome = await store.commitSteps(batchOf('a', owned, [opening(session, 1)]))
      expect(outcome.partitions.get(0)).toBe('committed')
      expect(await sql('select lease_until > now() as valid from duologue.partitions where partition = 0')).toEqual([
        { valid: true },
      ])
    })

    test('a commit that skips a version is refused, and the one it skipped is committed', async () => {
      const { store } = database()
      const { owned, session } = await start()
      await store.commitSteps(batchOf('a', owned, [opening(session, 1)]))
      const [earlier, later] = [
        batchOf('a', owned, [nextStep(session, 1, 2)]),
        batchOf('a', owned, [nextStep(session, 2, 3)]),
      ]
      expect((await store.commitSteps(later)).sessions.get(session.sessionId)).toEqual({ kind: 'stale' })
      expect(await cursor()).toMatchObject({ cursor_sequence: 1 })
      const anew = { ...earlier, commitId: nextId() }
      expect((await store.commitSteps(anew)).sessions.get(session.sessionId)).toEqual({ kind: 'committed' })
      expect(await cursor()).toMatchObject({ cursor_sequence: 2 })
      expect((await load(session)).session?.conversation?.version).toBe(2)
    })

    test('a cursor alone moves forward within an incarnation, and a new incarnation replaces it', async () => {
      const { store } = database()
      const { owned } = await start()
      const own = owned.slice(0, 1)
      const move = (incarnation: string, sequence: number) =>
        store.commitSteps({
          ...batchOf('a', own, []),
          partitions: own.map((partition) => ({ ...partition, cursor: { incarnation, sequence }, parked: [] })),
        })
      await move('log-1', 10)
      await move('log-1', 4)
      expect(await cursor()).toEqual({ cursor_incarnation: 'log-1', cursor_sequence: 10 })
      await move('log-2', 3)
      expect(await cursor()).toEqual({ cursor_incarnation: 'log-2', cursor_sequence: 3 })
    })

    test('parked events are kept once, and their session is quarantined until a commit says otherwise', async () => {
      const { store } = database()
      const { owned, session } = await start()
      await store.commitSteps(batchOf('a', owned, [opening(session, 1)]))
      const park = batchOf('a', owned, [commitOf(session, 2, { quarantined: true, parked: [parkedEvent(2)] })])
      await store.commitSteps(park)
      await store.commitSteps({ ...park, commitId: nextId() })
      expect((await store.listQuarantine({})).items).toMatchObject([
        { sessionId: session.sessionId, sequence: 2, kind: 'poison', dataBase64: 'AAECAw==' },
      ])
      expect((await load(session)).session?.quarantined).toBe(true)
      await store.commitSteps(batchOf('a', owned, [commitOf(session, 3)]))
      expect((await load(session)).session?.quarantined).toBe(false)
    })

    test('a foreign event is parked with its partition, unless the partition is fenced', async () => {
      const { store, sql } = database()
      const { owned } = await start()
      await sql(`update duologue.partitions set owner = 'b' where partition = 1`)
      const partitions = owned.slice(0, 2).map((own: OwnedPartition, index) => ({
        ...own,
        cursor: { incarnation: 'log-1', sequence: 5 },
        parked: [parkedEvent(5 + index, { kind: 'foreign' })],
      }))
      await store.commitSteps({ ...batchOf('a', owned, []), partitions })
      expect((await store.listQuarantine({})).items).toMatchObject([{ partition: 0, sessionId: null, kind: 'foreign' }])
    })

    test('a batch that breaks a rule is refused as a whole, and the store goes on', async () => {
      const { store, deployment } = database()
      const { owned, session } = await start()
      const wrong = newSession(deployment)
      const conversations = [conversationSteps(wrong, 0, null, ['PROGRESS'])]
      const batch = batchOf('a', owned, [opening(session, 1), opening(wrong, 2, { conversations })])
      await expect(store.commitSteps(batch)).rejects.toThrow(StoreRefused)
      expect(await counts()).toEqual({ sessions: 0, conversations: 0, events: 0, messages: 0 })
      const outcome = await store.commitSteps(batchOf('a', owned, [opening(session, 1)]))
      expect(outcome.sessions.get(session.sessionId)).toEqual({ kind: 'committed' })
    })

    test('a batch of another form is refused, not taken for an empty one', async () => {
      const { client } = database()
      const { owned, session } = await start()
      const { format: _format, ...batch } = toCommitPayload(batchOf('a', owned, [opening(session, 1)]))
      for (const format of [undefined, 0, 2]) {
        const { error } = await client.rpc('commit_steps', { batch: { ...batch, format } })
        expect(error?.message).toMatch(/takes a batch of format 1/u)
      }
      expect(await counts()).toMatchObject({ sessions: 0 })
    })

    test('a session of a partition that the batch does not name is not written, and is fenced', async () => {
      const { store } = database()
      const { owned, session } = await start()
      const batch = { ...batchOf('a', owned, [opening(session, 1)]), partitions: [] }
      expect((await store.commitSteps(batch)).sessions).toEqual(new Map([[session.sessionId, { kind: 'fenced' }]]))
      expect(await counts()).toMatchObject({ sessions: 0, conversations: 0, messages: 0 })
    })

    test('text of every plane, quotes and backslashes come back as they were', async () => {
      const { store } = database()
      const { owned, session } = await start()
      const body = `"\\'\u2028 \u0001 𝔸👩‍👩‍👧 \u202Ertl`
      await store.commitSteps(
        batchOf('a', owned, [opening(session, 1, { messages: [inbound(session, 'SM-1', { body })] })]),
      )
      expect((await store.recentMessages(session.sessionId, 5)).map((message) => message.body)).toEqual([body])
    })
  })
}
