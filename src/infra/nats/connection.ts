/** The connection to NATS: it is made again for as long as the process lives. */
import { readFile } from 'node:fs/promises'

import { connect, credsAuthenticator } from '@nats-io/transport-node'
import type { NatsConnection, NodeConnectionOptions } from '@nats-io/transport-node'

export type NatsAddress = {
  /** One or several of `nats://host:port`, separated by commas; the first may carry `user:password@` for all. */
  readonly url: string
  readonly credentialsFile?: string | null
  readonly user?: string
  readonly pass?: string
  /** Where this identity gets its answers, if others may not read them; null: where everybody does. */
  readonly inboxPrefix?: string | null
}

const reconnectEveryMs = 250
const connectTimeoutMs = 5_000

/** Throws when the first connection cannot be made. */
export async function openNats(address: NatsAddress, name: string): Promise<NatsConnection> {
  const servers = withoutPassword(address.url)
  const options: NodeConnectionOptions = {
    servers: servers.split(','),
    name,
    timeout: connectTimeoutMs,
    waitOnFirstConnect: false,
    maxReconnectAttempts: -1,
    reconnectTimeWait: reconnectEveryMs,
    reconnectJitter: reconnectEveryMs,
    pingInterval: 5_000,
    // Traces across promises make several Errors for every publication: half of its cost.
    noAsyncTraces: true,
    maxPingOut: 2,
  }
  const { user, pass } = address.user === undefined ? readPassword(address.url) : address
  if (user !== undefined && pass !== undefined) Object.assign(options, { user, pass })
  if (address.inboxPrefix) options.inboxPrefix = address.inboxPrefix
  if (address.credentialsFile) options.authenticator = credsAuthenticator(await readFile(address.credentialsFile))
  try {
    return await connect(options)
  } catch (error) {
    throw new Error(`could not connect to NATS at ${servers}`, { cause: error })
  }
}

/** The URL as it may be printed. */
export function withoutPassword(url: string): string {
  return url.replaceAll(/[^/,@]*@/gu, '')
}

/** The client itself takes no user and password from a URL. */
function readPassword(url: string): { user?: string; pass?: string } {
  const { user, pass } = /^(?:\w+:\/\/)?(?<user>[^:@,/]+):(?<pass>[^@,/]+)@/u.exec(url)?.groups ?? {}
  return user === undefined || pass === undefined
    ? {}
    : { user: decodeURIComponent(user), pass: decodeURIComponent(pass) }
}
