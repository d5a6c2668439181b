/** STOP and START against the running service: after the commit of an opt-out nothing is accepted by Twilio. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import type { OptOutItem } from '../../src/actors/sending-model.ts'
import { createConversationClient } from '../support/conversation-client.ts'
import { createProduction, messagesPath, toForm } from '../support/production.ts'
import type { Production } from '../support/production.ts'
import { until } from '../support/service.ts'
import type { SentByDuologue, ServiceProcess } from '../support/service.ts'

type Accepted = SentByDuologue & { createdAt: number }

let production: Production
let service: ServiceProcess
const client = createConversationClient(() => service)

beforeAll(async () => {
  production = await createProduction()
  await production.set({ quietMs: 20 })
  service = await production.start()
}, 120_000)

afterAll(async () => {
  await production.remove()
})

let users = 0
const newUser = (): string => `whatsapp:+1500558${String((users += 1)).padStart(4, '0')}`
const sentTo = async (user: string) => (await production.fake.sent(user)) as readonly Accepted[]

async function proofsOf(user: string): Promise<readonly OptOutItem[]> {
  return (await service.json<{ items: OptOutItem[] }>(`/api/opt-outs?address=${encodeURIComponent(user)}`)).items
}

/** Writes to the business number `to`. */
async function say(user: string, body: string, more: Record<string, string> = {}): Promise<string> {
  const form = toForm({ From: user, WaId: user.replace(/\D/gu, ''), Body: body, ...more })
  await (await service.post(messagesPath, form)).arrayBuffer()
  return form['MessageSid'] ?? ''
}

async function inParallel<T>(items: readonly T[], atOnce: number, work: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items]
  const worker = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}

const races = 1_000
/** An answer leaves half a second after its message, later on a busy machine. */
const stopWithinMs = 2_500

describe('a thousand users who write and opt out while the answer is on its way', () => {
  test('get nothing after the commit of their STOP', { timeout: 180_000 }, async () => {
    const crowd = Array.from({ length: races }, (_, index) => `whatsapp:+1600${String(index).padStart(7, '0')}`)
    await inParallel(crowd, 150, async (user) => {
      await say(user, 'hello')
      // The moment of the STOP is drawn, so that it meets every stage of an answer.
      await new Promise((resolve) => setTimeout(resolve, Math.random() * stopWithinMs))
      await say(user, 'STOP')
    })
    const count = async (query: string) => Number((await production.sql(query))[0]?.['count'])
    await until(
      async () =>
        (await count(`select count(*) from duologue.opt_outs where user_key like 'whatsapp:+1600%'`)) === races,
      60_000,
    )
    await until(
      async () =>
        (await count(`select count(*) from duologue.effects where status not in ('done', 'cancelled', 'failed')`)) ===
        0,
      30_000,
    )
    const proofs = await production.sql(
      `select user_key, extract(epoch from recorded_at) * 1000 as at from duologue.opt_outs`,
    )
    const stoppedAt = new Map(proofs.map(({ user_key, at }) => [String(user_key), Number(at)]))
    const sent = (await production.fake.sent()).filter(({ to }) => stoppedAt.has(to)) as Accepted[]
    const late = sent.filter(({ to, createdAt }) => createdAt > (stoppedAt.get(to) ?? 0))
    const blocked = await count('select count(*) from duologue.opt_out_blocks')
    console.log(
      `${races} races: ${sent.length} answers before the STOP, ${blocked} stopped by it, ${late.length} after it`,
    )
    expect(late).toEqual([])
    expect(sent.length).toBeGreaterThan(races / 50)
    expect(sent.length).toBeLessThan(races)
  })
})

describe('the proof of an opt-out', () => {
  test('names the message, its moment, and every send that it stopped', async () => {
    const user = newUser()
    await say(user, 'hello')
    await until(async () => (await sentTo(user)).length === 1, 10_000)
    const sid = await say(user, 'PARAR')
    await until(async () => (await proofsOf(user)).length === 1, 10_000)
    await say(user, 'are you there?')
    await until(async () => (await proofsOf(user))[0]?.blockedCount === 1, 15_000)
    const [proof] = await proofsOf(user)
    expect(proof).toMatchObject({ source: 'message', providerId: sid, text: 'PARAR', code: null, endedAt: null })
    expect(proof?.blocked).toEqual([
      {
        effectId: expect.any(String),
        messageId: expect.any(String),
        conversationId: expect.any(String),
        at: expect.any(String),
      },
    ])
    expect(await sentTo(user)).toHaveLength(1)
    const back = await say(user, 'START')
    await until(async () => (await proofsOf(user))[0]?.endedBy === back, 10_000)
    await say(user, 'hello again')
    await until(async () => (await sentTo(user)).length === 2, 15_000)
  })

  test.each(['STOP', 'stop.', 'Parar', 'BAJA', 'STOPALL', 'DESCADASTRAR', 'UNSUBSCRIBE'])(
    'is made by %s',
    async (word) => {
      const user = newUser()
      await say(user, word)
      await until(async () => (await proofsOf(user)).length === 1, 10_000)
      await say(user, 'UNSTOP')
      await until(async () => (await proofsOf(user))[0]?.endedAt !== null, 10_000)
    },
  )

  test('is made by what the provider’s own list took a message for', async () => {
    const user = newUser()
    await say(user, 'SAIR DA LISTA', { OptOutType: 'STOP' })
    await until(async () => (await proofsOf(user)).length === 1, 10_000)
    await say(user, 'VOLTAR', { OptOutType: 'START' })
    await until(async () => (await proofsOf(user))[0]?.endedAt !== null, 10_000)
  })

  test.each([
    ['refused', 21610, 'response'],
    ['undelivered', 63033, 'callback'],
  ])('is made by a message that is %s with %i', async (fault, code, source) => {
    const user = newUser()
    await production.fake.fault(fault, 1, { to: user, code })
    await say(user, 'hello')
    await until(async () => (await proofsOf(user)).length === 1, 15_000)
    expect((await proofsOf(user))[0]).toMatchObject({ source, code: String(code), effectId: expect.any(String) })
    const before = (await sentTo(user)).length
    await say(user, 'anything else')
    await until(async () => ((await proofsOf(user))[0]?.blockedCount ?? 0) > 0, 15_000)
    expect(await sentTo(user)).toHaveLength(before)
  })
})

describe('numbers of one messaging service', () => {
  test('share what their user said', async () => {
    await production.sql(`update duologue.channels set settings = '{"messagingServiceSid": "MG1"}'
      where address in ('whatsapp:+14155238886', 'whatsapp:+14155238887')`)
    const second = { To: 'whatsapp:+14155238887' }
    const user = newUser()
    await say(user, 'STOP')
    await until(async () => (await proofsOf(user)).length === 1, 10_000)
    expect((await proofsOf(user))[0]?.scope).toBe('service:MG1')
    await say(user, 'hello', second)
    await until(async () => (await proofsOf(user))[0]?.blockedCount === 1, 15_000)
    expect(await sentTo(user)).toEqual([])
    await say(user, 'START', second)
    await until(async () => (await proofsOf(user))[0]?.endedAt !== null, 10_000)
    await say(user, 'hello to the first')
    await until(async () => (await sentTo(user)).length === 1, 15_000)
    expect((await client.all(user)).length).toBeGreaterThan(0)
  })
})
