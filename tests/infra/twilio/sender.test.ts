import { readFileSync } from 'node:fs'
import net, { type AddressInfo } from 'node:net'
import http from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import type { Clock, Effect, EffectRequest } from '../../../src/actors/ports.ts'
import { createFakeTwilio, type FakeTwilio } from '../../../src/infra/phone/fake-twilio.ts'
import type { Fault } from '../../../src/infra/phone/faults.ts'
import { processClock } from '../../../src/infra/process/clock.ts'
import { createTwilioSender, type TwilioSender, type TwilioSenderOptions } from '../../../src/infra/twilio/sender.ts'
import { startRecordingProxy, type RecordingProxy, type SeenRequest } from './recording-proxy.ts'
import { accountSid, authToken } from './webhook-fixture.ts'

const schemaFile = new URL('../../support/twilio-messages-schema.json', import.meta.url)
const schema = JSON.parse(readFileSync(schemaFile, 'utf8'))
const toSchema = (part: string) => z.fromJSONSchema(schema[part], { defaultTarget: 'openapi-3.0' })
const effectId = '0198c0de-0000-7000-8000-000000000000:3:0'
const sessionId = '0198c0de-1111-7000-8000-000000000000'

let fake: FakeTwilio
let proxy: RecordingProxy
/** Where Duologue would listen for callbacks; it answers, and that is all. */
let callbacks: { readonly url: string; close(): void }

beforeAll(async () => {
  callbacks = await listen((_request, response) => response.writeHead(204).end())
  const statusDelaysMs = { sent: 1, delivered: 1, read: 1 }
  fake = await createFakeTwilio({
    accountSid,
    authToken,
    ledgerFile: null,
    clock: processClock,
    webhookBase: null,
    statusDelaysMs,
  })
  proxy = await startRecordingProxy(fake.url)
})
beforeEach(() => proxy.seen.splice(0))
afterAll(async () => {
  await proxy.close()
  await fake.close()
  callbacks.close()
})

