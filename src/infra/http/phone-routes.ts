/**
 * What the phone page asks for: write as a user, see the user's messages and how they change, let a
 * day pass. The phone stands outside Duologue: it reaches a conversation by the webhook only, and
 * time is moved by an event of the log. These routes exist only where the built-in phone does.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Clock } from '../../actors/ports.ts'
import type { Operation } from './openapi.ts'
import { HttpProblem } from './problem.ts'

export type PhoneMessage = {
  readonly id: string
  readonly direction: 'sent' | 'received'
  readonly body: string
  /** How far it came: `sending`, `sent`, `delivered`, `read`, or `failed`. */
  readonly status: 'sending' | 'sent' | 'delivered' | 'read' | 'failed'
  readonly at: number
}

/** The built-in phone (`infra/phone`); users and businesses are addresses like `whatsapp:+15005550006`. */
export type PhoneService = {
  readonly businessAddresses: readonly string[]
  /** Resolves with the webhook's HTTP status; 0 when it did not answer. */
  send(message: { readonly user: string; readonly business: string; readonly body: string }): Promise<number>
  /** The user's messages with a business, oldest first. */
  messages(user: string, business: string): readonly PhoneMessage[]
  /** Called with every new or changed message of the two; the returned function ends it. */
  subscribe(user: string, business: string, listener: (message: PhoneMessage) => void): () => void
  /** Lets time pass for the user's session. */
  advance(user: string, business: string, byMs: number): Promise<void>
}

const streamsMax = 64
const heartbeatMs = 15_000
const dayMs = 86_400_000
const bodyBytesMax = 32 * 1024

const userAddress = z.string().regex(/^(?:whatsapp:)?\+[1-9]\d{5,14}$/)
const businessAddress = z.string().max(64)
const outgoing = z.strictObject({ user: userAddress, business: businessAddress, body: z.string().min(1).max(1_600) })
const advance = z.strictObject({
  user: userAddress,
  business: businessAddress,
  byMs: z
    .int()
    .min(1)
    .max(30 * dayMs),
})
const watched = z.object({ user: userAddress, business: businessAddress })

export async function registerPhoneRoutes(app: FastifyInstance, phone: PhoneService, clock: Clock): Promise<void> {
  const open = new Set<FastifyReply>()
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'string', bodyLimit: bodyBytesMax },
    app.getDefaultJsonParser('error', 'error'),
  )
  app.addHook('preClose', async () => {
    for (const reply of open) reply.raw.end()
  })
  app.get('/phone/api/settings', { config: { operation: settings } }, async () => ({
    businessAddresses: phone.businessAddresses,
  }))
  app.post('/phone/api/messages', { config: { operation: write } }, async (request, reply) => {
    const message = parse(outgoing, request.body)
    assertBusiness(phone, message.business)
    return reply.code(202).send({ webhookStatus: await phone.send(message) })
  })
  app.post('/phone/api/advance', { config: { operation: pass } }, async (request, reply) => {
    const { user, business, byMs } = parse(advance, request.body)
    assertBusiness(phone, business)
    await phone.advance(user, business, byMs)
    return reply.code(202).send({ byMs })
  })
  app.get('/phone/api/stream', { config: { operation: stream } }, (request, reply) => {
    if (open.size >= streamsMax) throw new HttpProblem(503, 'too many pages are open')
    const { user, business } = parse(watched, request.query)
    assertBusiness(phone, business)
    open.add(reply)
    reply.raw.on('close', () => open.delete(reply))
    openStream(request, reply, { user, business, phone, clock })
    return reply
  })
}

type Watch = { readonly user: string; readonly business: string; readonly phone: PhoneService; readonly clock: Clock }

/** First everything, then what changes: a page that was away for a while misses nothing. */
function openStream(request: FastifyRequest, reply: FastifyReply, { user, business, phone, clock }: Watch): void {
  reply.hijack()
  const headers = reply.getHeaders() as { [name: string]: string }
  reply.raw.writeHead(200, { ...headers, 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  const write = (event: string, data: unknown): void => {
    reply.raw.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
  }
  write('messages', phone.messages(user, business))
  const unsubscribe = phone.subscribe(user, business, (message) => write('message', message))
  let cancelHeartbeat = (): void => undefined
  const beat = (): void => {
    write('heartbeat', null)
    cancelHeartbeat = clock.schedule(heartbeatMs, beat)
  }
  cancelHeartbeat = clock.schedule(heartbeatMs, beat)
  request.raw.socket.on('close', () => {
    unsubscribe()
    cancelHeartbeat()
  })
}

function parse<Output>(schema: z.ZodType<Output>, input: unknown): Output {
  const result = schema.safeParse(input)
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw new HttpProblem(400, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'malformed'}`)
}

function assertBusiness(phone: PhoneService, business: string): void {
  if (!phone.businessAddresses.includes(business)) throw new HttpProblem(404, 'no channel has this address')
}

const json = 'application/json'
const text = { type: 'string' }
const pair = [
  { in: 'query', name: 'user', schema: text },
  { in: 'query', name: 'business', schema: text },
] as const

const settings: Operation = {
  summary: 'The business addresses that the phone can write to',
  access: 'page',
  answer: { status: 200, contentType: json, schema: { type: 'object' } },
  problems: [401, 403],
}

const write: Operation = {
  summary: 'Write a message as a user',
  access: 'page',
  requestBody: { contentType: json, schema: { type: 'object', required: ['user', 'business', 'body'] } },
  answer: { status: 202, contentType: json, schema: { type: 'object' } },
  problems: [400, 401, 403, 404, 413, 415],
}

const pass: Operation = {
  summary: "Let time pass for a user's session",
  access: 'page',
  requestBody: { contentType: json, schema: { type: 'object', required: ['user', 'business', 'byMs'] } },
  answer: { status: 202, contentType: json, schema: { type: 'object' } },
  problems: [400, 401, 403, 404, 413, 415],
}

const stream: Operation = {
  summary: "A user's messages, and every change of them, as server-sent events",
  access: 'page',
  parameters: pair,
  answer: { status: 200, contentType: 'text/event-stream' },
  problems: [400, 401, 403, 404, 503],
}
