/**
 * One partition that this node owns: it reads the log from the committed cursor, hands every event to its
 * session's mailbox, fires timers and wakes inherited effects.
 *
 * 1. Events enter mailboxes in the order of the log; the cursor moves only with commits.
 * 2. The barrier: before a due timer fires, and before anything inherited is performed, the log is asked
 *    for the partition's last event and everything up to it has entered its mailbox.
 * 3. A lost partition is dropped whole: its sessions, readers and timers; nothing of it is written again.
 */
import { tellFailure, tellNotice, tellParked, tellParkedMany, tellWithheld } from './alarms.ts'
import { assert } from './assert.ts'
import { Barrier } from './barrier.ts'
import type { Lane } from './committer.ts'
import type { DecideContext } from './take-step.ts'
import type { EffectRunner } from './effect-runner.ts'
import type { Entry, LoggedEntry } from './entry.ts'
import { toErrorText } from './error-text.ts'
import type { Fold } from './fold.ts'
import { forwardEvent, mayForward } from './forward.ts'
import { limits } from './host.ts'
import type { Host } from './host.ts'
import type { Loader } from './loader.ts'
import { readLoggedEvent } from './logged-event.ts'
import { knowsVersion } from './machine-versions.ts'
import type {
  ClaimedPartition,
  CommitBatch,
  LogEntry,
  LogReader,
  LoggedEvent,
  MachineNeed,
  MachineVersions,
  ParkedEvent,
} from './ports.ts'
import { Positions } from './positions.ts'
import { Session } from './session.ts'
import type { SendsUnderWay, SessionOwner } from './session.ts'
import { toWakeAt } from './session-state.ts'
import type { ConversationState } from './session-state.ts'
import { WakeQueue } from './wake-queue.ts'

export type PartitionParts = {
  readonly host: Host
  readonly lane: Lane
  readonly loader: Loader
  readonly effects: EffectRunner
  /** The versions that every live node knows, as the latest claim told. */
  readonly commonVersions: () => MachineVersions
  /** Called once when the partition is lost. */
  readonly onLost: (partition: Partition, reason: string) => void
}

/** What a lease is cut short by, so that clocks and scheduling cannot make us outlive it. */
const toLeaseMargin = (leaseMs: number): number => leaseMs / 5

export class Partition implements SessionOwner {
  readonly number: number
  readonly epoch: number
  /** Only when true may inherited effects and timers run. */
  isActive = false
  /** It is being handed over: nothing new is started. */
  isLeaving = false
  isLost = false
  /** A version that a session here cannot go on without and this node does not know: another node shall have it. */
  needs: MachineNeed | null = null
  /** By `Clock.monotonic()`; before it the lease is certainly ours. */
  leaseValidUntil: number
  readonly #parts: PartitionParts
  readonly #incarnation: string
  readonly #positions = new Positions()
  readonly #sessions = new Map<string, Session>()
  readonly #wakes: WakeQueue
  readonly #barrier: Barrier
  readonly #foreign: ParkedEvent[] = []
  #cursor: number
  #reader: LogReader | null = null
  #isFiring = false
  #release: (() => void) | null = null

  constructor(parts: PartitionParts, claimed: ClaimedPartition, incarnation: string, leaseValidUntil: number) {
    this.#parts = parts
    this.number = claimed.partition
    this.epoch = claimed.epoch
    this.leaseValidUntil = leaseValidUntil
    this.#incarnation = incarnation
    this.#cursor = claimed.cursor.incarnation === incarnation ? claimed.cursor.sequence : 0
    this.#barrier = new Barrier(parts.host, this.number, this.#cursor)
    this.#wakes = new WakeQueue(parts.host.clock, () => void this.#fire())
  }

  get sessionCount(): number {
    return this.#sessions.size
  }

  // ── Life ─────────────────────────────────────────────────────────────────────────────────────

  /** Reads on from the cursor. */
  start(): void {
    this.#reader = this.#parts.host.log.read(this.number, this.#cursor, (entry) => this.#take(entry))
  }

  lose(reason: string): void {
    if (this.isLost) return
    if (!this.isLeaving) void this.#parts.host.reached('lease-lost')
    this.isLost = true
    this.isActive = false
    this.#wakes.stop()
    this.#release?.()
    this.#barrier.open()
    this.#parts.lane.forget(this)
    this.#parts.effects.abandon(this)
    void this.#reader?.stop()
    this.#sessions.clear()
    this.#parts.onLost(this, reason)
  }

  /** Resolves when nothing of it is under way any more; see `HandOver`. */
  async finish(): Promise<void> {
    const { effects, lane, host } = this.#parts
    this.isLeaving = true
    this.isActive = false
    this.#wakes.stop()
    await effects.settle(this)
    await host.reached('draining')
    await this.#reader?.stop()
    await lane.settle(this)
  }

