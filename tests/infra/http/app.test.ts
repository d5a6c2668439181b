import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { MalformedCursor, type ReadModel } from '../../../src/actors/read-model.ts'
import type { PhoneMessage, PhoneService } from '../../../src/infra/http/phone-routes.ts'
import { toPath } from '../../../src/infra/http/openapi.ts'
import { messageForm, messagesPath } from '../twilio/webhook-fixture.ts'
import {
  apiToken,
  conversationId,
  createMemoryReadModel,
  createTestApp,
  toConversation,
  toWebhookRequest,
  type TestApp,
  type TestAppOptions,
} from './test-app.ts'

const folder = mkdtempSync(join(tmpdir(), 'duologue-pages-'))
mkdirSync(join(folder, 'phone'))
mkdirSync(join(folder, 'assets'))
writeFileSync(join(folder, 'phone/index.html'), '<!doctype html><title>Phone</title>')
writeFileSync(join(folder, 'assets/phone-1.js'), 'export {}')
writeFileSync(join(folder, 'secret.txt'), 'not a page')
afterAll(() => rmSync(folder, { recursive: true }))

const stillPhone: PhoneService = {
  businessAddresses: ['whatsapp:+14155238886'],
  send: async () => 200,
  messages: () => [],
  subscribe: () => () => undefined,
  advance: async () => undefined,
}
const bearer = { authorization: `Bearer ${apiToken}` }
const business = 'whatsapp:+14155238886'
const user = 'whatsapp:+15005550006'

describe('the document', () => {
  test('has every route that exists, and no other', async () => {
    const routes: string[] = []
    const app = await createAppWithPages()
    const table = app.server.printRoutes()
    for (const { method, path } of readRouteTable(table)) routes.push(`${method} ${toPath(path)}`)
    const described = Object.entries(app.document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    )
    expect(described.toSorted()).toEqual(routes.toSorted())
    expect(described).toContain('POST /webhooks/twilio/messages')
    expect(described).toContain('GET /api/conversations/{id}/history')
  })

  test('is served as it is', async () => {
    const app = await createAppWithPages()
    const answer = await app.server.inject('/api/openapi.json')
    expect(answer.json()).toEqual(JSON.parse(JSON.stringify(app.document)))
  })

  test('cannot miss a route: one that does not say what it is stops the start', async () => {
    const app = await createTestApp()
    expect(() => app.server.get('/undescribed', async () => '')).toThrow()
  })

  test('has no phone where there is none', async () => {
    const app = await createTestApp()
    expect(Object.keys(app.document.paths).filter((path) => path.includes('phone'))).toEqual([])
    expect((await app.server.inject({ url: '/phone/api/settings', headers: bearer })).statusCode).toBe(404)
  })
})

describe('health', () => {
  test('is told without a token', async () => {
    const app = await createTestApp()
    expect((await app.server.inject('/healthz')).json()).toEqual({ status: 'alive' })
    expect((await app.server.inject('/readyz')).json()).toEqual({ ready: true, parts: { log: 'ok', database: 'ok' } })
    expect((await app.server.inject('/metrics')).headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/)
  })

  test('names the part that is not ready', async () => {
    const app = await createTestApp({
      checkReadiness: async () => ({ ready: false, parts: { log: 'does not answer' } }),
    })
    const answer = await app.server.inject('/readyz')
    expect(answer.statusCode).toBe(503)
    expect(answer.json()).toEqual({ ready: false, parts: { log: 'does not answer' } })
  })
})

