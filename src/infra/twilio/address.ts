/**
 * Who talks to whom, read from a provider's address fields.
 *
 * A user's key is the scheme and the canonical phone number, or the scheme and the business-scoped
 * user id (BSUID) when there is no phone number. The key names the session for ever, so national
 * spellings of one number are folded here: Brazil's ninth digit, Mexico's old 1, Argentina's 9.
 * The address to answer is never rewritten: WhatsApp knows an account under one spelling only.
 *
 * No telephone library: it would read `BR.11987654321` as a phone number, and refuse Mexican ones.
 */

export type Scheme = 'whatsapp' | 'sms'

const phonePattern = /^\+[1-9]\d{5,14}$/
/** Short codes and other network numbers that have no country code. */
const shortCodePattern = /^\d{3,8}$/
const bsuidPattern = /^[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}$/
const whatsappDigitsPattern = /^[1-9]\d{5,14}$/

/** The business address as channels name it, `whatsapp:+1…` or `sms:+1…`; null when it is malformed. */
export function toBusinessAddress(address: string): string | null {
  const parts = splitAddress(address)
  if (parts === null) return null
  const { scheme, value } = parts
  return phonePattern.test(value) || isShortCode(scheme, value) ? `${scheme}:${value}` : null
}

/**
 * The key of the user's session; null when no phone number and no BSUID can be read from the address.
 * `whatsappId` is Twilio's `WaId`, the digits of the user's phone number, where it came along.
 */
export function toUserKey(address: string, whatsappId: string | null = null): string | null {
  const parts = splitAddress(address)
  if (parts === null) return null
  const { scheme, value } = parts
  if (phonePattern.test(value)) return `${scheme}:${toCanonicalPhone(value)}`
  if (isShortCode(scheme, value)) return `${scheme}:${value}`
  if (scheme !== 'whatsapp' || !bsuidPattern.test(value)) return null
  // A phone number that comes along keeps the session of the time before the user took a user name.
  const hasPhone = whatsappId !== null && whatsappDigitsPattern.test(whatsappId)
  return hasPhone ? `whatsapp:${toCanonicalPhone(`+${whatsappId}`)}` : `whatsapp:${value}`
}

/**
 * Every key of the user that a request carries, the phone number first; null when there is none. `externalUserId` is
 * Twilio's field of that name, the BSUID, which comes with WhatsApp's phone numbers too.
 */
export function toUserKeys(
  address: string,
  whatsappId: string | null,
  externalUserId: string | null,
): readonly string[] | null {
  const first = toUserKey(address, whatsappId)
  if (first === null) return null
  const named = [address, externalUserId ?? ''].flatMap((text) => toBusinessScopedKey(text) ?? [])
  return [...new Set([first, ...(first.startsWith('whatsapp:') ? named : [])])]
}

/** Twilio writes it with the scheme; without one it is WhatsApp's too. */
function toBusinessScopedKey(text: string): string | null {
  const value = text.startsWith('whatsapp:') ? text.slice('whatsapp:'.length) : text
  return bsuidPattern.test(value) ? `whatsapp:${value}` : null
}

/** The address as Twilio's REST API wants it: only `whatsapp:` is written out. */
export function toTwilioAddress(address: string): string {
  return address.startsWith('sms:') ? address.slice('sms:'.length) : address
}

/** Folds the national spellings of one E.164 number into one. */
export function toCanonicalPhone(phone: string): string {
  // Brazil: a mobile number of before the ninth digit. Local numbers that begin with 2 to 5 are landlines.
  const brazil = /^\+55([1-9][1-9])([6-9]\d{7})$/.exec(phone)
  if (brazil) return `+55${brazil[1]}9${brazil[2]}`
  const mexico = /^\+521(\d{10})$/.exec(phone)
  if (mexico) return `+52${mexico[1]}`
  const argentina = /^\+549(\d{10})$/.exec(phone)
  if (argentina) return `+54${argentina[1]}`
  return phone
}

function splitAddress(address: string): { scheme: Scheme; value: string } | null {
  if (address.startsWith('whatsapp:')) return { scheme: 'whatsapp', value: address.slice('whatsapp:'.length) }
  if (address.startsWith('sms:')) return { scheme: 'sms', value: address.slice('sms:'.length) }
  return { scheme: 'sms', value: address }
}

function isShortCode(scheme: Scheme, value: string): boolean {
  return scheme === 'sms' && shortCodePattern.test(value)
}
