/** One conversation as it went, over HTTP. Text is told by its length alone unless it is asked for. */
import type { FastifyInstance, FastifyRequest } from 'fastify'

import type { Timeline } from '../../charts/live/timeline.ts'
import { read, readConversationId } from './conversation-routes.ts'
import type { Query } from './conversation-routes.ts'
import type { Operation } from './openapi.ts'
import { HttpProblem } from './problem.ts'

export type TimelineRouteOptions = {
  readonly readTimeline: (id: string, hasWords: boolean) => Promise<Timeline | null>
}

export async function registerTimelineRoutes(
  app: FastifyInstance,
  { readTimeline }: TimelineRouteOptions,
): Promise<void> {
  app.addHook('onRequest', async (_request, reply) => void reply.header('cache-control', 'no-store'))
  app.get('/api/conversations/:id/timeline', { config: { operation: timeline } }, async (request: FastifyRequest) => {
    const { words = 'false' } = request.query as Query
    if (words !== 'true' && words !== 'false') throw new HttpProblem(400, 'words: neither true nor false')
    return read(readTimeline(readConversationId(request), words === 'true'))
  })
}

const timeline: Operation = {
  summary:
    'A conversation step by step, made again from its journal: states, transitions, what it remembers, timers, actions',
  access: 'api',
  parameters: [
    { in: 'path', name: 'id', schema: { type: 'string', format: 'uuid' } },
    { in: 'query', name: 'words', schema: { type: 'boolean', default: false, description: 'also what people wrote' } },
  ],
  answer: { status: 200, contentType: 'application/json' },
  problems: [400, 401, 403, 404],
}
