import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseForm } from '../../../src/infra/http/form-body.ts'
import { deliveryForm, messageForm, messageSid, messagesPath, publicUrl, sign } from '../twilio/webhook-fixture.ts'
import { createFrozenClock, createTestApp, toWebhookRequest, type SignedForm } from './test-app.ts'

const statusPath = '/webhooks/twilio/status?session=s1&effect=e1:3:0'
const problem = 'application/problem+json'

describe('a message', () => {
  test('is acknowledged with empty TwiML when the log has it, and not before', async () => {
    const steps: string[] = []
    const { promise: stored, resolve } = Promise.withResolvers<void>()
    const app = await createTestApp({
      publisher: {
        async publish() {
          steps.push('published')
          await stored
          steps.push('acknowledged')
          return { sequence: 1, duplicate: false }
        },
      },
      reached: (point) => void steps.push(point),
    })
    const answering = app.server.inject(toWebhookRequest(messagesPath, messageForm)).then((answer) => {
      steps.push('answered')
      return answer
    })
    await expect.poll(() => steps).toEqual(['before-publish', 'published'])
    resolve()
    const answer = await answering
    expect(steps.slice(1)).toEqual(['published', 'acknowledged', 'after-publish-acknowledged', 'answered'])
    expect(answer).toMatchObject({ statusCode: 200, body: '<?xml version="1.0" encoding="UTF-8"?><Response/>' })
    expect(answer.headers['content-type']).toBe('text/xml')
  })

  test('is published as an event of its session', async () => {
    const app = await createTestApp({ clock: createFrozenClock() })
    await app.server.inject(toWebhookRequest(messagesPath, messageForm))
    expect(app.published).toMatchObject([
      { type: 'message.received', providerId: messageSid, body: messageForm.Body, receivedAt: 1_790_000_000_000 },
    ])
  })

  test('is refused with 503 when the log does not answer', async () => {
    const publish = async () => Promise.reject(new Error('no answer from the log'))
    const app = await createTestApp({ publisher: { publish } })
    const answer = await app.server.inject(toWebhookRequest(messagesPath, messageForm))
    expect(answer.statusCode).toBe(503)
    expect(answer.headers['content-type']).toEqual(problem)
    expect(answer.body).not.toContain('no answer from the log')
    expect(app.logged).toMatchObject([{ level: 'warn', message: 'a request failed' }])
  })

  test('that is repeated is published again: the log knows what it has', async () => {
    const app = await createTestApp()
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => app.server.inject(toWebhookRequest(messagesPath, messageForm))),
    )
    expect(answers.map(({ statusCode }) => statusCode)).toEqual(Array(10).fill(200))
    expect(new Set(app.published.map((event) => 'providerId' in event && event.providerId))).toEqual(
      new Set([messageSid]),
    )
  })
})