describe('the API', () => {
  test.each([
    ['no token', {}, 401],
    ['an empty token', { authorization: 'Bearer ' }, 401],
    ['another token', { authorization: 'Bearer nonsense' }, 401],
    ['a longer token', { authorization: `Bearer ${apiToken}x` }, 401],
    ['a shorter token', { authorization: `Bearer ${apiToken.slice(1)}` }, 401],
    ['another scheme', { authorization: `Basic ${Buffer.from(apiToken).toString('base64')}` }, 401],
    ['the token', bearer, 200],
  ])('with %s answers %i', async (_case, headers, statusCode) => {
    const app = await createTestApp()
    const answer = await app.server.inject({ url: '/api/conversations', headers })
    expect(answer.statusCode).toBe(statusCode)
    expect(answer.headers['www-authenticate']).toBe(statusCode === 401 ? 'Bearer' : undefined)
  })

  test('with an empty token of its own lets nobody in', async () => {
    const app = await createTestApp({ apiToken: '' })
    expect(
      (await app.server.inject({ url: '/api/conversations', headers: { authorization: 'Bearer ' } })).statusCode,
    ).toBe(401)
  })

  test('lists conversations, finds a user by any spelling of the number, and asks for pages', async () => {
    const userAddress = 'whatsapp:+5511987654321'
    const readModel = createMemoryReadModel([toConversation({ userAddress })])
    const app = await createTestApp({ readModel })
    const list = async (query: string) =>
      (await app.server.inject({ url: `/api/conversations?${query}`, headers: bearer })).json()
    expect(await list('')).toMatchObject({ items: [{ id: conversationId, status: 'PROGRESS' }], next: null })
    expect(await list('address=whatsapp:%2B551187654321')).toMatchObject({ items: [{ userAddress }] })
    expect(await list('address=whatsapp:+5511987654321')).toMatchObject({ items: [{ userAddress }] })
    expect(await list('address=whatsapp:%2B14155238886')).toMatchObject({ items: [{ userAddress }] })
    expect(await list('address=whatsapp:%2B15005550099')).toEqual({ items: [], next: null })
    expect(await list('status=EXPIRED')).toEqual({ items: [], next: null })
    await list('limit=3&cursor=abc')
    expect(readModel.asked.at(-1)).toEqual({ limit: 3, cursor: 'abc' })
  })

  test('finds a business whose own number could be folded', async () => {
    const app = await createTestApp({
      readModel: createMemoryReadModel([toConversation({ businessAddress: 'whatsapp:+551187654321' })]),
    })
    const answer = await app.server.inject({
      url: '/api/conversations?address=whatsapp:%2B551187654321',
      headers: bearer,
    })
    expect(answer.json()).toMatchObject({ items: [{ id: conversationId }] })
  })

  test('answers one conversation and its lists', async () => {
    const app = await createTestApp({ readModel: createMemoryReadModel([toConversation()]) })
    const get = (path: string) =>
      app.server.inject({ url: `/api/conversations/${conversationId}${path}`, headers: bearer })
    expect((await get('')).json()).toEqual(toConversation())
    expect((await get('/messages')).json()).toEqual({ items: [], next: null })
    expect((await get('/events')).json()).toEqual({ items: [], next: null })
    expect((await get('/history')).json()).toMatchObject({ items: [{ toStatus: 'PENDING' }, { toStatus: 'PROGRESS' }] })
  })

  test.each(['', '/messages', '/history', '/events'])('knows no other conversation (%s)', async (path) => {
    const app = await createTestApp({ readModel: createMemoryReadModel([toConversation()]) })
    const other = conversationId.replace(/a$/, 'b')
    const answer = await app.server.inject({ url: `/api/conversations/${other}${path}`, headers: bearer })
    expect(answer.statusCode).toBe(404)
  })

  test.each([
    '/api/conversations?limit=0',
    '/api/conversations?limit=201',
    '/api/conversations?limit=1e9',
    '/api/conversations?limit=NaN',
    '/api/conversations?limit=-1',
    '/api/conversations?limit=',
    '/api/conversations?limit=1&limit=2',
    '/api/conversations?status=open',
    '/api/conversations?status=PENDING&status=PROGRESS',
    '/api/conversations?address=',
    `/api/conversations?address=${'x'.repeat(257)}`,
    '/api/conversations?address=%00',
    '/api/conversations?cursor=',
    '/api/conversations?cursor=%00',
    `/api/conversations?cursor=${'x'.repeat(2_000)}`,
    '/api/conversations/1',
    "/api/conversations/'%20or%201=1",
    `/api/conversations/${conversationId}/events?limit=1000`,
  ])('refuses %s with 400', async (url) => {
    const app = await createTestApp({ readModel: createMemoryReadModel([toConversation()]) })
    expect((await app.server.inject({ url, headers: bearer })).statusCode).toBe(400)
  })

  test.each([
    ['an id of 10 KB', 'x'.repeat(10_000), 414],
    ['a broken escape', '%zz', 400],
    ['dots', '%2e%2e', 404],
    ['a path that leads out', '../secret', 404],
    ['a list that does not exist', `${conversationId}/other`, 404],
  ])('has nothing under %s', async (_case, path, statusCode) => {
    const app = await createTestApp()
    const answer = await app.server.inject({ url: `/api/conversations/${path}`, headers: bearer })
    expect(answer.statusCode).toBe(statusCode)
    expect(answer.json()).toMatchObject({ type: 'about:blank', status: statusCode })
  })

  test('refuses a cursor that no list answered with 400', async () => {
    const refuse = async () => Promise.reject(new MalformedCursor('not ours'))
    const readModel: ReadModel = { ...createMemoryReadModel([]), listConversations: refuse }
    const app = await createTestApp({ readModel })
    expect((await app.server.inject({ url: '/api/conversations?cursor=abc', headers: bearer })).statusCode).toBe(400)
  })

  test('tells nothing of the inside when the inside fails', async () => {
    const fail = async () => Promise.reject(new Error('select * from secrets at /srv/duologue.ts:1'))
    const readModel: ReadModel = { ...createMemoryReadModel([]), listConversations: fail }
    const app = await createTestApp({ readModel })
    const answer = await app.server.inject({ url: '/api/conversations', headers: bearer })
    expect(answer.statusCode).toBe(500)
    expect(answer.body).not.toMatch(/select|secrets|\.ts|at /)
    expect(app.logged).toMatchObject([{ level: 'error', fields: { requestId: answer.json().requestId } }])
  })
})

