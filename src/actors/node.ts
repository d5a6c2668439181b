/**
 * One node: claims its share of the partitions, keeps their leases and runs them (DESIGN D3).
 * `createNode` is the same in production, in tests and in a simulation; only the ports differ.
 *
 * starting → running → stopping → stopped. A stop reads no further, commits what was read, waits a bounded
 * time for running sends and releases the leases, so that the next owner goes on at once.
 */
import { assert } from './assert.ts'
import { Lane, pause, toRetryDelay } from './committer.ts'
import { EffectRunner } from './effect-runner.ts'
import { limits } from './host.ts'
import type { Host } from './host.ts'
import { assertHostable } from './host-lint.ts'
import { Loader } from './loader.ts'
import { toKnownVersions } from './machine-versions.ts'
import { Partition } from './partition.ts'
import type { ClaimedPartition, DueWork, MachineVersions } from './ports.ts'

export interface Node {
  /** Resolves after the first successful claim. */
  start(): Promise<void>
  stop(): Promise<void>
  /** For readiness and metrics. */
  describe(): { owned: number; active: number; partitions: number; residentSessions: number }
}

const settleMs = 10_000

/** Throws with a sentence for each finding when a machine cannot be hosted. */
export function createNode(host: Host): Node {
  assertHostable(host.registry, { performers: Object.keys(host.performers) })
  return new HostNode(host)
}

class HostNode implements Node {
  readonly #host: Host
  readonly #lanes: readonly Lane[]
  readonly #loader: Loader
  readonly #effects: EffectRunner
  readonly #owned = new Map<number, Partition>()
  #state: 'starting' | 'running' | 'stopping' | 'stopped' = 'starting'
  #incarnation = ''
  #incidents: number | undefined
  #partitionCount = 0
  #commonVersions: MachineVersions = {}
  readonly #cancels = new Map<string, () => void>()

  constructor(host: Host) {
    this.#host = host
    this.#lanes = Array.from({ length: limits.lanes }, () => new Lane(host))
    this.#loader = new Loader(host)
    this.#effects = new EffectRunner(host)
  }

  async start(): Promise<void> {
    const log = await this.#host.log.describe()
    this.#incarnation = log.incarnation
    this.#incidents = log.incidents
    this.#partitionCount = log.partitions
    await this.#claim()
    this.#state = 'running'
    const { leaseMs } = this.#host.settings
    this.#every('claim', leaseMs / 3, async () => this.#claim())
    this.#every('look at the log', leaseMs / 3, async () => this.#checkLog())
    this.#every('timers', limits.timerPollMs, async () => this.#pollTimers())
    this.#every('sweep', limits.sweepEveryMs, async () => this.#sweep())
  }

