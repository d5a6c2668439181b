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
import type { OperatorEvent } from './operator-events.ts'
import { sentences } from './sentences.ts'
import type { SentenceName } from './sentences.ts'
import { closeWindow, collectMessage, countFailure, draftAttemptsMax, endTurn, quietDelayMs } from './turn.ts'

export type OutboundMessage = { readonly author: 'assistant' | 'operator' | 'system'; readonly body: string }

/** Below it a goodbye that only the assistant heard does not close. */
const closingConfidenceMin = 0.8

type Event = ConversationEvent | OperatorEvent
/** Any event that reaches the chart, the ones of its own timers and effects included. */
type AnyEvent = { readonly type: string }
type Scope = { readonly context: ConversationContext; readonly event: AnyEvent }

export const vocabulary = setup({
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
    mayRetry: ({ context }) => context.turn.failures + 1 < draftAttemptsMax,
    personMayCome: ({ context }) => !context.nobodyCame,
    isAssigned: ({ context, event }) => 'operatorId' in event && event.operatorId === context.operatorId,
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
    dropOperator: assign({ operatorId: null }),
    noteReason: assign({ reason: (_, params: { reason: string }) => params.reason }),
  },
})

// ── Orders with their details ────────────────────────────────────────────────────────────────────

/** Says why the status is what it is, for the history. */
export function because(reason: string) {
  return { type: 'noteReason', params: { reason } } as const
}

/** Sends one of the chart's own sentences, in the user's language. */
export function say(name: SentenceName) {
  const params = ({ context }: Scope): OutboundMessage => ({
    author: 'system',
    body: sentences[context.language][name],
  })
  return { type: 'sendMessage', params } as const
}

/** Sends what the assistant drafted. */
export const sendDraft = {
  type: 'sendMessage',
  params: ({ event }: Scope): OutboundMessage => ({ author: 'assistant', body: draftOf(event)?.reply ?? '' }),
} as const

/** Sends what the operator wrote. */
export const sendOperatorReply = {
  type: 'sendMessage',
  params: ({ event }: Scope): OutboundMessage => ({
    author: 'operator',
    body: 'body' in event ? String(event.body) : '',
  }),
} as const

export function toDraftRequest({ context }: { readonly context: ConversationContext }): DraftRequest {
  const { turn, language, recovery } = context
  const { number, failures, messages, omitted } = turn
  return { turn: number, attempt: failures + 1, messages, omitted, language, recovery }
}

// ── Reading events ───────────────────────────────────────────────────────────────────────────────

function intentOf({ context, event }: Scope): Intent | null {
  return isMessage(event) ? readMessageIntent(event, context.scheme) : null
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

function isSureGoodbye(draft: Draft | null): boolean {
  return draft !== null && draft.intent === 'close' && draft.confidence >= closingConfidenceMin
}
