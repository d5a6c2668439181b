/**
 * Signed webhooks as the bytes that go over the wire, made before the clock starts: signing and encoding
 * cost more than sending, and they are Twilio's work, not ours.
 */
import twilio from 'twilio'
import { authToken, toForm } from './identities.ts'
import type { Series } from './identities.ts'

export type LoadSpecification = {
  readonly series: Series
  /** Where the webhook is, as Twilio would call and sign it. */
  readonly webhookUrl: string
  readonly conversations: number
  readonly requestsMax: number
}

export type PreparedRequests = {
  readonly requests: readonly Buffer[]
  /** Which user sends each of them. */
  readonly users: Uint32Array
}

export function prepareRequests({
  series,
  webhookUrl,
  conversations,
  requestsMax,
}: LoadSpecification): PreparedRequests {
  const url = new URL(webhookUrl)
  const users = new Uint32Array(requestsMax)
  const random = createRandom(conversations)
  const requests = Array.from({ length: requestsMax }, (_, index) => {
    const user = Math.floor(random() * conversations)
    users[index] = user
    return toRequest(url, webhookUrl, toForm(series, user, index))
  })
  return { requests, users }
}

/** Bytes of a form's values alone, and of the whole request. */
export function describeRequest(webhookUrl: string): { readonly contentBytes: number; readonly requestBytes: number } {
  const form = toForm('1', 0, 0)
  const contentBytes = Object.values(form).reduce((sum, value) => sum + Buffer.byteLength(value), 0)
  return { contentBytes, requestBytes: toRequest(new URL(webhookUrl), webhookUrl, form).length }
}

function toRequest(url: URL, webhookUrl: string, form: { readonly [field: string]: string }): Buffer {
  const body = new URLSearchParams(form).toString()
  const head = [
    `POST ${url.pathname} HTTP/1.1`,
    `Host: ${url.host}`,
    'User-Agent: TwilioProxy/1.1',
    'Accept: */*',
    'Content-Type: application/x-www-form-urlencoded; charset=UTF-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Twilio-Signature: ${twilio.getExpectedTwilioSignature(authToken, webhookUrl, form)}`,
  ]
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`)
}

/** Mulberry32: the same conversations in the same order in every run. */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
