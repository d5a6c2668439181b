/** Requests that no HTTP library would write, through a real listening server. */
import http from 'node:http'
import net, { type AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { messageForm, messagesPath } from '../twilio/webhook-fixture.ts'
import { createTestApp, toWebhookRequest, type TestApp } from './test-app.ts'

const requestTimeoutMs = 1_000
const request = toWebhookRequest(messagesPath, messageForm)
const signature = request.headers['x-twilio-signature']
const type = 'Content-Type: application/x-www-form-urlencoded'
const length = `Content-Length: ${request.payload.length}`
const good = [type, length, `X-Twilio-Signature: ${signature}`]

let app: TestApp
let port: number

beforeAll(async () => {
  app = await createTestApp({ requestTimeoutMs })
  await app.server.listen({ host: '127.0.0.1', port: 0 })
  port = (app.server.server.address() as AddressInfo).port
})
afterAll(() => app.server.close())

test('a whole request is acknowledged', async () => {
  expect(await send(good, request.payload)).toMatch(/^HTTP\/1.1 200 /)
})

test.each<[string, readonly string[], string, RegExp]>([
  ['the signature twice', [...good, `X-Twilio-Signature: ${signature}`], request.payload, /^HTTP\/1.1 403 /],
  [
    'a signature of 8 KB',
    [type, length, `X-Twilio-Signature: ${'A'.repeat(8_192)}`],
    request.payload,
    /^HTTP\/1.1 403 /,
  ],
  [
    'a signature that is not ASCII',
    [type, length, `X-Twilio-Signature: ${'é'.repeat(28)}`],
    request.payload,
    /^HTTP\/1.1 403 /,
  ],
  [
    'a signature of one megabyte',
    [type, length, `X-Twilio-Signature: ${'A'.repeat(1024 * 1024)}`],
    '',
    /^HTTP\/1.1 431 /,
  ],
  ['two content lengths', [...good, 'Content-Length: 3'], request.payload, /^HTTP\/1.1 400 /],
  ['a content length and chunks', [...good, 'Transfer-Encoding: chunked'], request.payload, /^HTTP\/1.1 400 /],
  ['a content length that is no number', [type, 'Content-Length: ten'], request.payload, /^HTTP\/1.1 400 /],
  ['a content length above the limit', [type, 'Content-Length: 10485760'], '', /^HTTP\/1.1 413 /],
  ['no content type', [length, `X-Twilio-Signature: ${signature}`], request.payload, /^HTTP\/1.1 415 /],
  ['a tab after the content type', [`${type}\ta`, ...good.slice(1)], request.payload, /^HTTP\/1.1 415 /],
  ['a header with a NUL', [...good, 'X: a\0b'], request.payload, /^HTTP\/1.1 400 /],
])('%s', async (_case, headers, body, answer) => {
  const published = app.published.length
  expect(await send(headers, body)).toMatch(answer)
  expect(app.published).toHaveLength(published)
})

test('chunks with trailers are a body like any other', async () => {
  const chunked = `${request.payload.length.toString(16)}\r\n${request.payload}\r\n0\r\nX-Trailer: 1\r\n\r\n`
  const headers = [type, 'Transfer-Encoding: chunked', `X-Twilio-Signature: ${signature}`]
  expect(await send(headers, chunked)).toMatch(/^HTTP\/1.1 200 /)
})

test('a body above the limit in chunks is refused before it has all arrived', async () => {
  const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`
  expect(await send([type, 'Transfer-Encoding: chunked'], chunk + chunk)).toMatch(/^HTTP\/1.1 413 /)
})

test('a body that comes one byte at a time is cut off', async () => {
  const startedAt = performance.now()
  const answer = await send(good, 'B')
  expect(answer).toMatch(/^HTTP\/1.1 408 /)
  expect(performance.now() - startedAt).toBeLessThan(requestTimeoutMs + 3_000)
})

test('bytes that are not HTTP are answered with a problem', async () => {
  const answer = await exchange('NONSENSE\r\n\r\n')
  expect(answer).toMatch(/^HTTP\/1.1 400 /)
  expect(answer).toContain('application/problem+json')
})

test.each(['TRACE', 'CONNECT', 'BREW'])('%s is refused', async (method) => {
  const answer = await exchange(`${method} ${messagesPath} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
  expect(answer === '' || /^HTTP\/1.1 4\d\d /.test(answer)).toBe(true)
})

test('a client that asks before it sends is told to go on', async () => {
  expect(await send([...good, 'Expect: 100-continue'], request.payload)).toMatch(/^HTTP\/1.1 100 Continue/)
})

test('after all that the service answers as before', async () => {
  expect(await send(good, request.payload)).toMatch(/^HTTP\/1.1 200 /)
})

test('a stop answers the request that is under way, and does not wait for its connection', async () => {
  const entered = Promise.withResolvers<void>()
  const held = Promise.withResolvers<void>()
  const stopping = await createTestApp({
    async reached() {
      entered.resolve()
      await held.promise
    },
  })
  await stopping.server.listen({ host: '127.0.0.1', port: 0 })
  const agent = new http.Agent({ keepAlive: true })
  onTestFinished(() => agent.destroy())
  const status = new Promise((resolve, reject) => {
    const asking = {
      ...request,
      agent,
      path: request.url,
      port: (stopping.server.server.address() as AddressInfo).port,
    }
    const call = http.request(
      asking,
      (response) => void response.resume().on('end', () => resolve(response.statusCode)),
    )
    call.on('error', reject).end(request.payload)
  })
  await entered.promise
  const closed = stopping.server.close()
  await new Promise(setImmediate)
  const releasedAt = performance.now()
  held.resolve()
  expect(await status).toBe(200)
  await closed
  expect(performance.now() - releasedAt).toBeLessThan(3_000)
})

function send(headers: readonly string[], body: string): Promise<string> {
  return exchange(
    `POST ${messagesPath} HTTP/1.1\r\n${['Host: x', 'Connection: close', ...headers].join('\r\n')}\r\n\r\n${body}`,
  )
}

/** Everything that came back until the server closed the connection. */
function exchange(bytes: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  let answer = ''
  const socket = net.connect(port, '127.0.0.1', () => socket.write(bytes))
  socket.on('data', (chunk) => (answer += chunk.toString()))
  socket.on('error', () => resolve(answer))
  socket.on('close', () => resolve(answer))
  return promise
}
