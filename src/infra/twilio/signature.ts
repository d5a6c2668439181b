/**
 * Whether a request was signed by Twilio with one of the account's tokens.
 *
 * The signature covers the URL that Twilio was configured with and every parameter, so the URL is
 * built from our own settings and the request's path, never from headers that a client can set.
 * Connection overrides (`#rc=3&rp=all`) stand in the URL's fragment and are not signed.
 */
import twilio from 'twilio'
import type { TwilioForm } from './form.ts'

/** A SHA-1 HMAC in base64; anything of another length cannot be one. */
const signaturePattern = /^[A-Za-z0-9+/]{27}=$/

export type SignedRequest = {
  /** The `X-Twilio-Signature` header; a repeated header is an array or joined by a comma, and never valid. */
  readonly signature: string | readonly string[] | undefined
  /** Path and query as they arrived. */
  readonly path: string
  readonly form: TwilioForm
}

export function isSignedByTwilio(request: SignedRequest, publicUrl: string, authTokens: readonly string[]): boolean {
  const { signature, form } = request
  if (typeof signature !== 'string' || !signaturePattern.test(signature)) return false
  const url = toSignedUrl(publicUrl, request.path)
  if (url === null) return false
  return authTokens.some((token) => token !== '' && twilio.validateRequest(token, signature, url, form))
}

function toSignedUrl(publicUrl: string, path: string): string | null {
  const url = withoutFragment(publicUrl).replace(/\/$/, '') + withoutFragment(path)
  return path.startsWith('/') && URL.canParse(url) ? url : null
}

function withoutFragment(url: string): string {
  const start = url.indexOf('#')
  return start === -1 ? url : url.slice(0, start)
}
