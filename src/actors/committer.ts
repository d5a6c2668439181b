/**
 * Writes folds to the store, in lanes. A lane owns some partitions and has at most one commit in flight,
 * so of one partition at most one commit is ever in flight (DESIGN D6).
 *
 * 1. Sessions that changed while a commit was in flight are all in the next one.
 * 2. When an answer is lost, the very same batch is sent again before anything else of the lane.
 * 3. A batch that the store refuses twice while it answers a trivial call is halved until the culprit
 *    stands alone; that session is quarantined.
 * 4. A cursor that can move without a step moves with the next commit, or within half a second.
 */
import { setPositions } from './entry.ts'
import type { Fold } from './fold.ts'
import { limits } from './host.ts'
import type { Host } from './host.ts'
import type { Partition } from './partition.ts'
import { StoreRefused } from './ports.ts'
import type { CommitBatch, CommitOutcome, SessionOutcome } from './ports.ts'
import type { Session } from './session.ts'
import type { SessionState } from './session-state.ts'

type Leaving = {
  readonly session: Session
  readonly partition: Partition
  readonly fold: Fold
  readonly state: SessionState
}
type Answer = { kind: 'answered'; outcome: CommitOutcome } | { kind: 'refused'; error: unknown } | { kind: 'abandoned' }

const refusalsBeforeHalving = 2

export class Lane {
  readonly #host: Host
  readonly #changed = new Map<Session, Partition>()
  readonly #cursors = new Set<Partition>()
  #inFlight: ReadonlySet<Partition> = new Set()
  #onCommitEnded: (() => void)[] = []
  #running: Promise<void> | null = null
  #cancelCursorTimer: (() => void) | null = null
  #isStopped = false

  constructor(host: Host) {
    this.#host = host
  }

  /** The session has a pending fold. */
  add(session: Session, partition: Partition): void {
    this.#changed.set(session, partition)
    this.#start()
  }

