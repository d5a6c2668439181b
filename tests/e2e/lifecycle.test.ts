/** What the predecessor got wrong, one by one, against the running service. The numbers are those of its list. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { createConversationClient, openLogClient } from '../support/conversation-client.ts'
import type { LogClient } from '../support/conversation-client.ts'
import { createProduction } from '../support/production.ts'
import type { Production } from '../support/production.ts'
import { accountSid, business, until } from '../support/service.ts'
import type { ServiceProcess } from '../support/service.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs

let production: Production
let service: ServiceProcess
let log: LogClient
const client = createConversationClient(() => service)

beforeAll(async () => {
  production = await createProduction()
  await production.set({ quietMs: 100 })
  service = await production.start({ DUOLOGUE_TEST_CLOCK: '1' })
  log = await openLogClient(production)
}, 120_000)

afterAll(async () => {
  await log.close()
  await production.remove()
})

let users = 0
const newUser = (): string => `whatsapp:+1500559${String((users += 1)).padStart(4, '0')}`
const bodies = async (user: string) => (await production.fake.sent(user)).map(({ body }) => body)
const sentCount = async (user: string, count: number, withinMs = 15_000): Promise<void> =>
  until(
    async () => (await bodies(user)).length === count,
    withinMs,
    () => `not ${count} messages for ${user}`,
  )

async function inProgress(user: string, text = 'hello') {
  await client.say(user, text)
  const conversation = await client.reaches(user, 'PROGRESS')
  await sentCount(user, 1)
  return conversation
}

/** Whatever happened, an ordinary message is answered. */
async function goesOn(): Promise<void> {
  await inProgress(newUser())
}

/** Signed as Twilio's own: a message for this user will never arrive. */
async function tellUndeliverable(user: string, errorCode: string): Promise<void> {
  const [sent] = await production.fake.sent(user)
  const [row] = await production.sql(
    `select effect.id, effect.session_id from duologue.effects as effect
     join duologue.sessions as session on session.id = effect.session_id
     where session.user_key = $1 and effect.kind = 'sendMessage' order by effect.created_at limit 1`,
    [user],
  )
  const path = `/webhooks/twilio/status?session=${String(row?.['session_id'])}&effect=${encodeURIComponent(String(row?.['id']))}`
  const form = {
    AccountSid: accountSid,
    MessageSid: sent?.sid ?? '',
    MessageStatus: 'undelivered',
    ErrorCode: errorCode,
    From: business,
    To: user,
  }
  expect((await service.post(path, form)).status).toBe(200)
}

describe('4. an idle conversation', () => {
  test('is found by the next message and goes on', async () => {
    const user = newUser()
    const { id } = await inProgress(user)
    await log.advance(user, 15 * minuteMs)
    await client.reaches(user, 'IDLE_TIMEOUT')
    await client.say(user, 'I am back')
    await sentCount(user, 2)
    expect(await client.reaches(user, 'PROGRESS')).toMatchObject({ id })
    expect((await client.history(id)).map(({ toStatus }) => toStatus)).toEqual([
      'PENDING',
      'PROGRESS',
      'IDLE_TIMEOUT',
      'PROGRESS',
    ])
  })

  test('expires if none comes', async () => {
    const user = newUser()
    const { id } = await inProgress(user)
    await log.advance(user, 15 * minuteMs)
    await client.reaches(user, 'IDLE_TIMEOUT')
    await log.advance(user, 24 * hourMs)
    expect(await client.reaches(user, 'EXPIRED')).toMatchObject({ id, nextTimerAt: null })
  })
})

test('5. a handoff past its time neither crashes nor blocks', async () => {
  const [queued, assigned] = [newUser(), newUser()]
  await inProgress(queued)
  await client.say(queued, 'quero falar com um atendente')
  await client.reaches(queued, 'HUMAN_HANDOFF')
  const { id } = await inProgress(assigned)
  await client.command(id, 'assign', { operatorId: 'ana' })
  await log.advance(queued, 31 * minuteMs)
  await log.advance(assigned, 25 * hourMs)
  expect(await client.reaches(queued, 'PROGRESS')).toMatchObject({ speaker: 'assistant' })
  await until(async () => (await bodies(queued)).some((body) => /ninguém da equipe/u.test(body)), 10_000)
  await client.reaches(assigned, 'EXPIRED')
  await client.say(queued, 'qual é o horário?')
  await until(async () => (await bodies(queued)).some((body) => /nosso horário/u.test(body)), 10_000)
  await goesOn()
  expect((await service.get('/readyz')).status).toBe(200)
})