describe('signing in', () => {
  test('by the printed link happens once, and leaves a cookie and a clean address', async () => {
    const app = await createAppWithPages()
    const code = app.issueSignInCode()
    const first = await app.server.inject(`/phone?code=${code}`)
    expect(first).toMatchObject({ statusCode: 303, headers: { location: '/phone', 'cache-control': 'no-store' } })
    expect(first.cookies).toMatchObject([{ httpOnly: true, sameSite: 'Strict', path: '/' }])
    const second = await app.server.inject(`/phone?code=${code}`)
    expect(second.statusCode).toBe(401)
    expect(second.body).toContain('Open this page with the link that Duologue printed when it started.')
    const page = await app.server.inject({ url: '/phone', headers: toCookie(first.cookies) })
    expect(page).toMatchObject({ statusCode: 200, body: '<!doctype html><title>Phone</title>' })
    const again = await app.server.inject({ url: `/phone?code=${code}`, headers: toCookie(first.cookies) })
    expect(again.statusCode).toBe(303)
  })

  test.each(['/phone', '/phone?code=', '/phone?code=nonsense', '/phone?code=a&code=b'])(
    'does not happen with %s',
    async (url) => {
      const app = await createAppWithPages()
      app.issueSignInCode()
      const answer = await app.server.inject(url)
      expect(answer.statusCode).toBe(401)
      expect(answer.cookies).toEqual([])
    },
  )

  test.each<[string, object]>([
    ['from another machine', { remoteAddress: '192.168.1.7' }],
    ['under a name that is not of this machine', { headers: { host: 'chat.example.com' } }],
    ['through a proxy', { headers: { 'x-forwarded-for': '203.0.113.9' } }],
  ])('is not possible %s', async (_case, how) => {
    const app = await createAppWithPages()
    const code = app.issueSignInCode()
    expect((await app.server.inject({ url: `/phone?code=${code}`, ...how })).statusCode).toBe(403)
    // The code was not used up by the stranger.
    expect((await app.server.inject(`/phone?code=${code}`)).statusCode).toBe(303)
  })

  test('opens the API for reading, on this machine only', async () => {
    const app = await createAppWithPages()
    const headers = await signIn(app)
    const url = '/api/conversations'
    expect((await app.server.inject({ url, headers })).statusCode).toBe(200)
    expect((await app.server.inject({ url, headers: { ...headers, host: 'evil.example.com' } })).statusCode).toBe(403)
    expect((await app.server.inject({ url, headers, remoteAddress: '192.168.1.7' })).statusCode).toBe(403)
    expect((await app.server.inject({ url, headers: { cookie: 'duologue-page=nonsense' } })).statusCode).toBe(401)
  })

  test('is not inherited by another process', async () => {
    const headers = await signIn(await createAppWithPages())
    expect((await (await createAppWithPages()).server.inject({ url: '/phone', headers })).statusCode).toBe(401)
  })
})

