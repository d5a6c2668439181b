/** For whoever runs Duologue: is the process alive, is it ready to work, what does it count. */
import type { FastifyInstance } from 'fastify'
import type { OpenApiDocument, Operation } from './openapi.ts'

export type Readiness = {
  readonly ready: boolean
  /** Each part and what is the matter with it: `{ log: 'ok', database: 'does not answer' }`. */
  readonly parts: { readonly [part: string]: string }
}

export type OperationsRouteOptions = {
  readonly checkReadiness: () => Promise<Readiness>
  /** The metrics in Prometheus' text format. */
  readonly readMetrics: () => Promise<string>
  readonly document: OpenApiDocument
}

const json = 'application/json'

export async function registerOperationsRoutes(app: FastifyInstance, options: OperationsRouteOptions): Promise<void> {
  app.get('/healthz', { config: { operation: health } }, async () => ({ status: 'alive' }))
  app.get('/readyz', { config: { operation: ready } }, async (_request, reply) => {
    const readiness = await options.checkReadiness()
    return reply
      .code(readiness.ready ? 200 : 503)
      .header('cache-control', 'no-store')
      .send(readiness)
  })
  app.get('/metrics', { config: { operation: metrics } }, async (_request, reply) => {
    return reply.type('text/plain; version=0.0.4; charset=utf-8').send(await options.readMetrics())
  })
  app.get('/api/openapi.json', { config: { operation: openapi } }, async () => options.document)
}

const health: Operation = {
  summary: 'The process is alive',
  access: 'public',
  answer: { status: 200, contentType: json, schema: { type: 'object', properties: { status: { const: 'alive' } } } },
  problems: [],
}

const readiness = {
  type: 'object',
  required: ['ready', 'parts'],
  properties: { ready: { type: 'boolean' }, parts: { type: 'object', additionalProperties: { type: 'string' } } },
}

const ready: Operation = {
  summary: 'Every part works; 503 with the same body when one does not',
  access: 'public',
  answer: { status: 200, contentType: json, schema: readiness },
  problems: [],
}

const metrics: Operation = {
  summary: 'Counters in the text format of Prometheus',
  access: 'public',
  answer: { status: 200, contentType: 'text/plain' },
  problems: [],
}

const openapi: Operation = {
  summary: 'This document',
  access: 'public',
  answer: { status: 200, contentType: json, schema: { type: 'object' } },
  problems: [],
}
