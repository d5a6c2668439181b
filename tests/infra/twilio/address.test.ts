import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { toToken } from '../../../src/actors/session-key.ts'
import {
  toBusinessAddress,
  toCanonicalPhone,
  toTwilioAddress,
  toUserKey,
  toUserKeys,
} from '../../../src/infra/twilio/address.ts'

describe('the keys of a user', () => {
  const phone = 'whatsapp:+5511987654321'
  const bsuid = 'whatsapp:BR.11987654321'
  test.each<[string, string | null, string | null, readonly string[] | null]>([
    // A phone number, with and without the business-scoped id beside it.
    [phone, '5511987654321', bsuid, [phone, bsuid]],
    [phone, '5511987654321', null, [phone]],
    ['whatsapp:+551187654321', '551187654321', bsuid, [phone, bsuid]],
    // The id alone: all fields say the same.
    [bsuid, null, bsuid, [bsuid]],
    [bsuid, null, null, [bsuid]],
    [bsuid, '551187654321', bsuid, [phone, bsuid]],
    // Twilio might leave the scheme out; what is no id is none.
    [phone, null, 'BR.11987654321', [phone, bsuid]],
    [phone, null, 'nonsense', [phone]],
    [phone, null, '', [phone]],
    [phone, null, phone, [phone]],
    // SMS knows no such ids.
    ['+15005550006', null, bsuid, ['sms:+15005550006']],
    ['My.Brand', null, bsuid, null],
  ])('of %s with WaId %s and ExternalUserId %s are %j', (address, whatsappId, externalUserId, keys) => {
    expect(toUserKeys(address, whatsappId, externalUserId)).toEqual(keys)
  })
})

describe('the key of a user', () => {
  test.each([
    ['whatsapp:+15005550006', 'whatsapp:+15005550006'],
    ['+15005550006', 'sms:+15005550006'],
    ['12345', 'sms:12345'],
    ['whatsapp:+5511987654321', 'whatsapp:+5511987654321'],
    ['whatsapp:+551187654321', 'whatsapp:+5511987654321'],
    ['whatsapp:+554532782153', 'whatsapp:+554532782153'],
    ['whatsapp:+5215512345678', 'whatsapp:+525512345678'],
    ['whatsapp:+525512345678', 'whatsapp:+525512345678'],
    ['+5491165324855', 'sms:+541165324855'],
    ['whatsapp:US.13491208655302741918', 'whatsapp:US.13491208655302741918'],
    ['whatsapp:US.ENT.13491208655302741918', 'whatsapp:US.ENT.13491208655302741918'],
    ['whatsapp:BR.11987654321', 'whatsapp:BR.11987654321'],
  ])('of %s is %s', (address, key) => {
    expect(toUserKey(address)).toBe(key)
  })

  test.each([
    'My.Brand',
    '',
    '+',
    'whatsapp:',
    'whatsapp:+',
    'whatsapp:12345',
    'rcs:+15005550006',
    'client:alice',
    'messenger:123456',
    'WhatsApp:+15005550006',
    '+1234567890123456',
    `+${'1'.repeat(40)}`,
    '+05005550006',
    ' +15005550006',
    '+15005550006\n',
    '15005550006',
    'us.abc',
    'US.13491208655302741918',
    `whatsapp:US.${'a'.repeat(129)}`,
    'whatsapp:US.a-b',
    'whatsapp:*.>',
  ])('is refused for %j', (address) => {
    expect(toUserKey(address)).toBeNull()
  })

  test('is the phone number when a user name comes with one, so the session goes on', () => {
    expect(toUserKey('whatsapp:BR.99', '551187654321')).toBe('whatsapp:+5511987654321')
    expect(toUserKey('whatsapp:BR.99', 'nonsense')).toBe('whatsapp:BR.99')
  })

  test('never mixes WhatsApp and SMS', () => {
    fc.assert(
      fc.property(phones, (phone) => {
        const sms = toUserKey(phone)
        expect(toUserKey(`whatsapp:${phone}`)).not.toBe(sms)
      }),
    )
  })

  test('is always a subject token when it is a key at all', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          phones,
          fc.string().map((text) => `whatsapp:${text}`),
        ),
        (address) => {
          const key = toUserKey(address)
          expect(key === null ? 'no-key' : toToken(key)).toMatch(/^[A-Za-z0-9_-]+$/)
        },
      ),
      { numRuns: 5_000 },
    )
  })
})

