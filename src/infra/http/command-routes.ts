/**
 * What operators and programs ask of a conversation (DESIGN D10). There is one way in: a command is published
 * like a message, its owner judges it in its turn, and the outcome is a row that this route waits for.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Ids, LoggedCommand } from '../../actors/ports.ts'
import type { CommandItem, ConversationItem, ReadModel } from '../../actors/read-model.ts'
import type { JsonObject } from '../../machines/json.ts'
import { toTenant } from './access.ts'
import { commandOutcomeOperation, commandShapes, toCommandOperation } from './command-operations.ts'
import { readConversationId } from './conversation-routes.ts'
import { HttpProblem } from './problem.ts'
import { publishCommand } from './publish-command.ts'
import type { CommandPublication } from './publish-command.ts'

export type CommandRouteOptions = CommandPublication & {
  readonly readModel: Pick<ReadModel, 'getConversation' | 'getCommand'>
  readonly ids: Ids
  /** What the machine of this name makes of the command, or a sentence that says what is wrong with it. */
  readonly readCommand: (machine: string, command: JsonObject) => JsonObject | string
}

const bodyBytesMax = 64 * 1024
const commandIdPattern = /^[\x21-\x7e]{1,128}$/
const idempotencyKeyPattern = /^[\x21-\x7e]{1,80}$/
const versionPattern = /^"(\d{1,15})"$/

export async function registerCommandRoutes(app: FastifyInstance, options: CommandRouteOptions): Promise<void> {
  app.addHook('onRequest', async (_request, reply) => void reply.header('cache-control', 'no-store'))
  const parser = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser('application/json', { parseAs: 'string', bodyLimit: bodyBytesMax }, parser)
  for (const [name, shape] of Object.entries(commandShapes)) {
    app.post(`/api/conversations/:id/${name}`, { config: { operation: toCommandOperation(shape) } }, (request, reply) =>
      issue(request, reply, shape, options),
    )
  }
  app.get('/api/commands/:id', { config: { operation: commandOutcomeOperation } }, async (request) => {
    const { id } = request.params as { id: string }
    const command = commandIdPattern.test(id)
      ? await options.readModel.getCommand(id, toTenant(request).tenantId)
      : null
    if (command === null) throw new HttpProblem(404, 'there is no outcome of such a command')
    return command
  })
}

async function issue(
  request: FastifyRequest,
  reply: FastifyReply,
  shape: (typeof commandShapes)[string],
  options: CommandRouteOptions,
): Promise<FastifyReply> {
  const conversation = await options.readModel.getConversation(readConversationId(request), toTenant(request).tenantId)
  if (conversation === null) throw new HttpProblem(404, 'there is no such conversation')
  const event = { type: shape.eventType, ...readBody(request.body, shape.properties) }
  const read = options.readCommand(conversation.machine, event)
  if (typeof read === 'string') throw new HttpProblem(400, read)
  const key = readIdempotencyKey(request)
  const commandId = `${conversation.id}.${key ?? options.ids.next()}`
  const seenVersion = readSeenVersion(request)
  const known = key === null ? null : await options.readModel.getCommand(commandId, toTenant(request).tenantId)
  const outcome =
    known ?? (await publishCommand(options, toCommand(conversation, commandId, seenVersion, event, options)))
  return answer(reply, commandId, outcome)
}

function toCommand(
  { id: conversationId, businessAddress, userAddress }: ConversationItem,
  commandId: string,
  seenVersion: number | null,
  event: JsonObject,
  { clock }: CommandRouteOptions,
): LoggedCommand {
  const address = { businessAddress, userKey: userAddress }
  const command = { commandId, conversationId, seenVersion, event, issuedAt: clock.now() }
  return { v: 1, type: 'command.issued', ...address, ...command }
}

function answer(reply: FastifyReply, commandId: string, settled: CommandItem | null): FastifyReply {
  const href = `/api/commands/${encodeURIComponent(commandId)}`
  void reply.header('location', href)
  if (settled === null) return reply.code(202).send({ commandId, href })
  const { outcome, status, version, reason } = settled
  const extension = { commandId, outcome, status, version, ...(reason === null ? {} : { reason }) }
  if (outcome === 'applied') return reply.header('etag', `"${version}"`).send(extension)
  throw new HttpProblem(outcome === 'stale' ? 412 : 409, reason ?? outcome, { extension })
}

/** Fields that the command does not have are refused: a typo must not pass in silence. */
function readBody(body: unknown, properties: object): JsonObject {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new HttpProblem(400, 'not a JSON object')
  const unknown = Object.keys(body).find((field) => !Object.hasOwn(properties, field))
  if (unknown !== undefined) throw new HttpProblem(400, `${unknown.slice(0, 64)}: the command has no such field`)
  return body as JsonObject
}

function readSeenVersion({ headers }: FastifyRequest): number | null {
  const given = headers['if-match']
  if (given === undefined || given === '*') return null
  const version = versionPattern.exec(given)?.[1]
  if (version === undefined) throw new HttpProblem(400, 'If-Match: not a version in quotes, as ETag gives it')
  return Number(version)
}

function readIdempotencyKey({ headers }: FastifyRequest): string | null {
  const given = headers['idempotency-key']
  if (given === undefined) return null
  if (typeof given === 'string' && idempotencyKeyPattern.test(given)) return given
  throw new HttpProblem(400, 'Idempotency-Key: up to 80 visible ASCII characters')
}
