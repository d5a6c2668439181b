import { afterEach, describe, expect, test } from 'vitest'

import type { Clock } from '../../../src/actors/ports.ts'
import type { CommandItem, QuarantinedItem, ReadModel } from '../../../src/actors/read-model.ts'
import { apiToken, createMemoryReadModel, createTestApp } from './test-app.ts'
import type { TestApp } from './test-app.ts'

const id = '01890000-0000-7000-8000-000000000001'
const other = '01890000-0000-7000-8000-000000000002'
const message = {
  v: 1,
  type: 'message.received',
  businessAddress: 'whatsapp:+14155238886',
  userKey: 'whatsapp:+15005550006',
  replyAddress: 'whatsapp:+15005550006',
  providerId: 'SM1',
  body: 'hello',
  media: [],
  profileName: null,
  receivedAt: 0,
  raw: {},
}

let app: TestApp | null = null

afterEach(async () => app?.server.close())

function toItem(part: Partial<QuarantinedItem> = {}): QuarantinedItem {
  return {
    id,
    partition: 3,
    sessionId: other,
    incarnation: 'log',
    sequence: 7,
    kind: 'poison',
    subject: 'message.a.b',
    dataBase64: Buffer.from(JSON.stringify(message)).toString('base64'),
    error: 'it threw',
    attempts: 0,
    at: '2026-11-25T10:00:00.000Z',
    businessAddress: message.businessAddress,
    userKey: message.userKey,
    firstId: id,
    ...part,
  }
}

/** Every wait is over at once, and takes its time all the same. */
function createQuickClock(): Clock {
  let moment = 0
  return {
    now: () => moment,
    monotonic: () => moment,
    schedule(delayMs, task) {
      const handle = setImmediate(() => {
        moment += delayMs
        task()
      })
      return () => clearImmediate(handle)
    },
  }
}

async function open(
  item: QuarantinedItem | null,
  settled: Partial<CommandItem> | null,
  dismissed = true,
): Promise<TestApp> {
  const readModel: ReadModel = {
    ...createMemoryReadModel([]),
    getQuarantined: async (asked) => (asked === item?.id ? item : null),
    getCommand: async (commandId) =>
      settled && {
        id: commandId,
        conversationId: other,
        outcome: 'applied',
        status: 'PROGRESS',
        version: 9,
        reason: null,
        at: '2026-11-25T10:00:00.000Z',
        ...settled,
      },
  }
  app = await createTestApp({ readModel, clock: createQuickClock(), dismissForeign: async () => dismissed })
  return app
}

async function post(path: string, payload?: object, headers: object = {}) {
  const authorization = `Bearer ${apiToken}`
  const answer = await app?.server.inject({
    method: 'POST',
    url: `/api/quarantine/${id}/${path}`,
    headers: { authorization, ...headers },
    ...(payload && { payload }),
  })
  return {
    status: answer?.statusCode,
    body: answer?.json<{ [field: string]: unknown }>() ?? {},
    headers: answer?.headers,
  }
}

describe('a word on a waiting event', () => {
  test('is published to its session, and answered with what came of it', async () => {
    const { published } = await open(toItem(), {})
    const { status, body } = await post('retry')
    expect([status, body['outcome'], body['version']]).toEqual([200, 'applied', 9])
    expect(published).toEqual([
      {
        v: 1,
        type: 'quarantine.released',
        businessAddress: message.businessAddress,
        userKey: message.userKey,
        commandId: body['commandId'],
        quarantineId: id,
        action: 'retry',
        event: null,
      },
    ])
  })

  test('that changes nothing is a conflict, with the reason', async () => {
    await open(toItem(), { outcome: 'refused', reason: 'it threw again' })
    expect(await post('retry')).toMatchObject({ status: 409, body: { detail: 'it threw again', outcome: 'refused' } })
  })

  test('without an outcome in time is accepted, with the link to it', async () => {
    await open(toItem(), null)
    const { status, body, headers } = await post('skip')
    expect([status, body['href'], headers?.['location']]).toEqual([
      202,
      `/api/commands/${String(body['commandId'])}`,
      `/api/commands/${String(body['commandId'])}`,
    ])
  })

  test('of an event that waits behind another, or no more, is refused without a word to the log', async () => {
    const { published } = await open(toItem({ kind: 'waiting', firstId: other }), {})
    expect(await post('retry')).toMatchObject({ status: 409, body: { detail: `the event waits behind ${other}` } })
    await app?.server.close()
    await open(toItem({ kind: 'skipped', firstId: null }), {})
    expect(await post('retry')).toMatchObject({ status: 409, body: { detail: 'the event is skipped already' } })
    expect([...published, ...(app?.published ?? [])]).toEqual([])
  })

  test('with an event of its own applies that one', async () => {
    const { published } = await open(toItem(), {})
    expect(await post('edit', { event: { ...message, body: 'good' } })).toMatchObject({ status: 200 })
    expect(published).toMatchObject([{ action: 'edit', event: { body: 'good' } }])
  })

  test.each([
    ['nothing', {}, 'event: Invalid input'],
    ['another kind of event', { event: { ...message, type: 'clock.advanced' } }, 'event.type: '],
    ['a field too much', { event: { ...message, extra: 1 } }, 'event: Unrecognized key'],
    ['NUL in a text', { event: { ...message, body: 'a\u0000b' } }, 'event.body: holds NUL'],
    ['another user', { event: { ...message, userKey: 'whatsapp:+15005550007' } }, 'event: it must be of the same'],
  ])('with %s is malformed', async (_name, payload, detail) => {
    await open(toItem(), {})
    const answer = await post('edit', payload)
    expect(answer.status).toBe(400)
    expect(answer.body['detail']).toContain(detail)
  })

  test('as a form is not taken', async () => {
    await open(toItem(), {})
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const authorization = `Bearer ${apiToken}`
    const answer = await app?.server.inject({
      method: 'POST',
      url: `/api/quarantine/${id}/edit`,
      headers: { ...headers, authorization },
      payload: 'event=1',
    })
    expect(answer?.statusCode).toBe(415)
  })
})

describe('a foreign event', () => {
  const foreign = toItem({
    kind: 'foreign',
    sessionId: null,
    businessAddress: null,
    userKey: null,
    firstId: null,
    dataBase64: 'AAEC',
  })

  test('is shown without an event, since its bytes are none', async () => {
    await open(foreign, {})
    const headers = { authorization: `Bearer ${apiToken}` }
    const answer = await app?.server.inject({ url: `/api/quarantine/${id}`, headers })
    expect(answer?.json()).toEqual({ ...foreign, event: null })
  })

  test('is put aside once, and cannot be retried', async () => {
    const { published } = await open(foreign, {})
    expect((await post('retry')).status).toBe(409)
    expect(await post('skip')).toMatchObject({ status: 200, body: { outcome: 'applied', commandId: null } })
    expect(published).toEqual([])
    await app?.server.close()
    await open(foreign, {}, false)
    expect((await post('skip')).status).toBe(409)
  })
})
