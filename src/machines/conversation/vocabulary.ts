/**
 * The words that the chart is written in: its events, questions (guards), orders (actions) and delays.
 * All are pure; the only order that reaches the world is `sendMessage`, which the host performs, as it
 * performs the invoked `draftReply` (DESIGN D1).
 */
import { assign, fromPromise, setup } from 'xstate'

import type { ConversationEvent, MessageReceived } from '../events.ts'
import type { Json } from '../json.ts'
import { readMessageIntent } from './message-intent.ts'
import type { ConversationContext, ConversationInput } from './context.ts'
import { toDraft } from './draft.ts'
import type { Draft, DraftRequest } from './draft.ts'
import type { Intent } from './closing-words.ts'
import { detectLanguage } from './language.ts'
import { isUnreachable } from './delivery-failures.ts'
import type { OperatorEvent } from './operator-events.ts'
import { sentences } from './sentences.ts'
import type { SentenceName } from './sentences.ts'
import { splitText } from './split-text.ts'
import { closeWindow, collectMessage, countFailure, draftAttemptsMax, endTurn, quietDelayMs } from './turn.ts'

export type OutboundMessage = {
  readonly author: 'assistant' | 'operator' | 'system'
  readonly body: string
  /** An operator's attachments. */
  readonly mediaUrls?: readonly string[]
  /** A template of the provider, in place of a body. */
  readonly contentSid?: string
  readonly contentVariables?: string
}

/** Error codes of `draftReply` after which asking again is no use. */
const finalFailures: ReadonlySet<string> = new Set(['spend-limit'])

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
  },
  actors: {
    draftReply: fromPromise<Json, DraftRequest>(() => Promise.reject(new Error('draftReply is performed by the host'))),
  },
  delays: {
    quiet: ({ context }) => quietDelayMs(context.turn, context.settings),
    answering: ({ context }) => context.settings.answeringMs,
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
      return { turn: collectMessage(context.turn, message), language: languageOf({ context, event }) }
    }),
    noteLanguage: assign({ language: languageOf }),
    beginAnswering: assign({ turn: ({ context }) => closeWindow(context.turn) }),
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
    sendReply: words.enqueueActions(({ event, enqueue }) => {
      for (const params of toReplies(event)) enqueue({ type: 'sendMessage', params })
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
  const params = ({ context }: Scope): OutboundMessage => ({
    author: 'system',
    body: sentences[context.language][name],
  })
  return { type: 'sendMessage', params } as const
}

export function toDraftRequest({ context }: { readonly context: ConversationContext }): DraftRequest {
  const { turn, language, recovery } = context
  const { number, failures, messages, omitted } = turn
  return { turn: number, attempt: failures + 1, messages, omitted, language, recovery }
}

// ── Reading events ───────────────────────────────────────────────────────────────────────────────

function isAssigned(context: ConversationContext, event: AnyEvent): boolean {
  return 'operatorId' in event && event.operatorId !== null && event.operatorId === context.operatorId
}

/** What an operator wrote, in pieces; attachments go with the first. */
function toReplies(event: Event): readonly OutboundMessage[] {
  if (event.type !== 'operator.replied') return []
  const { body, mediaUrls, contentSid, contentVariables } = event
  if (contentSid !== null) {
    return [{ author: 'operator', body: '', contentSid, ...(contentVariables !== undefined && { contentVariables }) }]
  }
  const [first = '', ...more] = splitText(body)
  const withMedia = mediaUrls.length === 0 ? {} : { mediaUrls }
  return [
    { author: 'operator', body: first, ...withMedia },
    ...more.map((piece) => ({ author: 'operator' as const, body: piece })),
  ]
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

function isMessage(event: AnyEvent): event is MessageReceived {
  return event.type === 'message.received'
}

function draftOf(event: AnyEvent): Draft | null {
  return 'output' in event ? toDraft(event.output) : null
}

/** A failure that no further attempt would change: the assistant says so by its code. */
function isFinalFailure(event: AnyEvent): boolean {
  if (!('error' in event) || typeof event.error !== 'object' || event.error === null) return false
  return 'code' in event.error && finalFailures.has(String(event.error.code))
}

function isSureGoodbye(draft: Draft | null): boolean {
  return draft !== null && draft.intent === 'close' && draft.confidence >= closingConfidenceMin
}
