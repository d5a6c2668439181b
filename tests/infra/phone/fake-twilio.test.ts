import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { createFakeTwilio, type FakeTwilio, type FakeTwilioOptions } from '../../../src/infra/phone/fake-twilio.ts'
import { readLedgerFile } from '../../../src/infra/phone/ledger.ts'
import { processClock } from '../../../src/infra/process/clock.ts'
import { accountSid, authToken } from '../twilio/webhook-fixture.ts'
import { startDuologueStub, type DuologueStub } from './duologue-stub.ts'

const user = 'whatsapp:+15005550006'
const business = 'whatsapp:+14155238886'
const quick = { sent: 5, delivered: 5, read: 5 }
const program = fileURLToPath(new URL('../../../src/infra/phone/fake-twilio-process.ts', import.meta.url))

let duologue: DuologueStub
let fake: FakeTwilio

beforeAll(async () => {
  duologue = await startDuologueStub(authToken)
  fake = await start({})
})
beforeEach(() => {
  duologue.received.splice(0)
  duologue.answers.splice(0)
})
afterAll(async () => {
  await fake.close()
  duologue.close()
})

describe("a user's message", () => {
  test('reaches the webhook signed, with the seventeen fields of real traffic', async () => {
    const { sid, statusCode } = await fake.receive({ from: user, to: business, body: 'Olá & até 👋' })
    expect(statusCode).toBe(200)
    const [received] = duologue.received
    expect(received).toMatchObject({ path: '/webhooks/twilio/messages', isSigned: true })
    expect(received?.form).toMatchObject({
      MessageSid: sid,
      From: user,
      To: business,
      Body: 'Olá & até 👋',
      WaId: '15005550006',
    })
    expect(Object.keys(received?.form ?? {}).toSorted()).toEqual(
      [
        'SmsMessageSid SmsSid MessageSid AccountSid ApiVersion From To Body NumMedia NumSegments SmsStatus ProfileName WaId',
        'MessageType ReferralNumMedia ChannelMetadata ExternalUserId',
      ]
        .join(' ')
        .split(' ')
        .toSorted(),
    )
  })

  test('by SMS carries no field of WhatsApp', async () => {
    await fake.receive({ from: '+15005550006', to: '+14155238886', body: 'hi' })
    expect(duologue.received[0]?.form).toMatchObject({ From: '+15005550006', FromCountry: 'US' })
    expect(duologue.received[0]?.form).not.toHaveProperty('WaId')
  })

  test('of a user without a phone number names the user id everywhere', async () => {
    await fake.receive({ from: 'whatsapp:US.1349', to: business, body: 'hi' })
    expect(duologue.received[0]?.form).toMatchObject({ From: 'whatsapp:US.1349', ExternalUserId: 'whatsapp:US.1349' })
    expect(duologue.received[0]?.form).not.toHaveProperty('WaId')
  })

  test('with attachments names them', async () => {
    const media = [{ url: 'https://example.com/a.png', contentType: 'image/png' }]
    await fake.receive({ from: user, to: business, body: '', media })
    expect(duologue.received[0]?.form).toMatchObject({
      NumMedia: '1',
      MediaUrl0: media[0]?.url,
      MediaContentType0: 'image/png',
    })
  })

  test('that is refused is known as not delivered', async () => {
    duologue.answers.push(503)
    const from = 'whatsapp:+15005550101'
    expect(await fake.receive({ from, to: business, body: 'hi' })).toMatchObject({ statusCode: 503 })
    expect(fake.messagesOf(from)).toMatchObject([{ status: 'failed', errorCode: 11200 }])
  })

  test('that is brought again is the same message, and stays delivered', async () => {
    const from = 'whatsapp:+15005550102'
    const { sid } = await fake.receive({ from, to: business, body: 'hi' })
    duologue.answers.push(500)
    await fake.receive({ from, to: business, body: 'hi', messageSid: sid })
    expect(new Set(duologue.received.map(({ form }) => form['MessageSid']))).toEqual(new Set([sid]))
    expect(fake.messagesOf(from)).toMatchObject([{ sid, status: 'received' }])
  })

  test('finds nobody where Duologue is not', async () => {
    const lonely = await start({ webhookBase: 'http://127.0.0.1:1' })
    onTestFinished(() => lonely.close())
    expect(await lonely.receive({ from: user, to: business, body: 'hi' })).toMatchObject({ statusCode: 0 })
  })
})

