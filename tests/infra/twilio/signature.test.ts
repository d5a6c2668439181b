import { describe, expect, test } from 'vitest'
import type { TwilioForm } from '../../../src/infra/twilio/form.ts'
import { isSignedByTwilio, type SignedRequest } from '../../../src/infra/twilio/signature.ts'
import { authToken, messageForm, messagesPath, publicUrl, sign } from './webhook-fixture.ts'

const url = publicUrl + messagesPath
const signature = sign(url, messageForm)
const request = (changes: Partial<SignedRequest>): SignedRequest => ({
  signature,
  path: messagesPath,
  form: messageForm,
  ...changes,
})
const isAccepted = (
  changes: Partial<SignedRequest>,
  from = publicUrl,
  tokens: readonly string[] = [authToken],
): boolean => isSignedByTwilio(request(changes), from, tokens)

describe('accepted', () => {
  test('a request as Twilio signed it, with emoji, newline, reserved characters and outer spaces', () => {
    expect(isAccepted({})).toBe(true)
  })

  test.each([
    ['a port that Twilio leaves out', `${publicUrl}:443`],
    ['any port, which Twilio never signs', `${publicUrl}:8443`],
    ['a slash at the end of the setting', `${publicUrl}/`],
    ['connection overrides in the setting', `${publicUrl}#rc=2&rp=all`],
  ])('a public URL with %s', (_case, from) => {
    expect(isAccepted({}, from)).toBe(true)
  })

  test('a query that was signed', () => {
    const path = `${messagesPath}?tenant=a%20b&x=1`
    expect(isAccepted({ path, signature: sign(publicUrl + path, messageForm) })).toBe(true)
  })

  test('a path below the public URL', () => {
    const base = `${publicUrl}/duologue`
    expect(isAccepted({ signature: sign(base + messagesPath, messageForm) }, base)).toBe(true)
  })

  test('either of two tokens while they are rotated', () => {
    const next = 'ffffffffffffffffffffffffffffffff'
    expect(isAccepted({ signature: sign(url, messageForm, next) }, publicUrl, [authToken, next])).toBe(true)
    expect(isAccepted({}, publicUrl, [authToken, next])).toBe(true)
  })

  test('an empty field', () => {
    const form = { ...messageForm, Body: '' }
    expect(isAccepted({ form, signature: sign(url, form) })).toBe(true)
  })
})

describe('refused', () => {
  test.each<[string, Partial<SignedRequest>]>([
    ['no signature', { signature: undefined }],
    ['an empty signature', { signature: '' }],
    ['another signature', { signature: `${'A'.repeat(27)}=` }],
    ['a truncated signature', { signature: signature.slice(0, -2) }],
    ['a longer signature', { signature: `${signature}A` }],
    ['a signature with a space', { signature: ` ${signature}` }],
    ['a signature of one megabyte', { signature: 'A'.repeat(1024 * 1024) }],
    ['a signature that is not ASCII', { signature: `${'é'.repeat(27)}=` }],
    ['the header twice, joined', { signature: `${signature}, ${signature}` }],
    ['the header twice, as a list', { signature: [signature, signature] }],
    ['a signature of another token', { signature: sign(url, messageForm, 'f'.repeat(32)) }],
    ['a signature with the API key', { signature: sign(url, messageForm, 'SK000') }],
    ['a signature over another path', { signature: sign(`${publicUrl}/other`, messageForm) }],
    ['a signature over a trailing slash', { signature: sign(`${url}/`, messageForm) }],
    ['a signature over plain http', { signature: sign(url.replace('https', 'http'), messageForm) }],
    ['a signature over another host', { signature: sign(url.replace('chat', 'evil'), messageForm) }],
    ['a signature over the fragment', { signature: sign(`${url}#rc=2&rp=all`, messageForm) }],
    ['a query that was not signed', { path: `${messagesPath}?x=1` }],
    ['an absolute request target', { path: url }],
    ['a field more', { form: { ...messageForm, Extra: '1' } }],
    ['a field less', { form: without(messageForm, 'ProfileName') }],
    ['a trimmed text', { form: { ...messageForm, Body: messageForm.Body.trim() } }],
    ['a changed text', { form: { ...messageForm, Body: `${messageForm.Body}.` } }],
    ['a field with a second value', { form: { ...messageForm, Body: [messageForm.Body, 'x'] } }],
    ['an empty form', { form: {} }],
  ])('%s', (_case, changes) => {
    expect(isAccepted(changes)).toBe(false)
  })

  test('a query in another order', () => {
    const signed = sign(`${url}?a=1&b=2`, messageForm)
    expect(isAccepted({ path: `${messagesPath}?b=2&a=1`, signature: signed })).toBe(false)
  })

  test('everything when there is no token, or an empty one', () => {
    expect(isAccepted({}, publicUrl, [])).toBe(false)
    expect(isAccepted({ signature: sign(url, messageForm, '') }, publicUrl, [''])).toBe(false)
  })
})

function without(form: TwilioForm, field: string): TwilioForm {
  return Object.fromEntries(Object.entries(form).filter(([name]) => name !== field))
}
