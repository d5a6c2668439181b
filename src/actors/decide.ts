/**
 * What one event does to one session: the next state and everything that the step writes. Pure but for
 * the ids it is handed; it throws when the machine does, and then nothing has changed.
 *
 * 1. Every inbound message is stored, whatever the chart makes of it.
 * 2. The journal holds exactly the events that the chart took, and their moments never go back.
 * 3. A result or a timer counts only while the state still holds its effect or its timer.
 */
import type { ConversationEvent } from '../machines/events.ts'
import type { Json, JsonObject } from '../machines/json.ts'
import type { Opening } from '../machines/registry.ts'
import { isClosed } from '../machines/status.ts'
import { assert } from './assert.ts'
import type { Cancelled, Entry } from './entry.ts'
import { Fold } from './fold.ts'
import { noteIdentities } from './identities.ts'
import { noteConsent, toMachineName, toMessageParts } from './note-consent.ts'
import type { Effect, EffectResult } from './ports.ts'
import type { LoggedEvent, LoggedMessage, MessageRecord } from './ports.ts'
import { drainQuarantine, releaseQuarantine, toWaitingResult } from './release-quarantine.ts'
import type { WaitingEvent } from './release-quarantine.ts'
import { noTimers, toNextTimer } from './session-state.ts'
import type { ConversationState, SessionState } from './session-state.ts'
import { settle, update } from './settle-effect.ts'
import { openConversation, readContext, readReason } from './step.ts'
import { receiveCommand } from './take-command.ts'
import { takeRefusal, updateDelivery } from './take-delivery.ts'
import { bringUpToDate, findRegistration, findWriter, takeStep, tellChart } from './take-step.ts'
import type { DecideContext, Work } from './take-step.ts'

export type Decision = { readonly state: SessionState; readonly fold: Fold }

/** Timers that fire one after another in one decision, at most; more is a chart that runs in circles. */
const dueTimersMax = 100
/** The chain of hashes begins with nothing. */
const genesisHash = ''

export function decide(state: SessionState, entry: Entry, context: DecideContext): Decision {
  const work: Work = { state, fold: new Fold(), context }
  switch (entry.kind) {
    case 'logged':
      decideLogged(work, entry)
      break
    case 'due':
      fireDueTimers(work, entry.asOf)
      break
    case 'result':
      takeResult(work, entry.effect, entry.result)
      break
    case 'drain':
      drainQuarantine(work, applyWaiting)
      break
  }
  return { state: work.state, fold: work.fold }
}

function decideLogged(work: Work, { log, event }: Extract<Entry, { kind: 'logged' }>): void {
  const position = { incarnation: work.context.incarnation, sequence: log.sequence }
  work.state = { ...work.state, position }
  takeLogged(work, event, log.at + work.state.clockOffsetMs)
}

/** What waited in quarantine; its position was passed when it was parked. */
function applyWaiting(work: Work, waiting: WaitingEvent): void {
  switch (waiting.kind) {
    case 'logged':
      takeLogged(work, waiting.event, waiting.at + work.state.clockOffsetMs)
      return
    case 'result':
      if (work.state.effects.some(({ effectId }) => effectId === waiting.effect.effectId)) {
        takeResult(work, waiting.effect, waiting.result)
      } else tellWaitingOutcome(work, waiting)
      return
    case 'due':
      return
  }
}

function takeLogged(work: Work, event: LoggedEvent, at: number): void {
  switch (event.type) {
    case 'message.received':
      receiveMessage(work, event, at)
      return
    case 'delivery.updated':
      updateDelivery(work, event, at)
      return
    case 'command.issued':
      receiveCommand(work, event, at)
      return
    case 'quarantine.released':
      releaseQuarantine(work, event, at, applyWaiting)
      return
    case 'clock.advanced':
      advanceClock(work, event.byMs)
      return
  }
}

// ── Messages ─────────────────────────────────────────────────────────────────────────────────────