describe('files', () => {
  test('with a hash in their name are kept by browsers', async () => {
    const answer = await (await createAppWithPages()).server.inject('/assets/phone-1.js')
    expect(answer.headers).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': expect.stringContaining('immutable'),
    })
  })

  test.each([
    '/assets/../secret.txt',
    '/assets/%2e%2e/secret.txt',
    '/assets/..%2fsecret.txt',
    '/assets/',
    '/secret.txt',
    '/phone/index.html',
  ])('elsewhere are not served: %s', async (url) => {
    expect((await (await createAppWithPages()).server.inject(url)).statusCode).toBe(404)
  })

  test('that are not built stop the start with a sentence', async () => {
    const pages = { folder: join(folder, 'missing'), phone: null }
    await expect(createTestApp({ pages })).rejects.toThrow(/the pages in .*they are not built/)
  })
})

describe('a change from a page', () => {
  const message = { user, business, body: 'hello' }

  test.each<[string, { readonly [name: string]: string }, number]>([
    [
      'of the same origin',
      { origin: 'http://localhost:80', host: 'localhost:80', 'sec-fetch-site': 'same-origin' },
      202,
    ],
    ['of the same origin by its site alone', { 'sec-fetch-site': 'same-origin' }, 202],
    ['of another origin', { origin: 'https://evil.example.com', 'sec-fetch-site': 'cross-site' }, 403],
    ['of another port', { origin: 'http://localhost:3001', host: 'localhost:3000' }, 403],
    ['of a page that hides where it comes from', { origin: 'null' }, 403],
    ['that does not say where it comes from', {}, 403],
  ])('%s answers %i', async (_case, headers, statusCode) => {
    const app = await createAppWithPages()
    const cookie = await signIn(app)
    for (const url of ['/phone/api/messages', '/phone/api/advance']) {
      const payload = url.endsWith('advance') ? { user, business, byMs: 1_000 } : message
      const answer = await app.server.inject({ method: 'POST', url, headers: { ...cookie, ...headers }, payload })
      expect(answer.statusCode).toBe(statusCode)
    }
  })

  test('without the cookie is 401, with the API token too', async () => {
    const app = await createAppWithPages()
    const headers = { 'sec-fetch-site': 'same-origin' }
    const send = (more: object) =>
      app.server.inject({
        method: 'POST',
        url: '/phone/api/messages',
        headers: { ...headers, ...more },
        payload: message,
      })
    expect((await send({})).statusCode).toBe(401)
    expect((await send(bearer)).statusCode).toBe(401)
  })

  test.each([
    [{ ...message, user: 'alice' }, 400],
    [{ ...message, body: '' }, 400],
    [{ ...message, body: 'x'.repeat(1_601) }, 400],
    [{ ...message, extra: 1 }, 400],
    [{ user, business }, 400],
    [{ ...message, business: 'whatsapp:+19999999999' }, 404],
    [[], 400],
  ])('that says %j is refused with %i', async (payload, statusCode) => {
    const app = await createAppWithPages()
    const headers = { ...(await signIn(app)), 'sec-fetch-site': 'same-origin' }
    expect((await app.server.inject({ method: 'POST', url: '/phone/api/messages', headers, payload })).statusCode).toBe(
      statusCode,
    )
  })

  test('with a poisoned object is refused', async () => {
    const app = await createAppWithPages()
    const headers = { ...(await signIn(app)), 'sec-fetch-site': 'same-origin', 'content-type': 'application/json' }
    const payload = `{"user":"${user}","business":"${business}","body":"x","__proto__":{"polluted":1}}`
    expect((await app.server.inject({ method: 'POST', url: '/phone/api/messages', headers, payload })).statusCode).toBe(
      400,
    )
  })
})

