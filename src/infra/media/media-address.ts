/** Which addresses media is fetched from, decided for each hop before anything is looked up. */

export type MediaPolicy = {
  /** Host names, exact: the provider's API and where it keeps media. */
  readonly hosts: readonly string[]
  /** Where the provider's API is, and so where the account's credentials may go. */
  readonly apis: readonly {
    readonly origin: string
    /** True: the settings name it, so it may be http, on any port, and on this machine. */
    readonly isTrusted: boolean
  }[]
  /** On the API's origins only what belongs to this account. */
  readonly accountSid: string
}

export type MediaAddress =
  | { readonly kind: 'allowed'; readonly url: URL; readonly isApi: boolean; readonly isTrusted: boolean }
  | { readonly kind: 'refused'; readonly why: string }

export function readMediaAddress(text: string, base: URL | null, policy: MediaPolicy): MediaAddress {
  const url = URL.parse(text, base ?? undefined)
  if (url === null) return refused('not an address')
  if (url.username !== '' || url.password !== '') return refused('it names a user')
  const api = policy.apis.find(({ origin }) => origin === url.origin)
  if (api !== undefined) {
    const isOwn = url.pathname.startsWith(`/2010-04-01/Accounts/${policy.accountSid}/`)
    if (!isOwn) return refused('not the media of our account')
    return { kind: 'allowed', url, isApi: true, isTrusted: api.isTrusted }
  }
  if (url.protocol !== 'https:') return refused('not https')
  if (url.port !== '') return refused('another port')
  if (!policy.hosts.includes(url.hostname)) return refused('another host')
  return { kind: 'allowed', url, isApi: false, isTrusted: false }
}

function refused(why: string): MediaAddress {
  return { kind: 'refused', why }
}
