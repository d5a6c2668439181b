/** The log of a deployment: the NATS that the settings name, or the embedded one. */
import { join } from 'node:path'

import type { NatsConnection } from '@nats-io/transport-node'

import type { EventLog, EventPublisher, Peers, Telemetry } from '../actors/ports.ts'
import type { Config } from '../config.ts'
import type { DataFolder } from '../infra/data-folder/data-folder.ts'
import { openCommandWakes } from '../infra/nats/command-wakes.ts'
import type { CommandWakes } from '../infra/nats/command-wakes.ts'
import { openNats, withoutPassword } from '../infra/nats/connection.ts'
import { createEventLog } from '../infra/nats/event-log.ts'
import { findNatsServer, startNatsServer } from '../infra/nats/nats-server.ts'
import type { NatsServer } from '../infra/nats/nats-server.ts'
import { openPeers } from '../infra/nats/peers.ts'
import { createEventPublisher } from '../infra/nats/publisher.ts'
import { openStream, streamBytesMax } from '../infra/nats/stream.ts'
import type { LogStream } from '../infra/nats/stream.ts'

export type LogPart = {
  readonly log: EventLog
  readonly publisher: EventPublisher
  readonly wakes: CommandWakes
  readonly peers: Peers
  /** What runs where, for a person. */
  readonly description: string
  isConnected(): boolean
  /** Calls the listener at every loss of the connection. */
  onDisconnect(listener: () => void): void
  /** Calls the listener whenever the connection was made again. */
  onReconnect(listener: () => void): void
  readonly stream: LogStream
  close(): Promise<void>
}

/** The webhook's whole answer has to stay far below Twilio's 15 s. */
const publishTimeoutMs = 3_000
/** A server that ends more often than this has a reason that a person has to see. */
const restartsMax = 5
const restartsWithinMs = 60_000

export async function openLog(
  config: Config,
  folder: DataFolder | null,
  telemetry: Telemetry,
  onFatal: (reason: string) => void,
): Promise<LogPart> {
  const server = config.nats === null ? await startEmbedded(folder, telemetry, onFatal) : null
  const address = server ?? {
    url: config.nats?.servers.join(',') ?? '',
    credentialsFile: config.nats?.credentialsFile ?? null,
    inboxPrefix: config.nats?.inboxPrefix ?? null,
  }
  const connection = await openNats(address, `duologue ${config.nodeId}`)
  const stream = await openStream(connection, {
    partitions: config.partitions,
    replicas: config.nats?.replicas ?? 1,
    bytesMax: streamBytesMax,
  })
  const { isConnected, onDisconnect, onReconnect } = watchStatus(connection)
  return {
    log: createEventLog(connection, stream, telemetry),
    publisher: createEventPublisher(connection, publishTimeoutMs, config.nats?.inboxPrefix ?? null),
    wakes: openCommandWakes(connection),
    peers: openPeers(connection),
    description:
      server === null
        ? withoutPassword(address.url)
        : `nats-server ${server.url}, process ${server.pid()}, synced on every write`,
    isConnected,
    onDisconnect,
    onReconnect,
    stream,
    async close() {
      await connection.close()
      await server?.stop()
    },
  }
}

function watchStatus(connection: NatsConnection): Pick<LogPart, 'isConnected' | 'onDisconnect' | 'onReconnect'> {
  let isConnected = true
  const lost: (() => void)[] = []
  const made: (() => void)[] = []
  void (async () => {
    for await (const status of connection.status()) {
      if (status.type !== 'disconnect' && status.type !== 'close' && status.type !== 'reconnect') continue
      isConnected = status.type === 'reconnect'
      for (const listener of isConnected ? made : lost) listener()
    }
  })()
  return {
    isConnected: () => isConnected,
    onDisconnect: (listener) => void lost.push(listener),
    onReconnect: (listener) => void made.push(listener),
  }
}

type EmbeddedServer = {
  readonly url: string
  readonly user: string
  readonly pass: string
  pid(): number
  stop(): Promise<void>
}

/** A server that ends by itself is started again over its data: the connection and its readers come back alone. */
async function startEmbedded(
  folder: DataFolder | null,
  telemetry: Telemetry,
  onFatal: (reason: string) => void,
): Promise<EmbeddedServer> {
  if (folder === null) throw new Error('the embedded NATS needs the data folder')
  const options = {
    binary: findNatsServer(process.env),
    storeDir: join(folder.path, 'nats'),
    recordChild: (child: { readonly name: string; readonly pid: number }) => folder.recordChild(child),
  }
  let endings: number[] = []
  const restart = async (reason: string): Promise<void> => {
    endings = [...endings, performance.now()].filter((at) => at > performance.now() - restartsWithinMs)
    telemetry.log('error', 'the embedded nats-server ended; starting it again', { reason })
    if (endings.length > restartsMax) throw new Error(`it ended ${endings.length} times within a minute: ${reason}`)
    server = await startNatsServer({ ...options, port: server.port, pass: server.pass, onExit })
  }
  const onExit = (reason: string): void => {
    restart(reason).catch((error: unknown) => onFatal(`could not keep nats-server running: ${String(error)}`))
  }
  let server: NatsServer = await startNatsServer({ ...options, onExit })
  const { url, user, pass } = server
  return { url, user, pass, pid: () => server.pid, stop: async () => server.stop() }
}