  async stop(): Promise<void> {
    if (this.#state === 'stopping' || this.#state === 'stopped') return
    this.#state = 'stopping'
    for (const cancel of this.#cancels.values()) cancel()
    await Promise.all([...this.#owned.values()].map(async (partition) => partition.stopReading()))
    await this.#effects.settle(settleMs)
    await Promise.race([Promise.all(this.#lanes.map(async (lane) => lane.settle())), pause(this.#host, settleMs)])
    for (const lane of this.#lanes) lane.stop()
    const held = [...this.#owned.values()].map(({ number, epoch }) => ({ partition: number, epoch }))
    for (const partition of this.#owned.values()) partition.lose('the node stops')
    await this.#host.store.releasePartitions(this.#host.settings.nodeId, held).catch((error: unknown) => {
      this.#host.telemetry.log('warn', 'could not release the leases; they run out', { error: String(error) })
    })
    this.#state = 'stopped'
  }

  describe(): { owned: number; active: number; partitions: number; residentSessions: number } {
    let active = 0
    let residentSessions = 0
    for (const partition of this.#owned.values()) {
      if (partition.isActive) active += 1
      residentSessions += partition.sessionCount
    }
    return { owned: this.#owned.size, active, partitions: this.#partitionCount, residentSessions }
  }

  async #claim(): Promise<void> {
    const { nodeId, leaseMs, isSoleOwner } = this.#host.settings
    const held = [...this.#owned.values()].map(({ number, epoch, needs }) => ({ partition: number, epoch, needs }))
    const sentAt = this.#host.clock.monotonic()
    const takeAll = isSoleOwner && this.#state === 'starting'
    const machines = toKnownVersions(this.#host.registry)
    const request = { nodeId, leaseMs, held, machines, takeAll, renewOnly: false }
    const { partitions: claimed, machines: common } = await this.#host.store.claimPartitions(request)
    this.#commonVersions = common
    if (this.#state === 'stopping' || this.#state === 'stopped') return
    const answered = new Map(claimed.map((each) => [each.partition, each]))
    for (const { partition, epoch } of held) {
      const owned = this.#owned.get(partition)
      if (owned === undefined || owned.epoch !== epoch) continue
      if (answered.get(partition)?.epoch === epoch) owned.renewed(sentAt)
      else owned.lose('its lease was not renewed')
    }
    const gained = claimed.filter((each) => this.#owned.get(each.partition)?.epoch !== each.epoch)
    const partitions = gained.map((each) => this.#own(each, sentAt))
    if (partitions.length > 0) void this.#takeOver(partitions)
    this.#host.telemetry.gauge('partitions_owned', this.#owned.size)
  }

  #own(claimed: ClaimedPartition, sentAt: number): Partition {
    const lane = this.#lanes[claimed.partition % this.#lanes.length]
    assert(lane !== undefined, 'a node has no lanes')
    const { cursor } = claimed
    if (cursor.sequence > 0 && cursor.incarnation !== this.#incarnation) {
      this.#host.telemetry.count('log_incarnations_changed')
      this.#host.telemetry.log(
        'error',
        'the log is another one than the cursor is of; reading it from its first event',
        {
          partition: claimed.partition,
        },
      )
    }
    const parts = {
      host: this.#host,
      lane,
      loader: this.#loader,
      effects: this.#effects,
      commonVersions: () => this.#commonVersions,
      onLost: (lost: Partition, reason: string) => this.#forget(lost, reason),
    }
    const partition = new Partition(parts, claimed, this.#incarnation, 0)
    partition.renewed(sentAt)
    this.#owned.set(claimed.partition, partition)
    partition.start()
    return partition
  }

  /** After the barrier the gained partitions' unsettled effects and timers are this node's. */
  async #takeOver(partitions: readonly Partition[]): Promise<void> {
    // What the log lost comes back to it first: the barrier then sees to it that it wins over the timers.
    await this.#host.reconciled?.()
    await Promise.all(partitions.map(async (partition) => partition.barrier()))
    for (const partition of partitions) partition.activate()
    for (let attempt = 0; partitions.some(({ isLost }) => !isLost); attempt += 1) {
      try {
        await this.#wakeDue('effects', partitions)
        await this.#wakeDue('timers', partitions)
        return
      } catch (error) {
        this.#host.telemetry.log('warn', 'could not learn of inherited work', { error: String(error) })
        await pause(this.#host, toRetryDelay(attempt, this.#host.random()))
      }
    }
  }

  /** Finds sessions that are not in memory but have an unsettled effect, or a timer that is due soon. */
  async #wakeDue(of: 'timers' | 'effects', partitions: readonly Partition[]): Promise<void> {
    const { clock, store } = this.#host
    const owned = new Map(partitions.filter(({ isLost }) => !isLost).map((each) => [each.number, each]))
    for (let after: string | null = null; owned.size > 0;) {
      const horizon = clock.now() + limits.timerHorizonMs
      const request = { partitions: [...owned.keys()], of, horizon, after, limit: limits.dueWorkPage }
      const work: DueWork = await store.loadDue(request)
      for (const { sessionKey, partition, wakeAt } of work.sessions) {
        if (of === 'effects') owned.get(partition)?.wake(sessionKey)
        else owned.get(partition)?.wakeLater(sessionKey, wakeAt)
      }
      if (work.next === null) return
      after = work.next
    }
  }

  #forget(partition: Partition, reason: string): void {
    if (this.#owned.get(partition.number) === partition) this.#owned.delete(partition.number)
    if (this.#state === 'stopping') return
    this.#host.telemetry.count('partitions_lost')
    this.#host.telemetry.log('warn', 'lost a partition', {
      partition: partition.number,
      epoch: partition.epoch,
      reason,
    })
  }

  /** A log that is another one, or has lost events, is read anew: nothing of before goes on, no timer fires meanwhile. */
  async #checkLog(): Promise<void> {
    const { incarnation, incidents } = await this.#host.log.describe()
    if (this.#state !== 'running') return
    if (incarnation === this.#incarnation && incidents === this.#incidents) return
    this.#incarnation = incarnation
    this.#incidents = incidents
    for (const partition of this.#owned.values()) partition.lose('the log is another one, or has lost events')
  }

  async #pollTimers(): Promise<void> {
    await this.#wakeDue(
      'timers',
      [...this.#owned.values()].filter(({ isActive }) => isActive),
    )
  }

  async #sweep(): Promise<void> {
    for (const partition of this.#owned.values()) partition.sweep()
    this.#host.telemetry.gauge('resident_sessions', this.describe().residentSessions)
  }

  /** Runs `task` again and again, `everyMs` after it ended; a failure is told and tried again. */
  #every(name: string, everyMs: number, task: () => Promise<void>): void {
    const cancel = this.#host.clock.schedule(everyMs, () => {
      void task()
        .catch((error: unknown) => {
          this.#host.telemetry.log('warn', `could not do the recurring ${name}`, { error: String(error) })
        })
        .finally(() => {
          if (this.#state === 'running') this.#every(name, everyMs, task)
        })
    })
    this.#cancels.set(name, cancel)
  }
}
