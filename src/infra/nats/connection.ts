/** The connection to NATS: it is made again for as long as the process lives. */
import { readFile } from 'node:fs/promises'

import { connect, credsAuthenticator } from '@nats-io/transport-node'
import type { NatsConnection, NodeConnectionOptions } from '@nats-io/transport-node'

export type NatsAddress = {
  readonly url: string
  readonly credentialsFile?: string | null
  readonly user?: string
  readonly pass?: string
}

const reconnectEveryMs = 250
const connectTimeoutMs = 5_000

/** Throws when the first connection cannot be made. */
export async function openNats(address: NatsAddress, name: string): Promise<NatsConnection> {
  const options: NodeConnectionOptions = {
    servers: address.url.split(','),
    name,
    timeout: connectTimeoutMs,
    waitOnFirstConnect: false,
    maxReconnectAttempts: -1,
    reconnectTimeWait: reconnectEveryMs,
    reconnectJitter: reconnectEveryMs,
    pingInterval: 5_000,
    maxPingOut: 2,
  }
  if (address.user !== undefined && address.pass !== undefined) {
    options.user = address.user
    options.pass = address.pass
  }
  if (address.credentialsFile) options.authenticator = credsAuthenticator(await readFile(address.credentialsFile))
  try {
    return await connect(options)
  } catch (error) {
    throw new Error(`could not connect to NATS at ${address.url}`, { cause: error })
  }
}
