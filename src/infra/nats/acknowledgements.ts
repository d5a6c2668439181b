/**
 * Publications and the server's acknowledgements of them, many at a time.
 *
 * 1. An event that comes alone is published alone. What comes while a publication is in flight leaves in the next
 *    one together, as an atomic batch of JetStream: one write to the socket, one sync of the disk, one answer. Under
 *    `sync_interval: always` the sync of every single message is what a log's speed is limited by.
 * 2. Whether a batch was stored is not always known; its events are then published again, alone (`mayJoin` false).
 *    The server recognises repeated ids outside of batches only; the database recognises all.
 * 3. One subscription takes all acknowledgements, and one timer all silences: the client's own `publish` of JetStream
 *    is a request each, with several Errors made for their traces.
 *
 * The batch headers are those of NATS ADR-50.
 */
import { createInbox, headers, nuid } from '@nats-io/transport-node'
import type { Msg, MsgHdrs, NatsConnection } from '@nats-io/transport-node'

export type Acknowledgement =
  | { readonly kind: 'stored'; readonly sequence: number; readonly duplicate: boolean }
  /** The stream refused it; `code` is JetStream's. */
  | { readonly kind: 'refused'; readonly code: number; readonly description: string }
  /** Nobody answered: within the time, or at all. */
  | { readonly kind: 'silence'; readonly reason: string }

export type Publication = {
  readonly subject: string
  readonly payload: string
  /** The log stores one publication of an id, within its duplicate window. */
  readonly id: string
  readonly timeoutMs: number
  /** Whether it may leave in a batch with others. */
  readonly mayJoin: boolean
}

export interface Acknowledgements {
  publish(publication: Publication): Promise<Acknowledgement>
}

type Queued = { readonly publication: Publication; readonly resolve: (acknowledgement: Acknowledgement) => void }
type Waiting = { readonly resolve: (acknowledgement: Acknowledgement) => void; readonly giveUpAt: number }

const batchMax = 100
const sweepEveryMs = 50
const noResponders = 503

/** `inboxPrefix`: as the connection's own. */
export function openAcknowledgements(connection: NatsConnection, inboxPrefix: string | null): Acknowledgements {
  const send = openSending(connection, createInbox(inboxPrefix ?? undefined))
  let queue: Queued[] = []
  let isLeaving = false

  const leave = async (): Promise<void> => {
    while (queue.length > 0) {
      const leaving = queue.slice(0, batchMax)
      queue = queue.slice(batchMax)
      await (leaving.length === 1 ? sendAlone(send, leaving) : sendBatch(send, leaving))
    }
    isLeaving = false
  }
  return {
    publish: async (publication) =>
      new Promise((resolve) => {
        const queued = { publication, resolve }
        if (!publication.mayJoin) {
          void sendAlone(send, [queued])
          return
        }
        queue.push(queued)
        if (isLeaving) return
        isLeaving = true
        // What arrives in the same turn of the event loop goes along.
        setImmediate(() => void leave())
      }),
  }
}

type Send = (publication: Publication, meta: MsgHdrs, isAnswered: boolean) => Promise<Acknowledgement>

async function sendAlone(send: Send, queued: readonly Queued[]): Promise<void> {
  await Promise.all(
    queued.map(async ({ publication, resolve }) => resolve(await send(publication, toHeaders(publication), true))),
  )
}

async function sendBatch(send: Send, queued: readonly Queued[]): Promise<void> {
  const batchId = nuid.next()
  const answers = queued.map(async ({ publication }, index) => {
    const isLast = index === queued.length - 1
    const meta = toHeaders(publication)
    meta.set('Nats-Batch-Id', batchId)
    meta.set('Nats-Batch-Sequence', String(index + 1))
    if (isLast) meta.set('Nats-Batch-Commit', '1')
    return send(publication, meta, isLast)
  })
  const answer = await (answers.at(-1) ?? Promise.reject(new Error('a batch is empty')))
  for (const [index, { resolve }] of queued.entries()) {
    if (answer.kind === 'stored') resolve({ ...answer, sequence: answer.sequence - (queued.length - 1 - index) })
    else resolve({ kind: 'silence', reason: `its batch was not stored: ${JSON.stringify(answer)}` })
  }
}

function toHeaders({ id }: Publication): MsgHdrs {
  const meta = headers()
  meta.set('Nats-Msg-Id', id)
  return meta
}

/** Sends to the socket at once; the answer comes by the inbox. Without an answer to wait for it is `stored` 0. */
function openSending(connection: NatsConnection, inbox: string): Send {
  const waiting = new Map<string, Waiting>()
  let sent = 0
  const settle = (token: string, acknowledgement: Acknowledgement): void => {
    waiting.get(token)?.resolve(acknowledgement)
    waiting.delete(token)
  }
  connection.subscribe(`${inbox}.*`, {
    callback: (error, message) => {
      if (error === null) settle(message.subject.slice(inbox.length + 1), readAcknowledgement(message))
    },
  })
  const sweep = setInterval(() => {
    const now = performance.now()
    for (const [token, { giveUpAt }] of waiting) {
      if (giveUpAt <= now) settle(token, { kind: 'silence', reason: 'no acknowledgement in time' })
    }
  }, sweepEveryMs)
  void connection.closed().then(() => clearInterval(sweep))

  return async ({ subject, payload, timeoutMs }, meta, isAnswered) =>
    new Promise((resolve) => {
      sent += 1
      const token = sent.toString(36)
      if (isAnswered) waiting.set(token, { resolve, giveUpAt: performance.now() + timeoutMs })
      else resolve({ kind: 'stored', sequence: 0, duplicate: false })
      try {
        connection.publish(subject, payload, { headers: meta, ...(isAnswered && { reply: `${inbox}.${token}` }) })
      } catch (error) {
        // Too large for the server, or the connection is closed for good.
        settle(token, { kind: 'silence', reason: String(error) })
      }
    })
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
    const { err_code: code = 0, description = 'no reason given' } = answer.error
    return { kind: 'refused', code, description }
  }
  return { kind: 'stored', sequence: answer.seq ?? 0, duplicate: answer.duplicate ?? false }
}
