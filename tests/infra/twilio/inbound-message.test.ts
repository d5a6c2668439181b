import { describe, expect, test } from 'vitest'
import { toLoggedDelivery } from '../../../src/infra/twilio/delivery.ts'
import type { TwilioForm } from '../../../src/infra/twilio/form.ts'
import { toLoggedMessage } from '../../../src/infra/twilio/inbound-message.ts'
import { accountSid, deliveryForm, messageForm, messageSid } from './webhook-fixture.ts'

const receivedAt = 1_790_000_000_000

describe('a message', () => {
  test('keeps what the user wrote and every field that came', () => {
    expect(toLoggedMessage(messageForm, receivedAt)).toEqual({
      kind: 'event',
      accountSid,
      event: {
        v: 1,
        type: 'message.received',
        businessAddress: 'whatsapp:+14155238886',
        userKey: 'whatsapp:+15005550006',
        identities: ['whatsapp:+15005550006', 'whatsapp:US.1234567890123456'],
        replyAddress: 'whatsapp:+15005550006',
        providerId: messageSid,
        body: messageForm.Body,
        media: [],
        profileName: 'Maria José 👋',
        receivedAt,
        raw: messageForm,
      },
    })
  })

  test('is answered at the address that it came from, whatever the key is', () => {
    const event = read({ From: 'whatsapp:+551187654321', WaId: '551187654321' })
    expect(event.userKey).toBe('whatsapp:+5511987654321')
    expect(event.replyAddress).toBe('whatsapp:+551187654321')
  })

  test.each([
    ['AccountSid', undefined],
    ['MessageSid', undefined],
    ['MessageSid', 'SM123'],
    ['MessageSid', `XX${'0'.repeat(32)}`],
    ['MessageSid', `SM${'g'.repeat(32)}`],
    ['MessageSid', [messageSid, messageSid]],
    ['From', undefined],
    ['From', 'My.Brand'],
    ['From', 'client:alice'],
    ['To', undefined],
    ['To', ''],
    ['To', 'whatsapp:'],
  ])('is malformed when %s is %j', (field, value) => {
    const form = { ...messageForm, [field]: value } as TwilioForm
    expect(toLoggedMessage(form, receivedAt)).toMatchObject({ kind: 'malformed' })
  })

  test('without text is an empty text', () => {
    expect(read({ Body: '' }).body).toBe('')
    expect(read({ Body: undefined }).body).toBe('')
  })

  test('has NUL and lone surrogates replaced, in the text and in the raw form', () => {
    const event = read({ Body: 'a\0b\ud800c', ProfileName: '\udfff', 'X\0': ['\0', 'ok'] })
    expect(event.body).toBe('a\uFFFDb\uFFFDc')
    expect(event.profileName).toBe('\uFFFD')
    expect(event.raw).toMatchObject({ Body: 'a\uFFFDb\uFFFDc', 'X\uFFFD': ['\uFFFD', 'ok'] })
    expect(JSON.stringify(event)).not.toMatch(/\\u0000|\\ud800/)
  })

  test('keeps fields named like prototype keys as fields', () => {
    const form: TwilioForm = Object.assign(Object.create(null), { ...messageForm, constructor: 'x' })
    Object.defineProperty(form, '__proto__', { value: 'y', enumerable: true })
    const event = read(form)
    expect(Object.getOwnPropertyDescriptor(event.raw, '__proto__')?.value).toBe('y')
    expect(Object.hasOwn(Object.prototype, 'y')).toBe(false)
  })

  const one = { MediaUrl0: 'https://api.twilio.com/a', MediaContentType0: 'image/png' }
  test.each([
    ['1', one, 1],
    ['99', one, 1],
    ['1', {}, 0],
    ['-1', one, 0],
    ['NaN', one, 0],
    ['1e9', one, 1],
    ['0', one, 0],
    ['12', Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`MediaUrl${index}`, 'https://x/'])), 10],
  ])('that announces %s attachments has those that are there', (announced, fields, count) => {
    expect(read({ NumMedia: announced, ...fields }).media).toHaveLength(count)
  })

  test('names its attachments as they came and fetches nothing', () => {
    const media = read({ NumMedia: '2', MediaUrl0: 'file:///etc/passwd', MediaUrl1: 'http://169.254.169.254/' }).media
    expect(media.map(({ url }) => url)).toEqual(['file:///etc/passwd', 'http://169.254.169.254/'])
  })
})

describe('a delivery', () => {
  test('names the effect of its URL and the two addresses the other way round', () => {
    const query = new URLSearchParams({ session: 's', effect: '0198c0de-0000-7000-8000-000000000000:3:0' })
    expect(toLoggedDelivery(deliveryForm, query, receivedAt)).toEqual({
      kind: 'event',
      accountSid,
      event: {
        v: 1,
        type: 'delivery.updated',
        businessAddress: 'whatsapp:+14155238886',
        userKey: 'whatsapp:+15005550006',
        providerId: messageSid,
        effectId: '0198c0de-0000-7000-8000-000000000000:3:0',
        status: 'delivered',
        errorCode: null,
        receivedAt,
        raw: deliveryForm,
      },
    })
  })

  test.each([
    ['accepted', 'accepted'],
    ['scheduled', 'accepted'],
    ['queued', 'queued'],
    ['sending', 'sending'],
    ['sent', 'sent'],
    ['partially_delivered', 'sent'],
    ['delivered', 'delivered'],
    ['read', 'read'],
    ['failed', 'failed'],
    ['undelivered', 'undelivered'],
    ['canceled', 'canceled'],
  ])('that Twilio calls %s is %s', (MessageStatus, status) => {
    expect(deliver({ MessageStatus })).toMatchObject({ event: { status } })
  })

  test.each(['receiving', 'received', 'tomorrows-status', 'constructor', '__proto__'])(
    'of status %s says nothing',
    (MessageStatus) => {
      expect(deliver({ MessageStatus })).toMatchObject({ kind: 'ignored' })
    },
  )

  test('keeps the error code, and no code when there is none', () => {
    expect(deliver({ MessageStatus: 'undelivered', ErrorCode: '63016' })).toMatchObject({
      event: { errorCode: '63016' },
    })
    expect(deliver({ ErrorCode: '' })).toMatchObject({ event: { errorCode: null } })
    expect(deliver({ ErrorCode: '0' })).toMatchObject({ event: { errorCode: null } })
  })

  test.each(['', 'x'.repeat(200), 'a/../b', '<script>', 'a*>'])('trusts no effect id like %j', (effect) => {
    expect(toLoggedDelivery(deliveryForm, new URLSearchParams({ effect }), receivedAt)).toMatchObject({
      event: { effectId: null },
    })
  })

  test.each(['MessageSid', 'MessageStatus', 'From', 'To', 'AccountSid'])('without %s is malformed', (field) => {
    expect(deliver({ [field]: undefined })).toMatchObject({ kind: 'malformed' })
  })

  function deliver(changes: { readonly [field: string]: string | undefined }) {
    return toLoggedDelivery({ ...deliveryForm, ...changes }, new URLSearchParams(), receivedAt)
  }
})

function read(changes: { readonly [field: string]: string | readonly string[] | undefined }) {
  const form: TwilioForm = Object.assign(Object.create(null), messageForm)
  for (const [field, value] of Object.entries(changes)) {
    if (value === undefined) Reflect.deleteProperty(form, field)
    else Object.defineProperty(form, field, { value, enumerable: true, configurable: true })
  }
  const parsed = toLoggedMessage(form, receivedAt)
  if (parsed.kind !== 'event') throw new Error(`expected an event: ${JSON.stringify(parsed)}`)
  return parsed.event
}
