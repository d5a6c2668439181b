/**
 * One session in memory: its mailbox, its newest state and the folds on their way to the store.
 *
 * 1. Entries are decided in the order of the mailbox, one at a time, on the newest state.
 * 2. At most one fold is in flight; what is decided meanwhile becomes the next one.
 * 3. Raw entries are kept until their fold is committed. After `stale` the session is loaded again and
 *    they are decided anew, in the same order.
 * 4. An event that throws is parked; the session is then quarantined and later events are parked behind
 *    it, in order. Other sessions go on.
 */
import { decide } from './decide.ts'
import type { DecideContext } from './take-step.ts'
import { setPositions, toDuplicateKey } from './entry.ts'
import type { Entry } from './entry.ts'
import { Fold } from './fold.ts'
import { limits } from './host.ts'
import type { ParkedEvent } from './ports.ts'
import type { SessionState } from './session-state.ts'

/** What a session needs of the partition that owns it. */
export interface SessionOwner {
  decideContext(): DecideContext
  /** The session has something to commit. */
  changed(session: Session): void
  /** A position is finished without a commit of its own. */
  finished(): void
  parked(session: Session, error: unknown, entry: Entry): void
  duplicated(): void
}

const noEntries: Entry[] = []

export class Session {
  readonly key: string
  readonly owner: SessionOwner
  phase: 'loading' | 'ready' = 'loading'
  /** What the store has, as far as we know; null when it has nothing. */
  committed: SessionState | null = null
  newest: SessionState | null = null
  inFlight: Fold | null = null
  pending: Fold | null = null
  touchedAt = 0
  #mailbox: Entry[] = noEntries
  #knownKeys: ReadonlySet<string> | null = null

  constructor(key: string, owner: SessionOwner) {
    this.key = key
    this.owner = owner
  }

  get waiting(): readonly Entry[] {
    return this.#mailbox
  }

  /** Nothing is under way: it may leave memory. */
  get isQuiet(): boolean {
    return (
      this.phase === 'ready' &&
      this.#mailbox.length === 0 &&
      this.inFlight === null &&
      this.pending === null &&
      (this.newest?.effects.length ?? 0) === 0
    )
  }

