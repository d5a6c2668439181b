/**
 * The form of an inbound message as Twilio sends it: the seventeen fields that real WhatsApp
 * traffic carries, and the fields of an SMS with the places of both numbers.
 */
import { apiVersion } from './message-resource.ts'
import type { Form } from './webhook-caller.ts'

export type UserMessage = {
  readonly from: string
  readonly to: string
  readonly body: string
  readonly profileName?: string
  readonly externalUserId?: string
  readonly media?: readonly { readonly url: string; readonly contentType: string }[]
  /** A message that was sent before: the same webhook once more. */
  readonly messageSid?: string
}

export function toInboundForm(message: UserMessage, sid: string, accountSid: string): Form {
  const media = message.media ?? []
  return {
    SmsMessageSid: sid,
    NumMedia: String(media.length),
    SmsSid: sid,
    SmsStatus: 'received',
    Body: message.body,
    To: message.to,
    NumSegments: '1',
    MessageSid: sid,
    AccountSid: accountSid,
    From: message.from,
    ApiVersion: apiVersion,
    ...(message.from.startsWith('whatsapp:') ? toWhatsAppFields(message) : toSmsFields()),
    ...Object.fromEntries(
      media.flatMap(({ url, contentType }, index) => [
        [`MediaUrl${index}`, url],
        [`MediaContentType${index}`, contentType],
      ]),
    ),
  }
}

function toWhatsAppFields(message: UserMessage): Form {
  const value = message.from.slice('whatsapp:'.length)
  const digits = value.replace(/^\+/, '')
  const externalUserId = message.externalUserId ?? (value.startsWith('+') ? `whatsapp:US.${digits}` : message.from)
  return {
    ProfileName: message.profileName ?? 'Phone',
    ...(value.startsWith('+') ? { WaId: digits } : {}),
    MessageType: 'text',
    ReferralNumMedia: '0',
    ChannelMetadata: JSON.stringify({ type: 'whatsapp', data: { context: {} } }),
    ExternalUserId: externalUserId,
  }
}

function toSmsFields(): Form {
  const place = (side: 'From' | 'To'): Form => ({
    [`${side}Country`]: 'US',
    [`${side}State`]: 'CA',
    [`${side}City`]: 'SAN FRANCISCO',
    [`${side}Zip`]: '94105',
  })
  return { ...place('From'), ...place('To') }
}
