/** What pages and programs read. */
import { describe, expect, test } from 'vitest'
import { MalformedCursor, type Page } from '../../../src/actors/read-model.ts'
import {
  at,
  batchOf,
  businessAddress,
  claimAll,
  commitOf,
  conversationSteps,
  inbound,
  newEffect,
  newSession,
  nextId,
  opening,
  outbound,
} from './batches.ts'
import type { DatabaseInUse } from './use-database.ts'

async function readAll<T>(read: (cursor: string | null) => Promise<Page<T> | null>): Promise<T[]> {
  const items: T[] = []
  let cursor: string | null = null
  for (let pages = 0; pages < 20; pages += 1) {
    const page = await read(cursor)
    items.push(...(page?.items ?? []))
    cursor = page?.next ?? null
    if (cursor === null) return items
  }
  throw new Error('the pages never end')
}

export function describeReading(database: () => DatabaseInUse): void {
  /** Seven sessions; the conversation of the session with index i was updated at `at + i`. */
  const start = async () => {
    const { store, deployment } = database()
    const owned = await claimAll(database(), 'a')
    const sessions = Array.from({ length: 7 }, (_, index) => newSession(deployment, index))
    await store.commitSteps(
      batchOf(
        'a',
        owned,
        sessions.map((session, index) =>
          opening(session, 1, {
            conversations: [
              conversationSteps(session, 0, null, index < 2 ? ['PENDING', 'USER_CLOSED'] : ['PENDING'], {
                updatedAt: at + index,
              }),
            ],
          }),
        ),
      ),
    )
    return { owned, sessions, ids: sessions.map(({ conversationId }) => conversationId) }
  }

  describe('reading', () => {
    test('conversations are listed by their last change, page by page, each once', async () => {
      const { ids } = await start()
      const { store } = database()
      const items = await readAll((cursor) => store.listConversations({ cursor, limit: 3 }))
      expect(items.map(({ id }) => id)).toEqual(ids.toReversed())
    })

    test('equal moments do not lose or repeat a conversation between two pages', async () => {
      const { ids } = await start()
      const { store, sql } = database()
      await sql('update duologue.conversations set updated_at = $1', [new Date(at).toISOString()])
      const items = await readAll((cursor) => store.listConversations({ cursor, limit: 2 }))
      expect(items.map(({ id }) => id).toSorted()).toEqual(ids.toSorted())
    })

    test('a list is filtered by address and status', async () => {
      const { sessions } = await start()
      const { store } = database()
      const user = sessions[3]?.created.userKey ?? ''
      expect((await store.listConversations({ address: user })).items).toMatchObject([{ userAddress: user }])
      expect((await store.listConversations({ address: businessAddress })).items).toHaveLength(7)
      expect((await store.listConversations({ address: 'whatsapp:+1' })).items).toEqual([])
      expect((await store.listConversations({ status: 'USER_CLOSED' })).items).toHaveLength(2)
      expect((await store.listConversations({ status: 'USER_CLOSED', address: user })).items).toEqual([])
    })

    test('another tenant sees nothing', async () => {
      const { ids } = await start()
      const { store } = database()
      const [id = ''] = ids
      const tenantId = nextId()
      expect((await store.listConversations({ tenantId })).items).toEqual([])
      expect(await store.getConversation(id, tenantId)).toBeNull()
      expect(await store.listMessages(id, { tenantId })).toBeNull()
      expect(await store.listEvents(id, { tenantId })).toBeNull()
      expect(await store.listHistory(id, { tenantId })).toBeNull()
      expect((await store.listQuarantine({ tenantId })).items).toEqual([])
    })

    test('a limit is at least 1 and at most 200', async () => {
      await start()
      const { store } = database()
      expect((await store.listConversations({ limit: 0 })).items).toHaveLength(1)
      expect((await store.listConversations({ limit: 1_000_000 })).items).toHaveLength(7)
    })

    test('a cursor of something else is refused before the database is asked', async () => {
      const { ids } = await start()
      const { store } = database()
      const foreign = Buffer.from('{"version":1}').toString('base64url')
      const forged = Buffer.from(`{"updated_at":"2026","id":"' or true --"}`).toString('base64url')
      for (const cursor of ['', 'x', 'e30', foreign, forged]) {
        await expect(store.listConversations({ cursor })).rejects.toThrow(MalformedCursor)
      }
      await expect(store.listEvents(ids[0] ?? '', { cursor: 'x' })).rejects.toThrow(MalformedCursor)
    })

    test('an id that is no conversation answers null', async () => {
      const { store } = database()
      for (const id of ['', '../x', `' or true --`, nextId()]) {
        expect(await store.getConversation(id)).toBeNull()
        expect(await store.listMessages(id, {})).toBeNull()
        expect(await store.listHistory(id, {})).toBeNull()
        expect(await store.listEvents(id, {})).toBeNull()
      }
    })

    test('messages come oldest first with what the provider told, by provider id or by effect', async () => {
      const { store, deployment } = database()
      const owned = await claimAll(database(), 'a')
      const session = newSession(deployment)
      const messages = [inbound(session, 'SM-in'), outbound(session), outbound(session), outbound(session)]
      const effects = messages.map((message, index) => newEffect(session, 1, index, { messageId: message.messageId }))
      await store.commitSteps(batchOf('a', owned, [opening(session, 1, { messages, effects })]))
      const delivery = { raw: {}, at, errorCode: null }
      await store.commitSteps(
        batchOf('a', owned, [
          commitOf(session, 2, {
            effectUpdates: [
              {
                effectId: effects[1]?.effectId ?? '',
                status: 'done',
                attempts: 1,
                nextAttemptAt: null,
                outcome: null,
                providerId: 'SM-1',
              },
            ],
            deliveries: [
              { ...delivery, providerId: 'SM-1', effectId: null, status: 'delivered' },
              {
                ...delivery,
                providerId: 'SM-2',
                effectId: effects[2]?.effectId ?? '',
                status: 'failed',
                errorCode: '63016',
              },
            ],
          }),
        ]),
      )
      const items = await readAll((cursor) => store.listMessages(session.conversationId, { cursor, limit: 3 }))
      expect(
        items.map(({ id, providerId, deliveryStatus, errorCode }) => ({ id, providerId, deliveryStatus, errorCode })),
      ).toEqual([
        { id: messages[0]?.messageId, providerId: 'SM-in', deliveryStatus: null, errorCode: null },
        { id: messages[1]?.messageId, providerId: 'SM-1', deliveryStatus: 'delivered', errorCode: null },
        { id: messages[2]?.messageId, providerId: null, deliveryStatus: 'failed', errorCode: '63016' },
        { id: messages[3]?.messageId, providerId: null, deliveryStatus: null, errorCode: null },
      ])
      expect(items[0]).toMatchObject({
        direction: 'inbound',
        author: 'user',
        body: 'olá 👋',
        at: new Date(at).toISOString(),
      })
    })

    test('the newest messages of a session come oldest first', async () => {
      const { store, deployment } = database()
      const owned = await claimAll(database(), 'a')
      const session = newSession(deployment)
      const messages = Array.from({ length: 6 }, (_, index) => inbound(session, `SM-${index}`, { body: `${index}` }))
      await store.commitSteps(batchOf('a', owned, [opening(session, 1, { messages })]))
      const recent = await store.recentMessages(session.sessionId, 3)
      expect(recent).toEqual(messages.slice(3))
    })

    test('the history lists the statuses from the opening on; the journal lists every event', async () => {
      const { store, deployment } = database()
      const owned = await claimAll(database(), 'a')
      const session = newSession(deployment)
      const steps = conversationSteps(session, 0, null, ['PENDING', 'PENDING', 'PROGRESS', 'PROGRESS', 'USER_CLOSED'])
      await store.commitSteps(batchOf('a', owned, [opening(session, 1, { conversations: [steps] })]))
      const history = await readAll((cursor) => store.listHistory(session.conversationId, { cursor, limit: 2 }))
      expect(history.map(({ fromStatus, toStatus, reason }) => [fromStatus, toStatus, reason])).toEqual([
        [null, 'PENDING', 'to PENDING'],
        ['PENDING', 'PROGRESS', 'to PROGRESS'],
        ['PROGRESS', 'USER_CLOSED', 'to USER_CLOSED'],
      ])
      const events = await readAll((cursor) => store.listEvents(session.conversationId, { cursor, limit: 2 }))
      expect(events.map(({ version, event, hash, occurredAt }) => ({ version, event, hash, occurredAt }))).toEqual(
        steps.journal.map(({ version, event, hash, occurredAt }) => ({
          version,
          event,
          hash,
          occurredAt: new Date(occurredAt).toISOString(),
        })),
      )
    })
  })
}