describe('a send', () => {
  test('that Twilio accepts is done, with its sid and one request', async () => {
    const user = nextUser()
    const result = await createSender().perform(toRequest({ user, body: 'Olá & até = logo 👋' }))
    const [message] = fake.messagesOf(user)
    expect(message).toMatchObject({ body: 'Olá & até = logo 👋', to: user, from: 'whatsapp:+14155238886' })
    expect(result).toEqual({ kind: 'done', providerId: message?.sid, output: { sid: message?.sid, status: 'queued' } })
    expect(proxy.seen).toHaveLength(1)
    checkRequests()
  })

  test('tells Twilio to call back with the ids of session and effect, and no address', async () => {
    const user = nextUser()
    await createSender().perform(toRequest({ user }))
    const callback = new URL(proxy.seen[0]?.form.get('StatusCallback') ?? '')
    expect(callback.origin + callback.pathname).toBe(`${callbacks.url}/webhooks/twilio/status`)
    expect(Object.fromEntries(callback.searchParams)).toEqual({ session: sessionId, effect: effectId })
    expect(callback.href).not.toContain(user.slice(-6))
  })

  test('of an SMS names both numbers without a scheme', async () => {
    await createSender().perform(toRequest({ user: 'sms:+15005550001', business: 'sms:+14155238886' }))
    expect(Object.fromEntries(proxy.seen[0]?.form ?? [])).toMatchObject({ To: '+15005550001', From: '+14155238886' })
    checkRequests()
  })

  test('may be a template or attachments without a text', async () => {
    const sender = createSender()
    const template = { contentSid: `HX${'0'.repeat(32)}`, contentVariables: '{"1":"x"}' }
    await sender.perform(toRequest({ params: template }))
    await sender.perform(
      toRequest({ params: { mediaUrls: ['https://example.com/a.png', 'https://example.com/b.png'] } }),
    )
    expect(proxy.seen[0]?.form.get('ContentSid')).toBe(template.contentSid)
    expect(proxy.seen[1]?.form.getAll('MediaUrl')).toHaveLength(2)
    checkRequests()
  })

  test.each<[Fault['kind'], number, object]>([
    ['rate-limit', 0, { kind: 'retry' }],
    ['window-refused', 0, { kind: 'failed', error: { code: '63016' } }],
    ['server-error', 0, { kind: 'uncertain' }],
    ['accept-then-error', 1, { kind: 'uncertain' }],
    ['drop', 0, { kind: 'uncertain' }],
    ['accept-then-drop', 1, { kind: 'uncertain' }],
  ])('that meets %s leaves %i messages at Twilio', async (kind, count, result) => {
    const user = nextUser()
    fake.addFault({ kind, delayMs: 0, callbacks: true }, 1)
    expect(await createSender().perform(toRequest({ user }))).toMatchObject(result)
    expect(fake.messagesOf(user)).toHaveLength(count)
    expect(proxy.seen).toHaveLength(1)
    checkRequests()
  })

  test('that is not answered in time is uncertain', async () => {
    const user = nextUser()
    fake.addFault({ kind: 'none', delayMs: 1_000, callbacks: true }, 1)
    expect(await createSender({ timeoutMs: 100 }).perform(toRequest({ user }))).toMatchObject({ kind: 'uncertain' })
    await expect.poll(() => fake.messagesOf(user)).toHaveLength(1)
  })

  test.each([
    ['an invalid number', { user: 'whatsapp:+1' }, '21211'],
    ['a text that is too long', { body: 'x'.repeat(1_601) }, '21617'],
    ['the same number on both sides', { user: 'whatsapp:+14155238886' }, '21266'],
  ])('to %s fails with the code', async (_case, wanted, code) => {
    expect(await createSender().perform(toRequest(wanted))).toMatchObject({ kind: 'failed', error: { code } })
  })

  test('with a wrong token fails and says so', async () => {
    const result = await createSender({ authToken: 'wrong' }).perform(toRequest({}))
    expect(result).toEqual({ kind: 'failed', error: { message: 'Authenticate', code: '20003' } })
  })

  test('to a port where nobody listens is tried again', async () => {
    const result = await createSender({ apiUrl: `http://127.0.0.1:${await findFreePort()}` }).perform(toRequest({}))
    expect(result).toMatchObject({ kind: 'retry' })
  })

  test('to a host that has no address is tried again', async () => {
    const result = await createSender({ apiUrl: 'http://nowhere.invalid' }).perform(toRequest({}))
    expect(result).toMatchObject({ kind: 'retry' })
  })

  test('to a server that never takes the connection is tried again: nothing was written', async () => {
    const result = await createSender({ apiUrl: 'https://127.0.0.1:1', timeoutMs: 200 }).perform(toRequest({}))
    expect(result).toMatchObject({ kind: 'retry' })
  })

  test.each([
    [200, 'not json', 'uncertain'],
    [201, '{"sid":"nonsense"}', 'uncertain'],
    [302, '', 'failed'],
    [404, '<html>', 'failed'],
    [408, '', 'uncertain'],
    [429, '<html>', 'retry'],
    [400, '{"code":20503,"message":"unavailable"}', 'uncertain'],
    [400, '{"code":20429,"message":"slow"}', 'retry'],
    [500, 'null', 'uncertain'],
    [503, '{"code":20503}', 'uncertain'],
  ])('answered %i with %j is %s', async (statusCode, body, kind) => {
    const apiUrl = await startServer((_request, response) => response.writeHead(statusCode).end(body))
    expect(await createSender({ apiUrl }).perform(toRequest({}))).toMatchObject({ kind })
  })

  test('cut off in the middle of the answer is uncertain', async () => {
    const apiUrl = await startServer((_request, response) => {
      response.writeHead(201, { 'content-length': '1000' }).write('{"sid":')
      setImmediate(() => response.destroy())
    })
    expect(await createSender({ apiUrl }).perform(toRequest({}))).toMatchObject({ kind: 'uncertain' })
  })

  test('waits longer after more attempts, never twice the same', async () => {
    const delays: number[] = []
    for (const attempts of [0, 3, 50]) {
      fake.addFault({ kind: 'rate-limit', delayMs: 0, callbacks: true }, 1)
      const result = await createSender().perform(toRequest({ effect: { attempts } }))
      if (result.kind === 'retry') delays.push(result.afterMs)
    }
    expect(delays).toEqual([500, 4_000, 30_000])
    fake.addFault({ kind: 'rate-limit', delayMs: 0, callbacks: true }, 1)
    const jittered = await createSender({ random: () => 0 }).perform(toRequest({}))
    expect(jittered).toMatchObject({ afterMs: 250 })
  })

  test('waits for a free connection when very many go out at once', async () => {
    const user = nextUser()
    const sender = createSender({ apiUrl: fake.url, timeoutMs: 30_000 })
    const results = await Promise.all(Array.from({ length: 200 }, () => sender.perform(toRequest({ user }))))
    expect(results.filter(({ kind }) => kind !== 'done')).toEqual([])
    expect(fake.messagesOf(user)).toHaveLength(200)
  })

  test('without a text is our own mistake', async () => {
    await expect(createSender().perform(toRequest({ params: { author: 'assistant' } }))).rejects.toThrow(/no body/)
  })
})

