/** The host of this deployment: the actors with every port that main opened for them. */
import { createNode } from '../actors/node.ts'
import type { Node } from '../actors/node.ts'
import { processClock } from '../infra/process/clock.ts'
import { createReached } from '../infra/process/crash-points.ts'
import { processIds } from '../infra/process/ids.ts'
import { withKeptMaps } from './in-flight.ts'
import type { Parts } from './parts.ts'

/** The kinds of effects that this program performs. */
export const performedKinds = ['draftReply', 'transcribe', 'sendMessage'] as const

export function openNode({
  config,
  publicUrl,
  telemetry,
  machines,
  log,
  database,
  provider,
  assistant,
  care,
}: Parts): Node {
  return createNode({
    clock: processClock,
    ids: processIds,
    random: Math.random,
    log: care.log,
    reconciled: care.reconciled,
    store: database.repository,
    forward: log.publisher,
    peers: log.peers,
    telemetry,
    registry: withKeptMaps(machines),
    reached: createReached(config.crashPoint, config.isCrashOnSignal),
    commandSettled: (commandId) => log.wakes.settled(commandId),
    emitted: () => {},
    performers: {
      draftReply: assistant.performer,
      transcribe: assistant.transcriber,
      sendMessage: provider.openSender(publicUrl),
    },
    settings: {
      nodeId: config.nodeId,
      defaultMachine: 'conversation',
      leaseMs: config.leaseMs,
      // Whoever holds the lock of the embedded database's folder is its only owner: every former one is dead.
      isSoleOwner: database.isEmbedded,
      mayAdvanceClock: provider.phone !== null || config.mayAdvanceClock,
      resolveAfterMs: config.resolveAfterMs,
      sessionIdleMs: config.sessionIdleMs,
    },
  })
}
