/**
 * Reads one partition in order through an ordered consumer, which is only a cursor of the server's: it
 * acknowledges nothing, and whenever anything is doubtful (a reconnect, missed heartbeats, too much
 * waiting) it is closed and a new one is opened at the last delivered position + 1.
 *
 * opening → reading → (full | opening) …→ stopped. Entries are delivered one by one; while `deliver` holds
 * back, up to `waitingMax` (or `waitingBytesMax`) wait here, then the consumer is closed until they are gone.
 */
import { DeliverPolicy } from '@nats-io/jetstream'
import type { Consumer, ConsumerMessages, Consumers, JsMsg } from '@nats-io/jetstream'

import type { LogEntry, Telemetry } from '../../actors/ports.ts'
import { readStoredSubject, streamName, toPartitionFilter } from './subjects.ts'

export type PartitionReaderOptions = {
  readonly consumers: Consumers
  readonly partition: number
  readonly afterSequence: number
  readonly deliver: (entry: LogEntry) => void | Promise<void>
  readonly telemetry: Telemetry
  /** Called when the stream itself may be another one. */
  readonly onDoubt: () => void
}

const waitingMax = 2_000
const waitingBytesMax = 2 * 1_024 * 1_024
const prefetch = 500
const heartbeatMs = 1_000
const pullExpiresMs = 10_000
const retryMinMs = 50
const retryMaxMs = 1_000
/** The server forgets a consumer of a process that ended after this. */
const inactiveNanos = 30 * 1_000_000_000

export class PartitionReader {
  readonly #options: PartitionReaderOptions
  /** Every opening has a number: what an older one still delivers is dropped. */
  #opening = 0
  #state: 'opening' | 'reading' | 'full' | 'stopped' = 'opening'
  #received: number
  #consumer: { readonly consumer: Consumer; readonly messages: ConsumerMessages } | null = null
  #waiting: LogEntry[] = []
  #waitingBytes = 0
  #delivering: Promise<void> | null = null

  constructor(options: PartitionReaderOptions) {
    this.#options = options
    this.#received = options.afterSequence
  }

  start(): void {
    this.#open()
  }

  reopen(reason: string): void {
    if (this.#state === 'stopped' || this.#state === 'full') return
    const { telemetry, partition } = this.#options
    telemetry.count('reader_reopened')
    telemetry.log('debug', 'reading a partition anew', { partition, after: this.#received, reason })
    this.#open()
  }

  async stop(): Promise<void> {
    this.#state = 'stopped'
    this.#opening += 1
    this.#waiting = []
    this.#close()
    await this.#delivering
  }

  #open(): void {
    this.#opening += 1
    this.#state = 'opening'
    this.#close()
    void this.#openUntilItWorks(this.#opening)
  }

  async #openUntilItWorks(opening: number): Promise<void> {
    for (let delayMs = retryMinMs; opening === this.#opening; delayMs = Math.min(retryMaxMs, delayMs * 2)) {
      try {
        await this.#openOnce(opening)
        return
      } catch (error) {
        const { telemetry, partition } = this.#options
        telemetry.log('warn', 'could not open a reader', { partition, error: String(error) })
        await new Promise((resolve) => {
          setTimeout(resolve, delayMs)
        })
      }
    }
  }

  async #openOnce(opening: number): Promise<void> {
    const consumer = await this.#options.consumers.get(streamName, {
      filter_subjects: toPartitionFilter(this.#options.partition),
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: this.#received + 1,
      inactive_threshold: inactiveNanos,
    })
    if (opening !== this.#opening) return
    const messages = await consumer.consume({
      max_messages: prefetch,
      expires: pullExpiresMs,
      idle_heartbeat: heartbeatMs,
      callback: (message) => this.#receive(message, opening),
    })
    if (opening !== this.#opening) {
      messages.stop()
      return
    }
    this.#consumer = { consumer, messages }
    this.#state = 'reading'
    void this.#watch(messages, opening)
  }

  async #watch(messages: ConsumerMessages, opening: number): Promise<void> {
    for await (const status of messages.status()) {
      if (opening !== this.#opening) return
      const isDoubtful =
        status.type === 'heartbeats_missed' ||
        status.type === 'consumer_deleted' ||
        status.type === 'consumer_not_found' ||
        status.type === 'stream_not_found'
      if (isDoubtful) {
        this.#options.onDoubt()
        this.reopen(status.type)
        return
      }
    }
    if (opening === this.#opening) this.reopen('the consumer ended')
  }

  #close(): void {
    const closing = this.#consumer
    this.#consumer = null
    if (closing === null) return
    closing.messages.stop()
    // Best effort: a server that does not answer forgets it by itself.
    closing.consumer.delete().catch(() => {})
  }

  #receive(message: JsMsg, opening: number): void {
    if (opening !== this.#opening || message.seq <= this.#received) return
    this.#received = message.seq
    const { partition, kind, sessionKey } = readStoredSubject(message.subject)
    const at = Math.floor(Number(message.timestampNanos / 1_000_000n))
    const entry = { sequence: message.seq, partition, kind, sessionKey, at, data: message.data }
    if (this.#delivering === null) this.#deliver(entry)
    else this.#wait(entry)
  }

  #wait(entry: LogEntry): void {
    this.#waiting.push(entry)
    this.#waitingBytes += entry.data.length
    const isFull = this.#waiting.length >= waitingMax || this.#waitingBytes >= waitingBytesMax
    if (!isFull || this.#state === 'full') return
    this.#opening += 1
    this.#state = 'full'
    this.#close()
  }

  #deliver(entry: LogEntry): void {
    const held = this.#options.deliver(entry)
    if (held !== undefined) this.#delivering = held.then(async () => this.#deliverWaiting())
  }

  async #deliverWaiting(): Promise<void> {
    for (let taken = 0; ; taken += 1) {
      const entry = this.#waiting[taken]
      if (entry === undefined) break
      await this.#options.deliver(entry)
    }
    this.#waiting = []
    this.#waitingBytes = 0
    this.#delivering = null
    if (this.#state === 'full') this.#open()
  }
}
