/**
 * Twilio's status callback as an event for the log. The callback's URL names the effect that sent
 * the message (`?session=<session id>&effect=<effect id>`), so it proves the send even when the
 * send's own answer was lost.
 */
import type { LoggedDelivery } from '../../actors/ports.ts'
import type { DeliveryStatus } from '../../machines/events.ts'
import { toBusinessAddress, toUserKeys } from './address.ts'
import { readField, toRaw, toStorableText, type TwilioForm } from './form.ts'
import { malformed, messageSidPattern, type ParsedWebhook } from './inbound-message.ts'

/** Opaque ids of ours; anything else in the URL was not written by us. */
const effectIdPattern = /^[A-Za-z0-9:.-]{1,128}$/

/** Twilio's words for a message's status; the ones that are missing here say nothing about a message that we sent. */
const deliveryStatusByTwilioStatus: { readonly [status: string]: DeliveryStatus } = {
  accepted: 'accepted',
  scheduled: 'accepted',
  queued: 'queued',
  sending: 'sending',
  sent: 'sent',
  partially_delivered: 'sent',
  delivered: 'delivered',
  read: 'read',
  failed: 'failed',
  undelivered: 'undelivered',
  canceled: 'canceled',
}

export function toLoggedDelivery(
  form: TwilioForm,
  query: URLSearchParams,
  receivedAt: number,
): ParsedWebhook<LoggedDelivery> {
  const accountSid = readField(form, 'AccountSid')
  const providerId = readField(form, 'MessageSid')
  const from = readField(form, 'From')
  const to = readField(form, 'To')
  const twilioStatus = readField(form, 'MessageStatus')
  if (accountSid === null || accountSid === '') return malformed('AccountSid')
  if (providerId === null || !messageSidPattern.test(providerId)) return malformed('MessageSid')
  if (twilioStatus === null || twilioStatus === '') return malformed('MessageStatus')
  const businessAddress = from === null ? null : toBusinessAddress(from)
  if (businessAddress === null) return malformed('From')
  const identities = to === null ? null : toUserKeys(to, readField(form, 'WaId'), readField(form, 'ExternalUserId'))
  const userKey = identities?.[0]
  if (identities === null || userKey === undefined) return malformed('To')
  const status = Object.hasOwn(deliveryStatusByTwilioStatus, twilioStatus)
    ? deliveryStatusByTwilioStatus[twilioStatus]
    : undefined
  if (status === undefined) return { kind: 'ignored', accountSid, reason: 'a status that is not of a sent message' }
  const event: LoggedDelivery = {
    v: 1,
    type: 'delivery.updated',
    businessAddress,
    userKey,
    ...(identities.length > 1 && { identities }),
    providerId,
    effectId: toEffectId(query),
    status,
    errorCode: toErrorCode(form),
    receivedAt,
    raw: toRaw(form),
  }
  return { kind: 'event', accountSid, event }
}

function toEffectId(query: URLSearchParams): string | null {
  const effectId = query.get('effect')
  return effectId !== null && effectIdPattern.test(effectId) ? effectId : null
}

function toErrorCode(form: TwilioForm): string | null {
  const code = readField(form, 'ErrorCode')
  return code === null || code === '' || code === '0' ? null : toStorableText(code)
}
