/**
 * Two tenants on one running service: made by the command line, each with its own account, secret and API token, their
 * traffic interleaved. Neither sees, changes or signs for what is of the other.
 */
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import twilio from 'twilio'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { runCommand } from '../support/command.ts'
import { newPerson, readInbound, readStored } from '../support/people.ts'
import type { Person } from '../support/people.ts'
import { createProduction, messagesPath, toForm } from '../support/production.ts'
import type { Production } from '../support/production.ts'
import { accountSid, apiToken, authToken, business, makeTemporaryFolder, until } from '../support/service.ts'
import type { ServiceProcess } from '../support/service.ts'

type Sent = { readonly account: string; readonly credentials: string; readonly from: string; readonly to: string }

const acme = {
  business: 'whatsapp:+14155239001',
  accountSid: `AC${'2'.repeat(32)}`,
  tokens: ['the-old-token-of-acme', 'the-new-token-of-acme'] as const,
}
/** Accounts of our own settings, another number of the same account. */
const ours = { business, accountSid, tokens: [authToken] as const }

let production: Production
let provider: { readonly server: Server; readonly sent: Sent[] }
let folder: Awaited<ReturnType<typeof makeTemporaryFolder>>
let service: ServiceProcess
let env: { readonly [name: string]: string }
let acmeToken = ''

beforeAll(async () => {
  production = await createProduction()
  await production.set({ quietMs: 30, quietMaxMs: 60 })
  folder = await makeTemporaryFolder()
  provider = await startProvider()
  const { port } = provider.server.address() as AddressInfo
  const http = production.database.http
  env = { SUPABASE_URL: http?.url ?? '', SUPABASE_SECRET_KEY: http?.secretKey ?? '' }
  await writeFile(secretFile(), acme.tokens[0])
  service = await production.start({ TWILIO_API_URL: `http://127.0.0.1:${port}` })
  const channel = ['channel', 'acme', acme.business, '--account', acme.accountSid, '--secret', `file:${secretFile()}`]
  const settings = ['set', 'acme', 'quietMs=30', 'quietMaxMs=60', 'language=pt']
  for (const words of [['add', 'acme'], settings, channel]) {
    const { exitCode, stderr } = await runCommand(['tenant', ...words], env)
    if (exitCode !== 0) throw new Error(stderr)
  }
  const made = await runCommand(['tenant', 'token', 'acme', 'add', 'ci', '--json'], env)
  acmeToken = (JSON.parse(made.stdout) as { token: string }).token
}, 120_000)

afterAll(async () => {
  await production?.remove()
  provider?.server.close()
  await folder?.remove()
})

const secretFile = (): string => join(folder.path, 'acme-token')

/** A provider that takes every message and remembers who sent it. */
async function startProvider(): Promise<typeof provider> {
  const sent: Sent[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => (body += String(chunk)))
    request.on('end', () => {
      const [, account = ''] = /Accounts\/(AC\w+)\//.exec(request.url ?? '') ?? []
      const credentials = Buffer.from((request.headers.authorization ?? '').slice('Basic '.length), 'base64').toString()
      const form = new URLSearchParams(body)
      sent.push({ account, credentials, from: form.get('From') ?? '', to: form.get('To') ?? '' })
      const sid = `SM${String(sent.length).padStart(32, '0')}`
      response.writeHead(201, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ sid, status: 'queued' }))
    })
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => {
    server.once('listening', resolve)
  })
  return { server, sent }
}

type Sender = { readonly business: string; readonly accountSid: string }

async function post(to: Sender, { phone, bsuid }: Person, body: string, token: string | null): Promise<number> {
  const form = toForm({ From: phone, To: to.business, AccountSid: to.accountSid, Body: body, ExternalUserId: bsuid })
  const signature = token === null ? null : twilio.getExpectedTwilioSignature(token, service.url + messagesPath, form)
  return (await service.post(messagesPath, form, signature)).status
}

