/** WhatsApp's 24-hour window and its pace, on the running service: what may not go now waits visibly and is not lost. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import type { SendingItem } from '../../src/actors/sending-model.ts'
import { createConversationClient, openLogClient } from '../support/conversation-client.ts'
import type { LogClient } from '../support/conversation-client.ts'
import { createProduction } from '../support/production.ts'
import type { Production } from '../support/production.ts'
import { until } from '../support/service.ts'
import type { SentByDuologue, ServiceProcess } from '../support/service.ts'

type Accepted = SentByDuologue & { createdAt: number; contentSid?: string; contentVariables?: string }

const dayMs = 86_400_000
const settings = { quietMs: 50, idleTimeoutMs: 60 * dayMs, handoffExpiryMs: 60 * dayMs, handoffQueueMs: 60 * dayMs }
const env = { DUOLOGUE_TEST_CLOCK: '1' }

let production: Production
let service: ServiceProcess
let log: LogClient
const client = createConversationClient(() => service)

beforeAll(async () => {
  production = await createProduction()
  await production.set(settings)
  service = await production.start(env)
  log = await openLogClient(production)
}, 120_000)

afterAll(async () => {
  await log.close()
  await production.remove()
})

let users = 0
const newUser = (): string => `whatsapp:+1500559${String((users += 1)).padStart(4, '0')}`
const sentTo = async (user: string) => (await production.fake.sent(user)) as readonly Accepted[]
const bodiesTo = async (user: string) => (await sentTo(user)).map(({ body }) => body)
const sendingOf = async (id: string) => service.json<SendingItem>(`/api/conversations/${id}/sending`)
const isHeld = async (id: string) => (await sendingOf(id)).held.length > 0

/** A conversation that ana has taken over. */
async function takenOver(user: string): Promise<string> {
  await client.say(user, 'hello')
  const { id } = await client.reaches(user, 'PROGRESS')
  await until(async () => (await sentTo(user)).length === 1, 10_000)
  await client.command(id, 'assign', { operatorId: 'ana' })
  return id
}

const reply = async (id: string, body: object) => client.command(id, 'reply', { operatorId: 'ana', ...body })

describe('outside the 24-hour window', () => {
  const user = newUser()
  let id = ''

  test('an operator’s text is held, and the conversation says why and since when', async () => {
    id = await takenOver(user)
    expect((await sendingOf(id)).window).toMatchObject({ isOpen: true, closedBy: null })
    await log.advance(user, dayMs + 3_600_000)
    await until(async () => (await sendingOf(id)).window?.isOpen === false, 10_000)
    expect((await reply(id, { body: 'Are you still there?' })).body).toMatchObject({ outcome: 'applied' })
    await until(async () => isHeld(id), 10_000)
    const { window, held } = await sendingOf(id)
    expect(window).toMatchObject({ isOpen: false, closedBy: 'time', closesAt: null })
    expect(held).toEqual([
      expect.objectContaining({
        author: 'operator',
        heldBecause: 'window-closed',
        until: null,
        messageId: expect.any(String),
      }),
    ])
    expect(Date.parse(held[0]?.heldSince ?? '')).toBeGreaterThan(Date.now() - 60_000)
    expect(await bodiesTo(user)).not.toContain('Are you still there?')
  })

  test('a template goes at once, with its variables, past the text that waits', async () => {
    const contentSid = `HX${'a'.repeat(32)}`
    const wrong = await reply(id, { contentSid, contentVariables: { '1': 5 } })
    expect(wrong.statusCode).toBe(400)
    await reply(id, { contentSid, contentVariables: { '1': 'Ana' } })
    await until(async () => (await sentTo(user)).some((sent) => sent.contentSid === contentSid), 10_000)
    const template = (await sentTo(user)).find((sent) => sent.contentSid === contentSid)
    expect(template).toMatchObject({ body: '', contentVariables: '{"1":"Ana"}' })
    expect(await bodiesTo(user)).not.toContain('Are you still there?')
  })

  test('the text goes when the user writes again', async () => {
    await client.say(user, 'yes, here I am')
    await until(async () => (await bodiesTo(user)).includes('Are you still there?'), 10_000)
    expect(await isHeld(id)).toBe(false)
    expect((await sendingOf(id)).window).toMatchObject({ isOpen: true })
  })

  test('what is held does not go into another conversation', async () => {
    const other = newUser()
    const first = await takenOver(other)
    await log.advance(other, dayMs + 3_600_000)
    await until(async () => (await sendingOf(first)).window?.isOpen === false, 10_000)
    await reply(first, { body: 'This was for yesterday' })
    await until(async () => isHeld(first), 10_000)
    await client.command(first, 'close', { operatorId: 'ana', as: 'agent', reason: 'no answer' })
    await until(async () => !(await isHeld(first)), 10_000)
    await client.say(other, 'something new')
    await until(async () => (await sentTo(other)).length === 2, 10_000)
    expect(await bodiesTo(other)).not.toContain('This was for yesterday')
  })
})

