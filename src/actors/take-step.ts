/**
 * One step of one conversation: the chart takes an event, and what it asks for becomes rows of the fold.
 * A closing and a change of the speaker change the speaker's token, so that nothing that was queued
 * before can start after it.
 */
import { createHash } from 'node:crypto'

import type { ConversationEvent } from '../machines/events.ts'
import type { Json, JsonObject } from '../machines/json.ts'
import type { MachineRegistration, MachineRegistry } from '../machines/registry.ts'
import { isClosed } from '../machines/status.ts'
import { assert } from './assert.ts'
import { toCanonicalJson } from './canonical-json.ts'
import type { Fold } from './fold.ts'
import { toCurrentVersion, toHostedVersions, toNextVersion } from './machine-versions.ts'
import { migrateSnapshot, toMigrationEvent } from './migrate-snapshot.ts'
import { toOrdersResult } from './orders.ts'
import type { Effect, Ids, JournalEntry, MachineVersions } from './ports.ts'
import type { ConversationState, SessionState } from './session-state.ts'
import { applyEvent } from './step.ts'
import type { Step } from './step.ts'

export type DecideContext = {
  readonly registry: MachineRegistry
  /** The versions that every live node knows. */
  readonly commonVersions: MachineVersions
  /** The machine of new conversations, unless the tenant's settings name another (`machine`). */
  readonly defaultMachine: string
  readonly ids: Ids
  /** Wall clock, ms. */
  readonly now: number
  readonly incarnation: string
  /** Duplicate keys that are stored, as far as the session was told. */
  readonly storedKeys?: ReadonlySet<string>
  /** A send of the session that was started here and has not answered: its row is running, the state says pending. */
  readonly findStarted?: (effectId: string) => Effect | null
}

/** One decision in the making. */
export type Work = { state: SessionState; readonly fold: Fold; readonly context: DecideContext }

/** Why a step is taken. */
export type Cause = {
  readonly event: JsonObject
  readonly eventId: string
  readonly initiator: string
  readonly at: number
  readonly opened: { readonly previousId: string | null; readonly openedAt: number } | null
}

/** Lets the chart of the current conversation take an event. False when it ignores it (or there is none). */
export function tellChart(
  work: Work,
  event: ConversationEvent | JsonObject,
  at: number,
  eventId: string,
  initiator: string,
): boolean {
  const registration = bringUpToDate(work, at)
  const { conversation } = work.state
  if (conversation === null || registration === null) return false
  const plain = event as JsonObject
  const step = applyEvent(registration, conversation.snapshot, plain)
  if (step === null) return false
  takeStep(work, conversation, step, { event: plain, eventId, initiator, at, opened: null })
  return true
}

/**
 * Migrates the current conversation, as a step of its own, if a newer version may be written. Answers the chart that
 * takes its next event; null when there is no conversation.
 */
export function bringUpToDate(work: Work, at: number): MachineRegistration | null {
  const { conversation } = work.state
  if (conversation === null) return null
  const { machine, machineVersion: from, conversationId } = conversation
  const registration = findMachine(work.context, machine)
  const next = toNextVersion(registration, from, work.context.commonVersions)
  const to = next.machine.version ?? ''
  if (to === from) return next
  const step = migrateSnapshot(registration, { from, to }, conversation.snapshot, conversation.timers)
  const event = toMigrationEvent({ machine, from, to })
  const cause = { event, eventId: `migration:${conversationId}:${from}:${to}`, initiator: 'system', at, opened: null }
  takeStep(work, { ...conversation, machineVersion: to }, step, cause)
  work.fold.migrates = true
  return next
}

/** The machine as new conversations of it open now. */
export function findRegistration(context: DecideContext, machine: string): MachineRegistration {
  return toCurrentVersion(findMachine(context, machine), context.commonVersions)
}

/** The chart that wrote a conversation's snapshot, if this build still has it. */
export function findWriter(
  { registry }: DecideContext,
  { machine, machineVersion }: ConversationState,
): MachineRegistration | undefined {
  const registration = registry[machine]
  if (registration === undefined) return undefined
  return toHostedVersions(registration).find(({ version }) => version === machineVersion)?.registration ?? undefined
}

function findMachine({ registry }: DecideContext, machine: string): MachineRegistration {
  const registration = registry[machine]
  assert(registration !== undefined, `the machine '${machine}' is not registered`)
  return registration
}

export function takeStep(work: Work, before: ConversationState, step: Step, cause: Cause): void {
  const at = Math.max(cause.at, before.updatedAt)
  const version = before.version + 1
  const speakerChanged = step.speaker !== work.state.speaker || (isClosed(step.status) && step.status !== before.status)
  const speakerToken = work.state.speakerToken + (speakerChanged ? 1 : 0)
  const hash = toLinkHash(before.hash, cause.event, step.snapshot)
  const unsettled = work.state.effects
  const result = toOrdersResult(step.orders, { before, unsettled, version, at, speakerToken, ids: work.context.ids })
  const { snapshot, status } = step
  const isNotable = speakerChanged || status !== before.status || cause.event['type'] === 'message.received'
  const notableVersion = isNotable ? version : before.notableVersion
  const { timers } = result
  const after = { ...before, version, notableVersion, status, snapshot, hash, timers, updatedAt: at }
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

function toJournalEntry(before: ConversationState, after: ConversationState, step: Step, cause: Cause): JournalEntry {
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
  return createHash('sha256')
    .update(`${previousHash}\n${toCanonicalJson(event)}\n${snapshot}`)
    .digest('hex')
}
