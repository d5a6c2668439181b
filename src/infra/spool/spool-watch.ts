/**
 * What this node knows of the spool's phase, and for how long it may rely on it.
 *
 * 1. Whoever publishes past the spool has asked the store less than `freshForMs` ago (or the store does not answer:
 *    then nobody can spool either, and the node goes on as it last knew).
 * 2. Whoever begins to spool answers nobody before the other nodes' knowledge has run out (`settled`).
 * So an event that arrives after another one's 200 is never published past it while that one is spooled. The one way
 * around: a node that the database does not answer, while another one that does reach it is cut off from the log.
 */
import type { Clock, Telemetry } from '../../actors/ports.ts'
import type { SpoolPhase, SpoolState, SpoolStore } from '../../actors/spool-store.ts'

const freshForMs = 1_000
/** So "within a second" has room for a slow answer. */
const askEveryMs = 400
const answerWithinMs = 2_000

export type SpoolWatchOptions = {
  readonly store: Pick<SpoolStore, 'watchSpool'>
  readonly clock: Clock
  readonly telemetry: Telemetry
  /** No other node exists (embedded database): only this process changes the phase. */
  readonly isAlone: boolean
  readonly isLogDown: () => boolean
}

export class SpoolWatch {
  readonly #options: SpoolWatchOptions
  #known: (SpoolState & { readonly askedAt: number; readonly settledAt: number }) | null = null
  #asking: Promise<void> | null = null
  /** The store did not answer the last question. */
  #isSilent = false
  #cancel: (() => void) | null = null
  #isStopped = false

  constructor(options: SpoolWatchOptions) {
    this.#options = options
  }

  /** Asks again and again from now on. */
  start(): void {
    if (this.#isStopped) return
    this.#cancel = this.#options.clock.schedule(askEveryMs, () => {
      const isNeeded = !this.#options.isAlone || this.#known === null || this.#known.phase !== 'direct'
      void (isNeeded ? this.refresh() : Promise.resolve()).finally(() => this.start())
    })
  }

  stop(): void {
    this.#isStopped = true
    this.#cancel?.()
  }

  /** As last known; `direct` before anything is. */
  get lastKnown(): SpoolPhase {
    return this.#known?.phase ?? 'direct'
  }

  /** The phase, fresh enough to act on. */
  async phase(): Promise<SpoolPhase> {
    const isFresh = this.#known !== null && this.#options.clock.monotonic() - this.#known.askedAt < this.#freshForMs
    if (!isFresh && !this.#isSilent) await this.refresh()
    return this.lastKnown
  }

  /** Asks the store; never rejects. */
  async refresh(): Promise<void> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = null
    })
    return this.#asking
  }

  /** What an answer of the store said; `askedAt`: when its question was sent. */
  learn({ phase, era }: SpoolState, askedAt: number): void {
    const before = this.#known
    if (before !== null && askedAt < before.askedAt) return
    const isNewEra = before === null || before.era !== era
    const now = this.#options.clock.monotonic()
    const settledAt = isNewEra && !this.#options.isAlone ? now + freshForMs : (before?.settledAt ?? now)
    this.#known = { phase, era, askedAt, settledAt }
    if (phase !== (before?.phase ?? 'direct')) this.#tell(phase)
  }

  /** Resolves when no other node may still believe that it publishes directly. */
  async settled(): Promise<void> {
    const { clock } = this.#options
    const waitMs = (this.#known?.settledAt ?? 0) - clock.monotonic()
    if (waitMs > 0) await new Promise<void>((resolve) => void clock.schedule(waitMs, resolve))
  }

  get #freshForMs(): number {
    return this.#options.isAlone ? Infinity : freshForMs
  }

  async #ask(): Promise<void> {
    const { store, clock, telemetry, isLogDown } = this.#options
    const askedAt = clock.monotonic()
    let cancel = (): void => {}
    const silence = new Promise<null>((resolve) => {
      cancel = clock.schedule(answerWithinMs, () => resolve(null))
    })
    const answer = await Promise.race([store.watchSpool(isLogDown()).catch(() => null), silence])
    cancel()
    this.#isSilent = answer === null
    if (answer === null) return
    this.learn(answer, askedAt)
    telemetry.gauge('spool_size', answer.size)
  }

  #tell(phase: SpoolPhase): void {
    const { telemetry } = this.#options
    if (phase === 'spooling') telemetry.log('warn', 'events are spooled: a node cannot reach the log')
    if (phase === 'direct') telemetry.log('info', 'the spool is drained: events go to the log again')
  }
}
