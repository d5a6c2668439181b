/**
 * The wire below the `twilio` client: one request, with the one fact that a sender needs and no
 * general HTTP client tells: whether a single byte was written to the world before it failed.
 *
 * Nothing is written before the connection stands, and nothing at or after the deadline; both are
 * decided at the socket, in the tick that writes. Redirects are not followed.
 */
import http from 'node:http'
import https from 'node:https'
import type { Socket } from 'node:net'
import type { Clock } from '../../actors/ports.ts'

/** The request failed before its first byte: the world certainly knows nothing of it. */
export class NothingWritten extends Error {
  /** Not for anything that the world did: the deadline had passed. */
  isTooLate = false
}

const answerBytesMax = 4 * 1024 * 1024
const idleSocketsMax = 16
const socketsMax = 64

export type RestRequest = {
  readonly method: string
  readonly url: URL
  readonly headers: { readonly [name: string]: string }
  readonly body: string | null
  /** Nothing is written at or after this reading of the monotonic clock; Infinity for reading requests. */
  readonly deadlineMonotonicMs: number
}

export type RestAnswer = {
  readonly statusCode: number
  readonly headers: http.IncomingHttpHeaders
  readonly body: string
}

export type RestConnection = {
  /** Rejects with `NothingWritten`, or with anything else when the world may have seen the request. */
  send(request: RestRequest): Promise<RestAnswer>
  /** Ends idle connections; running requests end by themselves. */
  close(): void
}

export function createRestConnection(options: { readonly clock: Clock; readonly timeoutMs: number }): RestConnection {
  const agentOptions = { keepAlive: true, maxSockets: socketsMax, maxFreeSockets: idleSocketsMax }
  const plain = new http.Agent(agentOptions)
  const secure = new https.Agent(agentOptions)
  return {
    send(request) {
      const isSecure = request.url.protocol === 'https:'
      const { method, url, headers } = request
      const outgoing = isSecure
        ? https.request(url, { method, headers, agent: secure })
        : http.request(url, { method, headers, agent: plain })
      return exchange(outgoing, request, isSecure ? 'secureConnect' : 'connect', options)
    },
    close() {
      plain.destroy()
      secure.destroy()
    },
  }
}

function exchange(
  outgoing: http.ClientRequest,
  request: RestRequest,
  connected: 'connect' | 'secureConnect',
  { clock, timeoutMs }: { readonly clock: Clock; readonly timeoutMs: number },
): Promise<RestAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<RestAnswer>()
  let isWritten = false
  let isTooLate = false
  const cancelTimeout = clock.schedule(timeoutMs, () => outgoing.destroy(new Error(`no answer within ${timeoutMs} ms`)))
  const fail = (error: Error): void => {
    cancelTimeout()
    if (isWritten) reject(error)
    else reject(Object.assign(new NothingWritten(error.message, { cause: error }), { isTooLate }))
  }
  const write = (): void => {
    if (clock.monotonic() >= request.deadlineMonotonicMs) {
      isTooLate = true
      outgoing.destroy(new Error('the deadline passed before the connection stood'))
      return
    }
    isWritten = true
    outgoing.end(request.body ?? undefined)
  }
  outgoing.on('error', fail)
  outgoing.on('socket', (socket) => whenConnected(socket, connected, write))
  outgoing.on('response', (incoming) => {
    readAnswer(incoming).then((answer) => {
      cancelTimeout()
      resolve(answer)
    }, fail)
  })
  return promise
}

/** Sockets that stand. A request that waited for a free one gets it without any word from Node about that. */
const standing = new WeakSet<Socket>()

function whenConnected(socket: Socket, connected: 'connect' | 'secureConnect', write: () => void): void {
  if (standing.has(socket)) {
    write()
    return
  }
  socket.once(connected, () => {
    standing.add(socket)
    write()
  })
}

async function readAnswer(incoming: http.IncomingMessage): Promise<RestAnswer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > answerBytesMax) throw new Error(`the answer is longer than ${answerBytesMax} bytes`)
    chunks.push(chunk)
  }
  return {
    statusCode: incoming.statusCode ?? 0,
    headers: incoming.headers,
    body: Buffer.concat(chunks).toString('utf8'),
  }
}