function receiveMessage(work: Work, event: LoggedMessage, at: number): void {
  const messageId = work.context.ids.next()
  work.state = { ...work.state, replyAddress: event.replyAddress, lastInboundAt: at }
  const { body, media } = event
  const parts = toMessageParts(event)
  const received: ConversationEvent = { type: 'message.received', messageId, body, media, ...parts, at }
  noteConsent(work, received, { providerId: event.providerId, at })
  const isLimited = openWhenWanted(work, received, at) === 'over-limit'
  const record: MessageRecord = {
    messageId,
    conversationId: work.state.conversation?.conversationId ?? null,
    direction: 'inbound',
    author: 'user',
    body,
    media,
    ...parts,
    ...(isLimited && { rateLimited: true }),
    providerId: event.providerId,
    raw: event.raw,
    at,
  }
  const place = work.fold.messages.push(record) - 1
  const emitted = work.fold.emitted.length
  noteIdentities(work, event, messageId)
  tellChart(work, received, at, `message:${event.providerId}`, 'user')
  const isMarked = work.fold.emitted.slice(emitted).some((each) => isLimiting(each, messageId))
  if (isMarked) work.fold.messages[place] = { ...record, rateLimited: true }
}

/** A chart says by `message.limited` that it keeps a message and does not answer it. */
function isLimiting(emitted: Json, messageId: string): boolean {
  const { type, messageId: named } = emitted as JsonObject
  return type === 'message.limited' && named === messageId
}

function openWhenWanted(work: Work, event: ConversationEvent, at: number): 'over-limit' | null {
  const { state, context } = work
  const previous = state.conversation
  if (previous !== null && !isClosed(previous.status)) return null
  const { settings } = state.channel
  const registration = findRegistration(context, toMachineName(work))
  const opening: Opening = {
    at,
    businessAddress: state.channel.businessAddress,
    settings,
    previous: previous && {
      conversationId: previous.conversationId,
      status: previous.status,
      reason: readReason(findWriter(context, previous), previous.snapshot),
      context: previous.machine === registration.machine.id ? readContext(previous.snapshot) : null,
    },
  }
  if (!registration.opensOn(event, opening)) {
    return registration.isOverLimit?.(event, opening) === true ? 'over-limit' : null
  }
  const input = registration.toInput(opening)
  const conversation: ConversationState = {
    conversationId: context.ids.next(),
    machine: registration.machine.id,
    machineVersion: registration.machine.version ?? '',
    status: 'PENDING',
    version: 0,
    notableVersion: 0,
    snapshot: '',
    hash: genesisHash,
    timers: noTimers,
    updatedAt: at,
  }
  const opened = { previousId: previous?.conversationId ?? null, openedAt: at }
  const eventId = `opening:${conversation.conversationId}`
  const cause = { event: { type: 'conversation.opened', input }, eventId, initiator: 'system', at, opened }
  takeStep(work, conversation, openConversation(registration, input), cause)
  return null
}

// ── The session's clock ──────────────────────────────────────────────────────────────────────────

function advanceClock(work: Work, byMs: number): void {
  work.state = { ...work.state, clockOffsetMs: work.state.clockOffsetMs + byMs }
  const { conversation } = work.state
  // No step: the row is written again because the wall-clock moment of its next timer has moved.
  if (conversation !== null) work.fold.addStep(conversation, conversation, null, null)
  fireDueTimers(work, work.context.now)
}

// ── Timers ───────────────────────────────────────────────────────────────────────────────────────

/** `asOf`: wall clock; what became due after it waits for a barrier of its own. */
function fireDueTimers(work: Work, asOf: number): void {
  for (let fired = 0; !work.state.quarantined; fired += 1) {
    const { conversation, clockOffsetMs } = work.state
    const next = toNextTimer(work.state)
    if (conversation === null || next === null || next.dueAt > asOf + clockOffsetMs) return
    assert(fired < dueTimersMax, `more than ${dueTimersMax} timers of one conversation are due at once`)
    // Migrated first: the new chart may have no such timer, or another that is due first.
    const { version } = conversation
    bringUpToDate(work, next.dueAt)
    if (work.state.conversation?.version !== version) continue
    const timer = conversation.timers[next.timerId]
    assert(timer !== undefined, `the timer ${next.timerId} is not armed`)
    const { [next.timerId]: _fired, ...timers } = conversation.timers
    const before = { ...conversation, timers }
    work.state = { ...work.state, conversation: before }
    // Its due time is its moment: what it arms in turn counts from there, however late the process is.
    if (tellChart(work, timer.event, next.dueAt, `timer:${timer.token}`, 'timer')) continue
    work.fold.addStep(before, before, null, null)
  }
}

