/**
 * The database in memory, as strict as the SQL functions: leases, epochs and fair shares, fenced commits whose last
 * outcome is answered verbatim, stale and duplicate per session, the rule of the cursor, guards that roll a whole
 * transaction back. A transaction takes its row locks, spends time, and only then writes, so that what the locks
 * are for can be tested. `tests/infra/supabase/simulated-store.test.ts` compares it with the SQL, call by call.
 */
import type {
  ClaimAnswer,
  ClaimRequest,
  CommitBatch,
  CommitOutcome,
  OwnedPartition,
  SessionCommit,
  SessionRequest,
  StartOutcome,
} from '../../../src/actors/ports.ts'
import type { LoadedSession, LoadedSessions } from '../../../src/actors/ports.ts'
import { judge, toOutcome, write } from './commit.ts'
import { claim, release, toLockedByClaim } from './ownership.ts'
import { loadSessions, toLoadedSession } from './reading.ts'
import { RowLocks } from './row-locks.ts'
import { startEffects } from './starting.ts'
import type { StartRequest } from './starting.ts'
import { Tables } from './tables.ts'
import type { ChannelRow, SessionRow } from './tables.ts'

/** Told of every transaction before it writes and after it has written; what it throws is not caught. */
export type StoreWatch = {
  committing(batch: CommitBatch, text: string): void
  committed(batch: CommitBatch, accepted: readonly SessionCommit[], outcome: CommitOutcome): void
  started(effectId: string, moment: number): void
}

export type StoreOptions = {
  readonly channels: readonly ChannelRow[]
  readonly partitions: number
  /** The database's clock, ms since 1970. */
  readonly now: () => number
  /** The time that a transaction takes between its locks and its writes. */
  readonly spend: () => Promise<void>
  readonly watch?: StoreWatch
  /** Whether stale reads will be asked for: then each session is remembered as it was before its last change. */
  readonly mayLag?: boolean
}

type Remembered = { readonly at: number; readonly loaded: LoadedSession }

export class SimulatedStore {
  readonly tables: Tables
  readonly #options: StoreOptions
  readonly #locks = new RowLocks()
  /** When each partition got its owner: no read lags behind that, or a new owner would not see what it inherits. */
  readonly #claims = new Map<number, { readonly epoch: number; readonly at: number }>()
  /** What a read that lags behind its owner's own commits answers. */
  readonly #before = new Map<string, Remembered>()

  constructor(options: StoreOptions) {
    this.#options = options
    this.tables = new Tables(options.channels, options.partitions)
  }

  async claim(request: ClaimRequest): Promise<ClaimAnswer> {
    const unlock = await this.#locks.take(toLockedByClaim(this.tables, request))
    try {
      const claimed = claim(this.tables, this.#locks, request, this.#options.now())
      for (const { partition, epoch } of claimed.partitions) {
        if (this.#claims.get(partition)?.epoch !== epoch)
          this.#claims.set(partition, { epoch, at: this.#options.now() })
      }
      return claimed
    } finally {
      unlock()
    }
  }

  async release(nodeId: string, partitions: readonly OwnedPartition[]): Promise<void> {
    const own = this.tables.partitions.filter(({ owner }) => owner === nodeId).map(({ partition }) => partition)
    const unlock = await this.#locks.take(own)
    release(this.tables, nodeId, partitions)
    unlock()
  }

  /** `text`: the batch as it travels. */
  async commit(text: string): Promise<CommitOutcome> {
    const batch = JSON.parse(text) as CommitBatch
    const unlock = await this.#locks.take(batch.partitions.map(({ partition }) => partition))
    try {
      const judged = judge(this.tables, batch, this.#options.now())
      this.#options.watch?.committing(batch, text)
      await this.#options.spend()
      if (this.#options.mayLag === true) this.#remember(batch)
      const accepted = write(this.tables, batch, judged)
      const outcome = toOutcome(this.tables, batch, judged)
      this.#options.watch?.committed(batch, accepted, outcome)
      return outcome
    } finally {
      unlock()
    }
  }

  async start(request: StartRequest): Promise<Map<string, StartOutcome>> {
    const unlock = await this.#locks.take(request.partitions.map(({ partition }) => partition))
    try {
      const moment = this.#options.now()
      const outcomes = startEffects(this.tables, request, moment)
      for (const [effectId, { kind }] of outcomes)
        if (kind === 'started') this.#options.watch?.started(effectId, moment)
      return outcomes
    } finally {
      unlock()
    }
  }

  /** When the partition got the owner that it has. */
  claimedAt(partition: number): number {
    return this.#claims.get(partition)?.at ?? 0
  }

  /** `lagMs`: how far behind the answer may be; 0: what is stored now. */
  load(requests: readonly SessionRequest[], lagMs = 0): LoadedSessions {
    if (lagMs === 0) return loadSessions(this.tables, requests)
    const since = this.#options.now() - lagMs
    return loadSessions(this.tables, requests, (session) => this.#asBefore(session, since))
  }

  #asBefore(session: SessionRow, since: number): LoadedSession {
    const before = this.#before.get(session.sessionId)
    const claimedAt = this.#claims.get(session.partition)?.at ?? Infinity
    return before !== undefined && before.at >= since && before.at > claimedAt
      ? before.loaded
      : toLoadedSession(this.tables, session)
  }

  #remember(batch: CommitBatch): void {
    for (const { sessionId } of batch.sessions) {
      const session = this.tables.sessions.get(sessionId)
      if (session === undefined) continue
      this.#before.set(sessionId, { at: this.#options.now(), loaded: toLoadedSession(this.tables, session) })
    }
  }
}
