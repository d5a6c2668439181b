/**
 * Conversations that a migration map wants to go on at once. A migration is lazy: it happens with the next event. Where
 * an `after` was added to a state that somebody stands in, no timer is pending and there may be no next event; so when
 * every live node knows the new version, each such conversation is told through the log (DESIGN D10).
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

const pageSize = 200

/** The new states are known by the map; the old ones that lead there, and those that stay, are asked for. */
export function toPathsToWake({ states, arm }: Pick<MigrationMap, 'states' | 'arm'>): readonly (readonly string[])[] {
  return [...new Set([...Object.keys(states), ...arm])].map((place) => place.split('.'))
}

/** Tells those that were not told before; answers how many. `told` is kept by the caller. */
export async function wakeMapped(
  { live, publisher, clock }: WakePorts,
  { machine, from, to, states, arm }: MigrationMap,
  told: Set<string>,
): Promise<number> {
  const paths = toPathsToWake({ states, arm })
  if (paths.length === 0) return 0
  let count = 0
  for (let cursor: string | null = null; ;) {
    const page = await live.listToWake({ machine, from, to, paths, cursor, limit: pageSize })
    for (const { id, businessAddress, userKey } of page.items) {
      const commandId = `wake:${id}:${from}:${to}`
      if (told.has(commandId)) continue
      const issuedAt = clock.now()
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
      told.add(commandId)
      count += 1
    }
    if (page.next === null) return count
    cursor = page.next
  }
}
