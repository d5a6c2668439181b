import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { replayJournal } from '../../src/actors/replay.ts'
import type { ReplayedEvent } from '../../src/actors/replay.ts'
import { conversationRegistration } from '../../src/machines/conversation/registration.ts'
import { createProduction, messagesPath, toForm } from '../support/production.ts'
import type { Production } from '../support/production.ts'
import { until } from '../support/service.ts'
import type { ServiceProcess } from '../support/service.ts'

let production: Production
let service: ServiceProcess

beforeAll(async () => {
  production = await createProduction()
  await production.set({ quietMs: 200 })
  service = await production.start()
}, 120_000)

afterAll(async () => {
  await production.remove()
})

type Page<T> = { items: T[]; next: string | null }
type Item = { id: string; status: string; updatedAt: string; version: number }

async function conversationsOf(address: string): Promise<Item[]> {
  return (await service.json<Page<Item>>(`/api/conversations?address=${encodeURIComponent(address)}`)).items
}

async function statusOf(address: string): Promise<string | undefined> {
  return (await conversationsOf(address))[0]?.status
}

describe('a signed WhatsApp text', () => {
  const user = 'whatsapp:+15005550006'

  test('is acknowledged with empty TwiML, pending, answered by Twilio, and then in progress', async () => {
    const response = await service.post(messagesPath, toForm({ From: user }))
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toMatch(/^text\/xml/u)
    expect(await response.text()).toBe('<?xml version="1.0" encoding="UTF-8"?><Response/>')
    const seen = new Set<string | undefined>()
    await until(async () => {
      seen.add(await statusOf(user))
      return seen.has('PROGRESS')
    }, 10_000)
    expect([...seen]).toContain('PENDING')
    await until(async () => (await production.fake.sent(user)).length === 1, 5_000)
  })

  test('has a history from the first row on, with reasons', async () => {
    const history = await production.sql(`
      select version, from_status, to_status, reason, initiator from duologue.conversation_state_history
      order by version`)
    expect(history).toEqual([
      { version: 1, from_status: null, to_status: 'PENDING', reason: expect.any(String), initiator: 'system' },
      {
        version: 4,
        from_status: 'PENDING',
        to_status: 'PROGRESS',
        reason: 'the assistant answered',
        initiator: 'assistant',
      },
    ])
  })

  test('has a journal that replays to the stored snapshot, and an event changed in the middle shows', async () => {
    const journal = (await production.sql(`
      select version, event, hash, machine_version as "machineVersion"
      from duologue.conversation_events order by version`)) as unknown as ReplayedEvent[]
    const [row] = await production.sql('select snapshot, version, hash from duologue.conversations')
    const replay = replayJournal(conversationRegistration, journal)
    expect(replay).toEqual({
      kind: 'same',
      version: row?.['version'],
      snapshot: row?.['snapshot'],
      hash: row?.['hash'],
    })
    const forged = journal.map((entry) =>
      entry.version === 2 ? { ...entry, event: { ...(entry.event as object), body: 'changed' } } : entry,
    )
    expect(replayJournal(conversationRegistration, forged)).toMatchObject({ kind: 'differs', version: 2 })
  })

  test('moves updated_at with every message', async () => {
    const before = (await conversationsOf(user))[0]?.updatedAt ?? ''
    await service.post(messagesPath, toForm({ From: user, Body: 'and one more thing' }))
    await until(async () => ((await conversationsOf(user))[0]?.updatedAt ?? '') > before, 5_000)
    await until(async () => (await production.fake.sent(user)).length === 2, 10_000)
  })

  test('shows how far the answer came', async () => {
    const [conversation] = await conversationsOf(user)
    const read = async () =>
      (
        await service.json<Page<{ direction: string; deliveryStatus: string }>>(
          `/api/conversations/${conversation?.id}/messages`,
        )
      ).items
        .filter(({ direction }) => direction === 'outbound')
        .map(({ deliveryStatus }) => deliveryStatus)
    await until(async () => (await read()).every((status) => status === 'read'), 10_000)
  })

  test('that closes is answered with one goodbye, and the next message opens a linked conversation', async () => {
    const sentBefore = (await production.fake.sent(user)).length
    await service.post(messagesPath, toForm({ From: user, Body: 'exit' }))
    await until(async () => (await statusOf(user)) === 'USER_CLOSED', 5_000)
    await until(async () => (await production.fake.sent(user)).length === sentBefore + 1, 5_000)
    await service.post(messagesPath, toForm({ From: user, Body: 'hello again' }))
    await until(async () => (await conversationsOf(user)).length === 2, 5_000)
    const linked = await production.sql(`
      select next.previous_id = previous.id as linked from duologue.conversations as next
      join duologue.conversations as previous on previous.status = 'USER_CLOSED' and next.id <> previous.id`)
    expect(linked).toEqual([{ linked: true }])
  })
})

