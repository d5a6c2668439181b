/**
 * One request of a fetch. The connection goes to the address that was checked and to no other: no name is looked up
 * again, no agent keeps it for somebody else, nothing is unpacked, and a redirect is an answer like any other.
 */
import http from 'node:http'
import net from 'node:net'
import tls from 'node:tls'
import type { Duplex } from 'node:stream'
import type { Clock } from '../../actors/ports.ts'

/** Where a connection goes; `serverName` is null without TLS. */
export type DialTarget = { readonly address: string; readonly port: number; readonly serverName: string | null }
export type Dial = (target: DialTarget) => Duplex

export type HopLimits = {
  readonly connectMs: number
  readonly headersMs: number
  /** Of one file. */
  readonly bytesMax: number
}

export type HopAnswer =
  | { readonly kind: 'redirect'; readonly location: string }
  | { readonly kind: 'status'; readonly status: number }
  | { readonly kind: 'refused'; readonly reason: 'too-large' | 'wrong-type' | 'timeout' | 'unreachable' }
  | { readonly kind: 'file'; readonly contentType: string | undefined; readonly bytes: Uint8Array<ArrayBuffer> }

export type HopRequest = {
  readonly url: URL
  readonly address: string
  readonly authorization: string | null
  /** Whether a file of this declared type is wanted. */
  readonly isWanted: (contentType: string | undefined) => boolean
  readonly signal: AbortSignal
}

/** Connects to an address as it stands. The certificate has to be the host's. */
export function dial({ address, port, serverName }: DialTarget): Duplex {
  if (serverName === null) return net.connect({ host: address, port })
  return tls.connect({ host: address, port, servername: serverName, ALPNProtocols: ['http/1.1'] })
}

export async function requestHop(
  request: HopRequest,
  { clock, dial: connect, limits }: { readonly clock: Clock; readonly dial: Dial; readonly limits: HopLimits },
): Promise<HopAnswer> {
  const { url, address, signal } = request
  const isSecure = url.protocol === 'https:'
  const port = url.port === '' ? (isSecure ? 443 : 80) : Number(url.port)
  const { promise, resolve } = Promise.withResolvers<HopAnswer>()
  const socket = connect({ address, port, serverName: isSecure ? url.hostname : null })
  const outgoing = http.request({
    method: 'GET',
    path: url.pathname + url.search,
    headers: {
      host: url.host,
      accept: '*/*',
      'accept-encoding': 'identity',
      connection: 'close',
      ...(request.authorization !== null && { authorization: request.authorization }),
    },
    createConnection: () => socket,
    signal,
  })
  const end = (answer: HopAnswer): void => {
    stopConnecting()
    stopWaiting()
    resolve(answer)
    outgoing.destroy()
    socket.destroy()
  }
  const stopConnecting = clock.schedule(limits.connectMs, () => end({ kind: 'refused', reason: 'timeout' }))
  const stopWaiting = clock.schedule(limits.headersMs, () => end({ kind: 'refused', reason: 'timeout' }))
  socket.once(isSecure ? 'secureConnect' : 'connect', stopConnecting)
  outgoing.on('error', () => end({ kind: 'refused', reason: 'unreachable' }))
  outgoing.on('response', (incoming) => {
    stopConnecting()
    stopWaiting()
    readAnswer(incoming, request, limits.bytesMax).then(end, () => end({ kind: 'refused', reason: 'unreachable' }))
  })
  outgoing.end()
  return promise
}

async function readAnswer(
  incoming: http.IncomingMessage,
  { isWanted }: HopRequest,
  bytesMax: number,
): Promise<HopAnswer> {
  const { statusCode = 0, headers } = incoming
  if (statusCode >= 300 && statusCode < 400 && headers.location !== undefined) {
    return { kind: 'redirect', location: headers.location }
  }
  if (statusCode !== 200) return { kind: 'status', status: statusCode }
  const contentType = headers['content-type']
  // We asked for none: a packed answer may be a thousand times as large as it looks.
  const encoding = headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity') return { kind: 'refused', reason: 'wrong-type' }
  if (!isWanted(contentType)) return { kind: 'refused', reason: 'wrong-type' }
  if (Number(headers['content-length'] ?? 0) > bytesMax) return { kind: 'refused', reason: 'too-large' }
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.byteLength
    if (size > bytesMax) return { kind: 'refused', reason: 'too-large' }
    chunks.push(chunk)
  }
  const bytes = new Uint8Array(size)
  let place = 0
  for (const chunk of chunks) {
    bytes.set(chunk, place)
    place += chunk.byteLength
  }
  return { kind: 'file', contentType, bytes }
}
