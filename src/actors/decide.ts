/**
 * What one event does to one session: the next state and everything that the step writes. Pure but for
 * the ids it is handed; it throws when the machine does, and then nothing has changed.
 *
 * 1. Every inbound message is stored, whatever the chart makes of it.
 * 2. The journal holds exactly the events that the chart took, and their moments never go back.
 * 3. A result or a timer counts only while the state still holds its effect or its timer.
 * 4. A closing changes the speaker's token, so that nothing that was queued before it can start after it.
 */
import { createHash } from 'node:crypto'

import type { ConversationEvent } from '../machines/events.ts'
import type { Json, JsonObject } from '../machines/json.ts'
import type { MachineRegistration, MachineRegistry, Opening } from '../machines/registry.ts'
import { isClosed } from '../machines/status.ts'
import { assert } from './assert.ts'
import { toCanonicalJson } from './canonical-json.ts'
import type { Cancelled, Entry } from './entry.ts'
import { Fold } from './fold.ts'
import { toOrdersResult } from './orders.ts'
import type { Effect, EffectResult, EffectUpdate, Ids, LoggedDelivery, LoggedMessage } from './ports.ts'
import { noTimers, toNextTimer } from './session-state.ts'
import type { ConversationState, SessionState } from './session-state.ts'
import { applyEvent, openConversation } from './step.ts'
import type { Step } from './step.ts'

export type DecideContext = {
  readonly registry: MachineRegistry
  /** The machine of new conversations, unless the tenant's settings name another (`machine`). */
  readonly defaultMachine: string
  readonly ids: Ids
  /** Wall clock, ms. */
  readonly now: number
  readonly incarnation: string
  /** True in test and phone builds: a session's clock may be advanced. */
  readonly mayAdvanceClock: boolean
}

export type Decision = { readonly state: SessionState; readonly fold: Fold }

/** One decision in the making. */
type Work = { state: SessionState; readonly fold: Fold; readonly context: DecideContext }

/** Timers that fire one after another in one decision, at most; more is a chart that runs in circles. */
const dueTimersMax = 100
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
  }
  return { state: work.state, fold: work.fold }
}

