/** STOP and START against the running service: after the commit of an opt-out nothing is accepted by Twilio. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import type { OptOutItem } from '../../src/actors/sending-model.ts'
import { splitText } from '../../src/machines/conversation/split-text.ts'
import { createConversationClient } from '../support/conversation-client.ts'
import { startFakeAi } from '../support/fake-ai.ts'
import type { FakeAi } from '../support/fake-ai.ts'
import { createProduction, messagesPath, toForm } from '../support/production.ts'
import type { Production } from '../support/production.ts'
import { until } from '../support/service.ts'
import type { SentByDuologue, ServiceProcess } from '../support/service.ts'

type Accepted = SentByDuologue & { createdAt: number }

let ai: FakeAi
let production: Production
let service: ServiceProcess
const client = createConversationClient(() => service)

beforeAll(async () => {
  ;[ai, production] = await Promise.all([startFakeAi(), createProduction()])
  await production.set({ quietMs: 20, assistantCallsPerMinuteMax: 100_000, assistantCallsPerHourMax: 100_000 })
  service = await production.start(ai.env)
}, 120_000)

afterAll(async () => {
  await production?.remove()
  await ai?.close()
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
const atOnce = 40
/** Three messages, one after the other. */
const story = 'Once upon a time there was a sentence. '.repeat(100).trim()
const pieces = splitText(story)
const draftMs = 100
const sendMs = 100
/** 50 to 110 s on two busy cores. */
const raceMs = 240_000
/** Timers of another process may end so much early. */
const timerMs = 2

/** Resolves by user when the fake assistant is asked, and when Twilio has accepted so many messages. */
function createMoments() {
  const waiting = new Map<string, () => void>()
  const reached = new Set<string>()
  return {
    reach(moment: string): void {
      reached.add(moment)
      waiting.get(moment)?.()
    },
    until: (moment: string) =>
      reached.has(moment) ? Promise.resolve() : new Promise<void>((resolve) => waiting.set(moment, resolve)),
  }
}

/** Looks at what Twilio has accepted again and again, until the work is done; only at what is new. */
async function watchAccepted(work: Promise<void>, tell: (to: string, count: number) => void): Promise<void> {
  const counts = new Map<string, number>()
  let isDone = false
  let after = (await production.fake.sent()).length
  void work.finally(() => (isDone = true)).catch(() => {})
  await until(async () => {
    const response = await fetch(`${production.fake.url}/fake/messages?after=${after}`)
    const { items } = (await response.json()) as { items: readonly (Accepted & { direction: string })[] }
    after += items.length
    for (const { to } of items.filter(({ direction }) => direction === 'outbound-api')) {
      counts.set(to, (counts.get(to) ?? 0) + 1)
      tell(to, counts.get(to) ?? 0)
    }
    return isDone
  }, raceMs)
  await work
}

/**
 * A thousand users ask for a long answer, and say STOP: while it is drafted or queued, or when its first or second
 * message is on its way. The moment within is drawn.
 */
async function race(crowd: readonly string[]): Promise<void> {
  const moments = createMoments()
  ai.script(({ userText }) => {
    moments.reach(`asked ${/\+\d+$/u.exec(userText.trim())?.[0]}`)
    return { kind: 'draft', reply: story, delayMs: draftMs }
  })
  const work = inParallel([...crowd.entries()], atOnce, async ([index, user]) => {
    // Each send is on its way for a while, and the next one of the answer waits for it.
    await production.fake.fault('none', pieces.length, { to: user, delayMs: sendMs })
    await say(user, `tell a story to ${user.replace('whatsapp:', '')}`)
    const accepted = index % 3
    await moments.until(accepted === 0 ? `asked ${user.replace('whatsapp:', '')}` : `accepted ${user} ${accepted}`)
    await new Promise((resolve) => setTimeout(resolve, Math.random() * (accepted === 0 ? 4 * draftMs : sendMs)))
    await say(user, 'STOP')
  })
  await watchAccepted(work, (to, count) => moments.reach(`accepted ${to} ${count}`))
}

describe('a thousand users who opt out while the answer is drafted, queued or on its way', () => {
  test('get nothing after the commit of their STOP', { timeout: raceMs + 100_000 }, async () => {
    const crowd = Array.from({ length: races }, (_, index) => `whatsapp:+1600${String(index).padStart(7, '0')}`)
    await race(crowd)
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
    const proofs = await production.sql(`
      select user_key, extract(epoch from at) * 1000 as said, extract(epoch from recorded_at) * 1000 as committed
      from duologue.opt_outs where user_key like 'whatsapp:+1600%'`)
    const blocked = await count('select count(*) from duologue.opt_out_blocks')
    const accepted = Map.groupBy((await production.fake.sent()) as Accepted[], ({ to }) => to)
    const outcomes = proofs.map(({ user_key, said, committed }) => {
      const sent = accepted.get(String(user_key)) ?? []
      expect(sent.map(({ body }) => body)).toEqual(pieces.slice(0, sent.length))
      return {
        sent: sent.length,
        // Twilio answers `sendMs` after it has accepted.
        isOnItsWay: sent.some(({ createdAt }) => createdAt + sendMs > Number(said)),
        isCommittedEarly: sent.some(({ createdAt }) => createdAt + sendMs - timerMs > Number(committed)),
        late: sent.filter(({ createdAt }) => createdAt > Number(committed)).length,
      }
    })
    const withSent = (least: number, most: number) =>
      outcomes.filter(({ sent }) => sent >= least && sent <= most).length
    const cutShort = withSent(1, pieces.length - 1)
    const onItsWay = outcomes.filter((outcome) => outcome.isOnItsWay).length
    const late = outcomes.filter((outcome) => outcome.late > 0)
    console.log(
      `${races} races: ${withSent(0, 0)} got nothing, ${cutShort} a part, ${withSent(pieces.length, Infinity)} all; ` +
        `${blocked} queued messages stopped, ${onItsWay} STOPs ` +
        `waited for one on its way; ${late.length} got one after the commit`,
    )
    expect(late).toEqual([])
    expect(outcomes.filter((outcome) => outcome.isCommittedEarly)).toEqual([])
    // The races were races: most met an answer that was not out yet, and many one that was half out.
    expect(withSent(0, pieces.length - 1)).toBeGreaterThan(races / 2)
    expect(cutShort).toBeGreaterThan(races / 10)
    expect(onItsWay).toBeGreaterThan(races / 10)
    expect(blocked).toBeGreaterThan(races / 5)
  })
})

describe('the proof of an opt-out', () => {
  beforeAll(() => ai.reset())

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
    // A number outside the service is another conversation, of whoever it is.
    const phone = user.replace('whatsapp:', '')
    await say(phone, 'hello', { To: '+14155238886', WaId: '' })
    await until(async () => (await sentTo(phone)).length === 1, 15_000)
    expect(await sentTo(user)).toEqual([])
    await say(user, 'START', second)
    await until(async () => (await proofsOf(user))[0]?.endedAt !== null, 10_000)
    await say(user, 'hello to the first')
    // The one who says START may be answered, too.
    await until(async () => (await sentTo(user)).some(({ body }) => body.includes('hello to the first')), 15_000)
    expect((await client.all(user)).length).toBeGreaterThan(0)
  })
})
