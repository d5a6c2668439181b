/**
 * The messages that users sent, as Twilio's own list has them: what reconciliation compares with. Twilio keeps an
 * inbound message there whether or not anybody answered its webhook.
 *
 * The list knows less than the webhook (no profile name, no `WaId`), so a user who is known by a business-scoped id
 * alone is named by it. `raw.Recovered` marks where the message came from.
 */
import type { LoggedMessage } from '../../actors/ports.ts'
import { toTwilioAddress } from './address.ts'
import { toLoggedMessage } from './inbound-message.ts'
import { openRestCall, type RestClientOptions } from './rest-client.ts'

/** More than this at once would not fit into memory; a later moment has to be asked for. */
const listedMax = 100_000
const pageSize = 1_000
const mediaMax = 10

export type ListedMessage = {
  readonly sid: string
  readonly from: string
  readonly to: string
  readonly body: string
  readonly media: readonly { readonly url: string; readonly contentType: string }[]
  readonly at: number
}

/** Of these business addresses, sent at or after `since` (to the second), oldest first. Rejects when Twilio does not answer. */
export async function listReceivedMessages(
  rest: RestClientOptions,
  businessAddresses: readonly string[],
  since: number,
): Promise<readonly LoggedMessage[]> {
  const { client } = openRestCall(rest, Infinity)
  const events: LoggedMessage[] = []
  for (const address of businessAddresses) {
    const to = toTwilioAddress(address)
    const dateSentAfter = new Date(Math.floor(since / 1_000) * 1_000)
    const listed = await client.messages.list({ to, dateSentAfter, limit: listedMax, pageSize })
    if (listed.length >= listedMax)
      throw new Error(`more than ${listedMax} messages since then: ask for a later moment`)
    // The newest come first, also among those of one second.
    for (const message of listed.toReversed()) {
      if (message.direction !== 'inbound') continue
      const media = Number(message.numMedia) > 0 ? await listMedia(rest, message.sid) : []
      const { sid, from, body } = message
      const at = (message.dateSent ?? message.dateCreated).getTime()
      const event = toEvent({ sid, from, to: message.to, body: body ?? '', media, at }, rest.accountSid)
      if (event !== null) events.push(event)
    }
  }
  return events.toSorted((one, other) => one.receivedAt - other.receivedAt)
}

async function listMedia(rest: RestClientOptions, messageSid: string): Promise<ListedMessage['media']> {
  const { client } = openRestCall(rest, Infinity)
  const listed = await client.messages(messageSid).media.list({ limit: mediaMax })
  const base = rest.apiUrl ?? 'https://api.twilio.com'
  return listed.map(({ uri, contentType }) => ({ url: base + uri.replace(/\.json$/, ''), contentType }))
}

/** As its webhook would have been; null for a sender that the webhook refuses too. */
function toEvent({ sid, from, to, body, media, at }: ListedMessage, accountSid: string): LoggedMessage | null {
  const form: { [field: string]: string } = {
    AccountSid: accountSid,
    MessageSid: sid,
    From: from,
    To: to,
    Body: body,
    NumMedia: String(media.length),
    Recovered: 'true',
  }
  for (const [index, { url, contentType }] of media.entries()) {
    form[`MediaUrl${index}`] = url
    form[`MediaContentType${index}`] = contentType
  }
  const parsed = toLoggedMessage(form, at)
  return parsed.kind === 'event' ? parsed.event : null
}