test('7. "obrigado, mas ainda preciso de ajuda" does not close, "sair" does', async () => {
  const user = newUser()
  await inProgress(user)
  await client.say(user, 'obrigado, mas ainda preciso de ajuda')
  await sentCount(user, 2)
  await client.reaches(user, 'PROGRESS')
  await client.say(user, 'sair')
  await client.reaches(user, 'USER_CLOSED')
})

test('8. no conversation is created by our own goodbye, by what is told of it, or by the answer to it', async () => {
  const user = newUser()
  const { id } = await inProgress(user)
  await client.say(user, 'sair')
  await client.reaches(user, 'USER_CLOSED')
  await sentCount(user, 2)
  await until(async () => (await client.messages(id)).at(-1)?.deliveryStatus === 'read', 10_000)
  await client.say(user, 'obrigado!')
  await goesOn()
  expect(await client.all(user)).toHaveLength(1)
  expect(await bodies(user)).toHaveLength(2)
})

test(
  '9. a crash between storing a message and starting its answer still answers, once',
  { timeout: 60_000 },
  async () => {
    const user = newUser()
    await service.stop()
    // Long enough for the message to be stored before its turn is complete.
    await production.set({ quietMs: 2_000 })
    const doomed = await production.start({ DUOLOGUE_TEST_CRASH_POINT: 'after-commit' })
    const atDoomed = createConversationClient(() => doomed)
    const said = atDoomed.say(user, 'hello').catch(() => 0)
    await doomed.crashPointReached()
    const stored = await production.sql(
      `select count(*)::int as messages, (select count(*)::int from duologue.effects as effect
       where effect.session_id = min(session.id::text)::uuid) as effects
     from duologue.messages as message join duologue.sessions as session on session.id = message.session_id
     where session.user_key = $1`,
      [user],
    )
    await doomed.kill()
    await said
    await production.set({ quietMs: 100 })
    service = await production.start({ DUOLOGUE_TEST_CLOCK: '1' })
    expect(stored).toEqual([{ messages: 1, effects: 0 }])
    await sentCount(user, 1)
    await client.reaches(user, 'PROGRESS')
    await goesOn()
    expect(await bodies(user)).toHaveLength(1)
  },
)

test('10. a late duplicate creates nothing and disturbs no running draft', async () => {
  const user = newUser()
  const sid = `SM${crypto.randomUUID().replaceAll('-', '')}`
  await client.say(user, 'hello', sid)
  await client.reaches(user, 'PROGRESS')
  await sentCount(user, 1)
  await client.say(user, 'and now?')
  await until(async () => {
    const [row] = await production.sql(
      `select effect.status from duologue.effects as effect
       join duologue.sessions as session on session.id = effect.session_id
       where session.user_key = $1 and effect.kind = 'draftReply' order by effect.created_at desc limit 1`,
      [user],
    )
    return row?.['status'] === 'running'
  }, 10_000)
  const event = {
    v: 1,
    type: 'message.received',
    businessAddress: business,
    userKey: user,
    replyAddress: user,
  } as const
  const late = { body: 'hello', media: [], profileName: null, receivedAt: 0, raw: {}, providerId: sid }
  for (let times = 0; times < 5; times += 1) await log.publishAnew({ ...event, ...late })
  expect(await client.say(user, 'hello', sid)).toBe(200)
  await sentCount(user, 2)
  await goesOn()
  expect(await bodies(user)).toHaveLength(2)
  const drafts = await production.sql(
    `select effect.status, effect.attempts from duologue.effects as effect
     join duologue.sessions as session on session.id = effect.session_id
     where session.user_key = $1 and effect.kind = 'draftReply'`,
    [user],
  )
  expect(drafts).toEqual([
    { status: 'done', attempts: 1 },
    { status: 'done', attempts: 1 },
  ])
  const { id } = (await client.current(user)) ?? { id: '' }
  expect((await client.messages(id)).filter(({ direction }) => direction === 'inbound')).toHaveLength(2)
})

