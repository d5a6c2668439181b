/** The running service with a model behind it: a fake endpoint that answers well, badly, slowly or never. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { sentences } from '../../src/machines/conversation/sentences.ts'
import { createConversationClient } from '../support/conversation-client.ts'
import { badAnswers, startFakeAi } from '../support/fake-ai.ts'
import type { FakeAi, FakeAiRequest } from '../support/fake-ai.ts'
import { createProduction, messagesPath, toForm } from '../support/production.ts'
import type { Production } from '../support/production.ts'
import { until } from '../support/service.ts'
import type { ServiceProcess } from '../support/service.ts'

let fake: FakeAi
let production: Production
let service: ServiceProcess
const client = createConversationClient(() => service)
let users = 0

const settings = { quietMs: 100, assistantTimeoutMs: 5_000 }

beforeAll(async () => {
  ;[fake, production] = await Promise.all([startFakeAi(), createProduction()])
  await production.set(settings)
  service = await production.start(fake.env)
}, 120_000)

beforeEach(async () => {
  fake.reset()
  await production.set(settings)
})

afterAll(async () => {
  await production?.remove()
  await fake?.close()
})

function newUser(): string {
  users += 1
  return `whatsapp:+1500557${String(users).padStart(4, '0')}`
}

async function write(user: string, body: string): Promise<void> {
  const { status } = await service.post(messagesPath, toForm({ From: user, Body: body }))
  expect(status).toBe(200)
}

async function statusOf(user: string): Promise<string | undefined> {
  type Page = { items: { status: string }[] }
  return (await service.json<Page>(`/api/conversations?address=${encodeURIComponent(user)}`)).items[0]?.status
}

async function sentTo(user: string): Promise<readonly string[]> {
  return (await production.fake.sent(user)).map(({ body }) => body)
}

function asked(part: string): readonly FakeAiRequest[] {
  return fake.requests.filter(({ userText }) => userText.includes(part))
}

async function untilSent(user: string, count: number): Promise<void> {
  await until(
    async () => (await sentTo(user)).length === count,
    20_000,
    () => `${user} did not get ${count} messages:\n${service.output().slice(-2_000)}`,
  )
}

describe('a good answer', () => {
  test('arrives, was asked for once, and is counted', async () => {
    const user = newUser()
    fake.answer({ kind: 'draft', reply: 'We open at nine.', usage: { prompt_tokens: 500, completion_tokens: 20 } })
    await write(user, 'when do you open?')
    await untilSent(user, 1)
    expect(await sentTo(user)).toEqual(['We open at nine.'])
    await until(async () => (await statusOf(user)) === 'PROGRESS', 5_000)
    expect(fake.requests).toHaveLength(1)
    const usage = await production.sql(`
      select calls::int, input_tokens::int, output_tokens::int, spent_micros::int, reserved_micros::int
      from duologue.assistant_usage`)
    expect(usage).toEqual([
      { calls: 1, input_tokens: 500, output_tokens: 20, spent_micros: 500 * 3 + 20 * 15, reserved_micros: 0 },
    ])
    const metrics = await (await service.get('/metrics')).text()
    expect(metrics).toMatch(/duologue_assistant_tokens_total\{kind="input"\} 500/u)
    expect(metrics).toMatch(/duologue_assistant_seconds_count 1/u)
  })

  test('the start says which assistant answers, without the key', () => {
    expect(service.output()).toContain(`assistant    fake-model at ${new URL(fake.baseUrl).host}/v1`)
    expect(service.output()).not.toContain(fake.env.AI_API_KEY)
  })

  test('that asks for a person calls one, and one that hears a goodbye closes', async () => {
    const [first, second] = [newUser(), newUser()]
    fake.script(({ userText }) =>
      userText.includes('lawyer')
        ? { kind: 'draft', reply: 'I am asking a colleague.', intent: 'handoff' }
        : { kind: 'draft', reply: 'See you!', intent: 'close', confidence: 0.95 },
    )
    await Promise.all([write(first, 'my lawyer will hear of this'), write(second, 'that would be everything then')])
    await until(async () => (await statusOf(first)) === 'HUMAN_HANDOFF', 10_000)
    await until(async () => (await statusOf(second)) === 'USER_CLOSED', 10_000)
    await Promise.all([untilSent(first, 1), untilSent(second, 1)])
    expect([await sentTo(first), await sentTo(second)]).toEqual([['I am asking a colleague.'], ['See you!']])
  })
})

describe('a malicious or broken answer', () => {
  test('leads to nothing but a person after three attempts, whatever it is', { timeout: 120_000 }, async () => {
    const cases = Object.values(badAnswers).map((bad, index) => ({
      bad,
      user: newUser(),
      mark: `case ${index} of many`,
    }))
    fake.script(({ userText }) => cases.find(({ mark }) => userText.includes(mark))?.bad ?? null)
    await Promise.all(cases.map(async ({ user, mark }) => write(user, `please help me with ${mark}`)))
    await until(async () => {
      const reached = new Set((await production.fake.sent()).map(({ to }) => to))
      return cases.every(({ user }) => reached.has(user))
    }, 60_000)
    for (const { user, mark } of cases) {
      expect(await sentTo(user)).toEqual([sentences.en.answerFailed])
      expect(await statusOf(user)).toBe('HUMAN_HANDOFF')
      expect(asked(mark)).toHaveLength(3)
    }
    const effects = await production.sql(
      `
      select distinct effects.kind from duologue.effects
      join duologue.sessions on sessions.id = effects.session_id where user_key = any($1::text[])`,
      [cases.map(({ user }) => user)],
    )
    expect(effects.map(({ kind }) => String(kind)).toSorted()).toEqual(['draftReply', 'sendMessage'])
    expect(service.output()).not.toMatch(/evil|All is well|please help me/u)
  })

  test('that says it ignores STOP changes nothing about STOP', async () => {
    const user = newUser()
    fake.answer({ kind: 'draft', reply: 'STOP ignored, you stay subscribed.', delayMs: 20_000 })
    await write(user, 'tell me about the shop')
    await until(() => asked('the shop').length === 1, 10_000)
    await write(user, 'STOP')
    await until(async () => (await statusOf(user)) === 'USER_CLOSED', 10_000)
    await until(() => asked('the shop')[0]?.state === 'closed', 10_000)
    const marker = newUser()
    fake.answer({ kind: 'draft', reply: 'marker' })
    await write(marker, 'are you there')
    await untilSent(marker, 1)
    expect(await sentTo(user)).toEqual([])
  })
})

describe('time', () => {
  test('a silent endpoint is cut off three times, and then a person is called', async () => {
    const user = newUser()
    await production.set({ ...settings, assistantTimeoutMs: 1_000 })
    fake.answer({ kind: 'never' })
    await write(user, 'is anybody listening')
    await until(async () => (await statusOf(user)) === 'HUMAN_HANDOFF', 20_000)
    await untilSent(user, 1)
    expect(await sentTo(user)).toEqual([sentences.en.answerFailed])
    await until(() => asked('listening').every(({ state }) => state === 'closed'), 5_000)
    // On a busy machine the database may take an attempt's time.
    expect(asked('listening').length).toBeGreaterThan(0)
    const failures = await production.sql(
      `
      select effects.outcome from duologue.effects join duologue.sessions on sessions.id = effects.session_id
      where user_key = $1 and kind = 'draftReply'`,
      [user],
    )
    const timeout = { code: 'timeout', message: 'no answer within 1000 ms' }
    expect(failures).toEqual([{ outcome: timeout }, { outcome: timeout }, { outcome: timeout }])
  })

  test('a newer message ends the running request, and both messages are answered together, once', async () => {
    const user = newUser()
    fake.next({ kind: 'never' })
    fake.answer({ kind: 'draft', reply: 'Both, gladly.' })
    await write(user, 'I want a red one')
    await until(() => asked('a red one').length === 1, 10_000)
    await write(user, 'and a blue one')
    await until(() => asked('a red one')[0]?.state === 'closed', 10_000)
    await untilSent(user, 1)
    expect(asked('a red one').map(({ messages }) => messages)).toEqual([
      [{ role: 'user', content: 'I want a red one' }],
      [{ role: 'user', content: 'I want a red one\nand a blue one' }],
    ])
    expect(await sentTo(user)).toEqual(['Both, gladly.'])
  })
})

describe('the spend of the day', () => {
  test('that is used up calls a person at once, without asking the model', async () => {
    const user = newUser()
    await production.set({ ...settings, assistantSpendPerDayMax: 0 })
    await write(user, 'what does it cost')
    await until(async () => (await statusOf(user)) === 'HUMAN_HANDOFF', 10_000)
    await untilSent(user, 1)
    expect(await sentTo(user)).toEqual([sentences.en.answerFailed])
    expect(fake.requests).toEqual([])
    const outcomes = await production.sql(
      `
      select effects.outcome ->> 'code' as code from duologue.effects
      join duologue.sessions on sessions.id = effects.session_id where user_key = $1 and kind = 'draftReply'`,
      [user],
    )
    expect(outcomes).toEqual([{ code: 'spend-limit' }])
  })
})

describe('memory', () => {
  test('reaches over two linked conversations, in the right roles', async () => {
    const user = newUser()
    await write(user, 'my name is Ana')
    await untilSent(user, 1)
    await write(user, 'exit')
    await untilSent(user, 2)
    await until(async () => (await statusOf(user)) === 'USER_CLOSED', 5_000)
    await write(user, 'what is my name?')
    await untilSent(user, 3)
    const [request] = asked('what is my name?')
    expect(request?.messages).toEqual([
      { role: 'user', content: 'my name is Ana' },
      { role: 'assistant', content: 'You wrote: my name is Ana' },
      { role: 'user', content: 'exit' },
      { role: 'assistant', content: sentences.en.goodbye },
      { role: 'user', content: 'what is my name?' },
    ])
    const linked = await production.sql(
      `
      select count(*)::int as count from duologue.conversations as next
      join duologue.conversations as previous on previous.id = next.previous_id
      join duologue.sessions on sessions.id = next.session_id where sessions.user_key = $1`,
      [user],
    )
    expect(linked).toEqual([{ count: 1 }])
  })

  test('has what an operator wrote, marked, and not the draft that the operator cut off', async () => {
    const user = newUser()
    fake.next({ kind: 'draft', reply: 'too late', delayMs: 20_000 })
    await write(user, 'is it broken')
    await until(() => asked('broken').length === 1, 10_000)
    const { id } = await client.reaches(user, 'PENDING')
    await client.command(id, 'assign', { operatorId: 'ana' })
    await until(() => asked('broken')[0]?.state === 'closed', 10_000)
    await client.command(id, 'reply', { operatorId: 'ana', body: 'Ana here, send it in.' })
    await untilSent(user, 1)
    await client.command(id, 'release', { operatorId: 'ana' })
    await client.reaches(user, 'PROGRESS')
    await write(user, 'where to')
    await untilSent(user, 2)
    expect(asked('where to')[0]?.messages).toEqual([
      { role: 'user', content: 'is it broken' },
      { role: 'assistant', content: '(A person of the team wrote:) Ana here, send it in.' },
      { role: 'user', content: 'where to' },
    ])
    expect(await sentTo(user)).toEqual(['Ana here, send it in.', 'You wrote: where to'])
  })

  test('is each user’s own', async () => {
    const [first, second] = [newUser(), newUser()]
    await write(first, 'the canary of the first user')
    await untilSent(first, 1)
    await write(second, 'what do others say')
    await untilSent(second, 1)
    expect(JSON.stringify(asked('what do others say'))).not.toContain('canary')
  })

  test('after a conversation that failed the model is told what went wrong', async () => {
    const user = newUser()
    // Nobody comes within the queue's time, and the next failure leaves nobody to ask.
    await production.set({ ...settings, handoffQueueMs: 300 })
    fake.answer({ kind: 'content', content: 'not a draft' })
    await write(user, 'first try please')
    await until(async () => (await statusOf(user)) === 'PROGRESS', 15_000)
    await write(user, 'second try please')
    await until(async () => (await statusOf(user)) === 'FAILED', 15_000)
    fake.answer({ kind: 'draft', reply: 'Sorry for before!' })
    await write(user, 'third try please')
    await until(async () => (await sentTo(user)).includes('Sorry for before!'), 15_000)
    const [request] = asked('third try')
    expect(request?.system).toContain('failed: the assistant could not answer and nobody came')
    expect(request?.messages.at(-1)).toEqual({ role: 'user', content: 'third try please' })
    expect(request?.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user', 'assistant', 'user'])
  })
})

test('a process that dies over a draft is followed by one that answers, and what the draft may have cost stays counted', async () => {
  const user = newUser()
  const readReserved = async () =>
    (await production.sql(`select reserved_micros::int as micros from duologue.assistant_usage`))[0]?.['micros']
  const before = Number(await readReserved())
  fake.next({ kind: 'never' })
  await write(user, 'are you still there')
  await until(() => asked('still there').length === 1, 10_000)
  await service.kill()
  service = await production.start(fake.env)
  await untilSent(user, 1)
  expect(await sentTo(user)).toEqual(['You wrote: are you still there'])
  expect(asked('still there')).toHaveLength(2)
  await until(async () => (await readReserved()) !== before, 5_000)
  expect(Number(await readReserved())).toBeGreaterThan(before)
})

test('a takeover while the first part of a long answer is on its way leaves the other parts unsaid', async () => {
  const user = newUser()
  const parts = ['First part. ', 'Second part. ', 'Third part. '].map((part) => part.repeat(100).trim())
  fake.answer({ kind: 'draft', reply: parts.join('\n\n') })
  await production.fake.fault('none', 1, { delayMs: 1_500 })
  await write(user, 'tell me everything')
  const running = `select effect.id from duologue.effects as effect
    join duologue.sessions as session on session.id = effect.session_id
    where session.user_key = $1 and effect.kind = 'sendMessage' and effect.status = 'running'`
  await until(async () => (await production.sql(running, [user])).length === 1, 10_000)
  const { id } = (await client.current(user)) ?? { id: '' }
  expect((await client.command(id, 'assign', { operatorId: 'ana' })).statusCode).toBe(200)
  expect((await client.command(id, 'reply', { operatorId: 'ana', body: 'a person here' })).statusCode).toBe(200)
  await until(async () => (await sentTo(user)).includes('a person here'), 10_000)
  expect(await sentTo(user)).toEqual([parts[0], 'a person here'])
  const outbound = (await client.messages(id)).filter(({ direction }) => direction === 'outbound')
  expect(
    outbound.map(({ author, deliveryStatus, errorCode }) => [author, deliveryStatus, errorCode]).slice(1, 3),
  ).toEqual([
    ['assistant', 'canceled', 'speaker-changed'],
    ['assistant', 'canceled', 'speaker-changed'],
  ])
})
