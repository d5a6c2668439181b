/**
 * Twilio's list of messages: filters, order and pages. A message without a sending date is in no
 * list that asks for one, as at Twilio; without that question it stands first.
 */
import type { LedgerMessage } from './ledger.ts'
import { toMessageResource, type MessageResource } from './message-resource.ts'

const pageSizeDefault = 50
const pageSizeMax = 1_000

export function listMessages(messages: readonly LedgerMessage[], url: URL, accountSid: string): MessageResource {
  // The newest first also among those of one moment.
  const matching = messages
    .filter((message) => isListed(message, url.searchParams))
    .toReversed()
    .toSorted(byNewest)
  const pageSize = Math.min(toNumber(url.searchParams.get('PageSize'), pageSizeDefault, 1), pageSizeMax)
  const page = toNumber(url.searchParams.get('Page'), 0, 0)
  const start = page * pageSize
  const shown = matching.slice(start, start + pageSize)
  const toPage = (number: number): string => toPageUri(url, pageSize, number)
  return {
    end: start + Math.max(shown.length - 1, 0),
    first_page_uri: toPage(0),
    next_page_uri: start + pageSize < matching.length ? toPage(page + 1) : null,
    page,
    page_size: pageSize,
    previous_page_uri: page > 0 ? toPage(page - 1) : null,
    messages: shown.map((message) => toMessageResource(message, accountSid)),
    start,
    uri: toPage(page),
  }
}

function isListed(message: LedgerMessage, query: URLSearchParams): boolean {
  const to = query.get('To')
  const from = query.get('From')
  if (to !== null && message.to !== to) return false
  if (from !== null && message.from !== from) return false
  return isSentWithin(message.sentAt, query)
}

function isSentWithin(sentAt: number | null, query: URLSearchParams): boolean {
  const [on, since, until] = ['DateSent', 'DateSent>', 'DateSent<'].map((name) => toMoment(query.get(name)))
  if (!on && !since && !until) return true
  if (sentAt === null) return false
  // Twilio's dates are whole seconds, and `DateSent>=` includes its own second.
  const second = Math.floor(sentAt / 1_000) * 1_000
  if (since && second < since.at) return false
  if (until && second > until.at + until.lengthMs - 1) return false
  return !on || (second >= on.at && second < on.at + on.lengthMs)
}

/** A day (`2008-01-02`) or a moment (`2008-01-02T03:04:05Z`). */
function toMoment(text: string | null): { at: number; lengthMs: number } | null {
  if (text === null) return null
  const at = Date.parse(text)
  return Number.isNaN(at) ? null : { at, lengthMs: /^\d{4}-\d\d-\d\d$/.test(text) ? 86_400_000 : 1_000 }
}

function byNewest(one: LedgerMessage, other: LedgerMessage): number {
  return (other.sentAt ?? Infinity) - (one.sentAt ?? Infinity) || other.createdAt - one.createdAt
}

function toPageUri(url: URL, pageSize: number, page: number): string {
  const query = new URLSearchParams(url.searchParams)
  query.set('PageSize', String(pageSize))
  query.set('Page', String(page))
  return `${url.pathname}?${query.toString()}`
}

function toNumber(text: string | null, fallback: number, least: number): number {
  const number = Number(text ?? fallback)
  return Number.isInteger(number) && number >= least ? number : fallback
}
