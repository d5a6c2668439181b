/**
 * Fetches the media of messages. An address comes from whoever wrote to us, so it is an order to connect somewhere,
 * given by a stranger:
 *
 * 1. Only hosts on the list, https, the usual port; the API's own origin as the settings name it (`media-address.ts`).
 * 2. A name is looked up once; every address that it has must be public, and the connection goes to one of these.
 * 3. A redirect is followed by hand, a few times, and each hop is held to 1 and 2.
 * 4. The account's credentials go to the API's origin, in the first request only, and never along a redirect.
 * 5. Size, time, type and the number of files at once are bounded; nothing is unpacked.
 */
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'

import type { FetchedMedia, MediaFetcher, MediaRefusal } from '../../actors/media-fetcher.ts'
import type { Clock, Telemetry } from '../../actors/ports.ts'
import { readMediaAddress, type MediaAddress, type MediaPolicy } from './media-address.ts'
import { dial, requestHop, type Dial, type HopAnswer, type HopLimits } from './media-hop.ts'
import { isAcceptedType, readMediaType } from './media-type.ts'
import { isPublicAddress } from './public-address.ts'

export type MediaLimits = HopLimits & {
  /** Of one file, redirects and all. */
  readonly totalMs: number
  readonly redirectsMax: number
  readonly inFlightMax: number
  readonly waitingMax: number
}

export type MediaFetcherOptions = {
  readonly policy: MediaPolicy
  readonly authToken: string
  readonly clock: Clock
  readonly telemetry: Telemetry
  readonly limits?: Partial<MediaLimits>
  /** All addresses of a host. */
  readonly resolve?: (hostname: string) => Promise<readonly string[]>
  readonly dial?: Dial
}

/** WhatsApp takes files of up to 16 MB; ten of them at once are what a small node can hold. */
const defaultLimits: MediaLimits = {
  connectMs: 5_000,
  headersMs: 10_000,
  totalMs: 30_000,
  bytesMax: 16 * 1_024 * 1_024,
  redirectsMax: 3,
  inFlightMax: 8,
  waitingMax: 64,
}

type Fetching = Required<Pick<MediaFetcherOptions, 'resolve' | 'dial'>> &
  MediaFetcherOptions & { readonly all: MediaLimits }
type Allowed = Extract<MediaAddress, { kind: 'allowed' }>

export function createMediaFetcher(options: MediaFetcherOptions): MediaFetcher {
  const all = { ...defaultLimits, ...options.limits }
  const fetching: Fetching = { resolve: lookUp, dial, ...options, all }
  const waiting: (() => void)[] = []
  let inFlight = 0
  return {
    async fetch(url, signal) {
      if (inFlight >= all.inFlightMax) {
        if (waiting.length >= all.waitingMax) return refuse(fetching, 'busy', 'too many files are being fetched')
        await new Promise<void>((start) => {
          waiting.push(start)
        })
      } else inFlight += 1
      try {
        return await fetchWithin(url, signal, fetching)
      } finally {
        // Whoever waits takes the place over.
        const next = waiting.shift()
        if (next === undefined) inFlight -= 1
        else next()
      }
    },
  }
}

async function fetchWithin(url: string, signal: AbortSignal | undefined, fetching: Fetching): Promise<FetchedMedia> {
  const timer = new AbortController()
  const { promise, resolve } = Promise.withResolvers<FetchedMedia>()
  const stop = fetching.clock.schedule(fetching.all.totalMs, () => {
    resolve(refuse(fetching, 'timeout', `not there within ${fetching.all.totalMs} ms`))
    timer.abort()
  })
  const onAbort = (): void => {
    resolve(refuse(fetching, 'aborted', 'it is not wanted any more'))
    timer.abort()
  }
  if (signal?.aborted === true) onAbort()
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([promise, follow(url, timer.signal, fetching)])
  } finally {
    stop()
    signal?.removeEventListener('abort', onAbort)
  }
}

async function follow(text: string, signal: AbortSignal, fetching: Fetching): Promise<FetchedMedia> {
  const { policy, all } = fetching
  let address = readMediaAddress(text, null, policy)
  for (let redirects = 0; redirects <= all.redirectsMax; redirects += 1) {
    if (address.kind === 'refused') return refuse(fetching, 'not-allowed', address.why)
    if (signal.aborted) return refuse(fetching, 'aborted', 'it is not wanted any more')
    const answer = await requestAllowed(address, redirects === 0, signal, fetching)
    if (answer.kind !== 'redirect') return toMedia(answer, fetching)
    address = readMediaAddress(answer.location, address.url, policy)
  }
  return refuse(fetching, 'not-allowed', `more than ${all.redirectsMax} redirects`)
}

type Answer = HopAnswer | { readonly kind: 'not-public' }

async function requestAllowed(
  { url, isApi, isTrusted }: Allowed,
  isFirst: boolean,
  signal: AbortSignal,
  fetching: Fetching,
): Promise<Answer> {
  const { policy, authToken, clock, all, dial: connect } = fetching
  const addresses = await findAddresses(url.hostname, fetching)
  const [first] = addresses
  if (first === undefined || signal.aborted) return { kind: 'refused', reason: 'unreachable' }
  if (!isTrusted && !addresses.every(isPublicAddress)) return { kind: 'not-public' }
  const credentials = `Basic ${Buffer.from(`${policy.accountSid}:${authToken}`).toString('base64')}`
  const authorization = isFirst && isApi ? credentials : null
  return requestHop(
    { url, address: first, authorization, isWanted: isAcceptedType, signal },
    { clock, dial: connect, limits: all },
  )
}

async function findAddresses(hostname: string, { resolve }: Fetching): Promise<readonly string[]> {
  const literal = hostname.replace(/^\[(.*)\]$/u, '$1')
  if (isIP(literal) !== 0) return [literal]
  return resolve(hostname).catch(() => [])
}

async function lookUp(hostname: string): Promise<readonly string[]> {
  return (await lookup(hostname, { all: true })).map(({ address }) => address)
}

function toMedia(answer: Exclude<Answer, { kind: 'redirect' }>, fetching: Fetching): FetchedMedia {
  switch (answer.kind) {
    case 'not-public':
      return refuse(fetching, 'not-allowed', 'its host has an address that is not public')
    case 'refused':
      return refuse(fetching, answer.reason, refusals[answer.reason])
    case 'status': {
      const isGone = answer.status === 404 || answer.status === 410
      return refuse(fetching, isGone ? 'gone' : 'unreachable', `the answer was ${answer.status}`)
    }
    case 'file': {
      const type = readMediaType(answer.contentType, answer.bytes)
      if (type === null) return refuse(fetching, 'wrong-type', refusals['wrong-type'])
      fetching.telemetry.count('media_fetches', { outcome: 'fetched' })
      return { kind: 'media', bytes: answer.bytes, ...type }
    }
  }
}

const refusals = {
  'too-large': 'it is larger than what is taken',
  'wrong-type': 'it is not of a kind that is taken, or not what it says it is',
  timeout: 'the answer did not come in time',
  unreachable: 'the connection failed',
} as const

function refuse({ telemetry }: Fetching, reason: MediaRefusal, message: string): FetchedMedia {
  telemetry.count('media_fetches', { outcome: reason })
  return { kind: 'refused', reason, message }
}