  renewed(sentAt: number): void {
    const { leaseMs } = this.#parts.host.settings
    this.leaseValidUntil = Math.max(this.leaseValidUntil, sentAt + leaseMs - toLeaseMargin(leaseMs))
  }

  /** From here on timers fire and effects run; everything the log held is in its mailbox (invariant 2). */
  activate(): void {
    if (this.isLost || this.isLeaving) return
    this.isActive = true
    for (const session of this.#sessions.values()) this.#parts.effects.reconcile(session, this)
    this.#wakes.setAlarm()
  }

  // ── Reading ──────────────────────────────────────────────────────────────────────────────────

  #take(log: LogEntry): void | Promise<void> {
    if (this.isLost) return
    const position = this.#positions.add(log.sequence, log.data.length)
    const event = this.#read(log)
    if (event === null) position.state = 'finished'
    else this.#sessionOf(log.sessionKey).receive({ kind: 'logged', log, event, position })
    this.#barrier.delivered(log.sequence)
    if (this.#fullness() < 1 || this.#release !== null) return
    return new Promise((resolve) => {
      this.#release = () => {
        this.#release = null
        resolve()
      }
    })
  }

  /** Of what may be read and not yet committed, in events and in bytes: 1 is full. */
  #fullness(): number {
    const { unfinished, unfinishedBytes } = this.#positions
    return Math.max(unfinished / limits.uncommittedPerPartition, unfinishedBytes / limits.uncommittedBytesPerPartition)
  }

  #read(log: LogEntry): LoggedEvent | null {
    try {
      const event = readLoggedEvent(log)
      const { mayAdvanceClock } = this.#parts.host.settings
      // Refused as not ours, not as poison: whoever may publish it must not be able to stop a session by it.
      assert(event.type !== 'clock.advanced' || mayAdvanceClock, 'this deployment lets no session advance its clock')
      return event
    } catch (error) {
      this.#parkForeign(log, error)
      return null
    }
  }

  /** Something on the log that no session can be named for: kept for a person, and the cursor moves on. */
  #parkForeign(log: LogEntry, error: unknown): void {
    const { host, lane } = this.#parts
    host.telemetry.count('events_parked', { kind: 'foreign' })
    host.telemetry.log('warn', 'parked a foreign event', { partition: this.number, sequence: log.sequence })
    this.#foreign.push({
      position: { incarnation: this.#incarnation, sequence: log.sequence },
      kind: 'foreign',
      subject: toErrorText(`${log.kind}.${log.sessionKey}`),
      dataBase64: Buffer.from(log.data).toString('base64'),
      error: toErrorText(String(error)),
      at: log.at,
    })
    lane.addCursor(this)
  }

  #sessionOf(key: string): Session {
    let session = this.#sessions.get(key)
    if (session === undefined) {
      session = new Session(key, this)
      this.#sessions.set(key, session)
      this.#parts.loader.add(session, this)
    }
    session.touchedAt = this.#parts.host.clock.monotonic()
    return session
  }

  /** No channel has this session's business address: its events are not ours. */
  rejectUnknown(session: Session): void {
    this.#sessions.delete(session.key)
    for (const entry of session.waiting) {
      if (entry.kind !== 'logged') continue
      this.#parkForeign(entry.log, new Error('no channel has this business address'))
      entry.position.state = 'finished'
    }
  }

  /** After `reload` the session is loaded again; otherwise what waits in it is decided. */
  resume(session: Session): void {
    if (this.isLost) return
    if (session.phase === 'loading') this.#parts.loader.add(session, this)
    else session.drain()
  }

  loaded(session: Session): void {
    this.#schedule(session)
    this.#parts.effects.reconcile(session, this)
  }

  /** Quiet sessions that nothing happened to for a while leave memory. */
  sweep(): void {
    const { clock, settings, reached } = this.#parts.host
    for (const [key, session] of this.#sessions) {
      if (clock.monotonic() - session.touchedAt < (settings.sessionIdleMs ?? limits.idleAfterMs)) continue
      if (!session.isQuiet && !this.#parts.effects.awaitsUser(session)) continue
      this.#sessions.delete(key)
      void reached('passivated')
    }
  }

  // ── Committing ───────────────────────────────────────────────────────────────────────────────

  decideContext(): DecideContext {
    const { clock, ids, registry, settings } = this.#parts.host
    return {
      registry,
      commonVersions: this.#parts.commonVersions(),
      defaultMachine: settings.defaultMachine,
      ids,
      now: clock.now(),
      incarnation: this.#incarnation,
    }
  }

  /** False: the session waits, and with the next claim the partition goes to a node that knows the version. */
  knows({ machine, machineVersion: version, conversationId }: ConversationState): boolean {
    const { registry, telemetry } = this.#parts.host
    const need = { machine, version }
    if (knowsVersion(registry, need)) return true
    this.needs ??= need
    tellWithheld(telemetry, this.number, conversationId, need)
    return false
  }

  changed(session: Session): void {
    this.#parts.lane.add(session, this)
  }

  finished(): void {
    this.#parts.lane.addCursor(this)
  }

  get sends(): SendsUnderWay {
    return this.#parts.effects
  }

  duplicated(): void {
    this.#parts.host.telemetry.count('messages_duplicate')
  }

  async forward(entry: LoggedEntry, home: string): Promise<void> {
    if (!mayForward(entry)) this.#parkForeign(entry.log, new Error('its key belongs to another session'))
    else if (!(await forwardEvent(this.#parts.host, entry, home, () => this.isLost))) return
    entry.position.state = 'finished'
    this.finished()
  }

  parked(session: Session, error: unknown, entry: Entry): void {
    tellParked(this.#parts.host.telemetry, this.#whereIs(session), error, entry)
  }

  parkedMany(session: Session, count: number): void {
    tellParkedMany(this.#parts.host.telemetry, this.#whereIs(session), count)
  }

  #whereIs({ newest }: Session): { partition: number; sessionId: string | undefined } {
    return { partition: this.number, sessionId: newest?.sessionId }
  }

  toCommit(): CommitBatch['partitions'][number] {
    const reachable = this.#positions.reachable()
    const cursor = reachable === null || reachable <= this.#cursor ? null : reachable
    return {
      partition: this.number,
      epoch: this.epoch,
      cursor: cursor === null ? null : { incarnation: this.#incarnation, sequence: cursor },
      parked: [...this.#foreign],
    }
  }

  /** The commit was answered: `cursor` is where it now stands (null: it stayed). */
  settled(cursor: { readonly sequence: number } | null, parkedCount: number): void {
    this.#foreign.splice(0, parkedCount)
    if (cursor !== null) {
      this.#cursor = cursor.sequence
      this.#positions.forgetThrough(cursor.sequence)
    }
    if (this.#fullness() < 0.5) this.#release?.()
    const reachable = this.#positions.reachable()
    if (this.#foreign.length > 0 || (reachable !== null && reachable > this.#cursor)) this.#parts.lane.addCursor(this)
  }

  committed(session: Session, fold: Fold): void {
    const { host, effects } = this.#parts
    for (const event of fold.emitted) host.emitted(session.newest?.conversation?.conversationId ?? '', event)
    for (const { commandId } of fold.commands) host.commandSettled(commandId)
    for (const failure of fold.failures) tellFailure(host.telemetry, this.#whereIs(session), failure)
    for (const notice of fold.notices) tellNotice(host.telemetry, this.#whereIs(session), notice)
    this.#schedule(session)
    effects.reconcile(session, this)
  }

  // ── The barrier and the timers ───────────────────────────────────────────────────────────────

  /** Resolves when everything that the log holds now has entered its mailbox. */
  async barrier(): Promise<void> {
    await this.#barrier.pass()
  }

  /** The session has an unsettled effect: loading it takes the effect over. */
  wake(sessionKey: string): void {
    this.#sessionOf(sessionKey)
  }

  /** The session may have a timer due at this wall-clock moment. */
  wakeLater(sessionKey: string, at: number): void {
    this.#wakes.add(sessionKey, at)
  }

  #schedule(session: Session): void {
    const wakeAt = session.newest === null ? null : toWakeAt(session.newest)
    if (wakeAt === null || wakeAt > this.#parts.host.clock.now() + limits.timerHorizonMs) return
    this.#wakes.add(session.key, wakeAt)
  }

  async #fire(): Promise<void> {
    if (!this.isActive || this.#isFiring) return
    this.#isFiring = true
    try {
      // Asked after this moment, the log holds every message that reached it before.
      const asOf = this.#parts.host.clock.now()
      const due = this.#wakes.take(asOf)
      if (due.length > 0) await this.barrier()
      if (due.length > 0) await this.#parts.host.reached('timer-due')
      if (!this.isActive) return
      for (const key of due) this.#sessionOf(key).receive({ kind: 'due', asOf })
      for (const key of due) this.#rearm(key)
    } finally {
      this.#isFiring = false
      this.#wakes.setAlarm()
    }
  }

  /** A timer that was renewed meanwhile is due later; one of a session that is loading shows itself then. */
  #rearm(key: string): void {
    const session = this.#sessions.get(key)
    if (session?.phase === 'ready') this.#schedule(session)
  }
}
