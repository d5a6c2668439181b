/**
 * Gives partitions up so that no conversation waits longer than one claim takes (DESIGN D3): a node that stops,
 * holds more than its share, or cannot read the log while others can.
 *
 * 1. First its running sends end, while events are still read and committed; what they lead to is the next owner's.
 * 2. Then it reads no further and commits what it has read. Nothing of it is decided after that.
 * 3. What is finished at about the same time is released in one call, and the other nodes are told.
 */
import type { Host } from './host.ts'
import type { Partition } from './partition.ts'

export class HandOver {
  readonly #host: Host
  readonly #serially: <T>(task: () => Promise<T>) => Promise<T>
  readonly #leaving = new Map<Partition, Promise<void>>()
  #finished: Partition[] = []
  #releasing: Promise<void> | null = null

  /** `serially` keeps releases and claims apart: a claim takes anew what the node owns without knowing it. */
  constructor(host: Host, serially: <T>(task: () => Promise<T>) => Promise<T>) {
    this.#host = host
    this.#serially = serially
  }

  /** Resolves when all of them are released or lost. */
  async give(partitions: readonly Partition[]): Promise<void> {
    await Promise.all(partitions.map(async (partition) => this.#leaving.get(partition) ?? this.#giveOne(partition)))
  }

  /** Releases them as they stand: what they had begun is the next owner's. */
  async drop(partitions: readonly Partition[], reason: string): Promise<void> {
    const { store, settings, telemetry, peers } = this.#host
    const held = partitions.filter(({ isLost }) => !isLost)
    for (const partition of held) partition.lose(reason)
    try {
      await store.releasePartitions(
        settings.nodeId,
        held.map(({ number, epoch }) => ({ partition: number, epoch })),
      )
      peers?.announce()
    } catch (error) {
      telemetry.log('warn', 'could not release the leases; they run out', { error: String(error) })
    }
  }

  #giveOne(partition: Partition): Promise<void> {
    const given = partition
      .finish()
      .then(async () => (partition.isLost ? undefined : this.#release(partition)))
      .finally(() => this.#leaving.delete(partition))
    this.#leaving.set(partition, given)
    return given
  }

  #release(partition: Partition): Promise<void> {
    this.#finished.push(partition)
    this.#releasing ??= this.#releaseAll()
    return this.#releasing
  }

  /** What finishes until its turn comes goes along. */
  async #releaseAll(): Promise<void> {
    await this.#serially(async () => {
      const finished = this.#finished
      this.#finished = []
      this.#releasing = null
      await this.#host.reached('before-release')
      this.#host.telemetry.count('partitions_handed_over', {}, finished.length)
      await this.drop(finished, 'it is handed over')
      await this.#host.reached('after-release')
    })
  }
}
