import { afterAll, beforeAll, expect, test } from 'vitest'

import { createFakeTwilio, type FakeTwilio } from '../../../src/infra/phone/fake-twilio.ts'
import { processClock } from '../../../src/infra/process/clock.ts'
import { listReceivedMessages } from '../../../src/infra/twilio/received-messages.ts'
import { createRestConnection, type RestConnection } from '../../../src/infra/twilio/rest-connection.ts'
import { accountSid, authToken } from './webhook-fixture.ts'

const business = 'whatsapp:+14155238886'
const numbers = [business, 'sms:+14155238886']
let fake: FakeTwilio
let connection: RestConnection
/** The fake's clock: Twilio's dates are whole seconds. */
let now = Date.parse('2026-11-25T08:00:00.000Z')

beforeAll(async () => {
  const clock = { ...processClock, now: () => now }
  // Nobody answers its webhook: what it brings is lost.
  fake = await createFakeTwilio({ accountSid, authToken, ledgerFile: null, clock, webhookBase: 'http://127.0.0.1:9' })
  connection = createRestConnection({ clock: processClock, timeoutMs: 5_000 })
})
afterAll(async () => {
  connection.close()
  await fake.close()
})

const list = async (since: number) =>
  listReceivedMessages({ accountSid, authToken, apiUrl: fake.url, connection }, numbers, since)

test('what users sent to our numbers is listed, oldest first, as their webhooks would have said it', async () => {
  const from = 'whatsapp:+551187654321'
  await fake.receive({ from, to: business, body: 'before' })
  now += 10_000
  const since = now
  await fake.receive({ from, to: business, body: 'one' })
  await fake.receive({ from, to: business, body: 'two\u0000' })
  now += 1_000
  await fake.receive({ from: '+15005550006', to: '+14155238886', body: 'by text message' })
  await fake.receive({ from, to: 'whatsapp:+14155230000', body: 'to somebody else' })
  const messages = await list(since)
  expect(messages.map(({ body }) => body)).toEqual(['one', 'two\uFFFD', 'by text message'])
  expect(messages[0]).toMatchObject({
    type: 'message.received',
    businessAddress: business,
    userKey: 'whatsapp:+5511987654321',
    replyAddress: from,
    providerId: expect.stringMatching(/^SM[0-9a-f]{32}$/u),
    receivedAt: since,
    media: [],
    raw: { Body: 'one', Recovered: 'true' },
  })
  expect(messages[2]).toMatchObject({ businessAddress: 'sms:+14155238886', userKey: 'sms:+15005550006' })
})

test('media come with the links at which Twilio keeps them', async () => {
  now += 60_000
  const media = [{ url: 'https://example.com/cat.jpg', contentType: 'image/jpeg' }]
  const { sid } = await fake.receive({ from: 'whatsapp:+15005550007', to: business, body: '', media })
  const [message] = await list(now)
  expect(message?.media).toEqual([
    {
      url: `${fake.url}/2010-04-01/Accounts/${accountSid}/Messages/${sid}/Media/ME${'0'.repeat(32)}`,
      contentType: 'application/octet-stream',
    },
  ])
})

test('many pages are one list, in order', async () => {
  now += 60_000
  const since = now
  for (let index = 0; index < 1_100; index += 1) {
    if (index % 100 === 0) now += 1_000
    await fake.receive({ from: 'whatsapp:+15005550008', to: business, body: String(index) })
  }
  const bodies = (await list(since)).map(({ body }) => Number(body))
  expect(bodies).toEqual(Array.from({ length: 1_100 }, (_, index) => index))
}, 120_000)

test('a Twilio that does not answer lists nothing: it rejects', async () => {
  const elsewhere = { accountSid, authToken, apiUrl: 'http://127.0.0.1:9', connection }
  await expect(listReceivedMessages(elsewhere, numbers, now)).rejects.toThrow()
})
