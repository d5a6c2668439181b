/**
 * Hands events to the store's spool, many per call: what arrives while a call is under way goes into the next one, in
 * the order of arrival. Bounded: beyond `waitingMax` an event is refused, and its sender may send it again.
 */
import type { Clock, LoggedEvent } from '../../actors/ports.ts'
import type { SpoolAnswer, SpoolStore } from '../../actors/spool-store.ts'

const waitingMax = 2_000
const eventsPerCall = 100
const answerWithinMs = 5_000

type Waiting = {
  readonly event: LoggedEvent
  readonly resolve: (answer: SpoolAnswer['outcome']) => void
  readonly reject: (error: Error) => void
}

export type SpoolWriterOptions = {
  readonly store: Pick<SpoolStore, 'spoolEvents'>
  readonly clock: Clock
  readonly isLogDown: () => boolean
  readonly answered: (answer: SpoolAnswer, askedAt: number) => void
}

/** The returned function resolves when the store has answered; it rejects when it has not. */
export function createSpoolWriter(
  options: SpoolWriterOptions,
): (event: LoggedEvent) => Promise<SpoolAnswer['outcome']> {
  let waiting: Waiting[] = []
  let isWriting = false

  const write = async (): Promise<void> => {
    while (waiting.length > 0) {
      const leaving = waiting.slice(0, eventsPerCall)
      waiting = waiting.slice(eventsPerCall)
      try {
        const askedAt = options.clock.monotonic()
        const answer = await within(
          options,
          options.store.spoolEvents(
            leaving.map(({ event }) => event),
            options.isLogDown(),
          ),
        )
        options.answered(answer, askedAt)
        for (const { resolve } of leaving) resolve(answer.outcome)
      } catch (error) {
        for (const { reject } of leaving) reject(new Error('could not spool an event', { cause: error }))
      }
    }
    isWriting = false
  }

  return async (event) =>
    new Promise((resolve, reject) => {
      if (waiting.length >= waitingMax) {
        reject(new Error(`${waitingMax} events wait for the spool already`))
        return
      }
      waiting.push({ event, resolve, reject })
      if (isWriting) return
      isWriting = true
      void write()
    })
}

async function within<T>({ clock }: SpoolWriterOptions, answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.schedule(answerWithinMs, () => reject(new Error(`no answer within ${answerWithinMs} ms`)))
    answer.then(resolve, reject).finally(cancel)
  })
}
