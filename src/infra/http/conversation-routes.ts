/**
 * Reading conversations: lists by page, each row as the read model gives it. Reading never goes
 * through an actor, and nothing here changes anything.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { MalformedCursor, type PageRequest, type ReadModel } from '../../actors/read-model.ts'
import { statuses, type Status } from '../../machines/status.ts'
import { toTenant } from './access.ts'
import { conversationOperations as operations } from './conversation-operations.ts'
import { HttpProblem } from './problem.ts'

export type ConversationRouteOptions = {
  readonly readModel: ReadModel
  /** The key of a user's session, from any spelling of the address; null when it is malformed. */
  readonly toUserKey: (address: string) => string | null
}

const limitMax = 200
const limitDefault = 50
const cursorPattern = /^[\x21-\x7e]{1,1024}$/
const idPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const addressCharactersMax = 256

export type Query = { readonly [name: string]: string | readonly string[] | undefined }

export async function registerConversationRoutes(
  app: FastifyInstance,
  options: ConversationRouteOptions,
): Promise<void> {
  const { readModel, toUserKey } = options
  app.addHook('onRequest', async (_request, reply) => void reply.header('cache-control', 'no-store'))
  app.get('/api/conversations', { config: { operation: operations.list } }, async (request) => {
    const query = request.query as Query
    const status = readStatus(query)
    const address = readAddress(query)
    const wanted = { ...readPage(query), ...toTenant(request), ...(status === null ? {} : { status }) }
    if (address === null) return read(readModel.listConversations(wanted))
    // Any spelling of a user's number finds the user, and so does an address of somebody who is known by another one; a
    // business's number is never rewritten.
    const userKey = toUserKey(address) ?? address
    const [home = userKey] = await readModel.findHomes(userKey, toTenant(request).tenantId)
    const found = await read(readModel.listConversations({ ...wanted, address: home }))
    if (found.items.length > 0 || home === address) return found
    return read(readModel.listConversations({ ...wanted, address }))
  })
  app.get('/api/conversations/:id', { config: { operation: operations.get } }, async (request, reply) => {
    const conversation = await read(readModel.getConversation(readConversationId(request), toTenant(request).tenantId))
    return reply.header('etag', `"${conversation.version}"`).send(conversation)
  })
  app.get('/api/conversations/:id/messages', { config: { operation: operations.messages } }, async (request) =>
    read(readModel.listMessages(readConversationId(request), readPageOf(request))),
  )
  app.get('/api/conversations/:id/history', { config: { operation: operations.history } }, async (request) =>
    read(readModel.listHistory(readConversationId(request), readPageOf(request))),
  )
  app.get('/api/conversations/:id/events', { config: { operation: operations.events } }, async (request) =>
    read(readModel.listEvents(readConversationId(request), readPageOf(request))),
  )
}

export async function read<Answer>(reading: Promise<Answer | null>, what = 'conversation'): Promise<Answer> {
  try {
    const answer = await reading
    if (answer === null) throw new HttpProblem(404, `there is no such ${what}`)
    return answer
  } catch (error) {
    if (error instanceof MalformedCursor) throw new HttpProblem(400, 'cursor: not one that a list answered')
    throw error
  }
}

export function readConversationId(request: FastifyRequest): string {
  const { id } = request.params as { id: string }
  if (!idPattern.test(id)) throw new HttpProblem(400, 'id: not the id of a conversation')
  return id.toLowerCase()
}

/** The page that is asked for, of the tenant that asks. */
export function readPageOf(request: FastifyRequest): PageRequest {
  return { ...readPage(request.query as Query), ...toTenant(request) }
}

export function readPage(query: Query): PageRequest {
  const limit = readOne(query, 'limit')
  const cursor = readOne(query, 'cursor')
  const number = limit === null ? limitDefault : Number(limit)
  const isNumber = limit === null || /^\d{1,4}$/.test(limit)
  if (!isNumber || number < 1 || number > limitMax)
    throw new HttpProblem(400, `limit: not a number from 1 to ${limitMax}`)
  if (cursor !== null && !cursorPattern.test(cursor)) throw new HttpProblem(400, 'cursor: not one that a list answered')
  return { cursor, limit: number }
}

function readStatus(query: Query): Status | null {
  const name = readOne(query, 'status')
  if (name === null) return null
  const status = statuses.find((one) => one === name)
  if (status === undefined) throw new HttpProblem(400, `status: not one of ${statuses.join(', ')}`)
  return status
}

export function readAddress(query: Query): string | null {
  const address = readOne(query, 'address')
  if (address === null) return null
  if (address === '' || address.length > addressCharactersMax || !address.isWellFormed() || address.includes('\0')) {
    throw new HttpProblem(400, 'address: not an address')
  }
  // In a query an unescaped `+` is a space.
  return address.replace(/^(whatsapp:|sms:)? (?=\d)/, '$1+')
}

function readOne(query: Query, name: string): string | null {
  const value = query[name]
  if (value === undefined) return null
  if (typeof value !== 'string') throw new HttpProblem(400, `${name}: given more than once`)
  return value
}