describe('11. a failed send ends in a visible, retried or final state', () => {
  const lastMessage = async (user: string) => {
    const conversation = await client.current(user)
    if (conversation === null) return undefined
    return (await client.messages(conversation.id)).findLast(({ direction }) => direction === 'outbound')
  }

  test.each([
    ['rate-limit', 2],
    ['drop', 1],
    ['accept-then-drop', 1],
    ['server-error', 1],
  ])('%s is retried or found again, and the user has it once', { timeout: 40_000 }, async (fault, count) => {
    const user = newUser()
    await production.fake.fault(fault, count)
    await client.say(user, 'hello')
    await until(async () => (await lastMessage(user))?.deliveryStatus === 'read', 30_000)
    expect(await bodies(user)).toHaveLength(1)
  })

  test('one that the provider refuses for good is failed, with its code', async () => {
    const user = newUser()
    await production.fake.fault('refused', 1, { code: 63013 })
    await client.say(user, 'hello')
    await until(async () => (await lastMessage(user))?.deliveryStatus === 'failed', 10_000)
    expect(await lastMessage(user)).toMatchObject({ errorCode: '63013' })
  })

  test('one that was accepted and then not delivered says so', async () => {
    const user = newUser()
    await production.fake.fault('undelivered', 1, { code: 30008 })
    await client.say(user, 'hello')
    await until(async () => (await lastMessage(user))?.deliveryStatus === 'undelivered', 10_000)
    expect(await lastMessage(user)).toMatchObject({ errorCode: '30008' })
  })

  test('a user who cannot be reached ends the conversation as FAILED; the next one is told why', async () => {
    const user = newUser()
    const { id } = await inProgress(user)
    await tellUndeliverable(user, '63024')
    await client.reaches(user, 'FAILED')
    expect((await client.history(id)).at(-1)).toMatchObject({ reason: 'the user cannot be reached at this address' })
    await client.say(user, 'hello again')
    await until(async () => (await bodies(user)).some((body) => body.startsWith('Sorry for the interruption')), 10_000)
    expect(await client.current(user)).toMatchObject({ previousId: id })
    const [row] = await production.sql(`select snapshot #> '{context,recovery}' as recovery from duologue.conversations
      where previous_id = '${id}'`)
    expect(row?.['recovery']).toEqual({ reason: 'the user cannot be reached at this address' })
  })
})

