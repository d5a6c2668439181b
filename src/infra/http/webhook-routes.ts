/**
 * The provider's two webhooks. The order of the checks is the promise: a bounded parse, then a signature
 * of somebody whom we know before anything is looked up, then what the form says, then the channel, whose
 * own account must be the one that signed; 200 only when the event is durable, in the log or in the spool.
 * Whoever gets anything else may send it again.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Clock, LoggedEvent, Reached, Telemetry } from '../../actors/ports.ts'
import { createChannelCache, type ChannelAccount, type FindChannel } from './channel-cache.ts'
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

type SignedRequest = {
  readonly signature: string | readonly string[] | undefined
  readonly path: string
  readonly form: Form
}

/** What a provider knows of its own webhooks (`infra/twilio`). */
export type ProviderWebhook = {
  /** By anybody whom we know. */
  isSigned(request: SignedRequest): boolean
  isSignedBy(request: SignedRequest, authTokens: readonly string[]): boolean
  isOwnAccount(accountSid: string): boolean
  toMessage(form: Form, receivedAt: number): ParsedWebhook
  toDelivery(form: Form, path: string, receivedAt: number): ParsedWebhook
}

export type WebhookRouteOptions = {
  readonly webhook: ProviderWebhook
  /** Resolves when the event is durable. */
  readonly publisher: { publish(event: LoggedEvent): Promise<unknown> }
  /** The account of the channel that has this business address; null when none has it. */
  readonly findChannel: FindChannel
  readonly clock: Clock
  readonly telemetry: Telemetry
  readonly reached: Reached
}

export async function registerWebhookRoutes(app: FastifyInstance, options: WebhookRouteOptions): Promise<void> {
  const { webhook, clock, telemetry } = options
  const findAccount = createChannelCache(options.findChannel, clock)
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
    const signed = toSignedRequest(request, webhook)
    return acknowledge(webhook.toMessage(signed.form, clock.now()), signed, reply, findAccount, options)
  })
  app.post('/webhooks/twilio/status', { config: { operation: deliveryOperation } }, (request, reply) => {
    const signed = toSignedRequest(request, webhook)
    return acknowledge(webhook.toDelivery(signed.form, request.url, clock.now()), signed, reply, findAccount, options)
  })
}

function toForm(body: Buffer): Form {
  const result = parseForm(body)
  if (result.kind === 'too-many-fields') throw new HttpProblem(413, `the form has more than ${fieldsMax} fields`)
  if (result.kind === 'unparsable') throw new HttpProblem(400, 'the form is not percent-encoded UTF-8')
  return result.form
}

function toSignedRequest(request: FastifyRequest, webhook: ProviderWebhook): SignedRequest {
  const form = request.body as Form | undefined
  if (form === undefined) throw new HttpProblem(415, 'the request carries no form')
  const signature = request.headers['x-twilio-signature']
  const signed = { signature, path: request.url, form }
  if (!webhook.isSigned(signed)) throw new HttpProblem(403, 'the signature is not valid')
  return signed
}

async function acknowledge(
  parsed: ParsedWebhook,
  signed: SignedRequest,
  reply: FastifyReply,
  findAccount: FindChannel,
  { webhook, publisher, reached, telemetry }: WebhookRouteOptions,
): Promise<FastifyReply> {
  if (parsed.kind === 'malformed') throw new HttpProblem(400, parsed.reason)
  if (parsed.kind === 'ignored') {
    telemetry.count('webhook_ignored', { reason: parsed.reason })
    return answer(reply)
  }
  const account = await lookUp(findAccount, parsed.event.businessAddress)
  const isOurs = account === null ? webhook.isOwnAccount(parsed.accountSid) : account.accountSid === parsed.accountSid
  if (!isOurs) throw new HttpProblem(403, 'the account is not ours')
  if (account === null) throw new HttpProblem(404, 'no channel has this address')
  // Another tenant's token is a valid one, but not for this number.
  if (!webhook.isSignedBy(signed, account.authTokens)) throw new HttpProblem(403, 'the signature is not valid')
  await reached('before-publish')
  await publish(publisher, parsed.event)
  await reached('after-publish-acknowledged')
  return answer(reply)
}

async function lookUp(findAccount: FindChannel, businessAddress: string): Promise<ChannelAccount | null> {
  try {
    return await findAccount(businessAddress)
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
