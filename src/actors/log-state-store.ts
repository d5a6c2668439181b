/**
 * What the store knows of the log, so that all nodes agree whether it is the one that it was (DESIGN D2), that the
 * provider is asked once for what a log lost, and that one janitor purges.
 */
import type { Position } from './ports.ts'

/** The log as it was found. */
export type FoundLog = { readonly created: string; readonly firstSequence: number; readonly lastSequence: number }

export type LogIncident = 'recreated' | 'shortened' | 'gap'

export interface LogStateStore {
  /** Asked before the log is: a sequence that the log certainly had. */
  recallLog(): Promise<{ readonly generation: number; readonly high: number }>
  /** `incidentSince`: how far back the provider is asked if this is an incident, ms since 1970. */
  observeLog(request: {
    readonly found: FoundLog
    readonly recalled: { readonly generation: number; readonly high: number }
    readonly incidentSince: number
  }): Promise<{
    readonly incarnation: string
    /** How many incidents there were so far, this one included. */
    readonly incidents: number
    readonly incident: LogIncident | null
    readonly isReconciled: boolean
  }>
  /** `since` is null when nothing is due; `isMine`: this node is to do it. */
  claimReconciliation(
    nodeId: string,
    leaseMs: number,
  ): Promise<{ readonly since: number | null; readonly incidents: number; readonly isMine: boolean }>
  /** `incidents` as claimed: another one since then makes it due again. */
  finishReconciliation(nodeId: string, incidents: number): Promise<{ readonly isDone: boolean }>
  planPurge(
    nodeId: string,
    leaseMs: number,
  ): Promise<{
    readonly isMine: boolean
    readonly incarnation: string | null
    readonly cursors: readonly (Position & { readonly partition: number })[]
  }>
  /** Said before the purge; false: it must not be done. */
  recordPurge(nodeId: string, incarnation: string, through: number): Promise<boolean>
}
