/**
 * The webhook of one Twilio account, as pure functions: is it Twilio, is it whole, is it ours, what
 * does it say. It does no I/O and decides no HTTP status; `infra/http` asks it and answers.
 */
import type { LoggedDelivery, LoggedMessage } from '../../actors/ports.ts'
import { toLoggedDelivery } from './delivery.ts'
import type { TwilioForm } from './form.ts'
import { toLoggedMessage, type ParsedWebhook } from './inbound-message.ts'
import { isSignedByTwilio, type SignedRequest } from './signature.ts'

export type TwilioWebhookOptions = {
  readonly accountSid: string
  /** All tokens that are valid now: two while they are being rotated. */
  readonly authTokens: readonly string[]
  /** What Twilio was told to call, up to the path: `https://chat.example.com`. Asked for each request: a free port is known late. */
  readonly publicUrl: () => string
  /** What else may have signed a webhook: the tokens of the channels that have an account of their own. */
  readonly otherTokens?: () => readonly string[]
}

export type TwilioWebhook = {
  /** With any token that is known here: whoever has none is not listened to. */
  isSigned(request: SignedRequest): boolean
  /** With a token of this very account. */
  isSignedBy(request: SignedRequest, authTokens: readonly string[]): boolean
  isOwnAccount(accountSid: string): boolean
  toMessage(form: TwilioForm, receivedAt: number): ParsedWebhook<LoggedMessage>
  toDelivery(form: TwilioForm, path: string, receivedAt: number): ParsedWebhook<LoggedDelivery>
}

export function createTwilioWebhook(options: TwilioWebhookOptions): TwilioWebhook {
  const { accountSid, authTokens, publicUrl, otherTokens = () => [] } = options
  return {
    isSigned: (request) =>
      isSignedByTwilio(request, publicUrl(), authTokens) || isSignedByTwilio(request, publicUrl(), otherTokens()),
    isSignedBy: (request, tokens) => isSignedByTwilio(request, publicUrl(), tokens),
    isOwnAccount: (candidate) => candidate === accountSid,
    toMessage: toLoggedMessage,
    toDelivery: (form, path, receivedAt) => toLoggedDelivery(form, toQuery(path), receivedAt),
  }
}

function toQuery(path: string): URLSearchParams {
  const start = path.indexOf('?')
  return new URLSearchParams(start === -1 ? '' : path.slice(start + 1))
}