describe('the deadline', () => {
  test('when it has passed nothing is written', async () => {
    const user = nextUser()
    const deadlineMonotonicMs = processClock.monotonic()
    const result = await createSender().perform(toRequest({ user, deadlineMonotonicMs }))
    expect(result).toMatchObject({ kind: 'retry', isAttempt: false })
    expect(proxy.seen).toHaveLength(0)
  })

  test('when it passes while the connection is being made nothing is written', async () => {
    let readings = 0
    // The first reading is before the connection, the second at the socket.
    const clock: Clock = { ...processClock, monotonic: () => (readings += 1) }
    const result = await createSender({ clock }).perform(toRequest({ deadlineMonotonicMs: 2 }))
    expect(result).toMatchObject({ kind: 'retry', isAttempt: false })
    expect(readings).toBe(2)
    expect(proxy.seen).toHaveLength(0)
  })
})

describe('what became of a send that was cut off', () => {
  test('is the one message that nobody else owns', async () => {
    const user = nextUser()
    const sender = createSender()
    const first = await sender.perform(toRequest({ user }))
    fake.addFault({ kind: 'accept-then-drop', delayMs: 0, callbacks: true }, 1)
    await sender.perform(toRequest({ user }))
    const [one, two] = fake.messagesOf(user)
    const known = createSender({
      findKnownProviderIds: async () => new Set([first.kind === 'done' ? (first.providerId ?? '') : '']),
    })
    expect(await known.resolve(toRequest({ user }))).toEqual({ providerId: two?.sid })
    expect(one?.sid).not.toBe(two?.sid)
    checkRequests()
  })

  test('is unclear when two messages with the same text belong to nobody', async () => {
    const user = nextUser()
    const sender = createSender()
    await sender.perform(toRequest({ user }))
    await sender.perform(toRequest({ user }))
    expect(await sender.resolve(toRequest({ user }))).toBe('ambiguous')
  })

  test('is nothing when it was never accepted', async () => {
    const user = nextUser()
    const sender = createSender()
    fake.addFault({ kind: 'drop', delayMs: 0, callbacks: true }, 1)
    await sender.perform(toRequest({ user }))
    await sender.perform(toRequest({ user, body: 'another text' }))
    await sender.perform(toRequest({ user: nextUser() }))
    expect(await sender.resolve(toRequest({ user }))).toBe('accepted-none')
  })

  test('is not a message of long before, nor one that the user wrote', async () => {
    const user = nextUser()
    const sender = createSender()
    await sender.perform(toRequest({ user }))
    const later = { startedAt: Date.now() + 10_000 }
    expect(await sender.resolve(toRequest({ user, effect: later }))).toBe('accepted-none')
  })

  test('is found while Twilio still holds it in its queue, where no sending date is', async () => {
    const slow = await createFakeTwilio({
      accountSid,
      authToken,
      ledgerFile: null,
      clock: processClock,
      webhookBase: null,
      statusDelaysMs: { sent: 60_000, delivered: 1, read: 1 },
    })
    onTestFinished(() => slow.close())
    const user = nextUser()
    const sender = createSender({ apiUrl: slow.url })
    await sender.perform(toRequest({ user }))
    expect(slow.messagesOf(user)).toMatchObject([{ status: 'queued', sentAt: null }])
    expect(await sender.resolve(toRequest({ user }))).toEqual({ providerId: slow.messagesOf(user)[0]?.sid })
  })

  test('is found behind more messages than fit on a page', async () => {
    const user = nextUser()
    const sender = createSender()
    await sender.perform(toRequest({ user }))
    const [wanted] = fake.messagesOf(user)
    for (let count = 0; count < 205; count += 1) await sender.perform(toRequest({ user, body: `${count}` }))
    await expect.poll(() => fake.messagesOf(user).every((message) => message.status === 'read')).toBe(true)
    expect(await sender.resolve(toRequest({ user }))).toEqual({ providerId: wanted?.sid })
    const pages = proxy.seen.filter(({ method }) => method === 'GET').map(({ query }) => query.get('Page'))
    expect(pages).toContain('1')
    checkRequests()
  })

  test('stays unknown when Twilio does not answer the question', async () => {
    const apiUrl = await startServer((_request, response) => response.writeHead(503).end())
    await expect(createSender({ apiUrl }).resolve(toRequest({}))).rejects.toThrow()
  })
})

