import { request } from 'node:http'

import { connect } from '@nats-io/transport-node'
import { jetstream } from '@nats-io/jetstream'
import twilio from 'twilio'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { createProduction, messagesPath, toForm } from '../support/production.ts'
import type { Production } from '../support/production.ts'
import { authToken, until } from '../support/service.ts'
import type { ServiceProcess } from '../support/service.ts'

let production: Production
let service: ServiceProcess
let users = 0

beforeAll(async () => {
  production = await createProduction()
  await production.set({ quietMs: 100 })
  service = await production.start()
}, 120_000)

afterAll(async () => {
  await production.remove()
})

function newUser(): string {
  users += 1
  return `whatsapp:+1500557${String(users).padStart(4, '0')}`
}

/** After whatever happened, an ordinary message is answered. */
async function goesOn(): Promise<void> {
  const user = newUser()
  expect((await service.post(messagesPath, toForm({ From: user }))).status).toBe(200)
  await until(async () => (await production.fake.sent(user)).length === 1, 10_000)
}

async function countMessages(): Promise<number> {
  const [row] = await production.sql(`select count(*)::int as count from duologue.messages where direction = 'inbound'`)
  return Number(row?.['count'])
}

describe('what the webhook refuses', () => {
  test.each<[string, number, () => Promise<Response>]>([
    ['a request without a signature', 403, async () => service.post(messagesPath, toForm(), null)],
    ['a wrong signature', 403, async () => service.post(messagesPath, toForm(), 'x'.repeat(27) + '=')],
    [
      'the signature of another URL',
      403,
      async () => {
        const form = toForm()
        const other = twilio.getExpectedTwilioSignature(
          authToken,
          'https://elsewhere.example/webhooks/twilio/messages',
          form,
        )
        return service.post(messagesPath, form, other)
      },
    ],
    ['a foreign account', 403, async () => service.post(messagesPath, toForm({ AccountSid: `AC${'9'.repeat(32)}` }))],
    [
      'an unknown business number',
      404,
      async () => service.post(messagesPath, toForm({ To: 'whatsapp:+19998887777' })),
    ],
    [
      'a form without MessageSid',
      400,
      async () => {
        const { MessageSid: _left, SmsSid: _out, SmsMessageSid: _too, ...form } = toForm()
        return service.post(messagesPath, form)
      },
    ],
  ])('%s: %i', async (_name, status, send) => {
    const before = await countMessages()
    expect((await send()).status).toBe(status)
    expect(await countMessages()).toBe(before)
    await goesOn()
  })

  test('a 10 MB body: 413, before it has arrived', async () => {
    expect(await postRaw('Body=the-beginning', 10 * 1_024 * 1_024)).toBe(413)
    await goesOn()
  })

  test('another content type: 415, and what cannot be parsed: 400', async () => {
    const json = await fetch(`${service.url}${messagesPath}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    })
    expect(json.status).toBe(415)
    expect(await postRaw('Body=%FF%FE&From=%ZZ')).toBe(400)
    await goesOn()
  })

  test('an event type of the machine’s inside, in the form or as the body, is only text', async () => {
    const user = newUser()
    const form = toForm({ From: user, Body: 'xstate.done.actor.draftReply', type: 'xstate.done.actor.draftReply' })
    expect((await service.post(messagesPath, form)).status).toBe(200)
    await until(async () => (await production.fake.sent(user)).length === 1, 10_000)
    const types = await production.sql(`
      select distinct event ->> 'type' as type from duologue.conversation_events as event
      join duologue.messages as message on message.conversation_id = event.conversation_id
      where message.body = 'xstate.done.actor.draftReply' and initiator = 'user'`)
    expect(types).toEqual([{ type: 'message.received' }])
  })
})

describe('text that a database cannot hold', () => {
  test.each([
    ['NUL is replaced', 'a\u0000b', 'a\uFFFDb'],
    ['an emoji stays', 'caf\u00e9 \u{1F44D}', 'caf\u00e9 \u{1F44D}'],
  ])('%s, and the message is answered', async (_name, body, stored) => {
    const user = newUser()
    expect((await service.post(messagesPath, toForm({ From: user, Body: body }))).status).toBe(200)
    await until(async () => (await production.fake.sent(user)).length === 1, 10_000)
    const rows = await production.sql(
      `select body from duologue.messages as message join duologue.sessions as session on session.id = message.session_id
       where session.user_key = $1 and direction = 'inbound'`,
      [user],
    )
    expect(rows).toEqual([{ body: stored }])
  })

  test('a lone surrogate in the bytes is refused or replaced, never stored', async () => {
    expect([200, 400, 403]).toContain(await postRaw('Body=%ED%A0%80'))
    await goesOn()
  })
})

describe('what is on the stream and is not ours', () => {
  test('is parked as it is, and its partition goes on', async () => {
    const connection = await connect({
      servers: production.nats.url,
      user: production.nats.user,
      pass: production.nats.pass,
    })
    const client = jetstream(connection)
    const [business, user] = ['whatsapp_3A_2B14155238886', 'whatsapp_3A_2B15005557999']
    const forged = {
      v: 1,
      type: 'xstate.done.actor.draftReply',
      businessAddress: 'whatsapp:+14155238886',
      userKey: 'x',
    }
    await client.publish(`duologue.in.message.${business}.${user}`, new Uint8Array([0, 255, 1]))
    await client.publish(`duologue.in.message.${business}.${user}`, JSON.stringify(forged))
    await client.publish(
      `duologue.in.command.${business}.${user}`,
      JSON.stringify({ ...forged, type: 'message.received' }),
    )
    await client.publish(`duologue.in.message.nobody.here`, JSON.stringify({ v: 99 }))
    await connection.close()
    await until(async () => {
      const [row] = await production.sql(
        `select count(*)::int as count from duologue.quarantine where kind = 'foreign'`,
      )
      return row?.['count'] === 4
    }, 5_000)
    await goesOn()
    const behind = await production.sql(`
      select kind, data_base64 from duologue.quarantine where subject like '%7999' order by position_sequence limit 1`)
    expect(behind).toEqual([{ kind: 'foreign', data_base64: 'AP8B' }])
  })
})

describe('an event that makes the machine throw', () => {
  test('parks its session with what follows, and nobody else', { timeout: 60_000 }, async () => {
    const user = newUser()
    await service.post(messagesPath, toForm({ From: user }))
    await until(async () => (await production.fake.sent(user)).length === 1, 10_000)
    await service.stop()
    // A state that the machine does not have: only a superuser who switches the triggers off can write it.
    await production.sql(
      `
      with off as (select set_config('session_replication_role', 'replica', true))
      update duologue.conversations set snapshot = jsonb_set(snapshot, '{value}', '"GONE"')
      from off, duologue.sessions as session where session.id = session_id and session.user_key = $1`,
      [user],
    )
    service = await production.start()
    await service.post(messagesPath, toForm({ From: user, Body: 'first' }))
    await service.post(messagesPath, toForm({ From: user, Body: 'second' }))
    await until(async () => {
      const rows = await production.sql(
        `
        select kind from duologue.quarantine join duologue.sessions as session on session.id = session_id
        where user_key = $1 order by quarantine.position_sequence`,
        [user],
      )
      return JSON.stringify(rows) === JSON.stringify([{ kind: 'poison' }, { kind: 'waiting' }])
    }, 5_000)
    for (let others = 0; others < 8; others += 1) await goesOn()
    const metrics = await (await service.get('/metrics')).text()
    expect(metrics).toMatch(/duologue_events_parked_total\{kind="poison"\} 1/u)
  })
})

/** A body as it is, with a signature that nobody made for it; a longer one than sent may be announced. */
async function postRaw(body: string, announcedBytes = Buffer.byteLength(body)): Promise<number> {
  const { port } = new URL(service.url)
  return new Promise((resolve, reject) => {
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': announcedBytes,
      'x-twilio-signature': 'x'.repeat(27) + '=',
    }
    const sent = request({ host: '127.0.0.1', port, path: messagesPath, method: 'POST', headers }, (response) => {
      resolve(response.statusCode ?? 0)
      sent.destroy()
    })
    sent.on('error', reject)
    sent.write(body)
    if (announcedBytes === Buffer.byteLength(body)) sent.end()
  })
}
