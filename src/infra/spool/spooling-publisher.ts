/**
 * The webhook's way into the log: to the log itself as long as it acknowledges, else to the spool in the database, and
 * back when the spool is drained. Resolved means durable, in one of the two.
 *
 * 1. While any node spools, nothing is published directly (SpoolWatch says how that is certain).
 * 2. A log that is known to be down is not waited for: it is asked again by the drainer, not by webhooks.
 * 3. An event whose publication was given up may have been stored after all; the log and the database recognise it
 *    when it comes out of the spool.
 */
import type { Clock, EventPublisher, LoggedEvent, Reached, Telemetry } from '../../actors/ports.ts'
import type { SpoolStore } from '../../actors/spool-store.ts'
import { drainSpool } from './drain-spool.ts'
import { SpoolWatch } from './spool-watch.ts'
import { createSpoolWriter } from './spool-writer.ts'

/** Twilio waits for 15 s. */
const acceptWithinMs = 10_000
const holdMs = 20
const drainEveryMs = 250
const drainAgainAfterMs = 1_000
/** After a failed publication of a connected log. */
const downForMs = 2_000

export type SpoolingOptions = {
  readonly publisher: EventPublisher
  readonly store: SpoolStore
  readonly log: {
    isConnected(): boolean
    /** Calls the listener at every loss of the connection. */
    onDisconnect(listener: () => void): void
  }
  readonly clock: Clock
  readonly telemetry: Telemetry
  readonly nodeId: string
  readonly isAlone: boolean
  /** False where this process may not publish what others have spooled. */
  readonly mayDrain?: boolean
  /** A command has none. */
  readonly reached?: Reached
}

export type SpoolingPublisher = {
  publish(event: LoggedEvent): Promise<'logged' | 'spooled'>
  stop(): Promise<void>
}

export function openSpooling(options: SpoolingOptions): SpoolingPublisher {
  const { clock, telemetry, store, isAlone } = options
  const direct = createDirectWay(options)
  const watch = new SpoolWatch({ store, clock, telemetry, isAlone, isLogDown: direct.isDown })
  const spool = createSpoolWriter({
    store,
    clock,
    isLogDown: direct.isDown,
    answered: ({ outcome, era }, askedAt) => {
      const phase = ({ spooled: 'spooling', hold: 'closing', publish: 'direct' } as const)[outcome]
      watch.learn({ phase, era }, askedAt)
    },
  })
  const stopDraining = keepDraining(options, watch, direct)
  void watch.refresh()
  watch.start()
  return {
    async publish(event) {
      const giveUpAt = clock.monotonic() + acceptWithinMs
      while (clock.monotonic() < giveUpAt) {
        const isDirect = (await watch.phase()) === 'direct' && !direct.isDown()
        if (isDirect && (await direct.publish(event))) return 'logged'
        const outcome = await spool(event)
        if (outcome === 'spooled') {
          await watch.settled()
          await options.reached?.('spooled')
          telemetry.count('spooled')
          return 'spooled'
        }
        if (outcome === 'hold') {
          await new Promise<void>((resolve) => void clock.schedule(holdMs, resolve))
          await watch.refresh()
        }
      }
      throw new Error(`neither the log nor the spool took the event within ${acceptWithinMs} ms`)
    },
    async stop() {
      watch.stop()
      await stopDraining()
    },
  }
}

type DirectWay = {
  isDown(): boolean
  failed(): void
  /** False: the log did not acknowledge it, or is known not to. */
  publish(event: LoggedEvent): Promise<boolean>
}

function createDirectWay({ publisher, log, clock, telemetry }: SpoolingOptions): DirectWay {
  let failedAt = -Infinity
  const waiting = new Set<() => void>()
  const giveUp = (): void => {
    for (const give of waiting) give()
  }
  log.onDisconnect(giveUp)
  const failed = (): void => {
    failedAt = clock.monotonic()
    giveUp()
  }
  return {
    isDown: () => !log.isConnected() || clock.monotonic() - failedAt < downForMs,
    failed,
    async publish(event) {
      const published = publisher.publish(event).then(
        () => true,
        (error: unknown) => {
          telemetry.count('publications_failed')
          telemetry.log('warn', 'the log did not acknowledge an event', { error: String(error) })
          failed()
          return false
        },
      )
      return new Promise((resolve) => {
        const give = (): void => resolve(false)
        waiting.add(give)
        void published.then((isPublished) => {
          waiting.delete(give)
          resolve(isPublished)
        })
      })
    },
  }
}

/** Drains whenever there is something to drain and the log can be reached; the returned function ends that. */
function keepDraining(options: SpoolingOptions, watch: SpoolWatch, direct: DirectWay): () => Promise<void> {
  const { clock, telemetry, log, mayDrain = true } = options
  let isStopped = false
  let cancel = (): void => {}
  let running: Promise<void> = Promise.resolve()
  const drain = async (): Promise<number> => {
    if (!mayDrain || watch.lastKnown === 'direct' || !log.isConnected()) return drainEveryMs
    let askedAt = clock.monotonic()
    try {
      const result = await drainSpool({
        ...options,
        answered: (page) => {
          watch.learn(page, askedAt)
          askedAt = clock.monotonic()
          telemetry.gauge('spool_size', page.size)
        },
        published: (count) => telemetry.count('drained', {}, count),
      })
      if (result.kind !== 'log-failed') return drainEveryMs
      direct.failed()
      telemetry.log('warn', 'the log does not take what is spooled', { error: String(result.error) })
    } catch (error) {
      telemetry.log('warn', 'could not drain the spool', { error: String(error) })
    }
    return drainAgainAfterMs
  }
  const again = (afterMs: number): void => {
    if (isStopped) return
    cancel = clock.schedule(afterMs, () => {
      running = drain().then(again)
    })
  }
  again(drainEveryMs)
  return async () => {
    isStopped = true
    cancel()
    await running
  }
}
