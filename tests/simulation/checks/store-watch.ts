/** Checks that look at every transaction when it happens: what is wrong for a moment only would be gone at the end. */
import type {
  CommitBatch,
  CommitOutcome,
  JournalEntry,
  LogEntry,
  SessionCommit,
  Timers,
} from '../../../src/actors/ports.ts'
import type { Scheduler } from '../engine/scheduler.ts'
import type { StoreWatch } from '../store/simulated-store.ts'
import { toProviderKey, toQuarantineKey } from '../store/tables.ts'
import type { Tables } from '../store/tables.ts'
import type { Faults } from '../world/faults.ts'
import { optIns, optOuts } from '../world/make-scenario.ts'
import { incarnation } from '../world/simulated-log.ts'
import type { SimulatedLog } from '../world/simulated-log.ts'
import type { History } from './history.ts'

export type WatchOptions = {
  readonly tables: () => Tables
  readonly log: SimulatedLog
  readonly history: History
  readonly faults: Faults
  readonly scheduler: Scheduler
}

type Before = { readonly timers: Timers; readonly position: number }

export class CheckingWatch implements StoreWatch {
  /** When the session's user opted out, until that user opts in again. */
  readonly optedOutAt = new Map<string, number>()
  /** Since when an operator speaks in the session. */
  readonly operatorSince = new Map<string, number>()
  readonly #options: WatchOptions
  readonly #bytes = new Map<string, string>()
  readonly #cursors: number[] = []
  readonly #timersBefore = new Map<string, Before>()

  constructor(options: WatchOptions) {
    this.#options = options
  }

  committing(batch: CommitBatch, text: string): void {
    const { history } = this.#options
    const tables = this.#options.tables()
    const known = this.#bytes.get(batch.commitId)
    if (known !== undefined && known !== text) history.wrong('D6', `commit ${batch.commitId} came with other bytes`)
    this.#bytes.set(batch.commitId, text)
    for (const { conversations, sessionId } of batch.sessions) {
      for (const { conversationId } of conversations) {
        const timers = JSON.parse(tables.conversations.get(conversationId)?.timers ?? '{}') as Timers
        this.#timersBefore.set(conversationId, {
          timers,
          position: tables.sessions.get(sessionId)?.position?.sequence ?? 0,
        })
      }
    }
  }

  committed(batch: CommitBatch, accepted: readonly SessionCommit[], outcome: CommitOutcome): void {
    const { faults } = this.#options
    for (const kind of outcome.partitions.values()) if (kind === 'fenced') faults.count('outcome fenced')
    for (const { kind } of outcome.sessions.values()) if (kind !== 'committed') faults.count(`outcome ${kind} session`)
    for (const session of accepted) {
      this.#noteSpeaker(session)
      this.#checkTimers(session)
      this.#countEndings(session)
    }
    this.#checkOwner(batch, outcome)
    for (const { partition } of batch.partitions) this.#checkCursor(partition)
  }

  /** D3: what is written is written by the owner of that very moment. */
  #checkOwner({ partitions, nodeId }: CommitBatch, outcome: CommitOutcome): void {
    const tables = this.#options.tables()
    for (const { partition, epoch } of partitions) {
      if (outcome.partitions.get(partition) !== 'committed') continue
      const row = tables.partition(partition)
      if (row.epoch !== epoch || row.owner !== nodeId)
        this.#options.history.wrong('D3', `${nodeId} wrote in partition ${partition}, which ${row.owner} had claimed`)
    }
  }

  started(effectId: string, moment: number): void {
    const { firstStartedAt } = this.#options.history
    if (!firstStartedAt.has(effectId)) firstStartedAt.set(effectId, moment)
  }

  #countEndings({ conversations, parked, commands }: SessionCommit): void {
    const { faults } = this.#options
    for (const { outcome } of commands) faults.count(`outcome ${outcome} command`)
    faults.count('outcome parked event', parked.length)
    for (const { journal } of conversations) {
      for (const { fromStatus, toStatus } of journal) if (fromStatus !== toStatus) faults.count(`status ${toStatus}`)
    }
  }

  #noteSpeaker({ sessionId, speaker, messages, parked }: SessionCommit): void {
    const { now } = this.#options.scheduler
    if (!speaker.startsWith('operator:')) this.operatorSince.delete(sessionId)
    else if (!this.operatorSince.has(sessionId)) this.operatorSince.set(sessionId, now)
    // By the words themselves, whatever the host makes of them.
    for (const { body, direction } of messages) {
      if (direction !== 'inbound') continue
      if (optOuts.includes(body)) this.optedOutAt.set(sessionId, now)
      else if (optIns.includes(body)) this.optedOutAt.delete(sessionId)
    }
    // What waits in quarantine was said all the same.
    for (const { dataBase64, kind } of parked) {
      const waits = kind === 'waiting' || kind === 'poison'
      if (waits && optOuts.includes(toBody(dataBase64)) && !this.optedOutAt.has(sessionId))
        this.optedOutAt.set(sessionId, now)
    }
  }

  /** I9: the cursor passes an entry only when it is stored, parked, or behind its session's position. */
  #checkCursor(partition: number): void {
    const { log, history } = this.#options
    const tables = this.#options.tables()
    const to = tables.partition(partition).cursor.sequence
    const entries = log.byPartition[partition] ?? []
    for (let index = this.#cursors[partition] ?? 0; index < entries.length; index += 1) {
      const entry = entries[index]
      if (entry === undefined || entry.sequence > to) break
      this.#cursors[partition] = index + 1
      if (!isFinished(tables, entry))
        history.wrong('I9', `the cursor of partition ${partition} passed entry ${entry.sequence}`)
    }
  }

  /** D4: a message that reached the log before a timer was due is stepped before it. */
  #checkTimers(session: SessionCommit): void {
    const { log, history } = this.#options
    const tables = this.#options.tables()
    const sessionKey = tables.sessions.get(session.sessionId)?.sessionKey ?? ''
    for (const { conversationId, journal } of session.conversations) {
      const before = this.#timersBefore.get(conversationId)
      if (before === undefined) continue
      for (const entry of journal) {
        const timer = entry.initiator === 'timer' ? findTimer(before.timers, toType(entry)) : null
        if (timer === null) continue
        const dueAt = Math.min(entry.occurredAt, timer.dueAt) - session.clockOffsetMs
        if (dueAt > this.#options.scheduler.now + history.skewMs)
          history.wrong('EARLY', `the timer ${toType(entry)} fired before it was due`)
        const overlooked = (log.bySession.get(sessionKey) ?? []).find(
          ({ sequence, at, kind }) =>
            kind === 'message' && at < dueAt - history.skewMs && sequence > (session.position?.sequence ?? 0),
        )
        if (overlooked !== undefined && !isFinished(tables, overlooked)) {
          history.wrong(
            'D4',
            `the timer ${toType(entry)} fired before message ${overlooked.sequence}, which was there first`,
          )
        }
      }
    }
  }
}