async function ask(method: string, path: string, token: string, body?: object) {
  const response = await fetch(`${service.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  return { status: response.status, text: await response.text() }
}

describe('a webhook', () => {
  test('is taken when the account of its number has signed it, and sends go out through that account', async () => {
    const person = newPerson()
    await until(async () => (await post(acme, person, 'acme hello', acme.tokens[0])) === 200, 15_000)
    await readStored(production, 'acme hello', 1)
    await until(() => provider.sent.some(({ to }) => to === person.phone), 20_000)
    expect(provider.sent.find(({ to }) => to === person.phone)).toEqual({
      account: acme.accountSid,
      credentials: `${acme.accountSid}:${acme.tokens[0]}`,
      from: acme.business,
      to: person.phone,
    })
  }, 60_000)

  test.each([
    ["one tenant's token for another tenant's number", acme, ours.tokens[0], 403],
    ['the other way round', ours, acme.tokens[0], 403],
    ["another tenant's account", { ...acme, accountSid }, acme.tokens[0], 403],
    ["another tenant's account, signed by it", { ...acme, accountSid }, ours.tokens[0], 403],
    ['a token of nobody', acme, 'nonsense', 403],
    ['no signature', acme, null, 403],
    ['a number that nobody has', { ...ours, business: 'whatsapp:+14155239999' }, ours.tokens[0], 404],
  ])('with %s is refused', async (_case, to, token, status) => {
    const body = `refused ${crypto.randomUUID()}`
    expect(await post(to, newPerson(), body, token)).toBe(status)
    expect(await readInbound(production, `message.body = '${body}'`)).toEqual([])
  })

  test('is taken with either of two tokens while they are rotated, and with the old one no more afterwards', async () => {
    const says = async (token: string) => post(acme, newPerson(), 'rotation', token)
    expect(await says(acme.tokens[1])).toBe(403)
    await writeFile(secretFile(), acme.tokens.join('\n'))
    await until(async () => (await says(acme.tokens[1])) === 200, 20_000)
    expect(await says(acme.tokens[0])).toBe(200)
    await writeFile(secretFile(), acme.tokens[1])
    await until(async () => (await says(acme.tokens[0])) === 403, 20_000)
    expect(await says(acme.tokens[1])).toBe(200)
  }, 60_000)
})

describe('two tenants whose users write at the same time', () => {
  test('the API shows each its own, and nothing of the other can be read, commanded, linked or released', async () => {
    await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const person = newPerson()
        const statuses = [
          await post(acme, person, `secret-of-acme ${index}`, acme.tokens[1]),
          await post(ours, person, `secret-of-ours ${index}`, ours.tokens[0]),
        ]
        expect(statuses).toEqual([200, 200])
      }),
    )
    const acmes = await readStored(production, 'secret-of-acme ', 20)
    const others = await readStored(production, 'secret-of-ours ', 20)
    expect([acmes.size, others.size]).toEqual([20, 20])
    expect([...acmes.keys()].filter((id) => others.has(id))).toEqual([])

    const [row] = await readInbound(production, `message.body = 'secret-of-ours 7'`)
    const { session_id: sessionId, conversation_id: conversationId, user_key: userKey } = row ?? {}
    const mine = await ask('GET', '/api/conversations?limit=200', acmeToken)
    expect(mine.status).toBe(200)
    const { items } = JSON.parse(mine.text) as { items: { businessAddress: string }[] }
    expect(items.length).toBeGreaterThanOrEqual(20)
    expect(new Set(items.map(({ businessAddress }) => businessAddress))).toEqual(new Set([acme.business]))
    const ofUser = await ask('GET', `/api/conversations?address=${encodeURIComponent(String(userKey))}`, acmeToken)
    expect(ofUser.text).not.toContain(String(conversationId))

    const document = (await (await service.get('/api/openapi.json')).json()) as {
      paths: { [path: string]: { [method: string]: { security: object[] } } }
    }
    let refused = 0
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const [method, { security }] of Object.entries(methods)) {
        if (!path.startsWith('/api/') || security.length === 0) continue
        for (const id of [conversationId, sessionId]) {
          const url = path.replaceAll(/\{\w+\}/gu, String(id))
          const body = { operatorId: 'eve', address: userKey, as: 'agent', to: 'eve', body: 'x', reason: 'r' }
          const wanted = await bodyOf(method, path, body)
          const answer = await ask(method.toUpperCase(), url, acmeToken, wanted)
          expect(answer.text, `${method} ${path}`).not.toContain('secret-of-ours')
          expect(answer.text.includes(business), `${method} ${path}`).toBe(false)
          if (!path.includes('{')) continue
          expect([400, 403, 404], `${method} ${path} ${answer.text}`).toContain(answer.status)
          refused += 1
        }
      }
    }
    expect(refused).toBeGreaterThan(30)
    const touched = await production.sql(
      `select 'command' as what from duologue.commands where session_id = '${String(sessionId)}'
      union all select 'event' from duologue.conversation_events
      where conversation_id = '${String(conversationId)}' and event ->> 'operatorId' is not null
      union all select 'link' from duologue.session_links where into_session_id = '${String(sessionId)}'`,
    )
    expect(touched).toEqual([])
    expect((await service.get(`/api/conversations/${String(conversationId)}`)).status).toBe(200)
  }, 120_000)

  test('a tenant commands and links what is its own', async () => {
    const [one, other] = [newPerson(), newPerson()]
    await post(acme, one, 'own one', acme.tokens[1])
    await post(acme, other, 'own other', acme.tokens[1])
    const [row] = await readInbound(production, `message.body = 'own one'`).then(async (rows) => {
      if (rows.length > 0) return rows
      await readStored(production, 'own ', 2)
      return readInbound(production, `message.body = 'own one'`)
    })
    await readStored(production, 'own ', 2)
    const handoff = await ask('POST', `/api/conversations/${String(row?.['conversation_id'])}/handoff`, acmeToken, {
      reason: 'r',
    })
    expect(handoff.status).toBe(200)
    const order = { address: other.phone, operatorId: 'ana', reason: 'r' }
    const linked = await ask('POST', `/api/sessions/${String(row?.['session_id'])}/link`, acmeToken, order)
    expect(linked.status).toBe(200)
    const stranger = newPerson()
    await post(ours, stranger, 'stranger', ours.tokens[0])
    const across = await ask('POST', `/api/sessions/${String(row?.['session_id'])}/link`, acmeToken, {
      ...order,
      address: stranger.phone,
    })
    // It is an address of nobody at this tenant: announcing it changes nothing at the other one.
    expect(across.status).toBe(200)
    await post(ours, stranger, 'stranger again', ours.tokens[0])
    expect((await readStored(production, 'stranger', 2)).size).toBe(1)
  }, 60_000)

  test('a token that is revoked is refused within seconds, and one tenant cannot revoke it for another', async () => {
    const foreign = await runCommand(['tenant', 'token', 'default', 'revoke', 'ci'], env)
    expect(foreign).toMatchObject({ exitCode: 1, stderr: 'duologue: tenant default has no valid token ci\n' })
    expect((await ask('GET', '/api/conversations', acmeToken)).status).toBe(200)
    expect(await runCommand(['tenant', 'token', 'acme', 'revoke', 'ci'], env)).toMatchObject({ exitCode: 0 })
    await until(async () => (await ask('GET', '/api/conversations', acmeToken)).status === 401, 15_000)
    expect((await ask('GET', '/api/conversations', apiToken)).status).toBe(200)
  }, 60_000)
})

async function bodyOf(method: string, path: string, all: { readonly [field: string]: unknown }) {
  if (method === 'get') return undefined
  const [fields = []] = Object.entries(bodyFields).flatMap(([end, names]) => (path.endsWith(end) ? [names] : []))
  return Object.fromEntries(fields.map((name) => [name, all[name]]))
}

/** A whole order for each command, so that it is refused for whose it is and not for its form. */
const bodyFields: { readonly [end: string]: readonly string[] } = {
  '/handoff': ['operatorId', 'reason'],
  '/assign': ['operatorId'],
  '/reply': ['operatorId', 'body'],
  '/release': ['operatorId'],
  '/transfer': ['operatorId', 'to'],
  '/escalate': ['operatorId', 'reason'],
  '/extend': ['operatorId'],
  '/close': ['operatorId', 'as', 'reason'],
  '/link': ['address', 'operatorId', 'reason'],
  '/unlink': ['address', 'operatorId', 'reason'],
}
