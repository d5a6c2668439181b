/**
 * The OpenAPI document of the routes that exist. Every route carries its own description in its
 * `config.operation`, and a route without one stops the start: the document cannot fall behind.
 */
import type { FastifyInstance, RouteOptions } from 'fastify'

declare module 'fastify' {
  interface FastifyContextConfig {
    operation?: Operation
  }
}

/** Who may call: anybody; who has the API token or the page cookie; who has the page cookie; anybody on this machine. */
export type Access = 'public' | 'api' | 'page' | 'loopback'

export type JsonSchema = { readonly [keyword: string]: unknown }

export type Operation = {
  readonly summary: string
  readonly access: Access
  /** It answers and changes only what is of the tenant that asks; others are refused to a tenant's token. */
  readonly isTenantAware?: true
  readonly parameters?: readonly {
    readonly in: 'path' | 'query' | 'header'
    readonly name: string
    readonly schema: JsonSchema
  }[]
  readonly requestBody?: { readonly contentType: string; readonly schema: JsonSchema }
  /** What a success is; problems are added. */
  readonly answer: { readonly status: number; readonly contentType: string; readonly schema?: JsonSchema }
  /** Other answers that are no problems. */
  readonly otherAnswers?: readonly Operation['answer'][]
  /** The other statuses that this route answers with. */
  readonly problems: readonly number[]
}

export type OpenApiDocument = {
  readonly openapi: '3.1.0'
  readonly paths: { [path: string]: { [method: string]: unknown } }
} & {
  readonly [field: string]: unknown
}

const problemSchema: JsonSchema = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'requestId'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    requestId: { type: 'string' },
  },
}

/** Collects every route that is registered afterwards. */
export function describeRoutes(app: FastifyInstance): OpenApiDocument {
  const document: OpenApiDocument = {
    openapi: '3.1.0',
    info: { title: 'Duologue', version: '1', description: 'Conversations as durable statecharts.' },
    paths: {},
    components: {
      schemas: { Problem: problemSchema },
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer' },
        page: { type: 'apiKey', in: 'cookie', name: 'duologue' },
      },
    },
  }
  app.addHook('onRoute', (route) => {
    const path = toPath(route.url)
    const methods = (document.paths[path] ??= {})
    for (const method of [route.method].flat()) methods[method.toLowerCase()] = toOperationObject(route)
  })
  return document
}

/** Fastify's `/a/:id` and `/a/*` as OpenAPI writes them. */
export function toPath(url: string): string {
  return url.replace(/:(\w+)/g, '{$1}').replace(/\*$/, '{file}')
}

function toOperationObject(route: RouteOptions): JsonSchema {
  const operation = route.config?.operation
  if (operation === undefined) throw new Error(`could not register ${route.url}: it does not say what it is`)
  const { answer, otherAnswers = [], parameters = [], requestBody } = operation
  return {
    summary: operation.summary,
    ...(parameters.length === 0
      ? {}
      : { parameters: parameters.map((one) => ({ ...one, required: one.in === 'path' })) }),
    ...(requestBody === undefined
      ? {}
      : { requestBody: { required: true, content: { [requestBody.contentType]: { schema: requestBody.schema } } } }),
    responses: { ...toResponses([answer, ...otherAnswers]), ...toProblemResponses(operation.problems) },
    security: toSecurity(operation.access),
  }
}

function toResponses(answers: readonly Operation['answer'][]): JsonSchema {
  const toContent = ({ contentType, schema }: Operation['answer']) => ({
    [contentType]: schema === undefined ? {} : { schema },
  })
  return Object.fromEntries(answers.map((one) => [one.status, { description: 'done', content: toContent(one) }]))
}

function toProblemResponses(statuses: readonly number[]): JsonSchema {
  const content = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } }
  return Object.fromEntries(statuses.map((status) => [status, { description: 'refused', content }]))
}

function toSecurity(access: Access): readonly JsonSchema[] {
  if (access === 'api') return [{ token: [] }, { page: [] }]
  return access === 'page' ? [{ page: [] }] : []
}
