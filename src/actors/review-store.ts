/** Where comments and verdicts on changes of machines are kept, and whole journals are read for a replay. */
import type { Json, JsonObject } from '../machines/json.ts'
import type { Status } from '../machines/status.ts'
import type { JournalledEvent } from './replay-on-draft.ts'

export type StoredJournal = {
  readonly id: string
  readonly status: Status
  readonly machine: string
  readonly machineVersion: string
  /** How many entries the journal has. */
  readonly version: number
  readonly openedAt: string
  readonly updatedAt: string
  /** Null when they are too many for one answer. */
  readonly events: readonly JournalledEvent[] | null
}

export type JournalFilter = {
  readonly machine?: string
  readonly status?: Status
  /** A business address or a user's. */
  readonly address?: string
  /** ISO 8601. */
  readonly changedAfter?: string
}

export type JournalPage = {
  readonly items: readonly StoredJournal[]
  readonly next: JsonObject | null
  /** The database's clock, ms since 1970. */
  readonly now: number
}

export type StoredComment = {
  readonly id: string
  readonly author: string
  readonly body: string
  readonly at: string
}

export type StoredThread = {
  readonly id: string
  /** The id of a state or a transition in the chart of `chartHash`. */
  readonly about: string
  readonly chartHash: string
  readonly openedAt: string
  readonly resolvedAt: string | null
  readonly resolvedBy: string | null
  readonly comments: readonly StoredComment[]
}

export type NewComment = {
  readonly commentId: string
  readonly threadId: string
  readonly machine: string
  readonly author: string
  readonly body: string
  /** What a new thread is about; null: the thread is there. */
  readonly opens: { readonly about: string; readonly chartHash: string; readonly chart: Json } | null
}

export type StoredVerdict = {
  readonly id: string
  readonly base: Json
  readonly head: Json
  readonly verdict: 'approved' | 'rejected'
  readonly author: string
  readonly note: string
  readonly at: string
}

export interface ReviewStore {
  /** The last changed first; `after` is `next` of the page before. */
  listJournals(filter: JournalFilter, after: JsonObject | null, limit: number): Promise<JournalPage>
  /** The same comment twice is one. False when there is no such thread of this machine. */
  addComment(comment: NewComment): Promise<boolean>
  /** False when there is no such thread of this machine. */
  settleThread(request: {
    readonly threadId: string
    readonly machine: string
    readonly isResolved: boolean
    readonly author: string
  }): Promise<boolean>
  /** Oldest first, with the charts that they were written on, by hash. */
  listThreads(machine: string): Promise<{
    readonly items: readonly StoredThread[]
    readonly charts: { readonly [hash: string]: Json }
  }>
  /** The same verdict twice is one. */
  giveVerdict(reviewId: string, verdict: Omit<StoredVerdict, 'at'>): Promise<{ readonly at: string }>
  /** Newest first. */
  listVerdicts(reviewId: string): Promise<readonly StoredVerdict[]>
}
