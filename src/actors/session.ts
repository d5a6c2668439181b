/**
 * One session in memory: its mailbox, its newest state and the folds on their way to the store.
 *
 * 1. Entries are decided in the order of the mailbox, one at a time, on the newest state.
 * 2. At most one fold is in flight; what is decided meanwhile becomes the next one.
 * 3. Raw entries are kept until their fold is committed. After `stale` the session is loaded again and
 *    they are decided anew, in the same order.
 * 4. An event that throws is parked; the session is then quarantined and later events are parked behind
 *    it, in order. Other sessions go on.
 * 5. What waits in quarantine is applied only as the store has it: a release waits for the commits before it and is
 *    decided on a freshly loaded queue.
 * 6. A session whose snapshot is of a version that this node does not know is withheld: it is loaded, and nothing
 *    else. Its entries wait, and the cursor with them, until a node that knows the version has the partition.
 * 7. What belongs to another session is sent on in order, and only as the store says at that moment: memory may be
 *    older than the link. Its position is finished when the log has it again.
 * 8. A fold that takes the user's consent away leaves when no send of the session is on its way, and none starts
 *    before it is committed.
 */
import { decide } from './decide.ts'
import type { DecideContext, Work } from './take-step.ts'
import { isRelease, setPositions, toDuplicateKey } from './entry.ts'
import type { Entry, LoggedEntry } from './entry.ts'
import { toErrorText } from './error-text.ts'
import { Fold } from './fold.ts'
import { toHome } from './identities.ts'
import { limits } from './host.ts'
import { noteParkedOptOut } from './note-consent.ts'
import type { Effect, ParkedEvent } from './ports.ts'
import { refuseRelease, toParkedEntry } from './release-quarantine.ts'
import type { ConversationState, SessionState } from './session-state.ts'

/** What a session asks about its sends. */
export interface SendsUnderWay {
  /** A send of the session is on its way to the provider, or may be. */
  isSending(session: Session): boolean
  /** The send as it was started, while its answer is awaited. */
  findStarted(session: Session, effectId: string): Effect | null
}

/** What a session needs of the partition that owns it. */
export interface SessionOwner {
  decideContext(): DecideContext
  /** Whether this node can go on with the conversation; false: the session is withheld. */
  knows(conversation: ConversationState): boolean
  /** Loads the session again. */
  resume(session: Session): void
  /** The session has something to commit. */
  changed(session: Session): void
  /** A position is finished without a commit of its own. */
  finished(): void
  readonly sends: SendsUnderWay
  parked(session: Session, error: unknown, entry: Entry): void
  duplicated(): void
  /** Publishes the entry for the session of this user key; resolves when the log has it, or nobody here may say so. */
  forward(entry: LoggedEntry, home: string): Promise<void>
  /** So many events of the session wait in its quarantine by now. */
  parkedMany(session: Session, count: number): void
}

const noEntries: Entry[] = []

export class Session {
  readonly key: string
  readonly owner: SessionOwner
  phase: 'loading' | 'ready' | 'withheld' = 'loading'
  /** What the store has, as far as we know; null when it has nothing. */
  committed: SessionState | null = null
  newest: SessionState | null = null
  inFlight: Fold | null = null
  pending: Fold | null = null
  touchedAt = 0
  #mailbox: Entry[] = noEntries
  #knownKeys: ReadonlySet<string> | null = null
  /** Keys that a commit was refused for: what waits in quarantine under them is stored already. */
  readonly #storedKeys = new Set<string>()
  #parkedCount = 0
  /** A release has not emptied the queue yet. */
  #isReleasing = false
  /** Only while what was just loaded is looked at. */
  #isFresh = false
  #forwarding: Promise<void> | null = null

  constructor(key: string, owner: SessionOwner) {
    this.key = key
    this.owner = owner
  }

  get waiting(): readonly Entry[] {
    return this.#mailbox
  }

  /** Nothing of it is to be decided or committed. */
  get isIdle(): boolean {
    return (
      this.phase === 'ready' &&
      this.#mailbox.length === 0 &&
      this.inFlight === null &&
      this.pending === null &&
      this.#forwarding === null
    )
  }

  /** Nothing is under way: it may leave memory. */
  get isQuiet(): boolean {
    return this.isIdle && (this.newest?.effects.length ?? 0) === 0
  }

  /** The user has opted out, and the commit that says so is not answered yet. */
  get isWithdrawing(): boolean {
    return this.inFlight?.withdraws === true || this.pending?.withdraws === true
  }

