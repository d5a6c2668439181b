/**
 * Sends a message through Twilio, and finds out afterwards what became of a send that was cut off.
 *
 * Twilio has no idempotency key for messages, so the one question that matters is whether it may
 * have accepted the message. Nothing written, or a 429: certainly not, `retry`. A 4xx: certainly
 * not, and never will, `failed`. Everything else that is not a 201 is `uncertain`; `resolve` then
 * looks for the message in Twilio's own list.
 */
import type { Clock, EffectPerformer, EffectRequest, EffectResult, Random } from '../../actors/ports.ts'
import { toTwilioAddress } from './address.ts'
import { messageSidPattern } from './inbound-message.ts'
import { openRestCall, type RestClientOptions } from './rest-client.ts'
import { createRestConnection, NothingWritten, type RestAnswer } from './rest-connection.ts'
import { toSendParams, type SendParams } from './send-params.ts'
import { findSentMessage } from './sent-messages.ts'
import { toStatusCallback } from './status-callback.ts'

export type TwilioSenderOptions = {
  readonly accountSid: string
  readonly authToken: string
  /** Another base URL for the REST API; null: Twilio itself. */
  readonly apiUrl: string | null
  /** Our public URL; Twilio reports there what became of a message. Asked for each send. */
  readonly statusCallbackBase: () => string
  readonly timeoutMs: number
  readonly clock: Clock
  readonly random: Random
  /** Which of these provider ids belong to other effects or messages of the channel. */
  readonly findKnownProviderIds: (channelId: string, providerIds: readonly string[]) => Promise<ReadonlySet<string>>
}

export type TwilioSender = EffectPerformer & Required<Pick<EffectPerformer, 'resolve'>> & { close(): void }

/** Delays before another attempt, by the number of attempts so far; each is jittered by half. */
const retryDelaysMs = [500, 1_000, 2_000, 4_000, 8_000, 15_000, 30_000] as const

/** Twilio answers these with a 4xx at times, and means: unknown. */
const uncertainCodes: ReadonlySet<number> = new Set([20500, 20503])
const tooManyRequestsCode = 20429

export function createTwilioSender(options: TwilioSenderOptions): TwilioSender {
  const connection = createRestConnection({ clock: options.clock, timeoutMs: options.timeoutMs })
  const rest: RestClientOptions = { ...options, connection }
  return {
    isVisible: true,
    perform: (request) => send(request, rest, options),
    resolve: (request) =>
      findSentMessage(request, toSendParams(request.effect.params), rest, options.findKnownProviderIds),
    close: () => connection.close(),
  }
}

async function send(
  request: EffectRequest,
  rest: RestClientOptions,
  options: TwilioSenderOptions,
): Promise<EffectResult> {
  const params = toSendParams(request.effect.params)
  const retry = (reason: string) => ({
    kind: 'retry' as const,
    afterMs: toRetryDelayMs(request, options.random),
    reason,
  })
  if (options.clock.monotonic() >= request.deadlineMonotonicMs)
    return { ...retry('the deadline had passed'), isAttempt: false }
  const call = openRestCall(rest, request.deadlineMonotonicMs)
  try {
    const message = await call.client.messages.create(toCreateOptions(request, params, options))
    if (!messageSidPattern.test(message.sid)) return { kind: 'uncertain', reason: 'the answer names no message' }
    return { kind: 'done', output: { sid: message.sid, status: message.status }, providerId: message.sid }
  } catch (error) {
    const answer = call.lastAnswer()
    if (answer !== null) return toResult(answer, retry)
    const reason = error instanceof Error ? error.message : String(error)
    if (!(error instanceof NothingWritten)) return { kind: 'uncertain', reason }
    return error.isTooLate ? { ...retry(reason), isAttempt: false } : retry(reason)
  }
}

function toResult(answer: RestAnswer, retry: (reason: string) => EffectResult): EffectResult {
  const { statusCode } = answer
  const { code, message } = readError(answer)
  if (statusCode === 429 || code === tooManyRequestsCode) return retry('Twilio asks to slow down')
  const isRefusal = statusCode >= 300 && statusCode < 500 && statusCode !== 408
  if (!isRefusal || (code !== null && uncertainCodes.has(code))) {
    return { kind: 'uncertain', reason: `Twilio answered ${statusCode}${code === null ? '' : ` (${code})`}` }
  }
  return { kind: 'failed', error: { message, code: code === null ? null : String(code) } }
}

function readError(answer: RestAnswer): { code: number | null; message: string } {
  const fallback = { code: null, message: `Twilio answered ${answer.statusCode}` }
  try {
    const body: unknown = JSON.parse(answer.body)
    if (typeof body !== 'object' || body === null) return fallback
    const { code, message } = body as { code?: unknown; message?: unknown }
    return {
      code: typeof code === 'number' ? code : null,
      message: typeof message === 'string' ? message : fallback.message,
    }
  } catch {
    return fallback
  }
}

function toCreateOptions(request: EffectRequest, params: SendParams, options: TwilioSenderOptions) {
  const statusCallback = toStatusCallback(request, options.statusCallbackBase(), options.apiUrl)
  return {
    to: toTwilioAddress(request.session.replyAddress),
    from: toTwilioAddress(request.session.businessAddress),
    ...(statusCallback === null ? {} : { statusCallback }),
    ...(params.body === undefined ? {} : { body: params.body }),
    ...(params.contentSid === undefined ? {} : { contentSid: params.contentSid }),
    ...(params.contentVariables === undefined ? {} : { contentVariables: params.contentVariables }),
    ...(params.mediaUrls === undefined ? {} : { mediaUrl: [...params.mediaUrls] }),
  }
}

function toRetryDelayMs(request: EffectRequest, random: Random): number {
  const step = Math.min(request.effect.attempts, retryDelaysMs.length - 1)
  const delayMs = retryDelaysMs[step] ?? retryDelaysMs[0]
  return Math.round(delayMs * (0.5 + random()))
}
