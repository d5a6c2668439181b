/**
 * One conversation as it went, over HTTP. Text is told by its length alone unless it is asked for. Running a journal again
 * costs more than a look: whoever names the version that it has already is told so.
 */
import type { FastifyInstance } from 'fastify'

import type { ReadModel } from '../../actors/read-model.ts'
import type { Timeline } from '../../charts/live/timeline.ts'
import { read, readConversationId } from './conversation-routes.ts'
import type { Query } from './conversation-routes.ts'
import type { Operation } from './openapi.ts'
import { HttpProblem } from './problem.ts'

export type TimelineRouteOptions = {
  readonly readModel: Pick<ReadModel, 'getConversation'>
  readonly readTimeline: (id: string, hasWords: boolean) => Promise<Timeline | null>
}

export async function registerTimelineRoutes(
  app: FastifyInstance,
  { readModel, readTimeline }: TimelineRouteOptions,
): Promise<void> {
  app.addHook('onRequest', async (_request, reply) => void reply.header('cache-control', 'no-store'))
  app.get('/api/conversations/:id/timeline', { config: { operation: timeline } }, async (request, reply) => {
    const { words = 'false' } = request.query as Query
    if (words !== 'true' && words !== 'false') throw new HttpProblem(400, 'words: neither true nor false')
    const id = readConversationId(request)
    const tag = `"${(await read(readModel.getConversation(id))).version}"`
    if (request.headers['if-none-match'] === tag) return reply.code(304).send()
    return reply.header('etag', tag).send(await read(readTimeline(id, words === 'true')))
  })
}

const timeline: Operation = {
  summary:
    'A conversation step by step, made again from its journal: states, transitions, what it remembers, timers, actions',
  access: 'api',
  parameters: [
    { in: 'header', name: 'If-None-Match', schema: { type: 'string', description: 'the ETag of an answer before' } },
    { in: 'path', name: 'id', schema: { type: 'string', format: 'uuid' } },
    { in: 'query', name: 'words', schema: { type: 'boolean', default: false, description: 'also what people wrote' } },
  ],
  answer: { status: 200, contentType: 'application/json' },
  problems: [400, 401, 403, 404],
}
