/**
 * Who looks after the log: is it still the same one, what may it have lost, what can leave it. And the webhook's way
 * into it, which leads into the spool while it is away.
 */
import type { EventLog, LoggedEvent } from '../actors/ports.ts'
import type { Config } from '../config.ts'
import { createIdentityResolver } from '../infra/identity/identity-resolver.ts'
import type { IdentityResolver } from '../infra/identity/identity-resolver.ts'
import { openJanitor } from '../infra/nats/janitor.ts'
import { createWatchedLog } from '../infra/nats/watched-log.ts'
import { processClock } from '../infra/process/clock.ts'
import { createReached } from '../infra/process/crash-points.ts'
import { reconcile } from '../infra/spool/reconcile.ts'
import { createReconciliation } from '../infra/spool/reconciliation.ts'
import { openSpooling } from '../infra/spool/spooling-publisher.ts'
import type { SpoolingPublisher } from '../infra/spool/spooling-publisher.ts'
import type { ProcessTelemetry } from '../infra/telemetry/telemetry.ts'
import type { DatabasePart } from './database.ts'
import type { LogPart } from './log.ts'
import type { ProviderPart } from './provider.ts'

export type CarePart = {
  readonly log: EventLog
  /** Asks whose session an event belongs to before it is published or spooled. */
  readonly spooling: Pick<SpoolingPublisher, 'publish'>
  readonly resolver: IdentityResolver
  reconciled(): Promise<void>
  close(): Promise<void>
}

type Opened = {
  readonly config: Config
  readonly telemetry: ProcessTelemetry
  readonly log: LogPart
  readonly database: DatabasePart
  readonly provider: ProviderPart
}

/** After a reconnect nothing is published before the log was looked at, but for so long at most. */
const lookWithinMs = 2_000
const tidyEveryMs = 10 * 60_000

export function openCare({ config, telemetry, log: part, database, provider }: Opened): CarePart {
  const { nodeId, roles } = config
  const common = { clock: processClock, telemetry, nodeId }
  const log = createWatchedLog({ log: part.log, state: database.logState, ...common })
  const spooling = openSpooling({
    publisher: part.publisher,
    store: database.spool,
    log: { isConnected: watchConnection(part, log), onDisconnect: part.onDisconnect },
    isAlone: database.isEmbedded,
    // A console's identity publishes commands only, and those are never spooled.
    mayDrain: roles.includes('webhook') || roles.includes('actors'),
    reached: createReached(config.crashPoint, config.isCrashOnSignal),
    ...common,
  })
  const isAlone = database.isEmbedded
  const resolver = createIdentityResolver({ store: database.identities, clock: processClock, telemetry, isAlone })
  const publish = async (event: LoggedEvent) => spooling.publish(await resolver.resolve(event))
  const { reconciled, stop } = createReconciliation({
    state: database.logState,
    reconcile: async (since) =>
      reconcile(
        {
          listReceived: provider.listReceived,
          findKnown: async (address, ids) => findKnown(database, address, ids),
          publish,
          telemetry,
        },
        since,
      ),
    ...common,
  })
  // Whoever owns partitions may purge the log; the identities of the other roles may not.
  const janitor = roles.includes('actors')
    ? openJanitor({ stream: part.stream, log, state: database.logState, ...common })
    : null
  const stopTidying = roles.includes('actors') ? keepMovesTidy(database, telemetry) : null
  return {
    log,
    spooling: { publish },
    resolver,
    reconciled,
    async close() {
      stop()
      resolver.stop()
      janitor?.stop()
      stopTidying?.()
      await spooling.stop()
    },
  }
}

/** Counts of transitions by the minute become counts by the hour; whichever node comes first does it for all. */
function keepMovesTidy({ live }: DatabasePart, telemetry: ProcessTelemetry): () => void {
  let cancel = (): void => {}
  const again = (): void => {
    cancel = processClock.schedule(tidyEveryMs, () => {
      void live.tidyMoves().then(again, (error: unknown) => {
        telemetry.log('warn', 'could not tidy the counts of transitions', { error: String(error) })
        again()
      })
    })
  }
  again()
  return () => cancel()
}

/** What is stored of these provider ids; null when the address is no channel. */
export async function findKnown(
  { repository }: Pick<DatabasePart, 'repository'>,
  businessAddress: string,
  providerIds: readonly string[],
): Promise<ReadonlySet<string> | null> {
  const channel = await repository.findChannel(businessAddress)
  return channel === null ? null : repository.findKnownProviderIds(channel.channelId, providerIds)
}

/**
 * A server that came back may have lost its newest events. Were it published to at once, it would grow over the place
 * where it shows; so it counts as connected only when it was looked at.
 */
function watchConnection(part: LogPart, log: EventLog): () => boolean {
  let isLookedAt = true
  part.onDisconnect(() => {
    isLookedAt = false
  })
  part.onReconnect(() => {
    const enough = new Promise<void>((resolve) => void processClock.schedule(lookWithinMs, resolve))
    const look = log.describe().then(
      () => {},
      () => {},
    )
    void Promise.race([look, enough]).then(() => {
      isLookedAt = part.isConnected()
    })
  })
  return () => isLookedAt && part.isConnected()
}
