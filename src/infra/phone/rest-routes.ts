/**
 * The part of Twilio's REST API that Duologue uses, with real behaviour: a send is in the ledger
 * before it is answered, and a list shows what the ledger has, newest sending date first.
 */
import formbody from '@fastify/formbody'
import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Clock } from '../../actors/ports.ts'
import type { Deliveries } from './deliveries.ts'
import type { Fault, FaultQueue } from './faults.ts'
import type { Ledger, LedgerMessage } from './ledger.ts'
import { apiVersion, toErrorResource, toMediaList, toMessageResource } from './message-resource.ts'
import type { MediaStore } from './media-store.ts'
import { listMessages } from './message-list.ts'

const bodyCharactersMax = 1_600
const mediaMax = 10
const addressPattern =
  /^(?:\+[1-9]\d{5,14}|\d{3,8}|whatsapp:(?:\+[1-9]\d{5,14}|[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}))$/

export type RestOptions = {
  readonly accountSid: string
  readonly authToken: string
  readonly clock: Clock
  readonly ledger: Ledger
  readonly deliveries: Deliveries
  readonly faults: FaultQueue
  readonly media: MediaStore
}

type SendForm = { readonly [field: string]: string | readonly string[] | undefined }
type Refusal = { readonly code: number; readonly message: string }

export async function registerRestRoutes(app: FastifyInstance, options: RestOptions): Promise<void> {
  const { accountSid, ledger } = options
  const messagesPath = `/${apiVersion}/Accounts/:account/Messages`
  await app.register(formbody)
  app.addHook('onRequest', async (request, reply) => {
    if (!isAuthenticated(request, options)) return reply.code(401).send(toErrorResource(401, 20003, 'Authenticate'))
    const { account } = request.params as { account?: string }
    if (account !== undefined && account !== accountSid) return reply.code(404).send(toNotFound(request.url))
  })
  app.get(`/${apiVersion}/Accounts/:file`, async (request, reply) => {
    const { file } = request.params as { file: string }
    const account = { sid: accountSid, friendly_name: 'Fake Twilio', status: 'active', type: 'Full' }
    return file === `${accountSid}.json` ? account : reply.code(404).send(toNotFound(request.url))
  })
  app.post(`${messagesPath}.json`, (request, reply) => send(request.body as SendForm, reply, options))
  app.get(`${messagesPath}.json`, (request) =>
    listMessages(ledger.all(), new URL(request.url, 'http://fake'), accountSid),
  )
  app.get(`${messagesPath}/:sid/Media.json`, async (request, reply) => {
    const { sid } = request.params as { sid: string }
    const message = ledger.find(sid)
    return message === null ? reply.code(404).send(toNotFound(request.url)) : toMediaList(message, accountSid)
  })
  app.get(`${messagesPath}/:sid/Media/:media`, async (request, reply) => {
    const { media } = request.params as { media: string }
    const found = options.media.find(media)
    if (found === null) return reply.code(404).send(toNotFound(request.url))
    if (found.delayMs > 0) await new Promise<void>((resolve) => options.clock.schedule(found.delayMs, resolve))
    return reply.header('content-type', found.contentType).send(found.bytes)
  })
  app.get(`${messagesPath}/:file`, async (request, reply) => {
    const { file } = request.params as { file: string }
    const message = ledger.find(file.replace(/\.json$/, ''))
    return message === null ? reply.code(404).send(toNotFound(request.url)) : toMessageResource(message, accountSid)
  })
}

async function send(form: SendForm, reply: FastifyReply, options: RestOptions): Promise<unknown> {
  const refusal = toRefusal(form)
  if (refusal !== null) return reply.code(400).send(toErrorResource(400, refusal.code, refusal.message))
  const fault = options.faults.take(String(form['To']))
  const refused = toRefusedByFault(fault)
  const message = refused === null && fault.kind !== 'drop' ? accept(form, fault, options) : null
  if (fault.delayMs > 0) await new Promise<void>((resolve) => options.clock.schedule(fault.delayMs, resolve))
  if (fault.kind === 'drop' || fault.kind === 'accept-then-drop') return cut(reply)
  if (refused !== null)
    return reply.code(refused.status).send(toErrorResource(refused.status, refused.code, refused.message))
  if (message === null || fault.kind === 'accept-then-error') {
    return reply.code(500).send(toErrorResource(500, 20500, 'An internal server error has occurred'))
  }
  return reply.code(201).send(toMessageResource(message, options.accountSid))
}

