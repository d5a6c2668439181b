/**
 * Decodes `application/x-www-form-urlencoded` strictly and without loss: nothing is trimmed, a
 * repeated field becomes an array, and what is not percent-encoded UTF-8 is refused. The one
 * leniency: lone surrogates written as three bytes (`%ED%A0%BD`), which split emoji leave behind,
 * are decoded as such; whoever stores the text replaces them.
 *
 * The result has no prototype: a field named `__proto__` is a field.
 */
import { isAscii } from 'node:buffer'

export type Form = { readonly [field: string]: string | readonly string[] }

export type FormResult =
  | { readonly kind: 'form'; readonly form: Form }
  | { readonly kind: 'too-many-fields' }
  | { readonly kind: 'unparsable' }

export const fieldsMax = 1_000

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const encodedSurrogate = /(%ED%[AB][0-9A-F]%[89AB][0-9A-F])/i

export function parseForm(body: Buffer): FormResult {
  const text = toText(body)
  if (text === null) return { kind: 'unparsable' }
  const form: { [field: string]: string | string[] } = Object.create(null)
  let fields = 0
  for (let start = 0, end = 0; start < text.length; start = end + 1) {
    end = toIndex(text.indexOf('&', start), text.length)
    if (end === start) continue
    if ((fields += 1) > fieldsMax) return { kind: 'too-many-fields' }
    const equals = Math.min(toIndex(text.indexOf('=', start), end), end)
    const field = decode(text.slice(start, equals))
    const value = decode(text.slice(equals + 1, Math.max(end, equals + 1)))
    if (field === null || value === null) return { kind: 'unparsable' }
    const earlier = form[field]
    form[field] = earlier === undefined ? value : [...(typeof earlier === 'string' ? [earlier] : earlier), value]
  }
  return { kind: 'form', form }
}

function toIndex(found: number, otherwise: number): number {
  return found === -1 ? otherwise : found
}

function toText(body: Buffer): string | null {
  if (isAscii(body)) return body.toString('latin1')
  try {
    return utf8.decode(body)
  } catch {
    return null
  }
}

function decode(text: string): string | null {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text
  if (!spaced.includes('%')) return spaced
  try {
    return decodeURIComponent(spaced)
  } catch {
    return encodedSurrogate.test(spaced) ? decodeWithSurrogates(spaced) : null
  }
}

function decodeWithSurrogates(text: string): string | null {
  try {
    // A split with a group keeps what the group matched, at every odd place.
    const parts = text.split(encodedSurrogate)
    return parts.map((part, index) => (index % 2 === 0 ? decodeURIComponent(part) : toSurrogate(part))).join('')
  } catch {
    return null
  }
}

/** `%ED%A0%BD` is 1110_1101 10_aaaaaa 10_bbbbbb: the code unit 1101_aaaaaa_bbbbbb. */
function toSurrogate(encoded: string): string {
  const second = Number.parseInt(encoded.slice(4, 6), 16)
  const third = Number.parseInt(encoded.slice(7, 9), 16)
  return String.fromCharCode(0xd000 | ((second & 0x3f) << 6) | (third & 0x3f))
}