describe('14. closed is closed', () => {
  const closers: readonly (readonly [status: string, close: (user: string, id: string) => Promise<unknown>])[] = [
    [
      'EXPIRED',
      async (user) => {
        await log.advance(user, 15 * minuteMs)
        await client.reaches(user, 'IDLE_TIMEOUT')
        await log.advance(user, 24 * hourMs)
      },
    ],
    ['AGENT_CLOSED', async (_, id) => client.command(id, 'close', { operatorId: 'ana', as: 'agent' })],
    ['SUPPORT_CLOSED', async (_, id) => client.command(id, 'close', { operatorId: 'ana', as: 'support' })],
    ['USER_CLOSED', async (user) => client.say(user, 'sair')],
    ['FAILED', async (user) => tellUndeliverable(user, '63024')],
  ]
  const rank = (status: string): number => closers.findIndex(([name]) => name === status)

  test.each(closers)('%s: every event by API, by log and by direct SQL', { timeout: 60_000 }, async (status, close) => {
    const user = newUser()
    const { id } = await inProgress(user)
    await close(user, id)
    await client.reaches(user, status)
    const before = await client.current(user)

    const commands: readonly (readonly [name: string, type: string, body: { readonly operatorId: string }])[] = [
      ['handoff', 'handoff.requested', { operatorId: 'ana' }],
      ['assign', 'operator.assigned', { operatorId: 'ana' }],
      ['reply', 'operator.replied', { operatorId: 'ana', body: 'hi' } as never],
      ['release', 'operator.released', { operatorId: 'ana' }],
      ['transfer', 'operator.transferred', { operatorId: 'ana', to: 'bia' } as never],
      ['escalate', 'operator.escalated', { operatorId: 'ana' }],
      ['extend', 'operator.extended', { operatorId: 'ana' }],
      ...(rank(status) >= rank('AGENT_CLOSED')
        ? ([['close', 'operator.closed', { operatorId: 'ana', as: 'agent' }]] as never[])
        : []),
      ...(rank(status) >= rank('SUPPORT_CLOSED')
        ? ([['close', 'operator.closed', { operatorId: 'ana', as: 'support' }]] as never[])
        : []),
    ]
    for (const [name, , body] of commands) {
      const answer = await client.command(id, name, body)
      expect([name, answer.statusCode, answer.body.outcome]).toEqual([name, 409, 'refused'])
    }
    const address = { v: 1, businessAddress: business, userKey: user } as const
    const issued = commands.map(([, type, body]) => ({ type, body, commandId: crypto.randomUUID() }))
    for (const { type, body, commandId } of issued) {
      const command = { commandId, conversationId: id, seenVersion: null, event: { type, ...body }, issuedAt: 0 }
      await log.publish({ ...address, type: 'command.issued', ...command })
    }
    for (const told of ['sent', 'delivered', 'read', 'failed'] as const) {
      const delivery = {
        providerId: 'SMx',
        effectId: `${id}:4:0`,
        status: told,
        errorCode: null,
        receivedAt: 0,
        raw: {},
      }
      await log.publish({ ...address, type: 'delivery.updated', ...delivery })
    }
    await log.advance(user, 1_000 * hourMs)
    const last = issued.at(-1)?.commandId ?? ''
    await until(async () => (await service.get(`/api/commands/${last}`)).status === 200, 10_000)
    for (const { commandId } of issued) {
      expect(await service.json(`/api/commands/${commandId}`)).toMatchObject({ outcome: 'refused', status })
    }
    for (const to of [
      'PENDING',
      'PROGRESS',
      'HUMAN_HANDOFF',
      'IDLE_TIMEOUT',
      ...closers.slice(0, rank(status)).map(([name]) => name),
    ]) {
      const step = production.sql(
        `with journal as (
           insert into duologue.conversation_events (conversation_id, version, event_id, event, from_status, to_status,
             initiator, machine_version, occurred_at, hash)
           select id, version + 1, 'by-hand', '{"type": "by.hand"}', status, $2, 'system', '1', now(), 'by hand'
           from duologue.conversations where id = $1)
         update duologue.conversations
         set status = $2, version = version + 1, hash = 'by hand',
           closed_at = case when duologue.closed_rank($2) > 0 then now() end
         where id = $1`,
        [id, to],
      )
      await expect(step, to).rejects.toThrow(/may not go from/u)
    }
    expect(await client.current(user)).toEqual({ ...before, updatedAt: expect.any(String) })
    expect(await bodies(user)).not.toContain('hi')
    // And the next message opens another one, linked.
    await client.say(user, 'hello again')
    await until(async () => (await client.all(user)).length === 2, 10_000)
    expect(await client.current(user)).toMatchObject({ previousId: id })
  })
})

describe('STOP and START', () => {
  test('after STOP nothing is sent, not even what was asked for by then, until START', async () => {
    const user = newUser()
    await inProgress(user)
    await client.say(user, 'where is my order?')
    await client.say(user, 'STOP')
    await client.reaches(user, 'USER_CLOSED')
    expect(await client.current(user)).toMatchObject({ optedOut: true })
    await client.say(user, 'hello?')
    await until(async () => (await client.all(user)).length === 2, 10_000)
    const { id } = (await client.current(user)) ?? { id: '' }
    await until(
      async () => (await client.messages(id)).some(({ deliveryStatus }) => deliveryStatus === 'canceled'),
      10_000,
    )
    expect(await bodies(user)).toHaveLength(1)
    await client.say(user, 'START')
    await until(async () => (await client.current(user))?.optedOut === false, 10_000)
    await client.say(user, 'and now?')
    await sentCount(user, 2)
  })
})
