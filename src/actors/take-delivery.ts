/**
 * What becomes of a message after it was handed to the provider: its callbacks, and its refusals, by the one table of
 * `delivery-rules.ts`.
 *
 * 1. Callbacks of one message in any order and number, also before the send's own result, lead to the same rows.
 * 2. What the provider certainly did not take goes on as the same effect. What it took and did not deliver is sent
 *    again as an effect of its own, `<effect>:<number>`, so that each effect stays one message at most.
 * 3. A repeated callback sends nothing again: the number is the same, and the store takes each once.
 */
import { splitText, pieceCharactersMax } from '../machines/conversation/split-text.ts'
import { toDeliveryRule } from '../machines/delivery-rules.ts'
import type { DeliveryAction } from '../machines/delivery-rules.ts'
import type { DeliveryStatus } from '../machines/events.ts'
import type { Json, JsonObject } from '../machines/json.ts'
import { noteOptOut } from './note-consent.ts'
import type { Effect, LoggedDelivery, SessionNotice } from './ports.ts'
import { settle, update } from './settle-effect.ts'
import { tellChart } from './take-step.ts'
import type { Work } from './take-step.ts'

const sendMessage = 'sendMessage'
/** Attempts that end in a closed window or a paused sender, before the message has failed. */
const holdsMax = 12
const resendsMax = 3
/** Halves below it are no use: length is not what the provider minds. */
const pieceCharactersMin = 100

export function updateDelivery(work: Work, event: LoggedDelivery, at: number): void {
  const { providerId, effectId, status, errorCode, raw } = event
  work.fold.deliveries.push({ providerId, effectId, status, errorCode, raw, at })
  const effect = work.state.effects.find((candidate) => candidate.effectId === effectId)
  const started = effect?.status === 'pending' ? findAttempted(work, effect) : effect
  // The callback's URL names the effect: whatever becomes of our request, the provider has accepted it.
  if (effect !== undefined && started) {
    settle(
      work,
      { ...effect, attempts: started.attempts },
      { status: 'done', outcome: { providerId, by: 'callback' }, providerId },
    )
  }
  if (isLost(status)) noteFailure(work, { source: 'callback', code: errorCode, providerId, effectId, at })
  // A message of an earlier conversation is nothing to the current one.
  if (effectId !== null && !effectId.startsWith(`${work.state.conversation?.conversationId}:`)) return
  if (effectId !== null && isLost(status) && (effect === undefined || started)) sendAgain(work, effectId, errorCode)
  const eventId = `status:${providerId}:${status}`
  tellChart(work, { type: 'delivery.updated', effectId, status, errorCode, at }, at, eventId, 'system')
}

/** One that waits for another attempt was taken by an earlier one after all: it must not go out again. */
function findAttempted({ context }: Work, effect: Effect): Effect | null {
  return context.findStarted?.(effect.effectId) ?? (effect.attempts > 0 ? effect : null)
}

/** The provider refused a send. True: it goes on, later or in another form; false: it has failed. */
export function takeRefusal(
  work: Work,
  effect: Effect,
  { message, code }: { readonly message: string; readonly code: string | null },
): boolean {
  if (effect.kind !== sendMessage) return false
  const { now } = work.context
  const { effectId, attempts } = effect
  noteFailure(work, { source: 'response', code, providerId: null, effectId, at: now + work.state.clockOffsetMs })
  const { action } = toDeliveryRule(code)
  if (action.kind === 'split') return splitSend(work, effect, { message, code })
  const afterMs = toDelayMs(action, attempts, attempts <= holdsMax && hasWindow(work) && !isTemplate(effect))
  if (afterMs === null) return false
  const nextAttemptAt = afterMs === 0 ? null : now + afterMs
  update(work, effect, { status: 'pending', nextAttemptAt, outcome: { reason: message, code } })
  return true
}

