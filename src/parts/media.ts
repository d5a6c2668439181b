/** The files that users sent, each read with the credentials of the account that its business address has. */
import type { MediaFetcher, MediaOfAccounts } from '../actors/media-fetcher.ts'
import type { Telemetry } from '../actors/ports.ts'
import { createMediaFetcher } from '../infra/media/media-fetcher.ts'
import { processClock } from '../infra/process/clock.ts'
import type { Account, Accounts } from './accounts.ts'

export type MediaPartOptions = {
  readonly accounts: Pick<Accounts, 'find'>
  /** Another base URL of the provider's API; null: Twilio's own. */
  readonly apiUrl: string | null
  /** Of the provider's files, beside its API. */
  readonly hosts: readonly string[]
  readonly telemetry: Telemetry
}

/** Media is addressed at Twilio itself, also where its API is called by way of another base URL. */
const twilioOrigin = 'https://api.twilio.com'

export function openMediaOfAccounts(options: MediaPartOptions): MediaOfAccounts {
  const fetchers = new Map<string, MediaFetcher>()
  const fetcherOf = (account: Account): MediaFetcher => {
    const [authToken = ''] = account.authTokens
    const name = `${account.accountSid} ${authToken}`
    const fetcher = fetchers.get(name) ?? createFetcher(account.accountSid, authToken, options)
    fetchers.set(name, fetcher)
    return fetcher
  }
  return {
    of: (businessAddress) => ({
      async fetch(url, signal) {
        const account = await options.accounts.find(businessAddress).catch(() => null)
        if (account !== null) return fetcherOf(account).fetch(url, signal)
        return { kind: 'refused', reason: 'unreachable', message: 'its account could not be looked up' }
      },
    }),
  }
}

function createFetcher(
  accountSid: string,
  authToken: string,
  { apiUrl, hosts, telemetry }: MediaPartOptions,
): MediaFetcher {
  const ours = apiUrl === null ? [] : [{ origin: new URL(apiUrl).origin, isTrusted: true }]
  const apis = [...ours, { origin: twilioOrigin, isTrusted: false }]
  return createMediaFetcher({ policy: { hosts, apis, accountSid }, authToken, clock: processClock, telemetry })
}