// ── Results of effects ───────────────────────────────────────────────────────────────────────────

function takeResult(work: Work, started: Effect, result: EffectResult | Cancelled): void {
  const at = work.context.now + work.state.clockOffsetMs
  // Migrated first: the newer chart may want another actor under this id, whose result this is not.
  if (isOutcomeOfChild(work, started, result)) bringUpToDate(work, at)
  const wanted = work.state.effects.find(({ effectId }) => effectId === started.effectId)
  if (wanted === undefined) return
  // Of one that was sent again the store alone may have known what it says.
  const params = wanted.params ?? started.params
  const effect = { ...wanted, params, attempts: started.attempts, startedAt: started.startedAt }
  switch (result.kind) {
    case 'done':
      settle(work, effect, { status: 'done', outcome: result.output, providerId: result.providerId })
      tellOutcome(work, effect, result, at)
      return
    case 'failed':
      if (takeRefusal(work, effect, result.error)) return
      settle(work, effect, { status: 'failed', outcome: result.error, providerId: null })
      tellOutcome(work, effect, result, at)
      return
    case 'cancelled':
      settle(work, effect, { status: 'cancelled', outcome: { reason: result.reason }, providerId: null })
      return
    case 'retry': {
      const nextAttemptAt = work.context.now + result.afterMs
      const attempts = effect.attempts - (result.isAttempt === false ? 1 : 0)
      update(work, { ...effect, attempts }, { status: 'pending', nextAttemptAt, outcome: { reason: result.reason } })
      return
    }
    case 'uncertain':
      update(work, effect, { status: 'uncertain', nextAttemptAt: null, outcome: { reason: result.reason } })
      return
  }
}

function isOutcomeOfChild(
  { state }: Work,
  { effectId, childId, conversationId }: Effect,
  result: { kind: string },
): boolean {
  const isTold = (result.kind === 'done' || result.kind === 'failed') && childId !== null && !state.quarantined
  const isWanted = state.effects.some((effect) => effect.effectId === effectId)
  return isTold && isWanted && conversationId === state.conversation?.conversationId
}

/** Invoked effects answer to the chart's actor; an action's effect is a message whose fate is a delivery. */
function tellOutcome(work: Work, effect: Effect, result: EffectResult & { kind: 'done' | 'failed' }, at: number): void {
  if (effect.conversationId !== work.state.conversation?.conversationId) return
  const { effectId, childId } = effect
  // A quarantined session's chart does not move; it hears of the outcome in its turn.
  if (work.state.quarantined) {
    work.fold.parked.push(toWaitingResult(effect, result, work.context.now))
    work.state = { ...work.state, parked: null }
    return
  }
  if (childId === null) {
    const status = result.kind === 'done' ? 'accepted' : 'failed'
    const errorCode = result.kind === 'done' ? null : result.error.code
    tellChart(work, { type: 'delivery.updated', effectId, status, errorCode, at }, at, `result:${effectId}`, 'system')
    return
  }
  const event: JsonObject =
    result.kind === 'done'
      ? { type: `xstate.done.actor.${childId}`, output: result.output, actorId: childId }
      : { type: `xstate.error.actor.${childId}`, error: result.error, actorId: childId }
  noteConsent(work, event as { readonly type: string } & JsonObject, { providerId: null, at })
  tellChart(work, event, at, `result:${effectId}`, 'assistant')
}

/** Settled while the session was quarantined. A child that was started anew since answers for itself. */
function tellWaitingOutcome(work: Work, { effect, result }: Extract<WaitingEvent, { kind: 'result' }>): void {
  const { childId, conversationId } = effect
  const isRestarted = work.state.effects.some(
    (other) => other.childId !== null && other.childId === childId && other.conversationId === conversationId,
  )
  if (isRestarted || (result.kind !== 'done' && result.kind !== 'failed')) return
  tellOutcome(work, effect, result, work.context.now + work.state.clockOffsetMs)
}
