/**
 * What a proposed machine would do to the conversations that are stored: the answer of the check before a deploy, for
 * the page, the API, the command line and the verdict. Plain JSON with a schema name.
 *
 * 1. One row for each distinct (version, state value, timers, running effects, remembered states) that is stored.
 * 2. `ok`: nothing stands in the way. `mapped`: something did, and the migration map answers all of it. `blocked`: at
 *    least one reason is not answered.
 * 3. The verdict is `green` only when no row is blocked and every conversation that was tried out was restored.
 */
import type { Json } from '../../machines/json.ts'

export const inFlightSchemaName = 'duologue.in-flight/1'

export type InFlightReasonKind =
  /** A state of its value is not in the proposed machine. */
  | 'state-removed'
  /** A state that it remembers for a history state is gone. */
  | 'history-removed'
  /** A running effect's actor has another source now: its result would be refused, and the work done twice. */
  | 'source-renamed'
  /** A running effect that nothing waits for any more. */
  | 'child-removed'
  /** A state that it stands in invokes an actor that was never started. */
  | 'child-not-started'
  /** An `after` of a state that it stands in has no timer pending. */
  | 'timer-not-armed'
  /** A pending timer that no state of it has any more. */
  | 'timer-removed'
  /** A guard that could be asked where it stands is not declared. */
  | 'guard-undeclared'
  /** The machine was changed, and has the version that is stored already: nothing would migrate it. */
  | 'version-unchanged'
  /** The build does not know the version. */
  | 'version-unknown'
  /** A conversation that was tried out could not be restored. */
  | 'not-restored'

export type InFlightReason = {
  readonly kind: InFlightReasonKind
  /** The id of the state, timer, actor or guard that it is about. */
  readonly subject: string
  /** For people. */
  readonly sentence: string
  /** Whether the migration map answers it. */
  readonly isMapped: boolean
}

export type InFlightOutcome = 'ok' | 'mapped' | 'blocked'

export type InFlightState = {
  /** Names the row: the same as long as (version, value, timers, effects, remembered states) are. */
  readonly shape: string
  readonly machineVersion: string
  readonly value: Json
  /** Ids of the innermost states of the value, in the chart that wrote it. */
  readonly stateIds: readonly string[]
  readonly timers: readonly string[]
  /** Running effects: id of the invoked actor and its source. */
  readonly children: { readonly [childId: string]: string }
  /** Conversations that stand so, and how many of them are open. */
  readonly count: number
  readonly open: number
  /** Since when the first of them stands there. */
  readonly oldestAt: string | null
  readonly outcome: InFlightOutcome
  readonly reasons: readonly InFlightReason[]
  /** Where they go on; null when blocked. */
  readonly toValue: Json
}

export type InFlightResult = {
  readonly schema: typeof inFlightSchemaName
  readonly machine: string
  /** The proposed one. */
  readonly version: string
  readonly hash: string
  readonly verdict: 'green' | 'blocked'
  /** One moment of the database; equal for everything that was read at it. */
  readonly at: string
  readonly snapshotId: string
  /** Conversations: by outcome. */
  readonly counts: { readonly [outcome in InFlightOutcome]: number }
  readonly total: number
  readonly open: number
  readonly states: readonly InFlightState[]
  /** A sample of stored conversations that was really migrated and restored, changing nothing. */
  readonly dryRun: { readonly tried: number; readonly restored: number; readonly failures: readonly string[] }
}
