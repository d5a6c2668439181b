/**
 * Publications and the server's acknowledgements of them, many at a time.
 *
 * The client's own `publish` of JetStream is a request: several Errors with their traces are made for each, and each
 * is one write to the socket. Here one subscription takes all acknowledgements, and what is published within one turn of the
 * event loop leaves in one write: measured at 27 to 30 µs a publication instead of 76 to 87.
 */
import { createInbox, headers } from '@nats-io/transport-node'
import type { Msg, NatsConnection } from '@nats-io/transport-node'

export type Acknowledgement =
  | { readonly kind: 'stored'; readonly sequence: number; readonly duplicate: boolean }
  /** The stream refused it; `code` is JetStream's. */
  | { readonly kind: 'refused'; readonly code: number; readonly description: string }
  /** Nobody answered: within the time, or at all. */
  | { readonly kind: 'silence'; readonly reason: string }

export interface Acknowledgements {
  /** Publishes under a publication id, and resolves with what the stream says within `timeoutMs`. */
  publish(subject: string, payload: string, publicationId: string, timeoutMs: number): Promise<Acknowledgement>
}

type Waiting = { readonly resolve: (acknowledgement: Acknowledgement) => void; readonly giveUpAt: number }

const sweepEveryMs = 50
const noResponders = 503

export function openAcknowledgements(connection: NatsConnection): Acknowledgements {
  const inbox = createInbox()
  const waiting = new Map<string, Waiting>()
  let queue: (() => void)[] = []
  let published = 0
  const settle = (token: string, acknowledgement: Acknowledgement): void => {
    waiting.get(token)?.resolve(acknowledgement)
    waiting.delete(token)
  }
  connection.subscribe(`${inbox}.*`, {
    callback: (error, message) => {
      if (error === null) settle(message.subject.slice(inbox.length + 1), readAcknowledgement(message))
    },
  })
  // One timer for all: a timer for each publication costs more than the publication.
  const sweep = setInterval(() => {
    const now = performance.now()
    for (const [token, { giveUpAt }] of waiting) {
      if (giveUpAt <= now) settle(token, { kind: 'silence', reason: 'no acknowledgement in time' })
    }
  }, sweepEveryMs)
  void connection.closed().then(() => clearInterval(sweep))

  const flush = (): void => {
    const leaving = queue
    queue = []
    for (const send of leaving) send()
  }
  return {
    publish: async (subject, payload, publicationId, timeoutMs) =>
      new Promise((resolve) => {
        published += 1
        const token = published.toString(36)
        waiting.set(token, { resolve, giveUpAt: performance.now() + timeoutMs })
        const meta = headers()
        meta.set('Nats-Msg-Id', publicationId)
        if (queue.length === 0) setImmediate(flush)
        queue.push(() => {
          try {
            connection.publish(subject, payload, { headers: meta, reply: `${inbox}.${token}` })
          } catch (error) {
            // Too large for the server, or the connection is closed for good.
            settle(token, { kind: 'silence', reason: String(error) })
          }
        })
      }),
  }
}

type StreamAnswer = {
  readonly seq?: number
  readonly duplicate?: boolean
  readonly error?: { readonly err_code?: number; readonly description?: string }
}

function readAcknowledgement(message: Msg): Acknowledgement {
  if (message.headers?.code === noResponders) return { kind: 'silence', reason: 'no stream takes this subject' }
  const answer = message.json<StreamAnswer>()
  if (answer.error !== undefined) {
    return {
      kind: 'refused',
      code: answer.error.err_code ?? 0,
      description: answer.error.description ?? 'no reason given',
    }
  }
  return { kind: 'stored', sequence: answer.seq ?? 0, duplicate: answer.duplicate ?? false }
}
