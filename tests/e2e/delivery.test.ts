/** Long answers and failures on the running service: pieces in order, and what each kind of failure leads to. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import type { SendingItem } from '../../src/actors/sending-model.ts'
import { createConversationClient } from '../support/conversation-client.ts'
import { createProduction } from '../support/production.ts'
import type { Production } from '../support/production.ts'
import { until } from '../support/service.ts'
import type { SentByDuologue, ServiceProcess } from '../support/service.ts'

type Accepted = SentByDuologue & { createdAt: number }

let production: Production
let service: ServiceProcess
const client = createConversationClient(() => service)

beforeAll(async () => {
  production = await createProduction()
  await production.set({ quietMs: 50 })
  service = await production.start()
}, 120_000)

afterAll(async () => {
  await production.remove()
})

let users = 0
const newUser = (): string => `whatsapp:+1500560${String((users += 1)).padStart(4, '0')}`
const sentTo = async (user: string) => (await production.fake.sent(user)) as readonly Accepted[]
const sendingOf = async (id: string) => service.json<SendingItem>(`/api/conversations/${id}/sending`)
const metrics = async () => (await service.get('/metrics')).text()

async function takenOver(user: string): Promise<string> {
  await client.say(user, 'hello')
  const { id } = await client.reaches(user, 'PROGRESS')
  await until(async () => (await sentTo(user)).length === 1, 10_000)
  await client.command(id, 'assign', { operatorId: 'ana' })
  return id
}

const reply = async (id: string, body: string) => client.command(id, 'reply', { operatorId: 'ana', body })

describe('an answer of 4,000 characters with emoji and flags', () => {
  test('arrives in order and whole, in pieces that are each within the limit', async () => {
    const user = newUser()
    const id = await takenOver(user)
    const sentence = 'Olá 👋🏽, a família 👨‍👩‍👧‍👦 vai ao 🇧🇷 e depois a 🇵🇹, está bem? '
    const text = sentence.repeat(Math.floor(4_000 / sentence.length)).padEnd(4_000, '🇧🇷')
    expect(text.length).toBe(4_000)
    await reply(id, text)
    await until(async () => (await sentTo(user)).length === 4, 20_000)
    const pieces = (await sentTo(user)).slice(1).map(({ body }) => body)
    const withoutSpace = (body: string): string => body.replaceAll(/\s/gu, '')
    expect(withoutSpace(pieces.join(''))).toBe(withoutSpace(text))
    const graphemes = (body: string) => [...new Intl.Segmenter().segment(body)].map(({ segment }) => segment)
    const isSolid = (grapheme: string): boolean => grapheme.trim() !== ''
    expect(pieces.flatMap(graphemes).filter(isSolid)).toEqual(graphemes(text).filter(isSolid))
    for (const piece of pieces) expect(piece.length).toBeLessThanOrEqual(1_600)
  })
})

describe('callbacks that overtake the answer to their send', () => {
  test('say what it would have said, and it changes nothing', async () => {
    const user = newUser()
    const id = await takenOver(user)
    const effects = async () =>
      production.sql(
        `select effect.status, effect.outcome ->> 'by' as by, message.provider_id,
          delivery.status as delivered, jsonb_array_length(delivery.raw) as told
        from duologue.effects as effect join duologue.messages as message on message.id = effect.message_id
        left join duologue.deliveries as delivery on delivery.provider_id = message.provider_id
        where message.conversation_id = '${id}' and message.body in ('overtaken', 'afterwards') order by effect.id`,
      )
    await production.fake.fault('none', 1, { to: user, delayMs: 500 })
    await production.fake.fault('none', 1, { to: user, delayMs: 700, callbacks: false })
    await reply(id, 'overtaken')
    await until(async () => (await effects())[0]?.['told'] === 3, 10_000)
    const end = { status: 'done', by: 'callback', provider_id: expect.any(String), delivered: 'read', told: 3 }
    expect(await effects()).toEqual([end])
    // The next message is done by its own answer, which comes later than the first one's.
    await reply(id, 'afterwards')
    await until(async () => (await effects())[1]?.['status'] === 'done', 10_000)
    expect((await effects())[0]).toEqual(end)
    expect((await sentTo(user)).map(({ body }) => body).slice(1)).toEqual(['overtaken', 'afterwards'])
  })

  test('lose no message that they say was not delivered: it is held, or sent again', async () => {
    const held = newUser()
    const heldId = await takenOver(held)
    await production.fake.fault('window-closed', 1, { to: held, delayMs: 500 })
    await reply(heldId, 'Held')
    const again = newUser()
    const againId = await takenOver(again)
    await production.fake.fault('undelivered', 1, { to: again, code: 63010, delayMs: 500 })
    await reply(againId, 'Again')
    await until(async () => (await sendingOf(heldId)).held[0]?.heldBecause === 'window-closed', 10_000)
    await client.say(held, 'I am here')
    const bodies = async (user: string) => (await sentTo(user)).map(({ body }) => body).slice(1)
    await until(async () => (await bodies(held)).length === 2, 10_000)
    expect(await bodies(held)).toEqual(['Held', 'Held'])
    await until(async () => (await bodies(again)).length === 2, 15_000)
    expect(await bodies(again)).toEqual(['Again', 'Again'])
  })
})

describe('a failure', () => {
  test('of the channel is tried again after a pause, as one message', async () => {
    const user = newUser()
    const id = await takenOver(user)
    await production.fake.fault('undelivered', 1, { to: user, code: 63010 })
    await reply(id, 'Tried twice')
    await until(async () => (await sentTo(user)).filter(({ body }) => body === 'Tried twice').length === 2, 20_000)
    const own = async () => (await client.messages(id)).filter(({ body }) => body === 'Tried twice')
    await until(async () => (await own())[0]?.deliveryStatus === 'read', 10_000)
    expect(await own()).toHaveLength(1)
  })

  test('for its length is sent in shorter pieces', async () => {
    const user = newUser()
    const id = await takenOver(user)
    await production.fake.fault('refused', 1, { to: user, code: 21617 })
    const text = 'This sentence has thirty letters. '.repeat(20).trim()
    await reply(id, text)
    await until(async () => (await sentTo(user)).length >= 3, 15_000)
    const pieces = (await sentTo(user)).slice(1).map(({ body }) => body)
    expect(pieces.join(' ')).toBe(text)
  })

  test('of one message is shown to the operator, with the code and what it means', async () => {
    const user = newUser()
    const id = await takenOver(user)
    await production.fake.fault('undelivered', 1, { to: user, code: 30007 })
    await reply(id, 'Filtered')
    await until(async () => (await sendingOf(id)).failed.length === 1, 15_000)
    expect((await sendingOf(id)).failed).toEqual([
      expect.objectContaining({
        code: '30007',
        action: 'tell-operator',
        meaning: 'the message was filtered as unwanted',
      }),
    ])
    expect(await client.current(user)).toMatchObject({ status: 'HUMAN_HANDOFF' })
  })

  test('of a template is an alarm', async () => {
    const user = newUser()
    const id = await takenOver(user)
    await production.fake.fault('refused', 1, { to: user, code: 21656 })
    await client.command(id, 'reply', { operatorId: 'ana', contentSid: `HX${'b'.repeat(32)}` })
    await until(async () => (await sendingOf(id)).failed[0]?.action === 'template-alarm', 15_000)
    expect(await metrics()).toMatch(/duologue_delivery_failures_total\{[^}]*action="template-alarm"[^}]*\} 1/u)
    expect(service.output()).toMatch(/"level":"error".*the variables of the template are wrong/u)
  })

  test('of the address ends the conversation', async () => {
    const user = newUser()
    await takenOver(user).then(async (id) => {
      await production.fake.fault('undelivered', 1, { to: user, code: 63024 })
      await reply(id, 'Nobody there')
    })
    await client.reaches(user, 'FAILED')
  })

  test('of the sender holds what it sends, alarms, and is over when the pause is', async () => {
    const user = newUser()
    const id = await takenOver(user)
    await production.fake.fault('refused', 1, { to: user, code: 63007 })
    await reply(id, 'Not set up yet')
    await until(async () => (await sendingOf(id)).sender !== null, 15_000)
    expect((await sendingOf(id)).sender).toMatchObject({ pausedBecause: '63007' })
    const other = newUser()
    await client.say(other, 'hello')
    const { id: otherId } = await client.reaches(other, 'PROGRESS')
    await until(async () => (await sendingOf(otherId)).held[0]?.heldBecause === 'sender-paused', 15_000)
    expect(await sentTo(other)).toEqual([])
    expect(service.output()).toMatch(/"level":"error".*the sender is not set up at the provider/u)
    // The pause of five minutes is over.
    await production.sql(`update duologue.channels set paused_until = now()`)
    await production.sql(`update duologue.effects set next_attempt_at = now() where status = 'pending'`)
    await service.kill()
    service = await production.start()
    await until(async () => (await sentTo(other)).length === 1, 20_000)
    await until(async () => (await sentTo(user)).some(({ body }) => body === 'Not set up yet'), 20_000)
  })
})