describe('a sent message', () => {
  test('is sent, delivered and read, in this order, each told by a signed callback to its own URL', async () => {
    const sid = await send({})
    await expect
      .poll(() => duologue.received.map(({ form }) => form['MessageStatus']))
      .toEqual(['sent', 'delivered', 'read'])
    expect(duologue.received.every(({ isSigned, path }) => isSigned && path === '/status?effect=e1')).toBe(true)
    expect(duologue.received[2]?.form).toMatchObject({ MessageSid: sid, To: user, From: business, EventType: 'READ' })
  })

  test('by SMS is never read', async () => {
    await send({ To: '+15005550006', From: '+14155238886' })
    await expect.poll(() => duologue.received.map(({ form }) => form['MessageStatus'])).toEqual(['sent', 'delivered'])
  })

  test('is told again when nobody listened, before the next thing happens', async () => {
    duologue.answers.push(503)
    await send({})
    const statuses = ['sent', 'sent', 'delivered', 'read']
    await expect.poll(() => duologue.received.map(({ form }) => form['MessageStatus'])).toEqual(statuses)
  })

  test('outside the window is accepted and then not delivered, with the code', async () => {
    fake.addFault({ kind: 'window-closed', delayMs: 0, callbacks: true }, 1)
    await send({})
    await expect.poll(() => duologue.received.map(({ form }) => form['MessageStatus'])).toEqual(['sent', 'undelivered'])
    expect(duologue.received[1]?.form).toMatchObject({ ErrorCode: '63016', EventType: 'UNDELIVERED' })
  })

  test('without callbacks goes its way in silence', async () => {
    await control('faults', { kind: 'none', callbacks: false })
    const sid = await send({})
    await expect.poll(async () => (await read(`/${sid}.json`)).status).toBe('read')
    expect(duologue.received).toEqual([])
  })
})

describe('the REST API', () => {
  test.each([
    ['nobody', ''],
    ['somebody else', `Basic ${Buffer.from('AC1:x').toString('base64')}`],
    ['a wrong token', `Basic ${Buffer.from(`${accountSid}:x`).toString('base64')}`],
  ])('answers %s with 401 and code 20003', async (_case, authorization) => {
    const answer = await fetch(toUrl('.json'), { headers: { authorization } })
    expect(answer.status).toBe(401)
    expect(await answer.json()).toMatchObject({ code: 20003, status: 401 })
  })

  test('knows no other account and no other message', async () => {
    const other = toUrl('.json').replace(accountSid, `AC${'f'.repeat(32)}`)
    expect((await fetch(other, { headers: basic })).status).toBe(404)
    expect((await fetch(toUrl(`/SM${'0'.repeat(32)}.json`), { headers: basic })).status).toBe(404)
  })

  test.each<[string, { [field: string]: string }, number]>([
    ['To', { To: '' }, 21604],
    ['From', { From: '' }, 21603],
    ['a text', { Body: '' }, 21619],
    ['a real number', { To: '+1' }, 21211],
    ['one channel', { To: '+15005550006' }, 63007],
  ])('refuses a message without %s', async (_case, fields, code) => {
    const answer = await post(fields)
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ code, status: 400 })
  })

  test('lists by address and by date, newest first, page by page', async () => {
    const To = 'whatsapp:+15005550777'
    const sids: string[] = []
    for (const Body of ['one', 'two', 'three']) {
      sids.unshift(await send({ To, Body }))
      await expect.poll(async () => (await read(`/${sids[0]}.json`)).status).toBe('read')
    }
    const query = new URLSearchParams({ To, From: business, 'DateSent>': '2020-01-01', PageSize: '2' })
    const first = await read(`.json?${query.toString()}`)
    expect(first).toMatchObject({ page: 0, page_size: 2, start: 0, end: 1, previous_page_uri: null })
    const second = (await (await fetch(fake.url + first.next_page_uri, { headers: basic })).json()) as {
      messages: { sid: string }[]
    }
    expect(second).toMatchObject({ page: 1, next_page_uri: null })
    const listed = [...first.messages, ...second.messages].map(({ sid }: { sid: string }) => sid)
    expect(listed.toSorted()).toEqual(sids.toSorted())
    expect((await read(`.json?${new URLSearchParams({ To, 'DateSent>': '2100-01-01' }).toString()}`)).messages).toEqual(
      [],
    )
    expect((await read(`.json?${new URLSearchParams({ To, 'DateSent<': '2020-01-01' }).toString()}`)).messages).toEqual(
      [],
    )
  })
})

