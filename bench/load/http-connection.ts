/**
 * One keep-alive HTTP/1.1 connection with one request under way, on a bare socket: the load generator
 * shares the machine with what it measures, and Node's own HTTP client costs several times as much.
 * Answers must carry a `content-length`; anything else ends the connection with an error.
 */
import { connect } from 'node:net'
import type { Socket } from 'node:net'

export type HttpConnection = {
  /** `answered` is told the status code, unless the connection breaks before. */
  send(request: Buffer, answered: (status: number) => void): void
  close(): void
}

const headEnd = Buffer.from('\r\n\r\n')

export async function openHttpConnection(url: URL, onBroken: (error: Error) => void): Promise<HttpConnection> {
  const socket = await open(url)
  let answered: ((status: number) => void) | null = null
  let received: Buffer | null = null
  let isClosed = false
  const fail = (error: Error): void => {
    if (isClosed) return
    isClosed = true
    socket.destroy()
    onBroken(error)
  }
  socket.on('data', (chunk) => {
    received = received === null ? chunk : Buffer.concat([received, chunk])
    const answer = readAnswer(received)
    if (answer === null) return
    if (answer.bytes !== received.length || answered === null) return fail(new Error('an answer that nobody asked for'))
    received = null
    const tell = answered
    answered = null
    tell(answer.status)
  })
  socket.on('error', fail)
  socket.on('close', () => fail(new Error('the connection was closed')))
  return {
    send(request, whenAnswered) {
      answered = whenAnswered
      socket.write(request)
    },
    close() {
      isClosed = true
      socket.destroy()
    },
  }
}

function open(url: URL): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true })
    socket.once('connect', () => {
      socket.off('error', reject)
      resolve(socket)
    })
    socket.once('error', reject)
  })
}

/** Null when it is not complete yet. */
export function readAnswer(received: Buffer): { readonly status: number; readonly bytes: number } | null {
  const end = received.indexOf(headEnd)
  if (end === -1) return null
  const head = received.toString('latin1', 0, end)
  const length = /\r\ncontent-length: *(\d+)/iu.exec(head)?.[1]
  if (!head.startsWith('HTTP/1.1 ') || length === undefined) {
    throw new Error(`an answer without a length: ${head.slice(0, 200)}`)
  }
  const bytes = end + headEnd.length + Number(length)
  return received.length < bytes ? null : { status: Number(head.slice(9, 12)), bytes }
}