describe('the stream', () => {
  const message: PhoneMessage = { id: 'SM1', direction: 'received', body: 'line\nbreak', status: 'sent', at: 1 }

  test('begins with all messages, then tells what changes, and ends when the service stops', async () => {
    const listeners = new Set<(message: PhoneMessage) => void>()
    const subscribe: PhoneService['subscribe'] = (_user, _business, listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    }
    const app = await createAppWithPages({
      pages: { folder, phone: { ...stillPhone, messages: () => [message], subscribe } },
    })
    await app.server.listen({ host: '127.0.0.1', port: 0 })
    onTestFinished(() => app.server.close())
    const url = app.server.listeningOrigin
    const signedIn = await fetch(`${url}/phone?code=${app.issueSignInCode()}`, { redirect: 'manual' })
    const cookie = signedIn.headers.get('set-cookie')?.split(';')[0] ?? ''
    const answer = await fetch(`${url}/phone/api/stream?${new URLSearchParams({ user, business }).toString()}`, {
      headers: { cookie },
    })
    expect(answer.headers.get('content-type')).toBe('text/event-stream')
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'")
    const reading = answer.text()
    await expect.poll(() => listeners.size).toBe(1)
    for (const listener of listeners) listener({ ...message, status: 'read' })
    await app.server.close()
    const events = (await reading).split('\n\n').filter((event) => event !== '')
    expect(events).toEqual([
      `event: messages\ndata: ${JSON.stringify([message])}`,
      `event: message\ndata: ${JSON.stringify({ ...message, status: 'read' })}`,
    ])
    await expect.poll(() => listeners.size).toBe(0)
  })

  test.each([
    [{}, 400],
    [{ user: 'alice', business }, 400],
    [{ user, business: 'whatsapp:+19999999999' }, 404],
  ])('of %j is refused with %i', async (query, statusCode) => {
    const app = await createAppWithPages()
    const url = `/phone/api/stream?${new URLSearchParams(Object.entries(query)).toString()}`
    expect((await app.server.inject({ url, headers: await signIn(app) })).statusCode).toBe(statusCode)
    expect((await app.server.inject(url)).statusCode).toBe(401)
  })
})

test('every answer carries the security headers, and the API is never stored', async () => {
  const app = await createAppWithPages()
  const cookie = await signIn(app)
  const urls = [
    '/healthz',
    '/phone',
    '/assets/phone-1.js',
    '/api/conversations',
    '/nowhere',
    `/api/conversations/${conversationId}`,
  ]
  const answers = await Promise.all(urls.map((url) => app.server.inject({ url, headers: cookie })))
  answers.push(await app.server.inject(toWebhookRequest(messagesPath, messageForm)))
  for (const { headers } of answers) {
    expect(headers['content-security-policy']).toContain("script-src 'self'")
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'")
    expect(headers['content-security-policy']).not.toContain('unsafe')
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' })
    expect(headers['access-control-allow-origin']).toBeUndefined()
  }
  for (const index of [3, 5]) expect(answers[index]?.headers['cache-control']).toBe('no-store')
})

function createAppWithPages(options: TestAppOptions = {}): Promise<TestApp> {
  return createTestApp({ pages: { folder, phone: stillPhone }, ...options })
}

async function signIn(app: TestApp): Promise<{ readonly cookie: string }> {
  const { cookies } = await app.server.inject(`/phone?code=${app.issueSignInCode()}`)
  return toCookie(cookies)
}

function toCookie(cookies: readonly { readonly name: string; readonly value: string }[]): { readonly cookie: string } {
  return { cookie: cookies.map(({ name, value }) => `${name}=${value}`).join('; ') }
}

/** Fastify prints its routes as a tree; each line adds to the path of the lines that are further out. */
function readRouteTable(table: string): readonly { readonly method: string; readonly path: string }[] {
  const parts: string[] = []
  return table.split('\n').flatMap((line) => {
    const found = /^([│ ]*)[├└]── (.*?)(?: \(([A-Z, ]+)\))?$/.exec(line)
    if (found === null) return []
    const [, indent = '', part = '', methods] = found
    const depth = indent.length / 4
    parts.splice(depth, parts.length, part)
    const path = parts.join('')
    return (methods?.split(', ') ?? []).map((method) => ({ method, path }))
  })
}