describe('the controls', () => {
  test('let a user write, and show the ledger', async () => {
    const from = 'whatsapp:+15005550888'
    expect(await (await control('inbound', { from, to: business, body: 'hi' })).json()).toMatchObject({
      statusCode: 200,
    })
    const { items } = (await (await fetch(`${fake.url}/fake/messages`)).json()) as { items: object[] }
    expect(items).toContainEqual(expect.objectContaining({ from, body: 'hi', status: 'received' }))
  })

  test.each([
    ['inbound', { from: user }],
    ['faults', { kind: 'nonsense' }],
    ['webhook', { webhookBase: 'nonsense' }],
  ])('refuse what they do not understand (%s)', async (name, body) => {
    expect((await control(name, body)).status).toBe(400)
  })

  test('cannot be called by a foreign web page, which may not send JSON', async () => {
    const answer = await fetch(`${fake.url}/fake/faults`, { method: 'POST', body: '{"kind":"drop"}' })
    expect(answer.status).toBe(415)
  })
})

describe('the ledger', () => {
  const folder = mkdtempSync(join(tmpdir(), 'duologue-ledger-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  test('of a killed process has everything that was accepted, and its successor goes on', async () => {
    const ledgerFile = join(folder, 'killed.jsonl')
    const settings = {
      accountSid,
      authToken,
      ledgerFile,
      webhookBase: duologue.url,
      statusDelaysMs: { sent: 60_000, delivered: 5, read: 5 },
    }
    const child = spawn(process.execPath, [program, JSON.stringify(settings)], { stdio: ['pipe', 'pipe', 'inherit'] })
    onTestFinished(() => void child.kill('SIGKILL'))
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
    const { url } = JSON.parse(line) as { url: string }
    const sid = await send({}, url)
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(readLedgerFile(ledgerFile)).toMatchObject([{ sid, status: 'queued' }])
    appendFileSync(ledgerFile, '{"sid":"SMtorn')
    const successor = await start({ ledgerFile })
    onTestFinished(() => successor.close())
    await expect
      .poll(() => duologue.received.map(({ form }) => form['MessageStatus']))
      .toEqual(['sent', 'delivered', 'read'])
    expect(successor.messagesOf(user)).toMatchObject([{ sid, status: 'read' }])
    const statuses = readLedgerFile(ledgerFile).map((message) => message.status)
    expect(statuses).toEqual(['queued', 'sent', 'delivered', 'read'])
  })
})

const basic = { authorization: `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}` }

function start(changes: Partial<FakeTwilioOptions>): Promise<FakeTwilio> {
  const options = { accountSid, authToken, clock: processClock, ledgerFile: null, webhookBase: duologue.url }
  return createFakeTwilio({ ...options, statusDelaysMs: quick, ...changes })
}

function toUrl(rest: string, base = fake.url): string {
  return `${base}/2010-04-01/Accounts/${accountSid}/Messages${rest}`
}

function post(fields: { [field: string]: string }, base = fake.url): Promise<Response> {
  const form = {
    To: user,
    From: business,
    Body: 'Hello',
    StatusCallback: `${duologue.url}/status?effect=e1`,
    ...fields,
  }
  return fetch(toUrl('.json', base), { method: 'POST', headers: basic, body: new URLSearchParams(form) })
}

async function send(fields: { [field: string]: string }, base = fake.url): Promise<string> {
  const answer = await post(fields, base)
  expect(answer.status).toBe(201)
  return ((await answer.json()) as { sid: string }).sid
}

async function read(rest: string): Promise<any> {
  return (await fetch(toUrl(rest), { headers: basic })).json()
}

function control(name: string, body: object): Promise<Response> {
  const headers = { 'content-type': 'application/json' }
  return fetch(`${fake.url}/fake/${name}`, { method: 'POST', headers, body: JSON.stringify(body) })
}