/** The provider had taken it. The store knows what it said, and fills that in. */
function sendAgain(work: Work, effectId: string, code: string | null): void {
  const { conversation, effects, speakerToken } = work.state
  const resend = toResend(effectId)
  if (resend === null) return
  const { firstId, number } = resend
  const { action } = toDeliveryRule(code)
  const afterMs = number > resendsMax ? null : toDelayMs(action, number, hasWindow(work))
  const againId = `${firstId}:${number}`
  if (afterMs === null || conversation === null || effects.some((other) => other.effectId === againId)) return
  const nextAttemptAt = afterMs === 0 ? null : work.context.now + afterMs
  const { conversationId } = conversation
  const again = toSend({ effectId: againId, conversationId, speakerToken, nextAttemptAt, params: null })
  work.fold.effects.set(againId, again)
  work.state = { ...work.state, effects: [...effects, again] }
}

/** In shorter pieces, where the text stood. */
function splitSend(work: Work, effect: Effect, error: { readonly message: string; readonly code: string | null }) {
  const params = (effect.params ?? {}) as JsonObject
  const body = typeof params['body'] === 'string' ? params['body'] : ''
  const charactersMax = Math.min(pieceCharactersMax, Math.ceil(body.length / 2))
  if (charactersMax < pieceCharactersMin) return false
  const resend = toResend(effect.effectId)
  if (resend === null) return false
  const { mediaUrls: _media, ...rest } = params
  const { firstId, number } = resend
  const pieces = splitText(body, charactersMax).map((piece, index) => {
    const isFirst = index === 0
    return toSend({
      ...effect,
      effectId: `${firstId}:${number + index}`,
      params: { ...(isFirst ? params : rest), body: piece },
      messageId: isFirst ? effect.messageId : null,
      nextAttemptAt: null,
    })
  })
  const before = work.state.effects
  settle(work, effect, { status: 'failed', outcome: { ...error, pieces: pieces.length }, providerId: null })
  for (const piece of pieces) work.fold.effects.set(piece.effectId, piece)
  const effects = before.flatMap((other) => (other.effectId === effect.effectId ? pieces : [other]))
  work.state = { ...work.state, effects }
  return true
}

function toSend(
  wanted: Pick<Effect, 'effectId' | 'conversationId' | 'speakerToken' | 'nextAttemptAt'> & {
    readonly params: Json
    readonly messageId?: string | null
  },
): Effect {
  const { effectId, conversationId, speakerToken, nextAttemptAt, params, messageId = null } = wanted
  const fresh = { childId: null, attempts: 0, deadline: null, startedAt: null, status: 'pending' } as const
  return { effectId, conversationId, kind: sendMessage, params, speakerToken, nextAttemptAt, messageId, ...fresh }
}

/** What a failure says beyond its own message. */
function noteFailure(work: Work, failure: Omit<SessionNotice, 'kind' | 'pauseMs'>): void {
  const { source, code, effectId } = failure
  const { action } = toDeliveryRule(code)
  work.fold.failures.push({ source, code, effectId })
  if (action.kind === 'opt-out') noteOptOut(work, failure)
  if (action.kind === 'close-window' && hasWindow(work)) {
    work.fold.notices.push({ kind: 'window-closed', pauseMs: null, ...failure })
  }
  if (action.kind === 'pause-sender') {
    work.fold.notices.push({ kind: 'sender-paused', pauseMs: action.forMs, ...failure })
  }
}

/** When a message is tried again for the `number`th time: 0 as soon as it may; null: never. */
function toDelayMs(action: DeliveryAction, number: number, mayBeHeld: boolean): number | null {
  if (action.kind === 'retry') return action.afterMs[number - 1] ?? null
  if (action.kind === 'pause-sender') return number <= holdsMax ? action.forMs : null
  return action.kind === 'close-window' && mayBeHeld ? 0 : null
}

/** `<first>` is the effect of a step, `<first>:1` its first resend; null when it is no effect's id at all. */
function toResend(effectId: string): { readonly firstId: string; readonly number: number } | null {
  const match = /^([^:]+:\d{1,15}:\d{1,15})(?::(\d{1,3}))?$/.exec(effectId)
  return match === null ? null : { firstId: match[1] ?? '', number: Number(match[2] ?? '0') + 1 }
}

function isLost(status: DeliveryStatus): boolean {
  return status === 'failed' || status === 'undelivered'
}

function hasWindow({ state }: Work): boolean {
  return state.channel.businessAddress.startsWith('whatsapp:')
}

function isTemplate({ params }: Effect): boolean {
  return typeof (params as { readonly contentSid?: Json } | null)?.contentSid === 'string'
}
