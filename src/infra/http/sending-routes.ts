/** Reading what may be sent, what waits, and who opted out. Nothing here changes anything. */
import type { FastifyInstance } from 'fastify'
import type { SendingModel } from '../../actors/sending-model.ts'
import { toTenant } from './access.ts'
import { read, readAddress, readConversationId, readPageOf, type Query } from './conversation-routes.ts'
import { sendingOperations as operations } from './sending-operations.ts'

export type SendingRouteOptions = {
  readonly sending: SendingModel
  /** The key of a user's session, from any spelling of the address; null when it is malformed. */
  readonly toUserKey: (address: string) => string | null
}

export async function registerSendingRoutes(app: FastifyInstance, options: SendingRouteOptions): Promise<void> {
  const { sending, toUserKey } = options
  app.addHook('onRequest', async (_request, reply) => void reply.header('cache-control', 'no-store'))
  app.get('/api/conversations/:id/sending', { config: { operation: operations.sending } }, async (request) =>
    read(sending.getSending(readConversationId(request), toTenant(request).tenantId)),
  )
  app.get('/api/opt-outs', { config: { operation: operations.optOuts } }, async (request) => {
    const query = request.query as Query
    const address = readAddress(query)
    const ofUser = address === null ? {} : { userKey: toUserKey(address) ?? address }
    return read(sending.listOptOuts({ ...readPageOf(request), ...ofUser }))
  })
}
