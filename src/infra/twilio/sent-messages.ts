/**
 * What Twilio's own list says about a send whose answer was lost.
 *
 * Candidates are the messages from us to that address, created since the attempt began, with the
 * same text, that no other effect owns. Two listings: by sending date, and without one, since a
 * message that still waits in Twilio's queue has no sending date and would be missing in the first.
 */
import assert from 'node:assert/strict'
import type { EffectRequest } from '../../actors/ports.ts'
import { toTwilioAddress } from './address.ts'
import { openRestCall, type RestClientOptions } from './rest-client.ts'
import type { SendParams } from './send-params.ts'

/** Twilio's dates have a resolution of one second, and its clock is not ours. */
const clockSkewMs = 2_000
/** More messages than this to one address since the attempt are a matter for a person. */
const listedMax = 2_000
const newestMax = 100
const pageSize = 200

type FindKnown = (channelId: string, providerIds: readonly string[]) => Promise<ReadonlySet<string>>
type ListedMessage = {
  readonly sid: string
  readonly body: string | null
  readonly direction: string
  readonly dateCreated: Date | null
}

/** Rejects when Twilio did not answer the listing: that proves nothing. */
export async function findSentMessage(
  request: EffectRequest,
  params: SendParams,
  rest: RestClientOptions,
  findKnownProviderIds: FindKnown,
): Promise<'accepted-none' | 'ambiguous' | { readonly providerId: string }> {
  const { startedAt } = request.effect
  assert(startedAt !== null, `effect ${request.effect.effectId} never ran`)
  const since = Math.floor((startedAt - clockSkewMs) / 1_000) * 1_000
  const { client } = openRestCall(rest, Infinity)
  const pair = {
    to: toTwilioAddress(request.session.replyAddress),
    from: toTwilioAddress(request.session.businessAddress),
  }
  const dated = await client.messages.list({ ...pair, dateSentAfter: new Date(since), limit: listedMax, pageSize })
  if (dated.length >= listedMax) return 'ambiguous'
  const newest = await client.messages.list({ ...pair, limit: newestMax, pageSize: newestMax })
  const candidates = [...dated, ...newest].filter((message) => isCandidate(message, params, since))
  const sids = [...new Set(candidates.map((message) => message.sid))]
  if (sids.length === 0) return 'accepted-none'
  const known = await findKnownProviderIds(request.session.channelId, sids)
  const [providerId, ...others] = sids.filter((sid) => !known.has(sid))
  if (providerId === undefined) return 'accepted-none'
  return others.length === 0 ? { providerId } : 'ambiguous'
}

function isCandidate(message: ListedMessage, params: SendParams, since: number): boolean {
  if (message.direction !== 'outbound-api') return false
  if (message.dateCreated !== null && message.dateCreated.getTime() < since) return false
  // A template's text is Twilio's, and media may come without any: only a text of ours can be compared.
  return params.contentSid !== undefined || toComparable(message.body) === toComparable(params.body)
}

function toComparable(body: string | null | undefined): string {
  return (body ?? '').normalize('NFC').trim()
}
