/**
 * Links and phone numbers in an answer that the tenant has not allowed. A model that was talked into something can
 * harm a user with little else, so this errs towards finding one: the answer is then refused as a whole, since a
 * sentence with a hole where the link was says something that nobody meant.
 *
 * Dates, times, amounts and years are no phone numbers. A plain number (of an order, of a receipt) that the user
 * wrote may be repeated; anything that is written like a phone number may not.
 */
import { toHost } from './assistant-settings.ts'

export type AllowedContacts = {
  readonly links: readonly string[]
  readonly phones: readonly string[]
  /** What the user wrote. */
  readonly said: readonly string[]
}

export type ForeignContact = 'a link' | 'a phone number'

/** Shorter ones are prices, codes and short numbers of every kind. */
const phoneDigitsMin = 8
const internationalDigitsMin = 7
/** Glued to letters it is a code (AB123456789BR), unless it is as long as a phone number. */
const gluedDigitsMin = 10

export function findForeignContact(reply: string, allowed: AllowedContacts): ForeignContact | null {
  const text = toPlainText(reply)
  if (!findHosts(text).every((host) => isAllowedHost(host, allowed.links))) return 'a link'
  if (!findPhones(text).every((phone) => isAllowedPhone(phone, allowed))) return 'a phone number'
  return null
}

/** Full-width letters, invisible characters, digits in boxes and foreign digits are what a filter is tricked with. */
function toPlainText(text: string): string {
  return text
    .normalize('NFKC')
    .replaceAll(/[\p{Cf}\p{M}]/gu, '')
    .replaceAll(/[。｡]/gu, '.')
    .replaceAll(/[^\P{Nd}0-9]/gu, '0')
    .toLowerCase()
}

// ── Links ────────────────────────────────────────────────────────────────────────────────────────

const withScheme = /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s<>"']*/gu
/** Without slashes only those that a phone makes tappable; `data:` is a date in Portuguese. */
const withOpaqueScheme = /\b(?:https?|ftp|mailto|tel|sms|smsto|whatsapp|tg|javascript|intent|market|bitcoin):\S*/gu
const bareHosts =
  /(?<![\p{L}\p{N}._-])(?:[\p{L}\p{N}][\p{L}\p{N}_-]{0,62}\.)+(?:xn--[a-z0-9-]{1,59}|\p{L}{2,63})(?![\p{L}\p{N}])/gu
const ipAddresses = /(?<!\d)\d{1,3}(?:\.\d{1,3}){3}(?!\.?\d)/gu

const abbreviations: ReadonlySet<string> = new Set(['p.ex'])
/** Names of files that a user may have sent; none of these is a top-level domain. */
const fileNames = /^[^.]+\.(?:pdf|jpe?g|png|gif|docx?|xlsx?|csv|txt|mp[34]|ogg|xml|json)$/u

/** What a link leads to; the text of a link that nobody can read counts as its host, and is never allowed. */
function findHosts(text: string): readonly string[] {
  const urls = [...matchAll(text, withScheme), ...matchAll(text, withOpaqueScheme)]
  const named = urls.map((url) => URL.parse(url.replace(/[).,;!?\]]+$/u, ''))?.hostname || url)
  const opaque = named.map((host) => (host.startsWith('mailto:') ? host.slice(host.lastIndexOf('@') + 1) : host))
  const bare = matchAll(text, bareHosts).filter((host) => !abbreviations.has(host) && !fileNames.test(host))
  return [...opaque.filter((host) => !/^(?:tel|sms|smsto):/u.test(host)), ...bare, ...findIpAddresses(text)]
}

function findIpAddresses(text: string): readonly string[] {
  return matchAll(text, ipAddresses).filter((address) => address.split('.').every((octet) => Number(octet) <= 255))
}

function isAllowedHost(name: string, links: readonly string[]): boolean {
  const host = toHost(name)
  if (host === null) return false
  return links.some((link) => {
    const allowed = toHost(link)
    return allowed !== null && (host === allowed || host.endsWith(`.${allowed}`))
  })
}

// ── Phone numbers ────────────────────────────────────────────────────────────────────────────────

/**
 * Numbers that are written like phone numbers and are none; a date or years right behind another number are the end of
 * one. Each leaves a letter behind, so that its neighbours do not join.
 */
const otherNumbers = [
  /(?<![\d)] ?)(?:19|20)\d\d[-/.](?:0?[1-9]|1[0-2])[-/.](?:0?[1-9]|[12]\d|3[01])(?!\d)/gu,
  /(?<![\d)] ?)(?:0?[1-9]|[12]\d|3[01])[-/.](?:0?[1-9]|[12]\d|3[01])[-/.](?:19|20)\d\d(?!\d)/gu,
  /(?<![\d)] ?)(?:19|20)\d\d ?[\p{Pd}/] ?(?:19|20)\d\d(?!\d)/gu,
  /(?<!\d)(?:[01]?\d|2[0-4])[:h](?:[0-5]\d)?(?!\d)/gu,
  /(?<![\d+.,])\d{1,3}(?:\.\d{3})+,\d{2}(?!\d)/gu,
  /(?<![\d+.,])\d{1,3}(?:,\d{3})+\.\d{2}(?!\d)/gu,
]
const written = /\+?(?<![\p{L}\d])\(?\d(?:[\p{Zs}\p{Pd}\t()./*_~]{0,3}\d)+/gu
const glued = new RegExp(`\\d{${gluedDigitsMin},}`, 'gu')

function findPhones(text: string): readonly string[] {
  const rest = otherNumbers.reduce((left, pattern) => left.replaceAll(pattern, 'x'), text)
  const candidates = matchAll(rest, written).filter((candidate) => {
    const { length } = toDigits(candidate)
    return length >= (candidate.startsWith('+') ? internationalDigitsMin : phoneDigitsMin)
  })
  return [...candidates, ...matchAll(rest, glued)]
}

function isAllowedPhone(phone: string, { phones, said }: AllowedContacts): boolean {
  const digits = toDigits(phone)
  // Written without the country's code it is still the same number.
  if (phones.some((allowed) => toDigits(allowed).endsWith(digits))) return true
  return /^\d+$/u.test(phone) && said.some((text) => matchAll(text, /(?<![\d+])\d+/gu).includes(phone))
}

function toDigits(text: string): string {
  return text.replaceAll(/\D/gu, '')
}

function matchAll(text: string, pattern: RegExp): readonly string[] {
  return [...text.matchAll(pattern)].map(([match]) => match)
}