describe('the same message again', () => {
  test('ten times in parallel, after a restart, and beyond the broker’s window is one message and one answer', async () => {
    const user = 'whatsapp:+15005550010'
    const form = toForm({ From: user })
    const answers = await Promise.all(Array.from({ length: 10 }, async () => service.post(messagesPath, form)))
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200))
    await until(async () => (await production.fake.sent(user)).length === 1, 10_000)
    await service.stop()
    await forgetPublications(production)
    service = await production.start()
    const again = await Promise.all(Array.from({ length: 3 }, async () => service.post(messagesPath, form)))
    expect(again.map(({ status }) => status)).toEqual([200, 200, 200])
    const marker = 'whatsapp:+15005550011'
    await service.post(messagesPath, toForm({ From: marker }))
    await until(async () => (await production.fake.sent(marker)).length === 1, 10_000)
    expect(await production.fake.sent(user)).toHaveLength(1)
    const stored = await production.sql(`select count(*)::int as count from duologue.messages where provider_id = $1`, [
      form['MessageSid'],
    ])
    expect(stored).toEqual([{ count: 1 }])
  })

  test('under two business numbers is two messages', async () => {
    const user = 'whatsapp:+15005550012'
    const form = toForm({ From: user })
    await service.post(messagesPath, form)
    await service.post(messagesPath, { ...form, To: 'whatsapp:+14155238887' })
    await until(async () => (await production.fake.sent(user)).length === 2, 10_000)
    const stored = await production.sql(`select count(*)::int as count from duologue.messages where provider_id = $1`, [
      form['MessageSid'],
    ])
    expect(stored).toEqual([{ count: 2 }])
  })
})

describe('ten first messages of one user at once, 100 users', () => {
  test('make one conversation each, with all messages, in the order of the log', { timeout: 60_000 }, async () => {
    const users = Array.from({ length: 100 }, (_, index) => `whatsapp:+1500556${String(index).padStart(4, '0')}`)
    const statuses = await Promise.all(
      users.flatMap((user) =>
        Array.from(
          { length: 10 },
          async (_, index) =>
            (await service.post(messagesPath, toForm({ From: user, Body: `message ${index}` }))).status,
        ),
      ),
    )
    expect(new Set(statuses)).toEqual(new Set([200]))
    await until(async () => {
      const [row] = await production.sql(`
        select count(*)::int as count from duologue.messages as message
        join duologue.sessions as session on session.id = message.session_id
        where session.user_key like 'whatsapp:+1500556%' and direction = 'inbound'`)
      return row?.['count'] === 1_000
    }, 30_000)
    const conversations = await production.sql(`
      select session.user_key, count(conversation.id)::int as count from duologue.sessions as session
      join duologue.conversations as conversation on conversation.session_id = session.id
      where session.user_key like 'whatsapp:+1500556%' group by session.user_key having count(conversation.id) = 1`)
    expect(conversations).toHaveLength(100)
    // Every journal names the messages in the order in which the messages were stored, which is the log's.
    const disordered = await production.sql(`
      with journal as (
        select conversation_id, event ->> 'messageId' as id, row_number() over w as place
        from duologue.conversation_events where event ->> 'type' = 'message.received'
        window w as (partition by conversation_id order by version)),
      stored as (
        select conversation_id, id::text, row_number() over (partition by conversation_id order by at, id) as place
        from duologue.messages where direction = 'inbound')
      select journal.id from journal join stored using (conversation_id, id) where journal.place <> stored.place`)
    expect(disordered).toEqual([])
    const metrics = await (await service.get('/metrics')).text()
    expect(metrics).toMatch(/duologue_events_parked_total\{kind="poison"\} 0/u)
    expect(metrics).toMatch(/duologue_commits_total\{outcome="stale"\} 0/u)
  })
})

/** The broker's duplicate window is ten minutes: it is made so short that it forgets everything. */
async function forgetPublications({ nats }: Production): Promise<void> {
  const { connect } = await import('@nats-io/transport-node')
  const { jetstreamManager } = await import('@nats-io/jetstream')
  const connection = await connect({ servers: nats.url, user: nats.user, pass: nats.pass })
  const manager = await jetstreamManager(connection)
  await manager.streams.update('DUOLOGUE', { duplicate_window: 100_000_000 })
  await new Promise((resolve) => {
    setTimeout(resolve, 300)
  })
  await connection.close()
}
