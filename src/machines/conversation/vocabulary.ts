/**
 * The words that the chart is written in: its events, questions (guards), orders (actions) and delays.
 * All are pure; the only order that reaches the world is `sendMessage`, which the host performs, as it
 * performs the invoked `draftReply` and `transcribe` (DESIGN D1).
 */
import { assign, emit, fromPromise, setup } from 'xstate'

import type { ConversationEvent, MessageReceived } from '../events.ts'
import type { Json } from '../json.ts'
import { readMessageIntent } from './message-intent.ts'
import type { ConversationContext, ConversationInput } from './context.ts'
import { toDraft } from './draft.ts'
import type { Draft, DraftRequest } from './draft.ts'
import type { OutboundMessage } from './to-replies.ts'
import type { Intent } from './closing-words.ts'
import { detectLanguage } from './language.ts'
import { isUnreachable } from './delivery-failures.ts'
import { heardLanguage, isHeard, isMoreToHear, isRequest, isSomethingHeard, transcriptsOf } from './hearing.ts'
import type { OperatorEvent } from './operator-events.ts'
import { countMessage, isTooMany, noteTold, noteToldFor } from './rate.ts'
import { sentences } from './sentences.ts'
import type { SentenceName } from './sentences.ts'
import { splitText } from './split-text.ts'
import { hearingAttemptsMax } from './transcription.ts'
import type { TranscribeRequest } from './transcription.ts'
import { toReplies } from './to-replies.ts'
import { closeWindow, collectMessage, countFailure, countHearingFailure, draftAttemptsMax } from './turn.ts'
import { endTurn, giveUpHearing, hasWords, hear, quietDelayMs, toUnheard } from './turn.ts'

/** Error codes of `draftReply` and `transcribe` after which asking again is no use. */
const finalFailures: ReadonlySet<string> = new Set(['spend-limit', 'not-configured'])

/** Error codes of `draftReply` and `transcribe` when the tenant's budget of a window is used up. */
const budgetWindows: ReadonlyMap<string, 'minute' | 'hour'> = new Map([
  ['tenant-minute', 'minute'],
  ['tenant-hour', 'hour'],
])

/** What listeners hear; the host marks the message by it (docs/decisions, media). */
export type MessageLimited = { readonly type: 'message.limited'; readonly messageId: string }

/** Below it a goodbye that only the assistant heard does not close. */
const closingConfidenceMin = 0.8

type Event = ConversationEvent | OperatorEvent
/** Any event that reaches the chart, the ones of its own timers and effects included. */
type AnyEvent = { readonly type: string }
type Scope = { readonly context: ConversationContext; readonly event: AnyEvent }