describe('a canonical phone number', () => {
  test('stays what it is when it is folded again', () => {
    fc.assert(
      fc.property(phones, (phone) => toCanonicalPhone(toCanonicalPhone(phone)) === toCanonicalPhone(phone)),
      {
        numRuns: 5_000,
      },
    )
  })

  test('is shared by two numbers only when they are spellings of one', () => {
    fc.assert(
      fc.property(phones, phones, (one, other) => {
        const isShared = toCanonicalPhone(one) === toCanonicalPhone(other)
        expect(isShared).toBe(toSpellings(one).has(other))
      }),
      { numRuns: 20_000 },
    )
  })

  test('is shared by the spellings of Brazil, Mexico and Argentina', () => {
    for (const phone of ['+5511987654321', '+525512345678', '+541165324855']) {
      for (const spelling of toSpellings(phone)) expect(toCanonicalPhone(spelling)).toBe(phone)
    }
  })
})

test('a business address names its scheme and is not folded', () => {
  expect(toBusinessAddress('whatsapp:+14155238886')).toBe('whatsapp:+14155238886')
  expect(toBusinessAddress('+14155238886')).toBe('sms:+14155238886')
  expect(toBusinessAddress('sms:+14155238886')).toBe('sms:+14155238886')
  expect(toBusinessAddress('whatsapp:+551187654321')).toBe('whatsapp:+551187654321')
  expect(toBusinessAddress('whatsapp:My.Brand')).toBeNull()
})

test('Twilio is given an SMS address without a scheme', () => {
  expect(toTwilioAddress('sms:+14155238886')).toBe('+14155238886')
  expect(toTwilioAddress('+14155238886')).toBe('+14155238886')
  expect(toTwilioAddress('whatsapp:US.abc')).toBe('whatsapp:US.abc')
})

/** Numbers near the national rules, where a mistake would be. */
const digits = (length: number) => fc.stringMatching(new RegExp(`^[0-9]{${length}}$`))
const local = fc.constantFrom(
  '1187654321',
  '11987654321',
  '1132782153',
  '5512345678',
  '15512345678',
  '91165324855',
  '1165324855',
)
const phones = fc.oneof(
  fc.tuple(fc.constantFrom('+55', '+52', '+54', '+1'), local).map(([country, rest]) => country + rest),
  fc.tuple(fc.constantFrom('+55', '+521', '+549', '+52', '+54'), digits(10)).map(([country, rest]) => country + rest),
  fc.tuple(fc.constantFrom('1', '4', '7', '9'), digits(9)).map(([first, rest]) => `+${first}${rest}`),
)

/** Every spelling of the number that the sheet of national rules knows, written down the other way round. */
function toSpellings(phone: string): Set<string> {
  const spellings = new Set([phone])
  const pairs: [RegExp, string][] = [
    [/^\+55([1-9][1-9])9([6-9]\d{7})$/, '+55$1$2'],
    [/^\+55([1-9][1-9])([6-9]\d{7})$/, '+55$19$2'],
    [/^\+52(\d{10})$/, '+521$1'],
    [/^\+521(\d{10})$/, '+52$1'],
    [/^\+54(\d{10})$/, '+549$1'],
    [/^\+549(\d{10})$/, '+54$1'],
  ]
  for (const [pattern, other] of pairs) if (pattern.test(phone)) spellings.add(phone.replace(pattern, other))
  return spellings
}
