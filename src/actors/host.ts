/** Everything that the parts of one node share: the ports, the machines and the limits. */
import type { Json } from '../machines/json.ts'
import type { MachineRegistry } from '../machines/registry.ts'
import type {
  Clock,
  EffectPerformers,
  EventLog,
  EventPublisher,
  Ids,
  Peers,
  Random,
  Reached,
  Store,
  Telemetry,
} from './ports.ts'

export type Host = {
  readonly clock: Clock
  readonly ids: Ids
  readonly random: Random
  readonly log: EventLog
  readonly store: Store
  /** Where an event goes that belongs to another session; absent where no session ever gives a key away. */
  readonly forward?: EventPublisher
  /** Without it other nodes notice a release when they next claim. */
  readonly peers?: Peers
  readonly performers: EffectPerformers
  readonly telemetry: Telemetry
  readonly reached: Reached
  readonly registry: MachineRegistry
  /** Wakes whoever waits for the outcome of a command; told after the commit. A hint: the row is the outcome. */
  readonly commandSettled: (commandId: string) => void
  /** What charts `emit`, told after the commit. */
  readonly emitted: (conversationId: string, event: Json) => void
  /**
   * Resolves when the provider was asked for what the log may have lost, at once when it lost nothing. Absent where
   * nobody can be asked.
   */
  readonly reconciled?: () => Promise<void>
  readonly settings: HostSettings
}

export type HostSettings = {
  readonly nodeId: string
  readonly defaultMachine: string
  readonly leaseMs: number
  /** The holder of the embedded data folder's lock takes all leases at once. */
  readonly isSoleOwner: boolean
  /** Test and phone builds only. */
  readonly mayAdvanceClock: boolean
  /** How long after a send became uncertain the provider is asked again, ms each. */
  readonly resolveAfterMs: readonly number[]
  /** A session that nothing happens to leaves memory after this. */
  readonly sessionIdleMs?: number
}

/** Limits, each with its unit. They are constants because nobody has needed another value yet. */
export const limits = {
  /** On two cores one lane with the larger batches was the faster one (docs/decisions, steps and effects). */
  lanes: 1,
  sessionsPerCommit: 200,
  /** Of stored events, not of SQL: keeps a call near 1 MB. */
  bytesPerCommit: 512 * 1_024,
  /** A session's share of a batch: what stands beside a hot one in a commit does not wait for more. */
  stepsPerFold: 64,
  lingerMs: 5,
  cursorOnlyAfterMs: 500,
  uncommittedPerPartition: 2_000,
  uncommittedBytesPerPartition: 4 * 1_024 * 1_024,
  sessionsPerLoad: 500,
  retryMinMs: 50,
  retryMaxMs: 2_000,
  /** An alarm goes off when so many events of one session wait in quarantine, and again with each so many more. */
  parkedPerSession: 1_000,
  /** A session that nothing happens to leaves memory after this. */
  idleAfterMs: 60_000,
  sweepEveryMs: 10_000,
  /** Timers nearer than this are in memory; the store is asked for them this often. */
  timerHorizonMs: 30_000,
  timerPollMs: 15_000,
  dueWorkPage: 500,
  effectsInFlightPerKind: 64,
  /** So that one tenant's slow effects leave places for the others. */
  effectsInFlightPerTenant: 48,
  /** A session's later sends wait this long for an uncertain one, then go on. */
  uncertainHoldsMs: 60_000,
  /** An uncertain send that the provider does not know is sent again this often. */
  resendsMax: 1,
} as const
