/**
 * The official `twilio` client over our own connection: the client knows Twilio's API, the
 * connection knows what was written. One client per call, since the deadline belongs to the call.
 */
import twilio from 'twilio'
import type { RestAnswer, RestConnection } from './rest-connection.ts'

export type RestClientOptions = {
  readonly accountSid: string
  readonly authToken: string
  /** Another base for every REST request (tests, proxies); null: Twilio itself. */
  readonly apiUrl: string | null
  readonly connection: RestConnection
}

export type RestCall = {
  readonly client: twilio.Twilio
  /** The last answer that came, whatever the client made of it; null when none came. */
  lastAnswer(): RestAnswer | null
}

type ClientRequest = Parameters<InstanceType<typeof twilio.RequestClient>['request']>[0]
type HttpClient = InstanceType<typeof twilio.RequestClient>

export function openRestCall(options: RestClientOptions, deadlineMonotonicMs: number): RestCall {
  let last: RestAnswer | null = null
  const request = async (wanted: ClientRequest): Promise<RestAnswer> => {
    last = null
    last = await options.connection.send({
      method: wanted.method.toUpperCase(),
      url: toUrl(wanted, options.apiUrl),
      headers: toHeaders(wanted),
      body: wanted.data === undefined ? null : toForm(wanted.data as FormData).toString(),
      deadlineMonotonicMs,
    })
    return last
  }
  // The client only ever calls `request` of its HTTP client; extending its axios-based class would open a second agent.
  const httpClient = { request } as unknown as HttpClient
  const client = twilio(options.accountSid, options.authToken, { httpClient })
  return { client, lastAnswer: () => last }
}

type FormData = { readonly [field: string]: unknown }

function toUrl(wanted: ClientRequest, apiUrl: string | null): URL {
  const official = new URL(wanted.uri)
  const url = apiUrl === null ? official : new URL(apiUrl.replace(/\/$/, '') + official.pathname + official.search)
  if (wanted.params !== undefined) {
    for (const [name, value] of toForm(wanted.params as FormData)) url.searchParams.append(name, value)
  }
  return url
}

function toHeaders(wanted: ClientRequest): { readonly [name: string]: string } {
  const credentials = Buffer.from(`${wanted.username ?? ''}:${wanted.password ?? ''}`).toString('base64')
  return { ...(wanted.headers as { [name: string]: string }), Authorization: `Basic ${credentials}` }
}

function toForm(data: FormData): URLSearchParams {
  const form = new URLSearchParams()
  for (const [field, value] of Object.entries(data)) {
    if (value === undefined || value === null) continue
    for (const item of Array.isArray(value) ? value : [value]) form.append(field, String(item))
  }
  return form
}
