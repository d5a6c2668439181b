/**
 * Floods, by signed webhooks against two running nodes: from one user, from many users of a tenant. Every message is
 * kept; what is too much is marked and not answered, and the user is told so once.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { sentences } from '../../src/machines/conversation/sentences.ts'
import { startFakeAi } from '../support/fake-ai.ts'
import type { FakeAi } from '../support/fake-ai.ts'
import { startFakeTranscriber } from '../support/fake-transcriber.ts'
import type { FakeTranscriber } from '../support/fake-transcriber.ts'
import { createProduction, messagesPath, toForm } from '../support/production.ts'
import type { Production } from '../support/production.ts'
import { until } from '../support/service.ts'
import type { ServiceProcess } from '../support/service.ts'

type Message = { readonly id: string; readonly body: string; readonly direction: string; readonly rateLimited: boolean }
type Page<Item> = { readonly items: readonly Item[] }

let ai: FakeAi
let ears: FakeTranscriber
let production: Production
let nodes: readonly ServiceProcess[]
let users = 0

const settings = { quietMs: 50, quietMaxMs: 200, assistantTimeoutMs: 5_000, language: 'en' }
const ogg = Buffer.concat([Buffer.from('OggS'), Buffer.alloc(64, 7)])

beforeAll(async () => {
  ;[ai, ears, production] = await Promise.all([startFakeAi(), startFakeTranscriber(), createProduction()])
  const env = { ...ai.env, ...ears.env }
  // The second takes its share of the partitions from the first.
  nodes = [await production.start(env), await production.start({ ...env, DUOLOGUE_NODE_ID: 'second' })]
}, 120_000)

beforeEach(async () => {
  ai.reset()
  ears.reset()
  await production.sql('delete from duologue.assistant_rates')
})

afterAll(async () => {
  await production?.remove()
  await Promise.all([ai?.close(), ears?.close()])
})

function newUser(): string {
  users += 1
  return `whatsapp:+1500559${String(users).padStart(4, '0')}`
}

async function write(user: string, body: string, fields: Record<string, string> = {}, node = nodes[0]): Promise<void> {
  const form = toForm({ From: user, Body: body, ...fields })
  expect((await node?.post(messagesPath, form))?.status).toBe(200)
}

async function read<Item>(path: string): Promise<readonly Item[]> {
  return (await nodes[0]?.json<Page<Item>>(path))?.items ?? []
}

async function conversationsOf(user: string) {
  return read<{ readonly id: string; readonly status: string }>(
    `/api/conversations?address=${encodeURIComponent(user)}`,
  )
}

async function messagesOf(user: string): Promise<readonly Message[]> {
  const all = await Promise.all(
    (await conversationsOf(user)).map(async ({ id }) => read<Message>(`/api/conversations/${id}/messages?limit=200`)),
  )
  return all.flat()
}

async function sentTo(user: string): Promise<readonly string[]> {
  return (await production.fake.sent(user)).map(({ body }) => body)
}

async function untilStored(user: string, count: number): Promise<readonly Message[]> {
  await until(
    async () => (await messagesOf(user)).filter(({ direction }) => direction === 'inbound').length === count,
    20_000,
    () => `${user} has not ${count} messages`,
  )
  return (await messagesOf(user)).filter(({ direction }) => direction === 'inbound')
}

describe('one user who writes too much', () => {
  test('is told once, and the assistant is asked about no more than the limit', { timeout: 60_000 }, async () => {
    await production.set({ ...settings, senderPerMinuteMax: 5 })
    const user = newUser()
    await Promise.all(Array.from({ length: 40 }, async (_, index) => write(user, `message ${index}`)))
    const stored = await untilStored(user, 40)
    expect(stored.filter(({ rateLimited }) => rateLimited)).toHaveLength(35)
    await until(async () => (await sentTo(user)).length >= 2, 10_000)
    const sent = await sentTo(user)
    expect(sent.filter((body) => body === sentences.en.tooMany)).toHaveLength(1)
    expect(ai.requests.length).toBeLessThanOrEqual(5)
    const asked = ai.requests.flatMap(({ userText }) => userText.split('\n'))
    expect(new Set(asked).size).toBe(5)
    const limited = new Set(stored.filter(({ rateLimited }) => rateLimited).map(({ body }) => body))
    expect(asked.some((text) => limited.has(text))).toBe(false)
    // What was counted is in the journal, so replaying it marks the same messages.
    const [conversation] = await conversationsOf(user)
    const rows = await production.sql(
      `select snapshot -> 'context' -> 'rate' ->> 'minuteCount' as counted from duologue.conversations where id = $1::uuid`,
      [conversation?.id],
    )
    expect(rows).toEqual([{ counted: '5' }])
  })

  test('by voice is not read either', async () => {
    await production.set({ ...settings, senderPerMinuteMax: 2 })
    const user = newUser()
    const url = await production.fake.addMedia('audio/ogg', ogg)
    const voice = { MessageType: 'audio', NumMedia: '1', MediaUrl0: url, MediaContentType0: 'audio/ogg' }
    for (let index = 0; index < 6; index += 1) await write(user, '', voice)
    const stored = await untilStored(user, 6)
    expect(stored.filter(({ rateLimited }) => rateLimited)).toHaveLength(4)
    await until(async () => (await sentTo(user)).length >= 2, 10_000)
    expect(ears.requests).toHaveLength(2)
  })

  test('can opt out, close and ask for a person all the same', async () => {
    await production.set({ ...settings, senderPerMinuteMax: 1 })
    for (const [word, status] of [
      ['STOP', 'USER_CLOSED'],
      ['sair', 'USER_CLOSED'],
      ['atendente', 'HUMAN_HANDOFF'],
    ] as const) {
      const user = newUser()
      await write(user, 'hello')
      await write(user, 'hello')
      await write(user, word)
      await until(async () => (await conversationsOf(user))[0]?.status === status, 10_000)
    }
  })

  test('gets no more by closing and opening again, and what he writes then is kept and marked', async () => {
    await production.set({ ...settings, senderPerMinuteMax: 2 })
    const user = newUser()
    await write(user, 'hello')
    await write(user, 'sair')
    await until(async () => (await conversationsOf(user))[0]?.status === 'USER_CLOSED', 10_000)
    await write(user, 'hello again')
    await until(async () => (await conversationsOf(user)).length === 2, 10_000)
    await write(user, 'sair')
    await until(async () => (await conversationsOf(user))[0]?.status === 'USER_CLOSED', 10_000)
    await write(user, 'and again')
    await until(async () => (await messagesOf(user)).some(({ body }) => body === 'and again'), 10_000)
    expect(await conversationsOf(user)).toHaveLength(2)
    expect((await messagesOf(user)).find(({ body }) => body === 'and again')).toMatchObject({ rateLimited: true })
  })

  test('takes nothing from another user', async () => {
    await production.set({ ...settings, senderPerMinuteMax: 3 })
    const [loud, quiet] = [newUser(), newUser()]
    await Promise.all(Array.from({ length: 30 }, async () => write(loud, 'hello')))
    await write(quiet, 'when do you open?')
    await until(async () => (await sentTo(quiet)).length === 1, 10_000)
    expect((await messagesOf(quiet)).every(({ rateLimited }) => !rateLimited)).toBe(true)
  })
})

describe('many users of one tenant', () => {
  test('share a budget that two nodes count together', { timeout: 60_000 }, async () => {
    const limit = 7
    await production.set({ ...settings, assistantCallsPerMinuteMax: 1_000, assistantCallsPerHourMax: limit })
    const many = Array.from({ length: 20 }, newUser)
    await Promise.all(many.map(async (user, index) => write(user, 'are you open today?', {}, nodes[index % 2])))
    await until(async () => {
      const sent = new Set((await production.fake.sent()).map(({ to }) => to))
      return many.every((user) => sent.has(user))
    }, 30_000)
    expect(ai.requests).toHaveLength(limit)
    const sent = await Promise.all(many.map(async (user) => sentTo(user)))
    expect(sent.filter(([first]) => first === sentences.en.tooBusy)).toHaveLength(many.length - limit)
    expect(sent.every((bodies) => bodies.length === 1)).toBe(true)
    const marked = await Promise.all(many.map(async (user) => (await messagesOf(user))[0]?.rateLimited))
    expect(marked.filter((isMarked) => isMarked)).toHaveLength(many.length - limit)
    expect(await production.sql('select hour_calls from duologue.assistant_rates')).toEqual([{ hour_calls: limit }])
    // Told once: the next message of who was told is kept, marked, and not answered.
    const told = many.find((_, index) => sent[index]?.[0] === sentences.en.tooBusy) ?? ''
    await write(told, 'hello?')
    await until(
      async () => (await messagesOf(told)).some(({ body, rateLimited }) => body === 'hello?' && rateLimited),
      10_000,
    )
    expect(await sentTo(told)).toHaveLength(1)
    const owners = await production.sql('select distinct owner from duologue.partitions where owner is not null')
    expect(owners).toHaveLength(2)
  })

  test('are answered again when the budget is', async () => {
    await production.set({ ...settings, assistantCallsPerHourMax: 1 })
    const [first, second] = [newUser(), newUser()]
    await write(first, 'are you open today?')
    await until(async () => (await sentTo(first)).length === 1, 10_000)
    await write(second, 'are you open today?')
    await until(async () => (await sentTo(second)).length === 1, 10_000)
    expect(await sentTo(second)).toEqual([sentences.en.tooBusy])
    await production.sql(`update duologue.assistant_rates set hour_at = hour_at - interval '1 hour'`)
    await write(second, 'and now, are you open today?')
    await until(async () => (await sentTo(second)).length === 2, 10_000)
    expect((await sentTo(second))[1]).toContain('and now, are you open today?')
  })
})
