/**
 * The barrier of one partition (DESIGN D4): the log is asked for the partition's last event, and whoever passes has
 * waited until everything up to it was delivered. So what the log holds wins over a timer, and over inherited work.
 */
import { pause, toRetryDelay } from './committer.ts'
import type { Host } from './host.ts'

export class Barrier {
  readonly #host: Host
  readonly #partition: number
  #delivered: number
  #waiters: { readonly sequence: number; readonly resolve: () => void }[] = []
  #isOpen = false

  constructor(host: Host, partition: number, delivered: number) {
    this.#host = host
    this.#partition = partition
    this.#delivered = delivered
  }

  /** Everything up to here has entered its mailbox. */
  delivered(sequence: number): void {
    this.#delivered = sequence
    if (this.#waiters.length === 0) return
    for (const waiter of this.#waiters) if (waiter.sequence <= sequence) waiter.resolve()
    this.#waiters = this.#waiters.filter((waiter) => waiter.sequence > sequence)
  }

  /** The partition is lost: nobody waits any more. */
  open(): void {
    this.#isOpen = true
    for (const waiter of this.#waiters) waiter.resolve()
    this.#waiters = []
  }

  /** Resolves when everything that the log holds now is delivered. */
  async pass(): Promise<void> {
    for (let attempt = 0; !this.#isOpen; attempt += 1) {
      try {
        await this.#reach(await this.#host.log.lastSequence(this.#partition))
        await this.#host.reached('barrier-passed')
        return
      } catch (error) {
        // A log that does not answer may hold a message that wins: nothing fires until it does.
        this.#host.telemetry.log('warn', 'could not ask the log for its last event', {
          partition: this.#partition,
          error: String(error),
        })
        await pause(this.#host, toRetryDelay(attempt, this.#host.random()))
      }
    }
  }

  async #reach(sequence: number): Promise<void> {
    if (this.#isOpen || sequence <= this.#delivered) return
    await new Promise<void>((resolve) => {
      this.#waiters.push({ sequence, resolve })
    })
  }
}