function accept(form: SendForm, fault: Fault, { ledger, deliveries, clock }: RestOptions): LedgerMessage {
  const now = clock.now()
  const mediaUrls = toList(form['MediaUrl'])
  const message: LedgerMessage = {
    sid: createSid(mediaUrls.length > 0 ? 'MM' : 'SM'),
    direction: 'outbound-api',
    from: toText(form['From']),
    to: toText(form['To']),
    body: toText(form['Body']),
    ...toTemplate(form),
    mediaUrls,
    status: 'queued',
    errorCode: null,
    statusCallback: toText(form['StatusCallback']) || null,
    createdAt: now,
    sentAt: null,
    updatedAt: now,
  }
  ledger.add(message)
  deliveries.follow(message.sid, {
    undeliveredCode: toUndeliveredCode(fault),
    callbacks: fault.callbacks,
  })
  return message
}

/** What Twilio checks before it takes a message, with its codes. */
function toRefusal(form: SendForm): Refusal | null {
  const to = toText(form['To'])
  const from = toText(form['From'])
  const body = toText(form['Body'])
  if (to === '') return { code: 21604, message: "A 'To' phone number is required." }
  if (from === '' && toText(form['MessagingServiceSid']) === '') {
    return { code: 21603, message: "A 'From' phone number is required." }
  }
  if (!addressPattern.test(to)) return { code: 21211, message: `Invalid 'To' Phone Number: ${to.slice(0, 4)}XXXX` }
  if (!addressPattern.test(from)) return { code: 21212, message: "The 'From' number is not a valid phone number." }
  if (to === from) return { code: 21266, message: "'To' and 'From' number cannot be the same" }
  if (to.startsWith('whatsapp:') !== from.startsWith('whatsapp:')) {
    return { code: 63007, message: 'Twilio could not find a Channel with the specified From address' }
  }
  const hasContent = body !== '' || toText(form['ContentSid']) !== '' || toList(form['MediaUrl']).length > 0
  if (toList(form['MediaUrl']).length > mediaMax) {
    return { code: 21623, message: 'Number of media files exceeds allowed limit.' }
  }
  if (!hasContent) return { code: 21619, message: 'Message body, media urls or content sid is required.' }
  if (Array.from(body).length <= bodyCharactersMax) return null
  return { code: 21617, message: 'The concatenated message body exceeds the 1600 character limit.' }
}

function toTemplate(form: SendForm): Pick<LedgerMessage, 'contentSid' | 'contentVariables'> {
  const contentSid = toText(form['ContentSid'])
  const contentVariables = toText(form['ContentVariables'])
  return { ...(contentSid !== '' && { contentSid }), ...(contentVariables !== '' && { contentVariables }) }
}

function toUndeliveredCode({ kind, code }: Fault): number | null {
  if (kind === 'window-closed') return 63016
  return kind === 'undelivered' ? (code ?? 30008) : null
}

function toRefusedByFault(fault: Fault): (Refusal & { readonly status: number }) | null {
  if (fault.kind === 'rate-limit') return { status: 429, code: 20429, message: 'Too Many Requests' }
  if (fault.kind === 'server-error') {
    return { status: 500, code: 20500, message: 'An internal server error has occurred' }
  }
  if (fault.kind === 'refused') return { status: 400, code: fault.code ?? 21211, message: 'The message was refused' }
  if (fault.kind !== 'window-refused') return null
  return { status: 400, code: 63016, message: 'Failed to send freeform message: outside the allowed window' }
}

function cut(reply: FastifyReply): FastifyReply {
  reply.hijack()
  reply.raw.socket?.resetAndDestroy()
  return reply
}

function isAuthenticated(request: FastifyRequest, options: RestOptions): boolean {
  const expected = Buffer.from(`Basic ${Buffer.from(`${options.accountSid}:${options.authToken}`).toString('base64')}`)
  const given = Buffer.from(request.headers.authorization ?? '')
  return given.length === expected.length && timingSafeEqual(given, expected)
}

function toNotFound(path: string) {
  return toErrorResource(404, 20404, `The requested resource ${path.split('?', 1)[0]} was not found`)
}

export function createSid(prefix: 'SM' | 'MM'): string {
  return prefix + randomBytes(16).toString('hex')
}

function toText(value: string | readonly string[] | undefined): string {
  return typeof value === 'string' ? value : (value?.[0] ?? '')
}

function toList(value: string | readonly string[] | undefined): readonly string[] {
  return value === undefined ? [] : typeof value === 'string' ? [value] : value
}
