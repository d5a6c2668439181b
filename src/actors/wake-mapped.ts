/**
 * Conversations that a migration map wants to go on at once. A migration is lazy: it happens with the next event. Where
 * an `after` was added to a state that somebody stands in, no timer is pending and there may be no next event; so when
 * every live node knows the new version, each such conversation is told through the log (DESIGN D10).
 *
 * Its owner may learn a moment later than the database that the last older node is gone, and then does nothing with the
 * word. So a conversation that still stands there after a while is told again, under another id and ever more rarely.
 */
import type { MigrationMap } from '../machines/migration-map.ts'
import type { LiveReadModel } from './live-read-model.ts'
import type { Clock, EventPublisher } from './ports.ts'
import { wokenType } from './take-command.ts'

export type WakePorts = {
  readonly live: Pick<LiveReadModel, 'listToWake'>
  readonly publisher: EventPublisher
  readonly clock: Pick<Clock, 'now'>
}

/** How often and when, wall clock ms, a conversation was last told. */
export type Told = Map<string, { readonly times: number; readonly at: number }>

const pageSize = 200
const tellAgainAfterMs = 30_000
/** The last one is an hour after the first: it waits for something else, and an event will move it. */
const timesMax = 8

/** The new states are known by the map; the old ones that lead there, and those that stay, are asked for. */
export function toPathsToWake({ states, arm }: Pick<MigrationMap, 'states' | 'arm'>): readonly (readonly string[])[] {
  return [...new Set([...Object.keys(states), ...arm])].map((place) => place.split('.'))
}

/** Tells those that were not told lately; answers how many. `told` is kept by the caller. */
export async function wakeMapped(
  { live, publisher, clock }: WakePorts,
  { machine, from, to, states, arm }: MigrationMap,
  told: Told,
): Promise<number> {
  const paths = toPathsToWake({ states, arm })
  if (paths.length === 0) return 0
  let count = 0
  for (let cursor: string | null = null; ;) {
    const page = await live.listToWake({ machine, from, to, paths, cursor, limit: pageSize })
    for (const { id, businessAddress, userKey } of page.items) {
      const wake = `wake:${id}:${from}:${to}`
      const issuedAt = clock.now()
      const { times, at } = told.get(wake) ?? { times: 0, at: -Infinity }
      if (times >= timesMax || issuedAt - at < tellAgainAfterMs * 2 ** (times - 1)) continue
      const commandId = times === 0 ? wake : `${wake}:${times}`
      const event = { type: wokenType, to }
      const session = { v: 1, businessAddress, userKey } as const
      await publisher.publish({
        ...session,
        type: 'command.issued',
        commandId,
        conversationId: id,
        seenVersion: null,
        event,
        issuedAt,
      })
      told.set(wake, { times: times + 1, at: issuedAt })
      count += 1
    }
    if (page.next === null) return count
    cursor = page.next
  }
}
