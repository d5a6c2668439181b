/**
 * What tests and the phone ask of the fake Twilio, beside Twilio's own API: let a user write, make
 * the next sends fail, look at the ledger. JSON only, so that no foreign web page can call it.
 */
import type { FastifyError, FastifyInstance } from 'fastify'
import { z } from 'zod'
import { faultKinds, type FaultQueue } from './faults.ts'
import type { UserMessage } from './inbound-form.ts'
import type { Ledger } from './ledger.ts'
import type { MediaStore } from './media-store.ts'

const inbound = z.strictObject({
  from: z.string(),
  to: z.string(),
  body: z.string(),
  profileName: z.string().exactOptional(),
  externalUserId: z.string().exactOptional(),
  media: z.array(z.strictObject({ url: z.string(), contentType: z.string() })).exactOptional(),
  messageSid: z.string().exactOptional(),
})

const fault = z.strictObject({
  kind: z.enum(faultKinds),
  count: z.int().min(1).default(1),
  delayMs: z.int().min(0).default(0),
  callbacks: z.boolean().default(true),
  to: z.string().exactOptional(),
  code: z.int().min(1).exactOptional(),
})

const file = z.strictObject({
  contentType: z.string(),
  base64: z.base64(),
  sid: z
    .string()
    .regex(/^ME[0-9A-Za-z]{1,32}$/u)
    .exactOptional(),
  delayMs: z.int().min(0).default(0),
})

const known = z.object({ after: z.coerce.number().int().min(0).default(0) })

const target = z.strictObject({ webhookBase: z.url() })

export type ControlOptions = {
  readonly ledger: Ledger
  readonly faults: FaultQueue
  readonly media: MediaStore
  receive(message: UserMessage): Promise<{ readonly sid: string; readonly statusCode: number }>
  setWebhookBase(url: string): void
}

export async function registerControlRoutes(app: FastifyInstance, options: ControlOptions): Promise<void> {
  const { ledger, faults } = options
  app.removeContentTypeParser('text/plain')
  app.setErrorHandler<FastifyError>((error, _request, reply) => {
    if (error instanceof z.ZodError) return reply.code(400).send({ error: z.prettifyError(error) })
    return reply.code(error.statusCode ?? 500).send({ error: error.message })
  })
  app.post('/fake/inbound', (request) => options.receive(inbound.parse(request.body)))
  app.post('/fake/faults', async (request, reply) => {
    const { count, ...wanted } = fault.parse(request.body)
    faults.add(wanted, count)
    return reply.code(204).send()
  })
  app.delete('/fake/faults', async (_request, reply) => {
    faults.clear()
    return reply.code(204).send()
  })
  app.post('/fake/media', async (request) => {
    const { base64, sid, ...stored } = file.parse(request.body)
    return { sid: options.media.add({ ...stored, bytes: Buffer.from(base64, 'base64') }, sid) }
  })
  app.post('/fake/webhook', async (request, reply) => {
    options.setWebhookBase(target.parse(request.body).webhookBase)
    return reply.code(204).send()
  })
  /** `after`: without so many of the oldest. */
  app.get('/fake/messages', async (request) => ({ items: ledger.all().slice(known.parse(request.query).after) }))
}
