/**
 * The attachment of a message, for operators' pages and programs. They name it by the ids of ours; where it is, and
 * whether anything is connected to at all, the fetcher decides. Only what is certainly a picture, a recording or a
 * film is shown in a page; everything else is a download, and nothing of it may run or load anything.
 */
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { FetchedMedia, MediaOfAccounts, MediaRefusal } from '../../actors/media-fetcher.ts'
import type { ReadModel } from '../../actors/read-model.ts'
import { read, readConversationId } from './conversation-routes.ts'
import type { Operation } from './openapi.ts'
import { toTenant } from './access.ts'
import { HttpProblem } from './problem.ts'

export type MediaRouteOptions = { readonly readModel: ReadModel; readonly media: MediaOfAccounts }

const idPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const indexPattern = /^\d$/
const path = '/api/conversations/:id/messages/:messageId/media/:index'

const operation: Operation = {
  summary: 'An attachment of a message, by its place among the message’s media',
  access: 'api',
  isTenantAware: true,
  parameters: [
    { in: 'path', name: 'id', schema: { type: 'string', format: 'uuid' } },
    { in: 'path', name: 'messageId', schema: { type: 'string', format: 'uuid' } },
    { in: 'path', name: 'index', schema: { type: 'integer', minimum: 0, maximum: 9 } },
  ],
  answer: { status: 200, contentType: 'application/octet-stream' },
  problems: [400, 401, 403, 404, 413, 415, 502, 503, 504],
}

const refusals: { readonly [reason in MediaRefusal]: number } = {
  'not-allowed': 403,
  gone: 404,
  'too-large': 413,
  'wrong-type': 415,
  unreachable: 502,
  busy: 503,
  aborted: 503,
  timeout: 504,
}

export async function registerMediaRoutes(app: FastifyInstance, options: MediaRouteOptions): Promise<void> {
  const { readModel, media } = options
  app.get(path, { config: { operation } }, async (request, reply) => {
    const { messageId, index } = request.params as { messageId: string; index: string }
    if (!idPattern.test(messageId)) throw new HttpProblem(400, 'messageId: not the id of a message')
    if (!indexPattern.test(index)) throw new HttpProblem(400, 'index: a number from 0 to 9')
    const id = readConversationId(request)
    const { tenantId } = toTenant(request)
    const { businessAddress } = await read(readModel.getConversation(id, tenantId))
    const asked = readModel.findMedia(id, messageId.toLowerCase(), Number(index), tenantId)
    const attached = await read(asked, 'attachment')
    const gone = new AbortController()
    reply.raw.once('close', () => gone.abort())
    const file = await media.of(businessAddress).fetch(attached.url, gone.signal)
    if (file.kind === 'refused') throw new HttpProblem(refusals[file.reason], `the file was not read: ${file.message}`)
    return answer(reply, file, Number(index))
  })
}

function answer(reply: FastifyReply, file: Extract<FetchedMedia, { kind: 'media' }>, index: number): FastifyReply {
  const isShown = file.family !== 'document'
  return reply
    .headers({
      'content-type': isShown ? file.contentType : 'application/octet-stream',
      'content-disposition': isShown ? 'inline' : `attachment; filename="attachment-${index}"`,
      'content-security-policy': "sandbox; default-src 'none'; frame-ancestors 'none'",
      'cache-control': 'private, no-store',
    })
    .send(Buffer.from(file.bytes.buffer, file.bytes.byteOffset, file.bytes.byteLength))
}