function findTimer(timers: Timers, type: string): Timers[string] | null {
  return Object.values(timers).find(({ event }) => event['type'] === type) ?? null
}

function toType({ event }: JournalEntry): string {
  return String((event as { readonly type?: unknown }).type)
}

export function isFinished(tables: Tables, entry: LogEntry): boolean {
  const session = tables.sessionByKey(entry.sessionKey)
  const position = { incarnation, sequence: entry.sequence }
  const isParked = (sessionId: string | null): boolean =>
    tables.quarantine.has(toQuarantineKey(entry.partition, position, sessionId))
  if (isParked(null) || isParked(session?.sessionId ?? null)) return true
  if (isCopyParked(tables, entry)) return true
  if (entry.kind === 'command') return tables.commands.has(toCommandId(entry))
  const providerId = toProviderId(entry)
  if (session === null || providerId === null) return false
  const key = toProviderKey(session.channelId, providerId)
  return entry.kind === 'message' ? tables.messageByProviderId.has(key) : tables.deliveries.has(key)
}

/** The log had it twice, and the other one is parked. */
function isCopyParked(tables: Tables, entry: LogEntry): boolean {
  if (tables.quarantine.size === 0) return false
  const name =
    entry.kind === 'command' ? `"commandId":"${toCommandId(entry)}"` : `"providerId":"${toProviderId(entry)}"`
  return [...tables.quarantine.values()].some(({ dataBase64 }) =>
    Buffer.from(dataBase64, 'base64').toString().includes(name),
  )
}

/** Of a message; empty for anything else. */
function toBody(dataBase64: string): string {
  const event = JSON.parse(Buffer.from(dataBase64, 'base64').toString()) as { readonly body?: unknown }
  return typeof event.body === 'string' ? event.body : ''
}

export function toCommandId({ data }: LogEntry): string {
  return (JSON.parse(Buffer.from(data).toString()) as { readonly commandId: string }).commandId
}

/** Null when it is not one of ours. */
export function toProviderId(entry: LogEntry): string | null {
  try {
    const event = JSON.parse(Buffer.from(entry.data).toString()) as { readonly providerId?: unknown }
    return typeof event.providerId === 'string' ? event.providerId : null
  } catch {
    return null
  }
}