  receive(entry: Entry): void {
    // A hint, and whoever takes the session over is told anew.
    if (this.phase === 'withheld' && entry.kind === 'due') return
    if (this.#mailbox === noEntries) this.#mailbox = []
    this.#mailbox.push(entry)
    this.drain()
  }

  /** `knownKeys`: which of the waiting messages and commands are stored already. */
  loaded(state: SessionState, knownKeys: ReadonlySet<string>): void {
    this.phase = state.conversation === null || this.owner.knows(state.conversation) ? 'ready' : 'withheld'
    this.committed = state.isNew ? null : state
    this.newest = state
    this.#knownKeys = knownKeys
    this.#parkedCount = state.parked?.count ?? 0
    // Released before, and its node ended halfway.
    this.#isReleasing = state.parked?.events[0]?.kind === 'waiting'
    this.#isFresh = true
    this.drain()
    this.#isFresh = false
    this.#knownKeys = null
  }

  /** Decides what waits, until the fold is full. */
  drain(): void {
    if (this.phase !== 'ready') return
    if (this.#isReleasing) this.#goOnReleasing()
    let taken = 0
    while (
      !this.#isReleasing &&
      taken < this.#mailbox.length &&
      (this.pending?.entries.length ?? 0) < limits.stepsPerFold
    ) {
      const entry = this.#mailbox[taken]
      if (entry === undefined || (isRelease(entry) && !this.#hasQueue()) || !this.#knowsHome(entry)) break
      taken += 1
      this.#decide(entry)
    }
    this.#mailbox = taken === this.#mailbox.length ? noEntries : this.#mailbox.slice(taken)
    if (this.#isReleasing) this.drain()
  }

  /** Whether the queue in memory is the store's; if not, it is loaded when everything before it is committed. */
  #hasQueue(): boolean {
    return this.newest?.quarantined !== true || this.newest.parked !== null || this.#loadAgain()
  }

  /** Whether where the entry belongs is known as of now. */
  #knowsHome(entry: Entry): boolean {
    return this.newest === null || this.#isFresh || toHome(this.newest, entry) === null || this.#loadAgain()
  }

  #loadAgain(): false {
    if (this.inFlight === null && this.pending === null) {
      this.phase = 'loading'
      this.owner.resume(this)
    }
    return false
  }

  /** Before anything else, unless it stands there already. */
  #goOnReleasing(): void {
    this.#isReleasing = false
    if (this.#mailbox[0]?.kind !== 'drain') this.#mailbox = [{ kind: 'drain' }, ...this.#mailbox]
  }

  /** Hands the pending fold to the committer, with the state it leads to. */
  leave(): { fold: Fold; state: SessionState } | null {
    if (this.pending === null || this.inFlight !== null || this.newest === null) return null
    // What is on its way arrives first: when an opt-out is committed, nothing is sent any more (invariant 8).
    if (this.pending.withdraws && this.owner.sends.isSending(this)) return null
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
    for (const key of duplicates) this.#storedKeys.add(key)
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
    for (const entry of entries) {
      if (isRelease(entry)) this.#refuseRelease(entry, error)
      else this.#park(entry, error)
    }
  }

  #decide(entry: Entry): void {
    const state = this.newest
    if (state === null || this.#isFinished(entry, state)) return
    const home = toHome(state, entry)
    if (home !== null && entry.kind === 'logged') {
      this.#forward(entry, home)
      return
    }
    if (state.quarantined && entry.kind !== 'result' && !isRelease(entry)) {
      if (entry.kind === 'logged') this.#park(entry, null)
      return
    }
    try {
      const findStarted = (effectId: string) => this.owner.sends.findStarted(this, effectId)
      const context = { ...this.owner.decideContext(), storedKeys: this.#storedKeys, findStarted }
      const decision = decide(state, entry, context)
      this.#keep(entry, decision.state, decision.fold)
      if (isRelease(entry) && decision.fold.parked.at(-1)?.kind === 'applied' && decision.state.quarantined) {
        this.#isReleasing = true
      }
    } catch (error) {
      this.#park(entry, error)
    }
  }

  #forward(entry: LoggedEntry, home: string): void {
    const before = this.#forwarding ?? Promise.resolve()
    const done = before
      .then(async () => this.owner.forward(entry, home))
      .finally(() => {
        if (this.#forwarding === done) this.#forwarding = null
      })
    this.#forwarding = done
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
    const context = this.owner.decideContext()
    const work: Work = { state: this.newest, fold: new Fold(), context }
    work.fold.parked.push(toParkedEvent(entry, error, context))
    if (entry.kind === 'logged' && entry.event.type === 'message.received') {
      noteParkedOptOut(work, entry.event, entry.log.at + this.newest.clockOffsetMs)
    }
    if (error !== null) this.owner.parked(this, error, entry)
    this.#parkedCount += 1
    if (this.#parkedCount % limits.parkedPerSession === 0) this.owner.parkedMany(this, this.#parkedCount)
    this.#keep(entry, { ...work.state, ...toPosition(entry, context), quarantined: true, parked: null }, work.fold)
  }

  /** The store cannot take what the released event leads to: it stays the first one that waits. */
  #refuseRelease(entry: Entry, error: unknown): void {
    if (this.newest === null) return
    const { state, fold } = refuseRelease(this.newest, entry, toErrorText(error))
    this.owner.parked(this, error, entry)
    this.#keep(entry, { ...state, ...toPosition(entry, this.owner.decideContext()) }, fold)
  }
}

function toPosition(entry: Entry, { incarnation }: DecideContext): Pick<SessionState, 'position'> | null {
  return entry.kind === 'logged' ? { position: { incarnation, sequence: entry.log.sequence } } : null
}

function toParkedEvent(entry: Entry, error: unknown, { incarnation, now }: DecideContext): ParkedEvent {
  const failure = {
    kind: error === null ? ('waiting' as const) : ('poison' as const),
    error: error === null ? null : toErrorText(error),
  }
  if (entry.kind !== 'logged') return { ...toParkedEntry(entry, now), ...failure }
  const { kind, sessionKey, sequence, data, at } = entry.log
  const dataBase64 = Buffer.from(data).toString('base64')
  return { position: { incarnation, sequence }, subject: `${kind}.${sessionKey}`, dataBase64, at, ...failure }
}