const words = setup({
  types: {
    context: {} as ConversationContext,
    events: {} as Event,
    input: {} as ConversationInput,
    tags: {} as 'closed',
    emitted: {} as MessageLimited,
  },
  actors: {
    transcribe: fromPromise<Json, TranscribeRequest>(() =>
      Promise.reject(new Error('transcribe is performed by the host')),
    ),
    draftReply: fromPromise<Json, DraftRequest>(() => Promise.reject(new Error('draftReply is performed by the host'))),
  },
  delays: {
    quiet: ({ context }) => quietDelayMs(context.turn, context.settings),
    answering: ({ context }) => context.settings.answeringMs,
    transcribing: ({ context }) => context.settings.transcribingMs,
    pendingExpiry: ({ context }) => context.settings.pendingExpiryMs,
    idleTimeout: ({ context }) => context.settings.idleTimeoutMs,
    idleExpiry: ({ context }) => context.settings.idleExpiryMs,
    handoffQueue: ({ context }) => context.settings.handoffQueueMs,
    handoffExpiry: ({ context }) => context.settings.handoffExpiryMs,
  },
  guards: {
    optsOut: (scope) => intentOf(scope) === 'stop',
    saysGoodbye: (scope) => isGoodbye(intentOf(scope)),
    asksForPerson: (scope) => intentOf(scope) === 'handoff',
    goesOn: (scope) => !isEnding(intentOf(scope)),
    isTooMany: isOverLimit,
    joinsTurn: (scope) => {
      const intent = intentOf(scope)
      return (intent === null || intent === 'start') && !isOverLimit(scope)
    },
    isOverBudget: ({ event }) => budgetOf(event) !== null,
    hasVoice: ({ context }) => toUnheard(context.turn).length > 0,
    isHeardOptOut: (scope) => isHeard(scope, 'stop'),
    isHeardGoodbye: (scope) => isHeard(scope, 'goodbye'),
    isHeardForPerson: (scope) => isHeard(scope, 'handoff') && !isHeard(scope, 'stop'),
    isMoreToHear: (scope) => isMoreToHear(scope) && !isRequest(scope),
    isHeard: (scope) => isSomethingHeard(scope) && !isRequest(scope),
    mayHearAgain: (scope) => {
      const { context, event } = scope
      const isLeft = context.turn.hearingFailures + 1 < hearingAttemptsMax
      return isLeft && !isFinalFailure(event) && transcriptsOf(scope) === null
    },
    isReadableElsewhere: (scope) => hasWords(scope.context.turn) && !isRequest(scope),
    isUnreadable: (scope) => !isRequest(scope),
    isDraft: ({ event }) => draftOf(event) !== null,
    isDraftForPerson: ({ event }) => draftOf(event)?.intent === 'handoff',
    isDraftGoodbye: ({ event }) => isSureGoodbye(draftOf(event)),
    mayRetry: ({ context, event }) => context.turn.failures + 1 < draftAttemptsMax && !isFinalFailure(event),
    personMayCome: ({ context }) => !context.nobodyCame,
    isAssigned: ({ context, event }) => isAssigned(context, event),
    isTransfer: ({ context, event }) => isAssigned(context, event) && 'to' in event && event.to !== context.operatorId,
    isFirstLine: ({ context }) => context.line === 'agent',
    mayEscalate: ({ context, event }) => context.line === 'agent' && isAssigned(context, event),
    userIsUnreachable: ({ event }) => event.type === 'delivery.updated' && isUnreachable(event),
    endsWithoutIdling: ({ context }) => context.settings.idleExpiryMs === 0,
    asAgent: ({ event }) => event.type === 'operator.closed' && event.as === 'agent',
    asSupport: ({ event }) => event.type === 'operator.closed' && event.as === 'support',
  },
  actions: {
    sendMessage: (_, _message: OutboundMessage) => {},
    collect: assign(({ context, event }) => {
      const message = event as MessageReceived
      return {
        turn: collectMessage(context.turn, message),
        language: languageOf({ context, event }),
        rate: countMessage(context.rate, message.at),
      }
    }),
    limitMessage: emit(({ event }) => ({ type: 'message.limited', messageId: (event as MessageReceived).messageId })),
    hear: assign((scope) => ({
      turn: hear(scope.context.turn, transcriptsOf(scope) ?? []),
      language: heardLanguage(scope),
    })),
    noteHeardLanguage: assign({ language: heardLanguage }),
    giveUpHearing: assign({ turn: ({ context }) => giveUpHearing(context.turn) }),
    countHearingFailure: assign({ turn: ({ context }) => countHearingFailure(context.turn) }),
    noteLanguage: assign({ language: languageOf }),
    closeWindow: assign({ turn: ({ context }) => closeWindow(context.turn) }),
    countFailure: assign({ turn: ({ context }) => countFailure(context.turn) }),
    endTurn: assign({ turn: ({ context }) => endTurn(context.turn) }),
    noteAnswered: assign({ nobodyCame: false }),
    noteNobodyCame: assign({ nobodyCame: true }),
    assignOperator: assign({ operatorId: ({ event }) => ('operatorId' in event ? event.operatorId : null) }),
    transferTo: assign({ operatorId: ({ context, event }) => ('to' in event ? event.to : context.operatorId) }),
    dropOperator: assign({ operatorId: null }),
    escalate: assign({ operatorId: null, line: 'support' }),
    returnToFirstLine: assign({ line: 'agent' }),
    noteReason: assign({ reason: (_, params: { reason: string }) => params.reason }),
    /** An operator's own reason behind what happened. */
    noteOperatorReason: assign({
      reason: ({ event }, params: { what: string }) =>
        'reason' in event && event.reason !== '' ? `${params.what}: ${event.reason}` : params.what,
    }),
  },
})

