/**
 * The provider's two webhooks. The order of the checks is the promise: a bounded parse, then the
 * signature before anything is looked up, then what the form says, then the channel; 200 only when
 * the event is durable, in the log or in the spool. Whoever gets anything else may send it again.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Clock, LoggedEvent, Reached, Telemetry } from '../../actors/ports.ts'
import { createChannelCache, type FindChannel } from './channel-cache.ts'
import { fieldsMax, parseForm, type Form } from './form-body.ts'
import { HttpProblem } from './problem.ts'
import { deliveryOperation, messageOperation } from './webhook-operations.ts'

const bodyBytesMax = 64 * 1024
/** An answer that sends nothing to the user. Never plain text: Twilio would forward it. */
const emptyTwiml = '<?xml version="1.0" encoding="UTF-8"?><Response/>'

export type ParsedWebhook =
  | { readonly kind: 'event'; readonly accountSid: string; readonly event: LoggedEvent }
  | { readonly kind: 'ignored'; readonly accountSid: string; readonly reason: string }
  | { readonly kind: 'malformed'; readonly reason: string }

/** What a provider knows of its own webhooks (`infra/twilio`). */
export type ProviderWebhook = {
  isSigned(request: {
    readonly signature: string | readonly string[] | undefined
    readonly path: string
    readonly form: Form
  }): boolean
  isOwnAccount(accountSid: string): boolean
  toMessage(form: Form, receivedAt: number): ParsedWebhook
  toDelivery(form: Form, path: string, receivedAt: number): ParsedWebhook
}

export type WebhookRouteOptions = {
  readonly webhook: ProviderWebhook
  /** Resolves when the event is durable. */
  readonly publisher: { publish(event: LoggedEvent): Promise<unknown> }
  /** Whether a channel has this business address. */
  readonly findChannel: FindChannel
  readonly clock: Clock
  readonly telemetry: Telemetry
  readonly reached: Reached
}

export async function registerWebhookRoutes(app: FastifyInstance, options: WebhookRouteOptions): Promise<void> {
  const { webhook, clock, telemetry } = options
  const isChannel = createChannelCache(options.findChannel, clock)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'buffer', bodyLimit: bodyBytesMax },
    async (_request: FastifyRequest, body: Buffer) => toForm(body),
  )
  app.addHook('onResponse', async (request, reply) => {
    telemetry.count('webhook_requests', { route: request.routeOptions.url ?? '', status: String(reply.statusCode) })
    telemetry.observe('webhook_seconds', reply.elapsedTime / 1_000)
  })
  app.post('/webhooks/twilio/messages', { config: { operation: messageOperation } }, (request, reply) => {
    const form = toSignedForm(request, webhook)
    return acknowledge(webhook.toMessage(form, clock.now()), reply, isChannel, options)
  })
  app.post('/webhooks/twilio/status', { config: { operation: deliveryOperation } }, (request, reply) => {
    const form = toSignedForm(request, webhook)
    return acknowledge(webhook.toDelivery(form, request.url, clock.now()), reply, isChannel, options)
  })
}

function toForm(body: Buffer): Form {
  const result = parseForm(body)
  if (result.kind === 'too-many-fields') throw new HttpProblem(413, `the form has more than ${fieldsMax} fields`)
  if (result.kind === 'unparsable') throw new HttpProblem(400, 'the form is not percent-encoded UTF-8')
  return result.form
}

function toSignedForm(request: FastifyRequest, webhook: ProviderWebhook): Form {
  const form = request.body as Form | undefined
  if (form === undefined) throw new HttpProblem(415, 'the request carries no form')
  const signature = request.headers['x-twilio-signature']
  if (!webhook.isSigned({ signature, path: request.url, form }))
    throw new HttpProblem(403, 'the signature is not valid')
  return form
}

async function acknowledge(
  parsed: ParsedWebhook,
  reply: FastifyReply,
  isChannel: FindChannel,
  { webhook, publisher, reached, telemetry }: WebhookRouteOptions,
): Promise<FastifyReply> {
  if (parsed.kind === 'malformed') throw new HttpProblem(400, parsed.reason)
  if (!webhook.isOwnAccount(parsed.accountSid)) throw new HttpProblem(403, 'the account is not ours')
  if (parsed.kind === 'ignored') {
    telemetry.count('webhook_ignored', { reason: parsed.reason })
    return answer(reply)
  }
  if (!(await lookUp(isChannel, parsed.event.businessAddress)))
    throw new HttpProblem(404, 'no channel has this address')
  await reached('before-publish')
  await publish(publisher, parsed.event)
  await reached('after-publish-acknowledged')
  return answer(reply)
}

async function lookUp(isChannel: FindChannel, businessAddress: string): Promise<boolean> {
  try {
    return await isChannel(businessAddress)
  } catch (error) {
    throw new HttpProblem(503, 'the channel could not be looked up; try again', { cause: error })
  }
}

async function publish(publisher: WebhookRouteOptions['publisher'], event: LoggedEvent): Promise<void> {
  try {
    await publisher.publish(event)
  } catch (error) {
    throw new HttpProblem(503, 'neither the log nor the spool took the event; try again', { cause: error })
  }
}

function answer(reply: FastifyReply): FastifyReply {
  return reply.code(200).header('content-type', 'text/xml').send(emptyTwiml)
}