test('the shape that the fake answers with is the official one', async () => {
  const user = nextUser()
  await createSender().perform(toRequest({ user }))
  const authorization = `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`
  const path = `/2010-04-01/Accounts/${accountSid}/Messages`
  const read = async (url: string): Promise<any> => (await fetch(url, { headers: { authorization } })).json()
  const list = await read(`${fake.url}${path}.json?PageSize=1`)
  expect(toSchema('listResponse').parse(list)).toBeTruthy()
  expect(Object.keys(list).toSorted()).toEqual(Object.keys(schema.examples.listed).toSorted())
  const { sid } = list.messages[0]
  const one = await read(`${fake.url}${path}/${sid}.json`)
  expect(toSchema('message').parse(one)).toBeTruthy()
  expect(Object.keys(one).toSorted()).toEqual(Object.keys(schema.examples.created).toSorted())
})

let users = 0
function nextUser(): string {
  users += 1
  return `whatsapp:+1500555${String(users).padStart(4, '0')}`
}

function createSender(changes: Partial<TwilioSenderOptions> = {}): TwilioSender {
  const sender = createTwilioSender({
    accountSid,
    authToken,
    apiUrl: proxy.url,
    statusCallbackBase: () => `${callbacks.url}/#rc=2`,
    timeoutMs: 5_000,
    clock: processClock,
    random: () => 0.5,
    findKnownProviderIds: async () => new Set(),
    ...changes,
  })
  onTestFinished(() => sender.close())
  return sender
}

type Wanted = {
  readonly user?: string
  readonly business?: string
  readonly body?: string
  readonly params?: Effect['params']
  readonly effect?: Partial<Effect>
  readonly deadlineMonotonicMs?: number
}

function toRequest(wanted: Wanted): EffectRequest {
  const effect: Effect = {
    effectId,
    conversationId: effectId.slice(0, 36),
    kind: 'sendMessage',
    params: wanted.params ?? { author: 'assistant', body: wanted.body ?? 'Hello' },
    childId: null,
    speakerToken: 0,
    status: 'running',
    attempts: 0,
    nextAttemptAt: null,
    deadline: null,
    startedAt: Date.now() - 60_000,
    messageId: null,
    ...wanted.effect,
  }
  const businessAddress = wanted.business ?? 'whatsapp:+14155238886'
  const replyAddress = wanted.user ?? nextUser()
  const session = { sessionId, tenantId: 't', channelId: 'c', businessAddress, replyAddress, settings: {} }
  const deadlineMonotonicMs = wanted.deadlineMonotonicMs ?? Infinity
  return { effect, session, deadlineMonotonicMs, signal: new AbortController().signal }
}

/** Every request that the sender wrote in this test is one that Twilio's own document allows. */
function checkRequests(): void {
  expect(proxy.seen.length).toBeGreaterThan(0)
  expect(proxy.seen.flatMap(toObjections)).toEqual([])
}

function toObjections({ method, path, form, query }: SeenRequest): readonly string[] {
  const objections = path === `/2010-04-01/Accounts/${accountSid}/Messages.json` ? [] : [`path ${path}`]
  const { properties } = schema.createRequest
  const parameters: readonly string[] = schema.listParameters.map(({ name }: { name: string }) => name)
  if (method === 'GET') return [...objections, ...[...query.keys()].filter((name) => !parameters.includes(name))]
  const fields = Object.fromEntries(
    [...form.keys()].map((key) => [key, key === 'MediaUrl' ? form.getAll(key) : form.get(key)]),
  )
  const { error } = toSchema('createRequest').safeParse(fields)
  const unknown = Object.keys(fields).filter((field) => !(field in properties))
  return [...objections, ...unknown, ...(error?.issues.map(({ message }) => message) ?? [])]
}

async function findFreePort(): Promise<number> {
  const server = net.createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function startServer(handle: http.RequestListener): Promise<string> {
  const server = await listen(handle)
  onTestFinished(() => server.close())
  return server.url
}

async function listen(handle: http.RequestListener): Promise<{ url: string; close(): void }> {
  const server = http.createServer((request, response) => {
    request.resume().on('end', () => handle(request, response))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = (): void => {
    server.close()
    server.closeAllConnections()
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close }
}
