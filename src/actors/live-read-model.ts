/**
 * What pages read of all conversations at once: who stands where, since when, what led there. Counts are kept as
 * conversations change, so that a look costs as much as there are states, and wakes no actor.
 *
 * Everything of one answer is of one moment of the database; `snapshotId` names it.
 */
import type { Json } from '../machines/json.ts'
import type { Timers } from './ports.ts'

/** Conversations that stand in one state value of one version. */
export type StandingValue = {
  readonly machineVersion: string
  readonly value: Json
  readonly count: number
  readonly open: number
  /** Since when the longest of the open ones stands there. */
  readonly oldestAt: string | null
}

/** How often these events, one after another in one commit, led from one value to another. */
export type Move = {
  readonly machineVersion: string
  /** Another one than `machineVersion` when the conversation was migrated; null for an opening. */
  readonly fromVersion: string | null
  readonly from: Json
  /** Null when one commit held too many to tell. */
  readonly events: readonly string[] | null
  readonly to: Json
  readonly count: number
}

export type StandingItem = {
  readonly id: string
  readonly machine: string
  readonly machineVersion: string
  readonly status: string
  readonly value: Json
  readonly version: number
  /** Masked: the scheme and the last two digits. */
  readonly address: string
  readonly since: string
  readonly ageMs: number
  readonly openedAt: string
  readonly nextTimerAt: string | null
  /** Until then; negative when it should have fired already. */
  readonly nextTimerMs: number | null
  /** Its session waits for somebody to look at an event that could not be applied. */
  readonly quarantined: boolean
}

export type StandingList = {
  readonly total: number
  readonly items: readonly StandingItem[]
  readonly next: string | null
}

/** How long somebody should stand somewhere: until one of these timers, or where none of them is armed the limit. */
export type OwnLimit = { readonly timers: readonly string[]; readonly limitMs: number | null }

export type ListAsked = {
  /** Keys from the root to the state; empty: all. */
  readonly path: readonly string[]
  readonly machineVersion?: string | null
  readonly openOnly?: boolean
  /** Only open ones that stand there for longer than that. */
  readonly over?: OwnLimit | null
  readonly cursor?: string | null
  readonly limit?: number
}

type Moment = { readonly at: string; readonly snapshotId: string }

export type LiveView = Moment & {
  readonly states: readonly StandingValue[]
  /** Null when no window was asked for. */
  readonly moves: readonly Move[] | null
  readonly list: StandingList | null
}

export type StuckState = {
  readonly id: string
  readonly open: number
  readonly oldestMs: number | null
  readonly p95Ms: number | null
  /** The least and the most that the oldest of them were given when they came; null when no timer of them says so. */
  readonly ownLimitsMs: readonly [least: number, most: number] | null
  /** Open conversations that stand there for longer than they should. */
  readonly older: number
}

/** A distinct (version, value, timers, running effects, remembered states), and some conversations that stand so. */
export type StandingShape = StandingValue & {
  readonly shape: string
  readonly timers: readonly string[]
  readonly children: { readonly [childId: string]: string }
  readonly history: { readonly [historyId: string]: readonly { readonly id: string }[] }
  readonly samples: readonly { readonly snapshot: Json; readonly timers: Timers }[]
}

export type ToWake = {
  /** Every live node knows the newer version. */
  readonly isReady: boolean
  readonly items: readonly { readonly id: string; readonly businessAddress: string; readonly userKey: string }[]
  readonly next: string | null
}

export interface LiveReadModel {
  liveView(request: {
    readonly machine: string
    readonly windowSeconds?: number | null
    readonly list?: ListAsked | null
  }): Promise<LiveView>
  stuckView(request: {
    readonly machine: string
    readonly machineVersion?: string | null
    readonly states: readonly (OwnLimit & { readonly id: string; readonly path: readonly string[] })[]
  }): Promise<Moment & { readonly states: readonly StuckState[] }>
  /** `samples`: conversations of each shape, 20 at most. */
  inFlight(machine: string, samples: number): Promise<Moment & { readonly shapes: readonly StandingShape[] }>
  listToWake(request: {
    readonly machine: string
    readonly from: string
    readonly to: string
    readonly paths: readonly (readonly string[])[]
    readonly cursor?: string | null
    readonly limit?: number
  }): Promise<ToWake>
  /** Adds up what is over; anybody may ask, at any time. */
  tidyMoves(): Promise<void>
}
