/** People take conversations over through the API of the running service, and everything they do is on record. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { createConversationClient } from '../support/conversation-client.ts'
import { createProduction } from '../support/production.ts'
import type { Production } from '../support/production.ts'
import { until } from '../support/service.ts'
import type { ServiceProcess } from '../support/service.ts'

let production: Production
let service: ServiceProcess
const client = createConversationClient(() => service)

beforeAll(async () => {
  production = await createProduction()
  await production.set({ quietMs: 100 })
  service = await production.start()
}, 120_000)

afterAll(async () => {
  await production.remove()
})

let users = 0
const newUser = (): string => `whatsapp:+1500557${String((users += 1)).padStart(4, '0')}`
const bodies = async (user: string) => (await production.fake.sent(user)).map(({ body }) => body)

async function inProgress(user: string) {
  await client.say(user, 'hello')
  return client.reaches(user, 'PROGRESS')
}

describe('a handoff', () => {
  const user = newUser()
  let id = ''

  test('is asked for by an operator, waits in the queue, and the user is told', async () => {
    const { version, ...conversation } = await inProgress(user)
    id = conversation.id
    const asked = await client.command(id, 'handoff', { operatorId: 'rui', reason: 'a complaint' })
    expect(asked).toMatchObject({ statusCode: 200, body: { outcome: 'applied', status: 'HUMAN_HANDOFF' } })
    expect(asked.body.version).toBeGreaterThan(version)
    expect(asked.headers.get('etag')).toBe(`"${asked.body.version}"`)
    await until(async () => (await bodies(user)).some((body) => /a person of our team/u.test(body)), 5_000)
  })

  test('is assigned, answered, extended, transferred, escalated, taken by the second line and closed', async () => {
    const steps: readonly (readonly [name: string, body: object, operator: string | null])[] = [
      ['assign', { operatorId: 'ana' }, 'ana'],
      ['reply', { operatorId: 'ana', body: 'Ana here, one moment' }, 'ana'],
      ['extend', { operatorId: 'ana' }, 'ana'],
      ['transfer', { operatorId: 'ana', to: 'bia' }, 'bia'],
      ['escalate', { operatorId: 'bia', reason: 'needs a refund' }, null],
      ['assign', { operatorId: 'carl' }, 'carl'],
      ['reply', { operatorId: 'carl', body: 'You get your money back' }, 'carl'],
    ]
    for (const [name, body, operator] of steps) {
      const answer = await client.command(id, name, body)
      expect(answer.body, name).toMatchObject({ outcome: 'applied', status: 'HUMAN_HANDOFF' })
      expect((await client.current(user))?.assignedOperator, name).toBe(operator)
    }
    expect((await client.current(user))?.line).toBe('support')
    const closed = await client.command(id, 'close', { operatorId: 'carl', as: 'support', reason: 'refunded' })
    expect(closed.body).toMatchObject({ outcome: 'applied', status: 'SUPPORT_CLOSED' })
    await until(async () => (await bodies(user)).includes('You get your money back'), 5_000)
    expect(await bodies(user)).toContain('Ana here, one moment')
  })

  test('13. escalate and close leave complete history with actor ids', async () => {
    const history = (await client.history(id)).map(({ eventType, initiator, toStatus, reason }) => [
      eventType,
      initiator,
      toStatus,
      reason,
    ])
    expect(history).toEqual([
      ['conversation.opened', 'system', 'PENDING', 'the user wrote'],
      ['xstate.done.actor.draftReply', 'assistant', 'PROGRESS', 'the assistant answered'],
      ['handoff.requested', 'operator:rui', 'HUMAN_HANDOFF', 'a person was asked for: a complaint'],
      ['operator.assigned', 'operator:ana', 'HUMAN_HANDOFF', 'an operator took it over'],
      ['operator.extended', 'operator:ana', 'HUMAN_HANDOFF', 'an operator asked for more time'],
      ['operator.transferred', 'operator:ana', 'HUMAN_HANDOFF', 'it was handed to a colleague'],
      ['operator.escalated', 'operator:bia', 'HUMAN_HANDOFF', 'it was moved to the second line: needs a refund'],
      ['operator.assigned', 'operator:carl', 'HUMAN_HANDOFF', 'an operator took it over'],
      ['operator.closed', 'operator:carl', 'SUPPORT_CLOSED', 'support closed it: refunded'],
    ])
  })

  test('replies are the operator’s messages, with what became of them', async () => {
    await until(
      async () =>
        (await client.messages(id))
          .filter(({ author }) => author === 'operator')
          .every(({ deliveryStatus }) => deliveryStatus === 'read'),
      10_000,
    )
    const replies = (await client.messages(id)).filter(({ author }) => author === 'operator')
    expect(replies.map(({ body }) => body)).toEqual(['Ana here, one moment', 'You get your money back'])
  })
})

describe('a command that cannot be applied', () => {
  test('in the wrong state is refused with 409 and the chart’s reason', async () => {
    const user = newUser()
    const { id, version } = await inProgress(user)
    const refused = async (name: string, body: object, reason: RegExp) => {
      const answer = await client.command(id, name, body)
      expect(answer.statusCode, name).toBe(409)
      expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/u)
      expect(answer.body).toMatchObject({ outcome: 'refused', reason: expect.stringMatching(reason) })
    }
    await refused('reply', { operatorId: 'ana', body: 'hi' }, /in PROGRESS/u)
    await refused('release', { operatorId: 'ana' }, /nobody is assigned/u)
    expect((await client.current(user))?.version).toBe(version)
    await client.command(id, 'assign', { operatorId: 'ana' })
    await refused('assign', { operatorId: 'rui' }, /ana is assigned already/u)
    await refused('reply', { operatorId: 'rui', body: 'hi' }, /ana is assigned, not rui/u)
    await refused('transfer', { operatorId: 'ana', to: 'ana' }, /ana is assigned already/u)
    await client.command(id, 'close', { operatorId: 'ana', as: 'agent' })
    for (const [name, body] of [
      ['reply', { operatorId: 'ana', body: 'hi' }],
      ['assign', { operatorId: 'ana' }],
      ['handoff', { reason: 'again' }],
      ['close', { operatorId: 'ana', as: 'agent' }],
    ] as const) {
      await refused(name, body, /is closed: AGENT_CLOSED/u)
    }
    const sent = await production.fake.sent(user)
    expect(sent.filter(({ body }) => body === 'hi')).toEqual([])
  })

  test('with an If-Match of before the user’s last message is stale, with 412', async () => {
    const user = newUser()
    const { id, version } = await inProgress(user)
    const assigned = await client.command(id, 'assign', { operatorId: 'ana' }, { 'if-match': `"${version}"` })
    expect(assigned.statusCode).toBe(200)
    const seen = assigned.headers.get('etag') ?? ''
    await client.say(user, 'wait, there is more')
    await until(async () => ((await client.current(user))?.version ?? 0) > (assigned.body.version ?? 0), 5_000)
    const stale = await client.command(id, 'reply', { operatorId: 'ana', body: 'done!' }, { 'if-match': seen })
    expect(stale).toMatchObject({ statusCode: 412, body: { outcome: 'stale', status: 'HUMAN_HANDOFF' } })
    const current = await service.get(`/api/conversations/${id}`)
    const etag = current.headers.get('etag') ?? ''
    const fresh = await client.command(id, 'reply', { operatorId: 'ana', body: 'now I see' }, { 'if-match': etag })
    expect(fresh.statusCode).toBe(200)
    // Its own delivery ticks make no reply stale.
    await until(async () => (await bodies(user)).includes('now I see'), 5_000)
    const next = await client.command(
      id,
      'reply',
      { operatorId: 'ana', body: 'and more' },
      { 'if-match': `"${fresh.body.version}"` },
    )
    expect(next.statusCode).toBe(200)
    expect(await bodies(user)).not.toContain('done!')
  })

  test('is malformed, unknown, or nobody’s: 400, 404, 401, 415, 413', async () => {
    const { id } = await inProgress(newUser())
    const statusOf = async (name: string, body: object) => (await client.command(id, name, body)).statusCode
    expect(await statusOf('assign', {})).toBe(400)
    expect(await statusOf('assign', { operatorId: 'ana', role: 'admin' })).toBe(400)
    expect(await statusOf('assign', { operatorId: '<script>' })).toBe(400)
    expect(await statusOf('close', { operatorId: 'ana', as: 'boss' })).toBe(400)
    expect(await statusOf('reply', { operatorId: 'ana', body: ' ' })).toBe(400)
    expect(await statusOf('reply', { operatorId: 'ana', body: 'x'.repeat(70_000) })).toBe(413)
    const nowhere = '0198c0de-0000-7000-8000-00000000000a'
    expect((await client.command(nowhere, 'assign', { operatorId: 'ana' })).statusCode).toBe(404)
    expect((await client.command(id, 'assign', { operatorId: 'ana' }, { 'if-match': '4' })).statusCode).toBe(400)
    expect((await client.command(id, 'assign', { operatorId: 'ana' }, { authorization: 'Bearer x' })).statusCode).toBe(
      401,
    )
    expect((await client.command(id, 'assign', {}, { 'content-type': 'text/plain' })).statusCode).toBe(415)
    expect((await service.get('/api/commands/nothing')).status).toBe(404)
  })
})

test('two operators who take over at once: one of them has it, the other reads who', async () => {
  const { id } = await inProgress(newUser())
  const answers = await Promise.all(
    ['ana', 'bia', 'carl', 'dora'].map(async (operatorId) => client.command(id, 'assign', { operatorId })),
  )
  expect(answers.map(({ statusCode }) => statusCode).toSorted((a, b) => a - b)).toEqual([200, 409, 409, 409])
})

test('the same command again, under one Idempotency-Key, is applied once and answers the same', async () => {
  const user = newUser()
  const { id } = await inProgress(user)
  await client.command(id, 'assign', { operatorId: 'ana' })
  const reply = async () =>
    client.command(id, 'reply', { operatorId: 'ana', body: 'only once' }, { 'idempotency-key': 'reply-1' })
  const answers = await Promise.all([reply(), reply(), reply()])
  answers.push(await reply())
  for (const { statusCode, body } of answers) expect([statusCode, body]).toEqual([200, answers[0]?.body])
  await until(async () => (await bodies(user)).includes('only once'), 5_000)
  expect((await bodies(user)).filter((body) => body === 'only once')).toHaveLength(1)
  const row = await service.json(`/api/commands/${encodeURIComponent(answers[0]?.body.commandId ?? '')}`)
  expect(row).toMatchObject({ outcome: 'applied', conversationId: id, reason: null })
})

test('what an operator wrote before he closed is sent, media and templates too', async () => {
  const user = newUser()
  const { id } = await inProgress(user)
  await client.command(id, 'assign', { operatorId: 'ana' })
  const contentSid = `HX${'a'.repeat(32)}`
  const commands = [
    client.command(id, 'reply', { operatorId: 'ana', body: 'see this', mediaUrls: ['https://example.com/a.png'] }),
    client.command(id, 'reply', { operatorId: 'ana', contentSid }),
    client.command(id, 'close', { operatorId: 'ana', as: 'agent' }),
  ]
  const outcomes = (await Promise.all(commands)).map(({ statusCode }) => statusCode)
  expect(outcomes[2]).toBe(200)
  const applied = outcomes.slice(0, 2).filter((statusCode) => statusCode === 200).length
  await until(async () => {
    const replies = (await client.messages(id)).filter(({ author }) => author === 'operator')
    return replies.length === applied && replies.every(({ deliveryStatus }) => deliveryStatus === 'read')
  }, 10_000)
})

test('the assistant goes on after a release', async () => {
  const user = newUser()
  const { id } = await inProgress(user)
  await client.command(id, 'assign', { operatorId: 'ana' })
  await client.say(user, 'when are you open?')
  await client.command(id, 'release', { operatorId: 'ana' })
  expect(await client.reaches(user, 'PROGRESS')).toMatchObject({ speaker: 'assistant', assignedOperator: null })
  const before = (await bodies(user)).length
  await client.say(user, 'hello again')
  await until(async () => (await bodies(user)).length === before + 1, 10_000)
})

test(
  'a command without an owner to judge it is accepted with 202 and applied when there is one',
  { timeout: 60_000 },
  async () => {
    const user = newUser()
    const { id } = await inProgress(user)
    const api = await production.start({ DUOLOGUE_ROLES: 'webhook,pages' })
    await service.stop()
    const atApi = createConversationClient(() => api)
    const accepted = await atApi.command(id, 'assign', { operatorId: 'ana' })
    expect(accepted.statusCode).toBe(202)
    expect(accepted.headers.get('location')).toBe(accepted.body.href)
    expect((await api.get(accepted.body.href ?? '')).status).toBe(404)
    service = await production.start()
    await until(async () => (await service.get(accepted.body.href ?? '')).status === 200, 10_000)
    expect(await client.reaches(user, 'HUMAN_HANDOFF')).toMatchObject({ assignedOperator: 'ana' })
    await api.stop()
  },
)