describe('the provider says that the window is closed', () => {
  test('when it refuses the message: that is held, and goes when the user writes', async () => {
    const user = newUser()
    const id = await takenOver(user)
    await production.fake.fault('window-refused', 1, { to: user })
    await reply(id, { body: 'Refused at first' })
    await until(async () => isHeld(id), 10_000)
    expect((await sendingOf(id)).window).toMatchObject({ isOpen: false, closedBy: 'provider' })
    expect(await bodiesTo(user)).not.toContain('Refused at first')
    await client.say(user, 'hello again')
    await until(async () => (await bodiesTo(user)).includes('Refused at first'), 10_000)
  })

  test('in a callback: the message is sent again when the user writes, and is one message still', async () => {
    const user = newUser()
    const id = await takenOver(user)
    await production.fake.fault('window-closed', 1, { to: user })
    await reply(id, { body: 'Taken and not delivered' })
    await until(async () => isHeld(id), 15_000)
    expect((await sendingOf(id)).window).toMatchObject({ isOpen: false, closedBy: 'provider' })
    await client.say(user, 'hello again')
    await until(
      async () => (await bodiesTo(user)).filter((body) => body === 'Taken and not delivered').length === 2,
      10_000,
    )
    const own = async () => (await client.messages(id)).filter(({ body }) => body === 'Taken and not delivered')
    await until(async () => (await own())[0]?.deliveryStatus === 'read', 10_000)
    expect(await own()).toHaveLength(1)
  })
})

describe('an answer of the assistant that the provider refuses for the window', () => {
  test('is held, and goes before the next answer when the user writes again', async () => {
    const user = newUser()
    await production.fake.fault('window-refused', 1, { to: user })
    await client.say(user, 'first')
    const { id } = await client.reaches(user, 'PROGRESS')
    await until(async () => isHeld(id), 10_000)
    expect((await sendingOf(id)).held).toEqual([
      expect.objectContaining({ author: 'assistant', heldBecause: 'window-closed', heldSince: expect.any(String) }),
    ])
    expect(await sentTo(user)).toEqual([])
    await client.say(user, 'second')
    await until(async () => (await sentTo(user)).length === 2, 10_000)
    const [first, second] = await bodiesTo(user)
    expect(first).toContain('first')
    expect(second).toContain('second')
    expect(await isHeld(id)).toBe(false)
  })

  test('is never sent once a person has taken over', async () => {
    const user = newUser()
    await production.fake.fault('window-refused', 1, { to: user })
    await client.say(user, 'something for the assistant')
    const { id } = await client.reaches(user, 'PROGRESS')
    await until(async () => isHeld(id), 10_000)
    await client.command(id, 'assign', { operatorId: 'ana' })
    await client.say(user, 'are you there?')
    await until(async () => !(await isHeld(id)), 10_000)
    await reply(id, { body: 'Ana speaks' })
    await until(async () => (await bodiesTo(user)).includes('Ana speaks'), 10_000)
    expect(await bodiesTo(user)).toEqual(['Ana speaks'])
    const [{ outcome }] = (await production.sql(
      `select effect.outcome from duologue.effects as effect join duologue.sessions as session
        on session.id = effect.session_id
      where session.user_key = '${user}' and effect.kind = 'sendMessage' and effect.status = 'cancelled'`,
    )) as [{ outcome: unknown }]
    expect(outcome).toMatchObject({ kind: 'cancelled', reason: 'speaker-changed' })
  })
})

describe('sends to one user', () => {
  test('keep the pace, also over a restart, and hold up nobody else', { timeout: 90_000 }, async () => {
    const [user, other] = [newUser(), newUser()]
    const id = await takenOver(user)
    const otherId = await takenOver(other)
    const paceIntervalMs = 6_000
    await production.set({ ...settings, paceIntervalMs, paceBurst: 1 })
    const before = (await sentTo(user)).length
    for (const body of ['one', 'two', 'three']) await reply(id, { body })
    await reply(otherId, { body: 'meanwhile' })
    await until(async () => (await bodiesTo(other)).includes('meanwhile'), 15_000)
    await until(async () => (await sendingOf(id)).held.some(({ heldBecause }) => heldBecause === 'paced'), 15_000)
    await service.kill()
    service = await production.start(env)
    await until(async () => (await sentTo(user)).length === before + 3, 40_000)
    const moments = (await sentTo(user)).slice(before).map(({ createdAt }) => createdAt)
    expect(await bodiesTo(user)).toEqual(expect.arrayContaining(['one', 'two', 'three']))
    for (const [index, moment] of moments.slice(1).entries()) {
      expect(moment - (moments[index] ?? 0)).toBeGreaterThan(paceIntervalMs - 500)
    }
    await production.set(settings)
  })
})