/** What is said in several messages, when it is too long for one. */
export const vocabulary = words.extend({
  actions: {
    sendDraft: words.enqueueActions(({ event, enqueue }) => {
      for (const body of splitText(draftOf(event)?.reply ?? '')) {
        enqueue({ type: 'sendMessage', params: { author: 'assistant', body } })
      }
    }),
    /** Once until the exceeded window ends. */
    tellTooMany: words.enqueueActions(({ context, event, enqueue }) => {
      if (!isMessage(event) || event.at < context.rate.toldUntil) return
      enqueue({ type: 'sendMessage', params: toSentence('tooMany', context) })
      enqueue.assign({ rate: noteTold(context.rate, event.at, context.limits) })
    }),
    tellTooBusy: words.enqueueActions(({ context, event, enqueue }) => {
      const latestAt = latestAtOf(context)
      if (latestAt < context.rate.toldUntil) return
      enqueue({ type: 'sendMessage', params: toSentence('tooBusy', context) })
      enqueue.assign({ rate: noteToldFor(context.rate, latestAt, budgetOf(event) ?? 'minute') })
    }),
    sendReply: words.enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== 'operator.replied') return
      for (const params of toReplies(event, context.scheme)) enqueue({ type: 'sendMessage', params })
    }),
  },
})

// ── Orders with their details ────────────────────────────────────────────────────────────────────

/** Says why the status is what it is, for the history. */
export function because(reason: string) {
  return { type: 'noteReason', params: { reason } } as const
}

/** The same, with the reason that the operator gave. */
export function becauseOperator(what: string) {
  return { type: 'noteOperatorReason', params: { what } } as const
}

/** Sends one of the chart's own sentences, in the user's language. */
export function say(name: SentenceName) {
  return { type: 'sendMessage', params: ({ context }: Scope) => toSentence(name, context) } as const
}

function toSentence(name: SentenceName, { language }: ConversationContext): OutboundMessage {
  return { author: 'system', body: sentences[language][name] }
}

export function toDraftRequest({ context }: { readonly context: ConversationContext }): DraftRequest {
  const { turn, language, recovery } = context
  const { number, failures, messages, omitted } = turn
  return { turn: number, attempt: failures + 1, messages, omitted, language, recovery }
}

export function toTranscribeRequest({ context }: { readonly context: ConversationContext }): TranscribeRequest {
  const { turn } = context
  return { turn: turn.number, attempt: turn.hearingFailures + 1, notes: toUnheard(turn) }
}

// ── Reading events ───────────────────────────────────────────────────────────────────────────────

function isAssigned(context: ConversationContext, event: AnyEvent): boolean {
  return 'operatorId' in event && event.operatorId !== null && event.operatorId === context.operatorId
}

function intentOf({ context, event }: Scope): Intent | null {
  return isMessage(event) ? readMessageIntent(event, context.scheme, context.phrases) : null
}

function isGoodbye(intent: Intent | null): boolean {
  return intent === 'close' || intent === 'thanks'
}

function isEnding(intent: Intent | null): boolean {
  return intent === 'stop' || isGoodbye(intent)
}

function languageOf({ context, event }: Scope): ConversationContext['language'] {
  return (isMessage(event) ? detectLanguage(event.body) : null) ?? context.language
}

/** Opting out and goodbyes are heard however many messages there were. */
function isOverLimit(scope: Scope): boolean {
  const { context, event } = scope
  return isMessage(event) && isTooMany(context.rate, event.at, context.limits) && !isEnding(intentOf(scope))
}

function isMessage(event: AnyEvent): event is MessageReceived {
  return event.type === 'message.received'
}

function draftOf(event: AnyEvent): Draft | null {
  return 'output' in event ? toDraft(event.output) : null
}

/** A failure that no further attempt would change: the performer says so by its code. */
function isFinalFailure(event: AnyEvent): boolean {
  return finalFailures.has(codeOf(event) ?? '')
}

function budgetOf(event: AnyEvent): 'minute' | 'hour' | null {
  return budgetWindows.get(codeOf(event) ?? '') ?? null
}

function codeOf(event: AnyEvent): string | null {
  if (!('error' in event) || typeof event.error !== 'object' || event.error === null) return null
  return 'code' in event.error && typeof event.error.code === 'string' ? event.error.code : null
}

/** Results carry no moment: of the latest message that was taken. */
function latestAtOf({ rate, turn }: ConversationContext): number {
  return turn.window?.latestAt ?? Math.max(rate.minuteAt, rate.hourAt)
}

function isSureGoodbye(draft: Draft | null): boolean {
  return draft !== null && draft.intent === 'close' && draft.confidence >= closingConfidenceMin
}
