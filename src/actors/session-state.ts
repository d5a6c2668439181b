/**
 * What the host knows of one session: the rows of the database as immutable values. `decide` makes the
 * next one; nothing here is changed in place. Kept small on purpose: a resident session is little more
 * than its snapshot's text.
 */
import type { JsonObject } from '../machines/json.ts'
import type { Status } from '../machines/status.ts'
import { toCanonicalJson } from './canonical-json.ts'
import type { Effect, LoadedConversation, LoadedSession, ParkedQueue, Position, Redirects, Timers } from './ports.ts'

/** The channel that a business address belongs to; shared by all its sessions. */
export type Channel = {
  readonly tenantId: string
  readonly channelId: string
  readonly businessAddress: string
  readonly settings: JsonObject
}

export type ConversationState = {
  readonly conversationId: string
  readonly machine: string
  readonly machineVersion: string
  readonly status: Status
  readonly version: number
  /** Of the last step that an operator must have seen (`ConversationCommit`). */
  readonly notableVersion: number
  /** Canonical JSON of the persisted snapshot. */
  readonly snapshot: string
  readonly hash: string
  readonly timers: Timers
  readonly updatedAt: number
}

export type SessionState = {
  readonly sessionId: string
  readonly userKey: string
  readonly channel: Channel
  /** True until the commit that creates the session's row. */
  readonly isNew: boolean
  readonly position: Position | null
  readonly replyAddress: string
  readonly lastInboundAt: number | null
  readonly speaker: string
  readonly speakerToken: number
  /** What the user last said here. Whether it stands is the store's to say: other numbers may share it. */
  readonly optedOut: boolean
  /** How often the user opted out since the session was loaded: what began to start before does not go on. */
  readonly withdrawals: number
  readonly clockOffsetMs: number
  /** Keys that it has given away. A session that is not there, because its key belongs to another one, gives that away. */
  readonly redirects: Redirects
  readonly identityVersion: number
  readonly quarantined: boolean
  /** What waits in the quarantine, as loaded; null when nothing does, and when more was parked since. */
  readonly parked: ParkedQueue | null
  readonly conversation: ConversationState | null
  /** Unsettled effects, oldest first. */
  readonly effects: readonly Effect[]
}

export function createSessionState(sessionId: string, channel: Channel, userKey: string): SessionState {
  return {
    sessionId,
    userKey,
    channel,
    isNew: true,
    position: null,
    replyAddress: userKey,
    lastInboundAt: null,
    speaker: 'none',
    speakerToken: 0,
    optedOut: false,
    withdrawals: 0,
    clockOffsetMs: 0,
    redirects: noRedirects,
    identityVersion: 0,
    quarantined: false,
    parked: null,
    conversation: null,
    effects: noEffects,
  }
}

export function fromLoaded(loaded: LoadedSession, channel: Channel): SessionState {
  return {
    sessionId: loaded.sessionId,
    userKey: loaded.userKey,
    channel,
    isNew: false,
    position: loaded.position,
    replyAddress: loaded.replyAddress,
    lastInboundAt: loaded.lastInboundAt,
    speaker: loaded.speaker,
    speakerToken: loaded.speakerToken,
    optedOut: loaded.optedOut,
    withdrawals: 0,
    clockOffsetMs: loaded.clockOffsetMs,
    redirects: loaded.redirects ?? noRedirects,
    identityVersion: loaded.identityVersion ?? 0,
    quarantined: loaded.quarantined,
    parked: loaded.parked,
    conversation: loaded.conversation && toConversationState(loaded.conversation),
    effects: loaded.effects.length === 0 ? noEffects : loaded.effects,
  }
}

function toConversationState(loaded: LoadedConversation): ConversationState {
  const { conversationId, machine, machineVersion, status, version, notableVersion, hash, timers, updatedAt } = loaded
  const snapshot = toCanonicalJson(loaded.snapshot)
  return { conversationId, machine, machineVersion, status, version, notableVersion, snapshot, hash, timers, updatedAt }
}

/** The wall-clock moment of the session's next timer; null when nothing is armed or nothing may fire. */
export function toWakeAt(state: SessionState): number | null {
  const next = toNextTimer(state)
  return next === null || state.quarantined ? null : next.dueAt - state.clockOffsetMs
}

/** The timer that is due first, in the session's own time. */
export function toNextTimer(state: SessionState): { timerId: string; dueAt: number } | null {
  let next: { timerId: string; dueAt: number } | null = null
  for (const [timerId, { dueAt }] of Object.entries(state.conversation?.timers ?? noTimers)) {
    if (next === null || dueAt < next.dueAt) next = { timerId, dueAt }
  }
  return next
}

export const noRedirects: Redirects = Object.freeze({})
export const noTimers: Timers = Object.freeze({})
export const noEffects: readonly Effect[] = Object.freeze([])
