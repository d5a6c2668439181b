/** The log of a deployment: the NATS that the settings name, or the embedded one. */
import { join } from 'node:path'

import type { NatsConnection } from '@nats-io/transport-node'

import type { EventLog, EventPublisher, Telemetry } from '../actors/ports.ts'
import type { Config } from '../config.ts'
import type { DataFolder } from '../infra/data-folder/data-folder.ts'
import { openNats, withoutPassword } from '../infra/nats/connection.ts'
import { createEventLog } from '../infra/nats/event-log.ts'
import { fileStoreBytesMax, findNatsServer, startNatsServer } from '../infra/nats/nats-server.ts'
import type { NatsServer } from '../infra/nats/nats-server.ts'
import { createEventPublisher } from '../infra/nats/publisher.ts'
import { openStream } from '../infra/nats/stream.ts'

export type LogPart = {
  readonly log: EventLog
  readonly publisher: EventPublisher
  readonly connection: NatsConnection
  /** What runs where, for a person. */
  readonly description: string
  readonly isEmbedded: boolean
  isConnected(): boolean
  close(): Promise<void>
}

/** The webhook's whole answer has to stay far below Twilio's 15 s. */
const publishTimeoutMs = 3_000
/** Below the embedded server's own limit, so that the stream refuses before the disk does. */
const streamBytesMax = fileStoreBytesMax * 0.8

export async function openLog(
  config: Config,
  folder: DataFolder | null,
  telemetry: Telemetry,
  onServerExit: (reason: string) => void,
): Promise<LogPart> {
  const server = config.nats === null ? await startEmbedded(folder, onServerExit) : null
  const address =
    server ?? { url: config.nats?.servers.join(',') ?? '', credentialsFile: config.nats?.credentialsFile ?? null }
  const connection = await openNats(address, `duologue ${config.nodeId}`)
  const stream = await openStream(connection, {
    partitions: config.partitions,
    replicas: 1,
    bytesMax: Math.floor(streamBytesMax),
  })
  let isConnected = true
  void (async () => {
    for await (const status of connection.status()) {
      if (status.type === 'disconnect' || status.type === 'close') isConnected = false
      if (status.type === 'reconnect') isConnected = true
    }
  })()
  return {
    log: createEventLog(connection, stream, telemetry),
    publisher: createEventPublisher(connection, publishTimeoutMs),
    connection,
    description: server === null ? withoutPassword(address.url) : `nats-server ${server.url}, process ${server.pid}, synced on every write`,
    isEmbedded: server !== null,
    isConnected: () => isConnected,
    async close() {
      await connection.close()
      await server?.stop()
    },
  }
}

async function startEmbedded(folder: DataFolder | null, onExit: (reason: string) => void): Promise<NatsServer> {
  if (folder === null) throw new Error('the embedded NATS needs the data folder')
  return startNatsServer({
    binary: findNatsServer(process.env),
    storeDir: join(folder.path, 'nats'),
    onExit,
    recordChild: (child) => folder.recordChild(child),
  })
}
