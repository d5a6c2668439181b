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

/** The list of a message's media. What kind they are the ledger does not keep. */
export function toMediaList({ sid, mediaUrls, createdAt }: LedgerMessage, accountSid: string): MessageResource {
  const uri = `/${apiVersion}/Accounts/${accountSid}/Messages/${sid}/Media`
  const date = toTwilioDate(createdAt)
  const media = mediaUrls.map((_url, index) => {
    const own = `ME${String(index).padStart(32, '0')}`
    const dates = { date_created: date, date_updated: date }
    const resource = { account_sid: accountSid, content_type: 'application/octet-stream', parent_sid: sid, sid: own }
    return { ...resource, ...dates, uri: `${uri}/${own}.json` }
  })
  const page = { end: Math.max(media.length - 1, 0), first_page_uri: `${uri}.json`, next_page_uri: null, page: 0 }
  return { ...page, media_list: media, page_size: 50, previous_page_uri: null, start: 0, uri: `${uri}.json` }
}

export function toErrorResource(status: number, code: number, message: string): MessageResource {
  return { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status }
}

/** RFC 2822 in GMT, to the second: `Thu, 24 Aug 2023 05:01:45 +0000`. */
function toTwilioDate(at: number): string {
  return new Date(at).toUTCString().replace('GMT', '+0000')
}