  receive(entry: Entry): void {
    if (this.#mailbox === noEntries) this.#mailbox = []
    this.#mailbox.push(entry)
    this.drain()
  }

  /** `knownKeys`: which of the waiting messages and commands are stored already. */
  loaded(state: SessionState, knownKeys: ReadonlySet<string>): void {
    this.phase = 'ready'
    this.committed = state.isNew ? null : state
    this.newest = state
    this.#knownKeys = knownKeys
    this.drain()
    this.#knownKeys = null
  }

  /** Decides what waits, until the fold is full. */
  drain(): void {
    if (this.phase !== 'ready') return
    let taken = 0
    while (taken < this.#mailbox.length && (this.pending?.entries.length ?? 0) < limits.stepsPerFold) {
      const entry = this.#mailbox[taken]
      taken += 1
      if (entry !== undefined) this.#decide(entry)
    }
    this.#mailbox = taken === this.#mailbox.length ? noEntries : this.#mailbox.slice(taken)
  }

  /** Hands the pending fold to the committer, with the state it leads to. */
  leave(): { fold: Fold; state: SessionState } | null {
    if (this.pending === null || this.inFlight !== null || this.newest === null) return null
    const fold = this.pending
    const state = this.newest
    this.inFlight = fold
    this.pending = null
    this.newest = state.isNew ? { ...state, isNew: false } : state
    setPositions(fold.entries, 'leaving')
    return { fold, state }
  }

  /** The fold is committed. One that a reload has overtaken says nothing any more. */
  arrived(fold: Fold, state: SessionState): void {
    setPositions(fold.entries, 'finished')
    if (this.inFlight !== fold) return
    this.inFlight = null
    this.committed = this.pending === null ? this.newest : { ...state, isNew: false }
    if (this.pending !== null) this.owner.changed(this)
    this.drain()
  }

  /** The commit was refused: everything that was not committed waits again, in its old order. */
  reload(duplicates: ReadonlySet<string>): void {
    const entries = [...(this.inFlight?.entries ?? []), ...(this.pending?.entries ?? []), ...this.#mailbox]
    this.inFlight = null
    this.pending = null
    this.phase = 'loading'
    this.committed = null
    this.newest = null
    this.#mailbox = entries.filter((entry) => !this.#isDuplicate(entry, duplicates))
    setPositions(this.#mailbox, 'waiting')
  }

  /** The store itself cannot take what these events lead to: they are parked instead. */
  quarantine(error: unknown): void {
    const before = this.committed
    const entries = [...(this.inFlight?.entries ?? []), ...(this.pending?.entries ?? [])]
    if (before === null && this.newest === null) return
    this.inFlight = null
    this.pending = null
    this.newest = before ?? (this.newest && { ...this.newest, isNew: true, conversation: null, effects: [] })
    setPositions(entries, 'waiting')
    for (const entry of entries) this.#park(entry, error)
  }

  #decide(entry: Entry): void {
    const state = this.newest
    if (state === null || this.#isFinished(entry, state)) return
    if (state.quarantined && entry.kind !== 'result') {
      if (entry.kind === 'logged') this.#park(entry, null)
      return
    }
    try {
      const decision = decide(state, entry, this.owner.decideContext())
      this.#keep(entry, decision.state, decision.fold)
    } catch (error) {
      this.#park(entry, error)
    }
  }

  #keep(entry: Entry, state: SessionState, decided: Fold): void {
    if (decided.isEmpty) {
      if (entry.kind !== 'logged') return
      entry.position.state = 'finished'
      this.owner.finished()
      return
    }
    this.newest = state
    this.pending ??= new Fold()
    this.pending.absorb(decided)
    this.pending.entries.push(entry)
    this.owner.changed(this)
  }

  #isFinished(entry: Entry, state: SessionState): boolean {
    if (entry.kind !== 'logged') return false
    const { incarnation } = this.owner.decideContext()
    const isApplied = state.position?.incarnation === incarnation && entry.log.sequence <= state.position.sequence
    if (!isApplied && !this.#isDuplicate(entry, this.#knownKeys)) return false
    entry.position.state = 'finished'
    this.owner.finished()
    return true
  }

  /** A message or a command that is stored, or about to be, under the same key. */
  #isDuplicate(entry: Entry, known: ReadonlySet<string> | null): boolean {
    const key = entry.kind === 'logged' ? toDuplicateKey(entry.event) : null
    if (entry.kind !== 'logged' || key === null) return false
    const isDuplicate =
      known?.has(key) === true ||
      this.inFlight?.hasDuplicateKey(key) === true ||
      this.pending?.hasDuplicateKey(key) === true
    if (!isDuplicate) return false
    entry.position.state = 'finished'
    this.owner.duplicated()
    this.owner.finished()
    return true
  }

  #park(entry: Entry, error: unknown): void {
    if (this.newest === null) return
    const decided = new Fold()
    const { incarnation, now } = this.owner.decideContext()
    const position = entry.kind === 'logged' ? { incarnation, sequence: entry.log.sequence } : this.newest.position
    decided.parked.push(toParkedEvent(entry, error, position ?? { incarnation, sequence: 0 }, now))
    if (error !== null) this.owner.parked(this, error, entry)
    this.#keep(entry, { ...this.newest, position, quarantined: true }, decided)
  }
}

function toParkedEvent(entry: Entry, error: unknown, position: ParkedEvent['position'], at: number): ParkedEvent {
  const subject = entry.kind === 'logged' ? `${entry.log.kind}.${entry.log.sessionKey}` : entry.kind
  const data = entry.kind === 'logged' ? entry.log.data : Buffer.from(JSON.stringify(entry))
  return {
    position,
    kind: error === null ? 'waiting' : 'poison',
    subject,
    dataBase64: Buffer.from(data).toString('base64'),
    error: error === null ? null : toErrorText(error),
    at,
  }
}

function toErrorText(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll('\u0000', '\uFFFD').slice(0, 2_000)
}
