/**
 * Who somebody is, and an operator's word on it (docs/decisions/2026-11-25-identity.md): a session with all its addresses, its
 * history with that of the sessions that are linked to it, and the links themselves.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { ReadModel } from '../../actors/read-model.ts'
import { toTenant } from './access.ts'
import { readPageOf } from './conversation-routes.ts'
import { HttpProblem } from './problem.ts'
import { sessionOperations as operations } from './session-operations.ts'

/** What `infra/identity` does for an operator. */
export type LinkService = {
  link(order: LinkOrder): Promise<LinkAnswer>
  unlink(order: LinkOrder): Promise<LinkAnswer>
}

type LinkOrder = {
  readonly tenantId: string | null
  readonly sessionId: string
  readonly userKey: string
  readonly operatorId: string
  readonly reason: string
}

type LinkAnswer =
  | ({ readonly outcome: 'applied' } & object)
  | { readonly outcome: 'refused'; readonly reason: string }
  | { readonly outcome: 'missing' | 'unsettled' }

export type SessionRouteOptions = {
  readonly readModel: Pick<ReadModel, 'getSession' | 'listSessionMessages'>
  readonly links: LinkService
  readonly toUserKey: (address: string) => string | null
}

const bodyBytesMax = 16 * 1024
const idPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

const orderBody = z.strictObject({
  address: z.string().min(1).max(256),
  operatorId: z
    .string()
    .regex(/^[A-Za-z0-9][\w.@-]{0,127}$/, 'up to 128 letters, digits, dots, hyphens, underscores or @'),
  reason: z.string().max(400).default(''),
})

export async function registerSessionRoutes(app: FastifyInstance, options: SessionRouteOptions): Promise<void> {
  const { readModel, links } = options
  app.addHook('onRequest', async (_request, reply) => void reply.header('cache-control', 'no-store'))
  const parser = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser('application/json', { parseAs: 'string', bodyLimit: bodyBytesMax }, parser)
  app.get('/api/sessions/:id', { config: { operation: operations.get } }, async (request) => {
    const session = await readModel.getSession(readSessionId(request), toTenant(request).tenantId)
    if (session === null) throw new HttpProblem(404, 'there is no such session')
    return session
  })
  app.get('/api/sessions/:id/messages', { config: { operation: operations.messages } }, async (request) => {
    const messages = await readModel.listSessionMessages(readSessionId(request), readPageOf(request))
    if (messages === null) throw new HttpProblem(404, 'there is no such session')
    return messages
  })
  app.post('/api/sessions/:id/link', { config: { operation: operations.link } }, async (request, reply) =>
    answer(reply, await links.link(readOrder(request, options))),
  )
  app.post('/api/sessions/:id/unlink', { config: { operation: operations.unlink } }, async (request, reply) =>
    answer(reply, await links.unlink(readOrder(request, options))),
  )
}

function readSessionId(request: FastifyRequest): string {
  const { id } = request.params as { id: string }
  if (!idPattern.test(id)) throw new HttpProblem(400, 'id: not the id of a session')
  return id.toLowerCase()
}

function readOrder(request: FastifyRequest, { toUserKey }: SessionRouteOptions): LinkOrder {
  const parsed = orderBody.safeParse(request.body)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new HttpProblem(400, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'malformed'}`)
  }
  const { address, operatorId, reason } = parsed.data
  const userKey = toUserKey(address)
  if (userKey === null) throw new HttpProblem(400, 'address: not the address of a user')
  return {
    tenantId: toTenant(request).tenantId ?? null,
    sessionId: readSessionId(request),
    userKey,
    operatorId,
    reason,
  }
}

function answer(reply: FastifyReply, outcome: LinkAnswer): FastifyReply {
  switch (outcome.outcome) {
    case 'applied':
      return reply.send(outcome)
    case 'missing':
      throw new HttpProblem(404, 'there is no such session')
    case 'refused':
      throw new HttpProblem(409, outcome.reason)
    case 'unsettled':
      throw new HttpProblem(503, 'the session did not answer in time; nothing was moved, say it again')
  }
}