describe('a refusal', () => {
  const whole: SignedForm = messageForm
  test.each<[string, number, SignedForm]>([
    ['no MessageSid', 400, without('MessageSid')],
    ['a malformed MessageSid', 400, { ...whole, MessageSid: 'SM1' }],
    ['no From', 400, without('From')],
    ['no To', 400, without('To')],
    ['no AccountSid', 400, without('AccountSid')],
    ['an alphanumeric sender', 400, { ...whole, From: 'My.Brand' }],
    ['the account of somebody else', 403, { ...whole, AccountSid: `AC${'f'.repeat(32)}` }],
    ['a number that is not ours', 404, { ...whole, To: 'whatsapp:+14155230000' }],
    ['nothing at all', 400, {}],
  ])('for %s is %i, and nothing is published', async (_case, statusCode, form) => {
    const app = await createTestApp()
    const answer = await app.server.inject(toWebhookRequest(messagesPath, form))
    expect(answer.statusCode).toBe(statusCode)
    expect(answer.headers['content-type']).toEqual(problem)
    expect(answer.json()).toMatchObject({
      type: 'about:blank',
      status: statusCode,
      requestId: expect.stringMatching(/^[0-9a-f]{12}-/),
    })
    expect(app.published).toEqual([])
  })

  test('for a bad signature is 403 before anything is looked up', async () => {
    const asked: string[] = []
    const app = await createTestApp({ findChannel: async (address) => asked.push(address) > 0 })
    const request = toWebhookRequest(messagesPath, messageForm)
    const signatures = ['', 'A'.repeat(28), sign(`${publicUrl}/other`, messageForm)]
    const contentType = { 'content-type': request.headers['content-type'] }
    for (const given of [{}, ...signatures.map((signature) => ({ 'x-twilio-signature': signature }))]) {
      const headers = { ...contentType, ...given }
      expect((await app.server.inject({ ...request, headers })).statusCode).toBe(403)
    }
    expect(asked).toEqual([])
    expect(app.published).toEqual([])
  })

  test('does not depend on headers that a client can set', async () => {
    const app = await createTestApp()
    const evil = 'https://evil.example.com'
    const request = toWebhookRequest(messagesPath, messageForm)
    const headers = {
      ...request.headers,
      'x-twilio-signature': sign(evil + messagesPath, messageForm),
      'x-forwarded-host': 'evil.example.com',
      'x-forwarded-proto': 'https',
      host: 'evil.example.com',
    }
    expect((await app.server.inject({ ...request, headers })).statusCode).toBe(403)
  })

  test.each([
    ['application/json', 415],
    ['text/plain', 415],
    ['multipart/form-data; boundary=x', 415],
    ['application/x-www-form-urlencodedx', 415],
    ['', 415],
    ['APPLICATION/X-WWW-FORM-URLENCODED', 200],
    ['application/x-www-form-urlencoded;charset=utf-8', 200],
    [' application/x-www-form-urlencoded', 200],
    ['application/x-www-form-urlencoded ', 200],
    ['application/x-www-form-urlencoded\ta', 415],
  ])('for the content type %j is %i', async (contentType, statusCode) => {
    const app = await createTestApp()
    const request = toWebhookRequest(messagesPath, messageForm)
    const answer = await app.server.inject({ ...request, headers: { ...request.headers, 'content-type': contentType } })
    expect(answer.statusCode).toBe(statusCode)
  })

  test('for no body at all is 415', async () => {
    const app = await createTestApp()
    expect((await app.server.inject({ method: 'POST', url: messagesPath })).statusCode).toBe(415)
  })

  test.each([
    ['64 KiB', 64 * 1024, 200],
    ['a byte more', 64 * 1024 + 1, 413],
    ['10 MB', 10 * 1024 * 1024, 413],
  ])('for a body of %s (%i bytes) is %i', async (_case, bytes, statusCode) => {
    const app = await createTestApp()
    const room = bytes - new URLSearchParams({ ...messageForm, Body: '' }).toString().length
    const request = toWebhookRequest(messagesPath, { ...messageForm, Body: 'x'.repeat(room) })
    expect(request.payload).toHaveLength(bytes)
    expect((await app.server.inject(request)).statusCode).toBe(statusCode)
  })

  test.each(['Body=%ZZ', 'Body=%FF%FE', 'Body=%C0%AF'])('for %s is 400', async (payload) => {
    const app = await createTestApp()
    expect((await app.server.inject({ ...toWebhookRequest(messagesPath, {}), payload })).statusCode).toBe(400)
  })

  test('for 10,000 fields is 413', async () => {
    const app = await createTestApp()
    const payload = Array.from({ length: 10_000 }, (_, index) => `${index}`).join('&')
    expect((await app.server.inject({ ...toWebhookRequest(messagesPath, {}), payload })).statusCode).toBe(413)
  })

  test.each(['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'] as const)('for %s is 404', async (method) => {
    const app = await createTestApp()
    expect((await app.server.inject({ method, url: messagesPath })).statusCode).toBe(404)
  })
})

describe('what users write', () => {
  test.each([
    ['nothing', ''],
    ['spaces', '   '],
    ['a newline at the end', 'hello\n'],
    ['1,600 characters', 'é'.repeat(1_600)],
    ['a text from right to left', '\u202Eevil\u200B'],
    ['10,000 combining marks', `e${'\u0301'.repeat(5_000)}`],
  ])('arrives as it was: %s', async (_case, Body) => {
    const app = await createTestApp()
    const answer = await app.server.inject(toWebhookRequest(messagesPath, { ...messageForm, Body }))
    expect(answer.statusCode).toBe(200)
    expect(app.published).toMatchObject([{ body: Body, raw: { Body } }])
  })

  test('arrives without NUL and lone surrogates, which nothing behind the door can hold', async () => {
    const app = await createTestApp()
    const request = toWebhookRequest(messagesPath, { ...messageForm, Body: 'a\0b\ud83d' })
    const payload = request.payload.replace(/Body=[^&]*/, 'Body=a%00b%ED%A0%BD')
    const answer = await app.server.inject({ ...request, payload })
    expect(answer.statusCode).toBe(200)
    expect(app.published).toMatchObject([{ body: 'a\uFFFDb\uFFFD', raw: { Body: 'a\uFFFDb\uFFFD' } }])
  })
})

