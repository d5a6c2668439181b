/**
 * One node: claims its share of the partitions, keeps their leases and runs them (DESIGN D3).
 * `createNode` is the same in production, in tests and in a simulation; only the ports differ.
 *
 * starting → running → stopping → stopped. A stop hands every partition over, within a bounded time, so that the
 * next owners go on at once. A node that the log does not answer hands over too, as long as others can read.
 */
import { assert } from './assert.ts'
import { Lane, pause, toRetryDelay } from './committer.ts'
import { EffectRunner } from './effect-runner.ts'
import { HandOver } from './hand-over.ts'
import { limits } from './host.ts'
import type { Host } from './host.ts'
import { assertHostable } from './host-lint.ts'
import { Loader } from './loader.ts'
import { toKnownVersions } from './machine-versions.ts'
import { Partition } from './partition.ts'
import type { ClaimedPartition, DueWork, MachineVersions } from './ports.ts'

type LogDescription = Awaited<ReturnType<Host['log']['describe']>>

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
  readonly #handOver: HandOver
  readonly #owned = new Map<number, Partition>()
  #state: 'starting' | 'running' | 'stopping' | 'stopped' = 'starting'
  #incarnation = ''
  #incidents: number | undefined
  #partitionCount = 0
  #commonVersions: MachineVersions = {}
  readonly #cancels = new Map<string, () => void>()
  /** Claims and releases follow each other: each is decided by what the one before has left. */
  #ownershipCalls: Promise<unknown> = Promise.resolve()
  #isClaimAsked = false
  #canRead = true
  /** By partition: the last epoch that was this node's and is not any more. */
  readonly #lostEpochs = new Map<number, number>()

  constructor(host: Host) {
    this.#host = host
    this.#lanes = Array.from({ length: limits.lanes }, () => new Lane(host))
    this.#loader = new Loader(host)
    this.#effects = new EffectRunner(host)
    this.#handOver = new HandOver(host, async (task) => this.#serially(task))
  }

  async start(): Promise<void> {
    const log = await this.#host.log.describe()
    this.#incarnation = log.incarnation
    this.#incidents = log.incidents
    this.#partitionCount = log.partitions
    await this.#serially(async () => this.#claim())
    this.#state = 'running'
    const { leaseMs, sessionIdleMs = limits.idleAfterMs } = this.#host.settings
    this.#every('claim', leaseMs / 3, async () => this.#claimSoon())
    this.#every('look at the log', leaseMs / 3, async () => this.#checkLog())
    this.#every('timers', limits.timerPollMs, async () => this.#pollTimers())
    this.#every('sweep', Math.min(limits.sweepEveryMs, sessionIdleMs), async () => this.#sweep())
    const { peers } = this.#host
    if (peers === undefined) return
    this.#cancels.set(
      'peers',
      peers.listen(() => void this.#claimSoon().catch(() => {})),
    )
    peers.announce()
  }

  async stop(): Promise<void> {
    if (this.#state === 'stopping' || this.#state === 'stopped') return
    this.#state = 'stopping'
    for (const name of ['peers', 'look at the log', 'timers', 'sweep']) this.#cancels.get(name)?.()
    // The other nodes count this one no longer: what it releases from here on is theirs at once.
    const leaving = this.#claimSoon().catch(() => {})
    const given = leaving.then(async () => this.#handOver.give([...this.#owned.values()]))
    await Promise.race([given, pause(this.#host, settleMs)])
    for (const lane of this.#lanes) lane.stop()
    this.#cancels.get('claim')?.()
    this.#state = 'stopped'
    if (this.#owned.size > 0) await this.#handOver.drop([...this.#owned.values()], 'the node stops')
  }

  describe(): { owned: number; active: number; partitions: number; residentSessions: number } {
    let active = 0
    let residentSessions = 0
    for (const partition of this.#owned.values()) {
      if (partition.isActive || partition.isLeaving) active += 1
      residentSessions += partition.sessionCount
    }
    return { owned: this.#owned.size, active, partitions: this.#partitionCount, residentSessions }
  }

  async #serially<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#ownershipCalls.then(task)
    this.#ownershipCalls = done.catch(() => {})
    return done
  }

  /** What asks for a claim while one waits for its turn is served by that one. */
  async #claimSoon(): Promise<void> {
    if (this.#isClaimAsked) return
    this.#isClaimAsked = true
    await this.#serially(async () => {
      this.#isClaimAsked = false
      await this.#claim()
    })
  }

  async #claim(): Promise<void> {
    if (this.#state === 'stopped') return
    const { nodeId, leaseMs, isSoleOwner } = this.#host.settings
    const held = [...this.#owned.values()].map(({ number, epoch, needs }) => ({ partition: number, epoch, needs }))
    const sentAt = this.#host.clock.monotonic()
    const takeAll = isSoleOwner && this.#state === 'starting'
    const machines = toKnownVersions(this.#host.registry)
    const renewOnly = this.#state === 'stopping'
    const request = { nodeId, leaseMs, held, machines, takeAll, renewOnly, canRead: this.#canRead }
    await this.#host.reached('before-claim')
    const { partitions: claimed, machines: common } = await this.#host.store.claimPartitions(request)
    this.#commonVersions = common
    await this.#host.reached('after-claim')
    const answered = new Map(claimed.map((each) => [each.partition, each]))
    for (const { partition, epoch } of held) {
      const owned = this.#owned.get(partition)
      if (owned === undefined || owned.epoch !== epoch) continue
      if (answered.get(partition)?.epoch === epoch) owned.renewed(sentAt)
      else owned.lose('its lease was not renewed')
    }
    this.#handOverSurplus(claimed)
    const gained = claimed.filter((each) => this.#isNew(each))
    if (this.#isEnding()) {
      // Asked for before the stop began.
      if (gained.length > 0) await this.#host.store.releasePartitions(nodeId, gained)
      return
    }
    const partitions = gained.map((each) => this.#own(each, sentAt))
    if (partitions.length > 0) void this.#takeOver(partitions)
    this.#host.telemetry.gauge('partitions_owned', this.#owned.size)
  }

  #isEnding(): boolean {
    return this.#state === 'stopping' || this.#state === 'stopped'
  }

  #handOverSurplus(claimed: readonly ClaimedPartition[]): void {
    const surplus = claimed.flatMap(({ partition, epoch, isSurplus = false }) => {
      const owned = isSurplus ? this.#owned.get(partition) : undefined
      return owned?.epoch === epoch ? [owned] : []
    })
    if (surplus.length > 0) void this.#handOver.give(surplus)
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
    await this.#host.reached('taken-over')
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

  /** An answer that was long on its way may still name what was lost meanwhile: whoever lost it writes nothing more of it. */
  #isNew({ partition, epoch }: ClaimedPartition): boolean {
    return this.#owned.get(partition)?.epoch !== epoch && epoch > (this.#lostEpochs.get(partition) ?? 0)
  }

  #forget(partition: Partition, reason: string): void {
    this.#lostEpochs.set(partition.number, Math.max(partition.epoch, this.#lostEpochs.get(partition.number) ?? 0))
    if (this.#owned.get(partition.number) === partition) this.#owned.delete(partition.number)
    if (partition.isLeaving || this.#isEnding()) return
    this.#host.telemetry.count('partitions_lost')
    this.#host.telemetry.log('warn', 'lost a partition', {
      partition: partition.number,
      epoch: partition.epoch,
      reason,
    })
  }

  /** A log that is another one, or has lost events, is read anew: nothing of before goes on, no timer fires meanwhile. */
  async #checkLog(): Promise<void> {
    const log = await this.#askLog()
    if (this.#state !== 'running') return
    if ((log !== null) !== this.#canRead) await this.#noteReading(log !== null)
    if (log === null) return
    const { incarnation, incidents } = log
    if (incarnation === this.#incarnation && incidents === this.#incidents) return
    this.#incarnation = incarnation
    this.#incidents = incidents
    for (const partition of this.#owned.values()) partition.lose('the log is another one, or has lost events')
  }

  /** Null when it does not answer within a third of the lease. */
  async #askLog(): Promise<LogDescription | null> {
    const withinMs = this.#host.settings.leaseMs / 3
    return Promise.race([this.#host.log.describe().catch(() => null), pause(this.#host, withinMs).then(() => null)])
  }

  /** Readers find back to a log that was away by themselves; this is about who should own what meanwhile. */
  async #noteReading(canRead: boolean): Promise<void> {
    this.#canRead = canRead
    this.#host.telemetry.log(canRead ? 'info' : 'warn', canRead ? 'the log answers again' : 'the log does not answer')
    await this.#claimSoon()
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
          // The leases are kept until the last partition is handed over.
          const goesOn = this.#state === 'running' || (this.#state === 'stopping' && name === 'claim')
          if (goesOn) this.#every(name, everyMs, task)
        })
    })
    this.#cancels.set(name, cancel)
  }
}