  /** The partition's cursor can move, or it has foreign events to park. */
  addCursor(partition: Partition): void {
    this.#cursors.add(partition)
    this.#cancelCursorTimer ??= this.#host.clock.schedule(limits.cursorOnlyAfterMs, () => {
      this.#cancelCursorTimer = null
      this.#start()
    })
  }

  forget(partition: Partition): void {
    this.#cursors.delete(partition)
    for (const [session, owner] of this.#changed) if (owner === partition) this.#changed.delete(session)
  }

  /** Resolves when nothing of the partition is left to commit, or it is lost. */
  async settle(partition: Partition): Promise<void> {
    while (!partition.isLost && !this.#isStopped && this.#isBusyWith(partition)) {
      const ended = new Promise<void>((resolve) => this.#onCommitEnded.push(resolve))
      this.#start()
      await ended
    }
  }

  stop(): void {
    this.#isStopped = true
    this.#cancelCursorTimer?.()
    this.#commitEnded()
  }

  #isBusyWith(partition: Partition): boolean {
    return (
      this.#inFlight.has(partition) || this.#cursors.has(partition) || [...this.#changed.values()].includes(partition)
    )
  }

  #commitEnded(): void {
    this.#inFlight = new Set()
    const waiting = this.#onCommitEnded
    this.#onCommitEnded = []
    for (const resolve of waiting) resolve()
  }

  #start(): void {
    if (this.#running !== null || this.#isStopped) return
    this.#running = this.#run().finally(() => {
      this.#running = null
      if (this.#changed.size > 0) this.#start()
    })
  }

  async #run(): Promise<void> {
    while ((this.#changed.size > 0 || this.#cursors.size > 0) && !this.#isStopped) {
      // A call costs as much as many sessions in it: what arrives within a moment goes along.
      await pause(this.#host, limits.lingerMs)
      const cursors = [...this.#cursors]
      this.#cursors.clear()
      const taken = this.#take()
      this.#inFlight = new Set([...cursors, ...taken.map(({ partition }) => partition)])
      try {
        await this.#commit(taken, cursors)
      } finally {
        this.#commitEnded()
      }
    }
  }

  #take(): Leaving[] {
    const taken: Leaving[] = []
    let bytes = 0
    for (const [session, partition] of this.#changed) {
      if (taken.length >= limits.sessionsPerCommit || bytes >= limits.bytesPerCommit) break
      this.#changed.delete(session)
      const leaving = session.leave()
      if (leaving === null) continue
      for (const entry of leaving.fold.entries) bytes += entry.kind === 'logged' ? entry.log.data.length * 2 : 500
      taken.push({ session, partition, ...leaving })
    }
    return taken
  }

  async #commit(leaving: readonly Leaving[], cursors: readonly Partition[]): Promise<void> {
    const partitions = [...new Set([...leaving.map(({ partition }) => partition), ...cursors])].filter(
      (partition) => !partition.isLost,
    )
    if (partitions.length === 0) return
    const batch = this.#toBatch(leaving, partitions)
    if (leaving.some(({ fold }) => fold.migrates)) await this.#host.reached('migrated')
    await this.#host.reached('before-commit')
    const sentAt = this.#host.clock.monotonic()
    const answer = await this.#send(batch, partitions)
    switch (answer.kind) {
      case 'answered':
        this.#host.telemetry.observe('commit_seconds', (this.#host.clock.monotonic() - sentAt) / 1_000)
        this.#host.telemetry.observe('commit_sessions', leaving.length)
        await this.#host.reached('after-commit')
        this.#settle(batch, leaving, partitions, answer.outcome, sentAt)
        return
      case 'refused':
        await this.#halve(leaving, cursors, answer.error)
        return
      case 'abandoned':
        return
    }
  }

  #toBatch(leaving: readonly Leaving[], partitions: readonly Partition[]): CommitBatch {
    return {
      commitId: this.#host.ids.next(),
      nodeId: this.#host.settings.nodeId,
      leaseMs: this.#host.settings.leaseMs,
      partitions: partitions.map((partition) => partition.toCommit()),
      sessions: leaving
        .filter(({ partition }) => !partition.isLost)
        .map(({ fold, state, partition }) => fold.toCommit(state, partition.number)),
    }
  }

  /** Sends the same batch until the store has answered it, or every partition in it is lost. */
  async #send(batch: CommitBatch, partitions: readonly Partition[]): Promise<Answer> {
    let refusals = 0
    for (let attempt = 0; ; attempt += 1) {
      try {
        return { kind: 'answered', outcome: await this.#host.store.commitSteps(batch) }
      } catch (error) {
        if (this.#isStopped || partitions.every(({ isLost }) => isLost)) return { kind: 'abandoned' }
        // In a row: an outage refuses now and then, too.
        refusals = error instanceof StoreRefused ? refusals + 1 : 0
        if (refusals === 0) await this.#host.reached('commit-answer-lost')
        this.#host.telemetry.count('commit_attempts_failed', {
          kind: error instanceof StoreRefused ? 'refused' : 'unknown',
        })
        this.#host.telemetry.log('warn', 'could not commit', {
          commitId: batch.commitId,
          attempt,
          error: String(error),
        })
        if (refusals >= refusalsBeforeHalving && (await this.#answers())) return { kind: 'refused', error }
        await pause(this.#host, toRetryDelay(attempt, this.#host.random()))
      }
    }
  }

  async #answers(): Promise<boolean> {
    return this.#host.store.ping().then(
      () => true,
      () => false,
    )
  }

  async #halve(leaving: readonly Leaving[], cursors: readonly Partition[], error: unknown): Promise<void> {
    const [first] = leaving
    if (leaving.length <= 1 || first === undefined) {
      if (first !== undefined) {
        this.#host.telemetry.log('error', 'the store refuses the steps of one session', {
          sessionId: first.state.sessionId,
          error: String(error),
        })
        if (first.fold.parked.length === 0 || first.fold.steps > 0) first.session.quarantine(error)
        else first.session.reload(new Set())
        await pause(this.#host, limits.retryMaxMs)
        first.partition.resume(first.session)
      } else for (const partition of cursors) partition.lose('the store refuses its cursor')
      return
    }
    const middle = leaving.length >> 1
    const halves = [leaving.slice(0, middle), leaving.slice(middle)]
    for (const { fold } of leaving) setPositions(fold.entries, 'waiting')
    for (const half of halves) {
      for (const { fold } of half) setPositions(fold.entries, 'leaving')
      await this.#commit(half, cursors)
    }
  }

  #settle(
    batch: CommitBatch,
    leaving: readonly Leaving[],
    partitions: readonly Partition[],
    outcome: CommitOutcome,
    sentAt: number,
  ): void {
    for (const { session, partition, state, fold } of leaving) {
      const sessionOutcome: SessionOutcome = outcome.sessions.get(state.sessionId) ?? { kind: 'fenced' }
      this.#host.telemetry.count('commits', { outcome: sessionOutcome.kind })
      if (sessionOutcome.kind === 'committed') {
        this.#host.telemetry.count('steps', {}, fold.steps)
        session.arrived(fold, state)
        partition.committed(session, fold)
      } else if (sessionOutcome.kind !== 'fenced' && session.inFlight === fold) {
        const duplicates = sessionOutcome.kind === 'duplicate' ? sessionOutcome.duplicateKeys : []
        session.reload(new Set(duplicates))
        partition.resume(session)
      }
    }
    for (const partition of partitions) {
      const kind = outcome.partitions.get(partition.number) ?? 'fenced'
      if (kind === 'fenced') partition.lose('another node owns it')
      else {
        partition.renewed(sentAt)
        const sent = batch.partitions.find((candidate) => candidate.partition === partition.number)
        const isWhole = leaving.every(
          (each) => each.partition !== partition || outcome.sessions.get(each.state.sessionId)?.kind === 'committed',
        )
        if (sent !== undefined) partition.settled(isWhole ? sent.cursor : null, sent.parked.length)
      }
    }
  }
}

/** Full jitter over a doubling bound, ms. */
export function toRetryDelay(attempt: number, random: number): number {
  return limits.retryMinMs + random * Math.min(limits.retryMaxMs, limits.retryMinMs * 2 ** Math.min(attempt, 10))
}

/** Resolves after `delayMs` of the host's clock. */
export function pause({ clock }: Pick<Host, 'clock'>, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.schedule(delayMs, resolve)
  })
}