describe('a delivery', () => {
  test('is published with the effect that its URL names', async () => {
    const app = await createTestApp()
    const answer = await app.server.inject(toWebhookRequest(statusPath, deliveryForm))
    expect(answer.statusCode).toBe(200)
    expect(app.published).toMatchObject([
      { type: 'delivery.updated', effectId: 'e1:3:0', status: 'delivered', providerId: messageSid },
    ])
  })

  test('under another effect than the signed one is 403', async () => {
    const app = await createTestApp()
    const request = toWebhookRequest(statusPath, deliveryForm)
    expect((await app.server.inject({ ...request, url: statusPath.replace('e1', 'e2') })).statusCode).toBe(403)
  })

  test('from a number that is not ours is 404', async () => {
    const app = await createTestApp()
    const form = { ...deliveryForm, From: 'whatsapp:+14155230000' }
    expect((await app.server.inject(toWebhookRequest(statusPath, form))).statusCode).toBe(404)
  })

  test('of a status that says nothing about a sent message is acknowledged and dropped', async () => {
    const app = await createTestApp()
    const form = { ...deliveryForm, MessageStatus: 'receiving' }
    expect((await app.server.inject(toWebhookRequest(statusPath, form))).statusCode).toBe(200)
    expect(app.published).toEqual([])
  })
})

describe('channels', () => {
  const request = toWebhookRequest(messagesPath, messageForm)

  test('are asked for once in 5 seconds, an unknown one again after 2', async () => {
    const clock = createFrozenClock()
    let isKnown = false
    const asked: boolean[] = []
    const app = await createTestApp({ clock, findChannel: async () => (asked.push(isKnown), isKnown) })
    const send = async () => (await app.server.inject(request)).statusCode
    expect([await send(), await send()]).toEqual([404, 404])
    isKnown = true
    clock.turn(1_999)
    expect(await send()).toBe(404)
    clock.turn(1)
    expect([await send(), await send()]).toEqual([200, 200])
    clock.turn(4_999)
    expect(await send()).toBe(200)
    expect(asked).toEqual([false, true])
    clock.turn(1)
    expect(await send()).toBe(200)
    expect(asked).toEqual([false, true, true])
  })

  test('that were known stay known while the database does not answer', async () => {
    const clock = createFrozenClock()
    let isDown = false
    const findChannel = async () => (isDown ? Promise.reject(new Error('down')) : true)
    const app = await createTestApp({ clock, findChannel })
    expect((await app.server.inject(request)).statusCode).toBe(200)
    isDown = true
    clock.turn(60_000)
    expect((await app.server.inject(request)).statusCode).toBe(200)
    const other = toWebhookRequest(messagesPath, { ...messageForm, To: 'whatsapp:+14155230000' })
    expect((await app.server.inject(other)).statusCode).toBe(503)
  })

  test('are asked for once by many requests at the same time', async () => {
    let asked = 0
    const app = await createTestApp({ findChannel: async () => (asked += 1) > 0 })
    await Promise.all(Array.from({ length: 20 }, () => app.server.inject(request)))
    expect(asked).toBe(1)
  })
})

test('no single changed byte of a signed request is accepted as something else', async () => {
  const app = await createTestApp()
  const request = toWebhookRequest(messagesPath, messageForm)
  const signed = JSON.stringify(toFields(request.payload))
  const places = Array.from({ length: request.payload.length }, (_, index) => index)
  let refused = 0
  const acceptedAs = new Set<string>()
  const change = async (index: number, byte: number): Promise<void> => {
    const bytes = Buffer.from(request.payload)
    bytes[index] = byte
    const answer = await app.server.inject({ ...request, payload: bytes })
    if (answer.statusCode === 200) acceptedAs.add(JSON.stringify(toFields(bytes)))
    else refused += 1
  }
  for (const index of places) await change(index, (Buffer.from(request.payload)[index] ?? 0) ^ 1)
  const anyChange = fc.tuple(fc.nat(request.payload.length - 1), fc.integer({ min: 0, max: 255 }))
  await fc.assert(
    fc.asyncProperty(anyChange, ([index, byte]) => change(index, byte)),
    { numRuns: 2_000 },
  )
  // `%2b` and `%2B` are the same form; whatever was accepted is exactly what was signed.
  expect([...acceptedAs]).toEqual([signed])
  expect(refused).toBeGreaterThan(places.length)
})

test('no request takes anything from the prototype of objects', async () => {
  const app = await createTestApp()
  const form = { ...messageForm, constructor: 'x', 'constructor.prototype.polluted': 'y' }
  expect((await app.server.inject(toWebhookRequest(messagesPath, form))).statusCode).toBe(200)
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
})

function without(field: keyof typeof messageForm): SignedForm {
  return Object.fromEntries(Object.entries(messageForm).filter(([name]) => name !== field))
}

function toFields(payload: string | Buffer): unknown {
  const result = parseForm(Buffer.from(payload))
  return result.kind === 'form'
    ? Object.entries(result.form).toSorted(([one], [other]) => (one < other ? -1 : 1))
    : result.kind
}
