/** The HTTP application of this deployment: webhooks, API and pages, as the roles of the node say. */
import { fileURLToPath } from 'node:url'

import type { Node } from '../actors/node.ts'
import { createSessionLinks } from '../infra/identity/session-links.ts'
import { createApp } from '../infra/http/app.ts'
import type { App } from '../infra/http/app.ts'
import type { Readiness } from '../infra/http/operations-routes.ts'
import { createTokenCache } from '../infra/http/token-cache.ts'
import { processClock } from '../infra/process/clock.ts'
import { createReached } from '../infra/process/crash-points.ts'
import { processIds } from '../infra/process/ids.ts'
import { toUserKey } from '../infra/twilio/address.ts'
import type { ChartsPart } from './charts.ts'
import { createInFlightCheck, createMapReader, readMigrationMaps, withKeptMaps } from './in-flight.ts'
import type { Draft } from './draft.ts'
import type { Parts } from './parts.ts'
import { openReviews } from './reviews.ts'
import { createTimelines } from './timelines.ts'

const webFolder = fileURLToPath(new URL('../../web/dist', import.meta.url))

export async function openHttp(parts: Parts, node: Node | null, charts: ChartsPart, draft: Draft | null): Promise<App> {
  const { config, publicUrl, apiToken, telemetry, machines, log, database, provider, care } = parts
  await provider.accounts.refresh()
  const live = toLive(parts, charts, draft)
  return createApp({
    clock: processClock,
    telemetry,
    checkReadiness: async () => checkReadiness(parts, node),
    readMetrics: async () => telemetry.metrics(),
    apiToken,
    readModel: database.repository,
    sending: database.repository,
    media: parts.media,
    findTenantByToken: createTokenCache(database.administration.findTenantByToken, processClock),
    links: createSessionLinks({
      store: database.identities,
      publisher: log.publisher,
      getCommand: async (commandId) => database.repository.getCommand(commandId),
      refresh: async () => care.resolver.refresh(),
      clock: processClock,
      ids: processIds,
      isAlone: database.isEmbedded,
    }),
    commands: {
      publisher: log.publisher,
      ids: processIds,
      readCommand: (machine, command) =>
        machines[machine]?.readCommand(command) ?? `this node does not know the machine ${machine}`,
      onCommandSettled: (commandId, listener) => log.wakes.listen(commandId, listener),
    },
    dismissForeign: async (quarantineId) => database.repository.dismissForeign(quarantineId),
    toUserKey,
    charts: { ...charts, ...live },
    reviews: openReviews({
      library: charts.library,
      store: database.reviews,
      readModel: database.repository,
      machines: withKeptMaps(machines),
      draft,
      reviewToken: config.reviewToken,
      checkInFlight: live.checkInFlight,
    }),
    webhooks: config.roles.includes('webhook')
      ? {
          webhook: provider.openWebhook(publicUrl),
          publisher: care.spooling,
          findChannel: async (address) => provider.accounts.find(address),
          reached: createReached(config.crashPoint, config.isCrashOnSignal),
        }
      : null,
    pages: config.roles.includes('pages') ? { folder: webFolder, phone: provider.phone } : null,
  })
}

function toLive({ database, machines }: Parts, { library }: ChartsPart, draft: Draft | null) {
  const { live } = database
  const drafts = draft?.machines ?? {}
  const known = {
    library,
    machines,
    drafts,
    live,
    // Read anew each time: a map that was just saved counts in the next check.
    get maps() {
      return readMigrationMaps()
    },
  }
  return {
    live,
    checkInFlight: createInFlightCheck(known),
    readMap: createMapReader(known),
    readTimeline: createTimelines({ readModel: database.repository, machines: withKeptMaps(machines) }),
  }
}

async function checkReadiness({ log, database }: Parts, node: Node | null): Promise<Readiness> {
  const answers = await database.repository.ping().then(
    () => true,
    () => false,
  )
  const { active = 0, owned = 0, partitions = 0 } = node?.describe() ?? {}
  const isWhole = node === null || (database.isEmbedded ? active === partitions : active === owned)
  return {
    // A webhook that can be stored in either must be let in: whoever balances the load asks here.
    ready: (log.isConnected() || answers) && isWhole,
    parts: {
      log: log.isConnected() ? 'ok' : 'is not connected',
      database: answers ? 'ok' : 'does not answer',
      partitions: node === null ? 'this node owns none' : `${active} of ${partitions} active`,
    },
  }
}