function decideLogged(work: Work, { log, event }: Extract<Entry, { kind: 'logged' }>): void {
  const position = { incarnation: work.context.incarnation, sequence: log.sequence }
  work.state = { ...work.state, position }
  const at = log.at + work.state.clockOffsetMs
  switch (event.type) {
    case 'message.received':
      receiveMessage(work, event, at)
      return
    case 'delivery.updated':
      updateDelivery(work, event, at)
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
  const received: ConversationEvent = { type: 'message.received', messageId, body, media, at }
  openWhenWanted(work, received, at)
  work.fold.messages.push({
    messageId,
    conversationId: work.state.conversation?.conversationId ?? null,
    direction: 'inbound',
    author: 'user',
    body,
    media,
    providerId: event.providerId,
    raw: event.raw,
    at,
  })
  tellChart(work, received, at, `message:${event.providerId}`, 'user')
}

function openWhenWanted(work: Work, event: ConversationEvent, at: number): void {
  const { state, context } = work
  const previous = state.conversation
  if (previous !== null && !isClosed(previous.status)) return
  const { settings } = state.channel
  const registration = findRegistration(context, String(settings['machine'] ?? context.defaultMachine))
  const opening: Opening = {
    at,
    businessAddress: state.channel.businessAddress,
    settings,
    previous: previous && { conversationId: previous.conversationId, status: previous.status },
  }
  if (!registration.opensOn(event, opening)) return
  const input = registration.toInput(opening)
  const conversation: ConversationState = {
    conversationId: context.ids.next(),
    machine: registration.machine.id,
    machineVersion: registration.machine.version ?? '',
    status: 'PENDING',
    version: 0,
    snapshot: '',
    hash: genesisHash,
    timers: noTimers,
    updatedAt: at,
  }
  const opened = { previousId: previous?.conversationId ?? null, openedAt: at }
  const eventId = `opening:${conversation.conversationId}`
  const cause = { event: { type: 'conversation.opened', input }, eventId, initiator: 'system', at, opened }
  takeStep(work, conversation, openConversation(registration, input), cause)
}

// ── Deliveries and the session's clock ───────────────────────────────────────────────────────────

function updateDelivery(work: Work, event: LoggedDelivery, at: number): void {
  const { providerId, effectId, status, errorCode, raw } = event
  work.fold.deliveries.push({ providerId, effectId, status, errorCode, raw, at })
  const effect = work.state.effects.find((candidate) => candidate.effectId === effectId)
  // The callback's URL names the effect: whatever became of our request, the provider has accepted it.
  if (effect !== undefined && effect.status !== 'pending') {
    settle(work, effect, { status: 'done', outcome: { providerId, by: 'callback' }, providerId })
  }
  const eventId = `status:${providerId}:${status}`
  tellChart(work, { type: 'delivery.updated', effectId, status, errorCode, at }, at, eventId, 'system')
}

function advanceClock(work: Work, byMs: number): void {
  assert(work.context.mayAdvanceClock, 'this deployment does not let a session advance its clock')
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
  const wanted = work.state.effects.find(({ effectId }) => effectId === started.effectId)
  if (wanted === undefined) return
  const effect = { ...wanted, attempts: started.attempts, startedAt: started.startedAt }
  const at = work.context.now + work.state.clockOffsetMs
  switch (result.kind) {
    case 'done':
      settle(work, effect, { status: 'done', outcome: result.output, providerId: result.providerId })
      tellOutcome(work, effect, result, at)
      return
    case 'failed':
      settle(work, effect, { status: 'failed', outcome: result.error, providerId: null })
      tellOutcome(work, effect, result, at)
      return
    case 'cancelled':
      settle(work, effect, { status: 'cancelled', outcome: { reason: result.reason }, providerId: null })
      return
    case 'retry': {
      const nextAttemptAt = work.context.now + result.afterMs
      update(work, effect, { status: 'pending', nextAttemptAt, outcome: { reason: result.reason } })
      return
    }
    case 'uncertain':
      update(work, effect, { status: 'uncertain', nextAttemptAt: null, outcome: { reason: result.reason } })
      return
  }
}

/** Invoked effects answer to the chart's actor; an action's effect is a message whose fate is a delivery. */
function tellOutcome(work: Work, effect: Effect, result: EffectResult & { kind: 'done' | 'failed' }, at: number): void {
  // A quarantined session keeps the outcome; its chart does not move.
  if (work.state.quarantined || effect.conversationId !== work.state.conversation?.conversationId) return
  const { effectId, childId } = effect
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
  tellChart(work, event, at, `result:${effectId}`, 'assistant')
}

function settle(
  work: Work,
  effect: Effect,
  settled: { status: 'done' | 'failed' | 'cancelled'; outcome: Json; providerId: string | null },
): void {
  const { effectId, attempts } = effect
  work.fold.updateEffect({ effectId, attempts, nextAttemptAt: null, ...settled })
  work.state = { ...work.state, effects: work.state.effects.filter((other) => other.effectId !== effectId) }
}

function update(
  work: Work,
  effect: Effect,
  changed: Pick<EffectUpdate, 'nextAttemptAt' | 'outcome'> & { status: 'pending' | 'uncertain' },
): void {
  const { effectId, attempts } = effect
  work.fold.updateEffect({ effectId, attempts, providerId: null, ...changed })
  const updated: Effect = { ...effect, status: changed.status, nextAttemptAt: changed.nextAttemptAt }
  const effects = work.state.effects.map((other) => (other.effectId === effectId ? updated : other))
  work.state = { ...work.state, effects }
}

// ── The step ─────────────────────────────────────────────────────────────────────────────────────

type Cause = {
  readonly event: JsonObject
  readonly eventId: string
  readonly initiator: string
  readonly at: number
  readonly opened: { readonly previousId: string | null; readonly openedAt: number } | null
}

/** Lets the chart of the current conversation take an event. False when it ignores it (or there is none). */
function tellChart(
  work: Work,
  event: ConversationEvent | JsonObject,
  at: number,
  eventId: string,
  initiator: string,
): boolean {
  const { conversation } = work.state
  if (conversation === null) return false
  const plain = event as JsonObject
  const registration = findRegistration(work.context, conversation.machine)
  assert(
    registration.machine.version === conversation.machineVersion,
    `the snapshot is of ${conversation.machine} ${conversation.machineVersion}, this node runs ${String(registration.machine.version)}`,
  )
  const step = applyEvent(registration, conversation.snapshot, plain)
  if (step === null) return false
  takeStep(work, conversation, step, { event: plain, eventId, initiator, at, opened: null })
  return true
}

function findRegistration({ registry }: DecideContext, machine: string): MachineRegistration {
  const registration = registry[machine]
  assert(registration !== undefined, `the machine '${machine}' is not registered`)
  return registration
}

function takeStep(work: Work, before: ConversationState, step: Step, cause: Cause): void {
  const at = Math.max(cause.at, before.updatedAt)
  const version = before.version + 1
  const speakerChanged = step.speaker !== work.state.speaker || (isClosed(step.status) && step.status !== before.status)
  const speakerToken = work.state.speakerToken + (speakerChanged ? 1 : 0)
  const hash = toLinkHash(before.hash, cause.event, step.snapshot)
  const unsettled = work.state.effects
  const result = toOrdersResult(step.orders, { before, unsettled, version, at, speakerToken, ids: work.context.ids })
  const { snapshot, status } = step
  const after: ConversationState = { ...before, version, status, snapshot, hash, timers: result.timers, updatedAt: at }
  work.state = { ...work.state, speaker: step.speaker, speakerToken, conversation: after, effects: result.effects }
  work.fold.addStep(before, after, toJournalEntry(before, after, step, cause), cause.opened)
  for (const effect of result.wanted) work.fold.effects.set(effect.effectId, effect)
  for (const { effectId, attempts } of result.cancelled) {
    const outcome = { reason: 'the chart left the state that wanted it' }
    work.fold.updateEffect({ effectId, attempts, status: 'cancelled', nextAttemptAt: null, outcome, providerId: null })
  }
  work.fold.messages.push(...result.messages)
  work.fold.emitted.push(...result.emitted)
}

function toJournalEntry(before: ConversationState, after: ConversationState, step: Step, cause: Cause) {
  return {
    version: after.version,
    eventId: cause.eventId,
    event: cause.event,
    fromStatus: before.version === 0 ? null : before.status,
    toStatus: step.status,
    reason: step.reason,
    initiator: cause.initiator,
    machineVersion: after.machineVersion,
    occurredAt: after.updatedAt,
    hash: after.hash,
  }
}

/** The journal is a hash chain: changing any event or snapshot in the middle changes every later hash. */
export function toLinkHash(previousHash: string, event: Json, snapshot: string): string {
  return createHash('sha256').update(`${previousHash}\n${toCanonicalJson(event)}\n${snapshot}`).digest('hex')
}
