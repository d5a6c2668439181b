/**
 * What waits in quarantine, and a person's word on it (DESIGN section 8). The word reaches the session as an event of
 * its log, like everything else; only a foreign event, which has no session, is put aside in the store.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { releasedEventSchema } from '../../actors/logged-event.ts'
import type { Ids, LoggedQuarantineRelease } from '../../actors/ports.ts'
import type { QuarantinedItem, ReadModel } from '../../actors/read-model.ts'
import type { Json } from '../../machines/json.ts'
import { toTenant } from './access.ts'
import { read, readPageOf } from './conversation-routes.ts'
import { HttpProblem } from './problem.ts'
import { publishCommand } from './publish-command.ts'
import type { CommandPublication } from './publish-command.ts'
import { quarantineOperations as operations } from './quarantine-operations.ts'

export type QuarantineRouteOptions = CommandPublication & {
  readonly readModel: Pick<ReadModel, 'getCommand' | 'listQuarantine' | 'getQuarantined'>
  readonly ids: Ids
  /** Puts an event aside that no session could be named for; false when it is none such. */
  readonly dismissForeign: (quarantineId: string) => Promise<boolean>
}

type Release = Pick<LoggedQuarantineRelease, 'action' | 'event'>

/** An event of the longest text, with the provider's whole form. */
const bodyBytesMax = 1_024 * 1_024
const idPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const eventCharactersMax = 1_000_000

export async function registerQuarantineRoutes(app: FastifyInstance, options: QuarantineRouteOptions): Promise<void> {
  app.addHook('onRequest', async (_request, reply) => void reply.header('cache-control', 'no-store'))
  const parser = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser('application/json', { parseAs: 'string', bodyLimit: bodyBytesMax }, parser)
  app.get('/api/quarantine', { config: { operation: operations.list } }, async (request) =>
    read(options.readModel.listQuarantine(readPageOf(request))),
  )
  app.get('/api/quarantine/:id', { config: { operation: operations.get } }, async (request) => {
    const item = await find(request, options)
    return { ...item, event: toEvent(item) }
  })
  for (const action of ['retry', 'skip'] as const) {
    app.post(`/api/quarantine/:id/${action}`, { config: { operation: operations[action] } }, async (request, reply) =>
      release(await find(request, options), { action, event: null }, reply, options),
    )
  }
  app.post('/api/quarantine/:id/edit', { config: { operation: operations.edit } }, async (request, reply) => {
    const item = await find(request, options)
    return release(item, { action: 'edit', event: readEdited(request.body, item) }, reply, options)
  })
}

async function find(request: FastifyRequest, { readModel }: QuarantineRouteOptions): Promise<QuarantinedItem> {
  const { id } = request.params as { id: string }
  if (!idPattern.test(id)) throw new HttpProblem(400, 'id: not the id of an event in quarantine')
  const item = await readModel.getQuarantined(id.toLowerCase(), toTenant(request).tenantId)
  if (item === null) throw new HttpProblem(404, 'there is no such event in quarantine')
  return item
}

async function release(
  item: QuarantinedItem,
  { action, event }: Release,
  reply: FastifyReply,
  options: QuarantineRouteOptions,
): Promise<FastifyReply> {
  const { id: quarantineId, businessAddress, userKey } = item
  if (item.kind === 'foreign') return putAside(item, action, reply, options)
  if (item.kind === 'applied' || item.kind === 'skipped')
    throw new HttpProblem(409, `the event is ${item.kind} already`)
  if (businessAddress === null || userKey === null) throw new HttpProblem(404, 'the session of the event is gone')
  if (item.firstId !== quarantineId) throw new HttpProblem(409, `the event waits behind ${item.firstId}`)
  const commandId = options.ids.next()
  const address = { businessAddress, userKey }
  const settled = await publishCommand(options, {
    v: 1,
    type: 'quarantine.released',
    ...address,
    commandId,
    quarantineId,
    action,
    event,
  })
  const href = `/api/commands/${encodeURIComponent(commandId)}`
  void reply.header('location', href)
  if (settled === null) return reply.code(202).send({ commandId, href })
  const { outcome, status, version, reason } = settled
  const extension = { commandId, outcome, status, version }
  if (outcome === 'applied') return reply.send(extension)
  throw new HttpProblem(409, reason ?? outcome, { extension })
}

async function putAside(
  { id }: QuarantinedItem,
  action: Release['action'],
  reply: FastifyReply,
  { dismissForeign }: QuarantineRouteOptions,
): Promise<FastifyReply> {
  if (action !== 'skip') {
    throw new HttpProblem(
      409,
      'no session could be named for this event: skip it, or publish it to the log as it should be',
    )
  }
  if (!(await dismissForeign(id))) throw new HttpProblem(409, 'the event is skipped already')
  return reply.send({ outcome: 'applied', commandId: null, status: null, version: null })
}

function readEdited(body: unknown, { businessAddress, userKey }: QuarantinedItem): LoggedQuarantineRelease['event'] {
  const given = typeof body === 'object' && body !== null && 'event' in body ? body.event : undefined
  const parsed = releasedEventSchema.safeParse(given)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new HttpProblem(
      400,
      `event${(issue?.path ?? []).map((part) => `.${String(part)}`).join('')}: ${issue?.message ?? 'not an event'}`,
    )
  }
  if (parsed.data.businessAddress !== businessAddress || parsed.data.userKey !== userKey) {
    throw new HttpProblem(400, 'event: it must be of the same businessAddress and userKey')
  }
  return parsed.data
}

/** The bytes as what they should be; null when they are no JSON. */
function toEvent({ dataBase64 }: QuarantinedItem): Json {
  if (dataBase64.length > eventCharactersMax) return null
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(dataBase64, 'base64'))) as Json
  } catch {
    return null
  }
}
