/**
 * The log in memory: partitions, positions and the window in which a repeated publication is recognised, as
 * JetStream keeps them. A reader gets every entry of its partition in order, late or soon, across cuts, outages and
 * restarts of its own.
 */
import { toKind, toPublicationId } from '../../../src/actors/logged-event.ts'
import type { LogEntry, LoggedEvent, LogReader } from '../../../src/actors/ports.ts'
import { toSessionKey } from '../../../src/actors/session-key.ts'
import type { SimulatedProcess } from '../engine/process.ts'
import type { Scheduler } from '../engine/scheduler.ts'
import type { Faults } from './faults.ts'

type Deliver = (entry: LogEntry) => void | Promise<void>

export const incarnation = 'simulated-1'
const windowMs = 120_000
const encoder = new TextEncoder()

export class SimulatedLog {
  isDown = false
  readonly entries: LogEntry[] = []
  readonly bySession = new Map<string, LogEntry[]>()
  readonly byPartition: LogEntry[][]
  readonly held = new Set<number>()
  readonly #scheduler: Scheduler
  readonly #faults: Faults
  readonly #readers = new Set<PartitionReader>()
  readonly #published = new Map<string, { readonly sequence: number; readonly at: number }>()

  constructor(scheduler: Scheduler, faults: Faults, partitions: number) {
    this.#scheduler = scheduler
    this.#faults = faults
    this.byPartition = Array.from({ length: partitions }, () => [])
  }

  publish(event: LoggedEvent): { sequence: number; duplicate: boolean } {
    const id = toPublicationId(event)
    const known = this.#published.get(id)
    const isKnown = known !== undefined && known.at + windowMs > this.#scheduler.now
    // A stream that lost its window, or a message that left it early: the log has it twice.
    if (isKnown && !this.#faults.happens('log-duplicate-stored')) {
      return { sequence: known.sequence, duplicate: true }
    }
    const sessionKey = toSessionKey(event.businessAddress, event.userKey)
    const { sequence } = this.append(toKind(event), sessionKey, encoder.encode(JSON.stringify(event)))
    this.#published.set(id, { sequence, at: this.#scheduler.now })
    return { sequence, duplicate: false }
  }

  /** Puts anything on the log, as a foreign program could. */
  append(kind: string, sessionKey: string, data: Uint8Array): LogEntry {
    const partition = toPartition(sessionKey, this.byPartition.length)
    const sequence = this.entries.length + 1
    const entry: LogEntry = { sequence, partition, kind, sessionKey, at: this.#scheduler.now, data }
    this.entries.push(entry)
    this.byPartition[partition]?.push(entry)
    this.bySession.set(sessionKey, [...(this.bySession.get(sessionKey) ?? []), entry])
    for (const reader of this.#readers) if (reader.partition === partition) reader.wake()
    return entry
  }

  forgetWindow(): void {
    this.#published.clear()
  }

  lastSequence(partition: number): number {
    return this.byPartition[partition]?.at(-1)?.sequence ?? 0
  }

  read(owner: SimulatedProcess, partition: number, afterSequence: number, deliver: Deliver): LogReader {
    const options = { log: this, scheduler: this.#scheduler, faults: this.#faults, owner, partition, deliver }
    const reader = new PartitionReader(options, afterSequence)
    this.#readers.add(reader)
    reader.wake()
    return {
      stop: async () => {
        this.#readers.delete(reader)
        await reader.stop()
      },
    }
  }

  /** Lets readers go on that a cut, an outage or a hold has stopped. */
  wakeReaders(): void {
    for (const reader of this.#readers) {
      if (reader.isAlive) reader.wake()
      else this.#readers.delete(reader)
    }
  }

  restartReaders(): void {
    for (const reader of this.#readers) reader.restart()
  }
}

type ReaderOptions = {
  readonly log: SimulatedLog
  readonly scheduler: Scheduler
  readonly faults: Faults
  readonly owner: SimulatedProcess
  readonly partition: number
  readonly deliver: Deliver
}

class PartitionReader {
  readonly partition: number
  readonly #options: ReaderOptions
  #next: number
  #isScheduled = false
  #isStopped = false
  #opening = 0
  #delivering: Promise<void> | null = null

  constructor(options: ReaderOptions, afterSequence: number) {
    this.#options = options
    this.partition = options.partition
    const entries = options.log.byPartition[options.partition] ?? []
    const index = entries.findIndex(({ sequence }) => sequence > afterSequence)
    this.#next = index < 0 ? entries.length : index
  }

  get isAlive(): boolean {
    return !this.#options.owner.isDead
  }

  wake(): void {
    const { log, scheduler, faults, owner } = this.#options
    const isBlocked = log.isDown || owner.isCutFromLog || log.held.has(this.partition)
    if (this.#isScheduled || this.#isStopped || isBlocked || this.#delivering !== null) return
    if (this.#next >= (log.byPartition[this.partition]?.length ?? 0)) return
    this.#isScheduled = true
    const opening = this.#opening
    const delayMs = faults.happens('log-delivery-late') ? scheduler.random.int(200, 8_000) : scheduler.random.int(0, 8)
    scheduler.after(owner, delayMs, 'log delivers', () => {
      if (opening !== this.#opening) return
      this.#isScheduled = false
      this.#deliver(scheduler.random.int(1, 4))
    })
  }

  /** Opens anew behind the last entry that was delivered: what was under way is dropped. */
  restart(): void {
    this.#opening += 1
    this.#isScheduled = false
    const { scheduler, owner } = this.#options
    scheduler.after(owner, scheduler.random.int(20, 1_000), 'log reader opens again', () => this.wake())
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#opening += 1
    await this.#delivering
  }

  #deliver(entriesMax: number): void {
    const { log, deliver } = this.#options
    const entries = log.byPartition[this.partition] ?? []
    for (let taken = 0; taken < entriesMax && this.#delivering === null; taken += 1) {
      const entry = entries[this.#next]
      if (entry === undefined) break
      this.#next += 1
      const held = deliver(entry)
      if (held === undefined) continue
      this.#delivering = held.then(() => {
        this.#delivering = null
        this.wake()
      })
    }
    this.wake()
  }
}

/** FNV-1a of the key; which hash it is matters to nobody but the log. */
function toPartition(sessionKey: string, partitions: number): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < sessionKey.length; index += 1) {
    hash = Math.imul(hash ^ sessionKey.charCodeAt(index), 0x01000193)
  }
  return (hash >>> 0) % partitions
}
