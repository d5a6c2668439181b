/**
 * Twilio's inbound message webhook as an event for the log. Only what Duologue reads is checked;
 * everything else is kept in `raw`.
 */
import type { LoggedMessage } from '../../actors/ports.ts'
import type { Media } from '../../machines/events.ts'
import { toBusinessAddress, toUserKeys } from './address.ts'
import { readField, toRaw, toStorableText, type TwilioForm } from './form.ts'
import { readContent } from './inbound-content.ts'

export const messageSidPattern = /^(?:SM|MM)[0-9a-fA-F]{32}$/

/** Twilio allows ten attachments. */
const mediaMax = 10
/** What the log takes; a longer address is none of Twilio's. */
const urlCharactersMax = 2_048
const contentTypeCharactersMax = 256

export type ParsedWebhook<Event> =
  | { readonly kind: 'event'; readonly accountSid: string; readonly event: Event }
  /** A fact that changes nothing here: it is acknowledged and dropped. */
  | { readonly kind: 'ignored'; readonly accountSid: string; readonly reason: string }
  | { readonly kind: 'malformed'; readonly reason: string }

export function toLoggedMessage(form: TwilioForm, receivedAt: number): ParsedWebhook<LoggedMessage> {
  const accountSid = readField(form, 'AccountSid')
  const providerId = readField(form, 'MessageSid')
  const from = readField(form, 'From')
  const to = readField(form, 'To')
  if (accountSid === null || accountSid === '') return malformed('AccountSid')
  if (providerId === null || !messageSidPattern.test(providerId)) return malformed('MessageSid')
  const identities = from === null ? null : toUserKeys(from, readField(form, 'WaId'), readField(form, 'ExternalUserId'))
  const userKey = identities?.[0]
  if (from === null || identities === null || userKey === undefined) return malformed('From')
  const businessAddress = to === null ? null : toBusinessAddress(to)
  if (businessAddress === null) return malformed('To')
  const media = toMedia(form)
  const { body, content } = readContent(form, media)
  const event: LoggedMessage = {
    v: 1,
    type: 'message.received',
    businessAddress,
    userKey,
    ...(identities.length > 1 && { identities }),
    replyAddress: from,
    providerId,
    body,
    media,
    ...(content !== null && { content }),
    profileName: toProfileName(form),
    receivedAt,
    raw: toRaw(form),
  }
  return { kind: 'event', accountSid, event }
}

export function malformed(field: string): { readonly kind: 'malformed'; readonly reason: string } {
  return { kind: 'malformed', reason: `${field} is missing, repeated or malformed` }
}

/** As many as `NumMedia` says, of those that are there: a wrong count never invents an attachment. */
function toMedia(form: TwilioForm): readonly Media[] {
  const announced = Number(readField(form, 'NumMedia') ?? '0')
  const count = Number.isInteger(announced) ? Math.min(Math.max(announced, 0), mediaMax) : 0
  const media: Media[] = []
  for (let index = 0; index < count; index += 1) {
    const url = readField(form, `MediaUrl${index}`)
    if (url === null || url === '' || url.length > urlCharactersMax) continue
    const contentType = readField(form, `MediaContentType${index}`) ?? 'application/octet-stream'
    const shortType = toStorableText(contentType.slice(0, contentTypeCharactersMax))
    media.push({ url: toStorableText(url), contentType: shortType })
  }
  return media
}

function toProfileName(form: TwilioForm): string | null {
  const name = readField(form, 'ProfileName')
  return name === null || name === '' ? null : toStorableText(name)
}
