/**
 * Publishes what is spooled, page by page, until the spool is empty and closed, another node drains, or the log fails.
 * The events of one session go one after the other, each acknowledged before the next; sessions go side by side.
 *
 * What was published but could not be taken away (the store did not answer, this process ended) is published again
 * under the same id: the log or the database knows it, so nothing is applied twice and nothing changes its order.
 */
import type { EventPublisher, Reached } from '../../actors/ports.ts'
import type { SpoolPage, SpooledEvent, SpoolStore } from '../../actors/spool-store.ts'

export type DrainOptions = {
  readonly publisher: EventPublisher
  readonly store: Pick<SpoolStore, 'drainSpool'>
  readonly nodeId: string
  /** Told of every answer of the store. */
  readonly answered: (page: SpoolPage) => void
  /** Told how many events the log took. */
  readonly published: (count: number) => void
  /** A command has none. */
  readonly reached?: Reached
}

/** `waiting`: nothing to do now, but the spooling is not over. `log-failed`: the log did not take an event. */
export type DrainResult =
  | { readonly kind: 'done' | 'elsewhere' | 'waiting'; readonly drained: number }
  | { readonly kind: 'log-failed'; readonly drained: number; readonly error: unknown }

const leaseMs = 5_000

/** Throws when the store does not answer. What the log took has left the spool in every other case. */
export async function drainSpool(options: DrainOptions): Promise<DrainResult> {
  const { publisher, store, nodeId, answered } = options
  let published: readonly number[] = []
  for (let drained = 0; ; drained += published.length) {
    const page = await store.drainSpool({ nodeId, leaseMs, published, giveUp: false })
    answered(page)
    if (page.phase === 'direct') return { kind: 'done', drained }
    if (!page.isMine) return { kind: 'elsewhere', drained }
    if (page.events.length === 0) return { kind: 'waiting', drained }
    const outcome = await publishPage(publisher, page.events)
    published = outcome.published
    options.published(published.length)
    if (published.length > 0) await options.reached?.('spool-published')
    if (outcome.error !== null) {
      answered(await store.drainSpool({ nodeId, leaseMs, published, giveUp: true }))
      return { kind: 'log-failed', drained: drained + published.length, error: outcome.error }
    }
  }
}

async function publishPage(
  publisher: EventPublisher,
  events: readonly SpooledEvent[],
): Promise<{ readonly published: readonly number[]; readonly error: unknown }> {
  const published: number[] = []
  let failure: { readonly error: unknown } | null = null
  const publishSession = async (own: readonly SpooledEvent[]): Promise<void> => {
    for (const { id, event } of own) {
      if (failure !== null) return
      try {
        await publisher.publish(event)
        published.push(id)
      } catch (error) {
        failure = { error }
      }
    }
  }
  const sessions = Map.groupBy(events, ({ sessionKey }) => sessionKey)
  await Promise.all([...sessions.values()].map(publishSession))
  return { published, error: (failure as { readonly error: unknown } | null)?.error ?? null }
}
