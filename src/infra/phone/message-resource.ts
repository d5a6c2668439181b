/**
 * A message as Twilio's REST API shows it (the `Message` resource of API 2010-04-01), and its
 * errors. The shape follows the official examples; a test checks it against the official schema.
 */
import type { LedgerMessage } from './ledger.ts'

export const apiVersion = '2010-04-01'

export type MessageResource = { readonly [field: string]: unknown }

export function toMessageResource(message: LedgerMessage, accountSid: string): MessageResource {
  const uri = `/${apiVersion}/Accounts/${accountSid}/Messages/${message.sid}`
  return {
    account_sid: accountSid,
    api_version: apiVersion,
    body: message.body,
    date_created: toTwilioDate(message.createdAt),
    date_sent: message.sentAt === null ? null : toTwilioDate(message.sentAt),
    date_updated: toTwilioDate(message.updatedAt),
    direction: message.direction,
    error_code: message.errorCode,
    error_message: null,
    from: message.from,
    messaging_service_sid: null,
    num_media: String(message.mediaUrls.length),
    num_segments: '1',
    price: null,
    price_unit: null,
    sid: message.sid,
    status: message.status,
    subresource_uris: { media: `${uri}/Media.json` },
    to: message.to,
    uri: `${uri}.json`,
  }
}

export function toErrorResource(status: number, code: number, message: string): MessageResource {
  return { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status }
}

/** RFC 2822 in GMT, to the second: `Thu, 24 Aug 2023 05:01:45 +0000`. */
function toTwilioDate(at: number): string {
  return new Date(at).toUTCString().replace('GMT', '+0000')
}
