/** How the OpenAPI document describes the quarantine: its rows, and what a person may do with them. */
import type { JsonSchema, Operation } from './openapi.ts'

const json = 'application/json'
const text: JsonSchema = { type: 'string' }
const optionalText: JsonSchema = { type: ['string', 'null'] }
const id = [{ in: 'path', name: 'id', schema: { type: 'string', format: 'uuid' } }] as const

const row = {
  id: text,
  partition: { type: 'integer' },
  sessionId: optionalText,
  incarnation: text,
  sequence: { type: 'integer' },
  kind: { enum: ['poison', 'waiting', 'foreign', 'applied', 'skipped'] },
  subject: text,
  dataBase64: text,
  error: optionalText,
  attempts: { type: 'integer' },
  at: { type: 'string', format: 'date-time' },
}

const outcome: JsonSchema = {
  type: 'object',
  required: ['outcome', 'commandId'],
  properties: {
    outcome: { const: 'applied' },
    commandId: optionalText,
    status: optionalText,
    version: { type: ['integer', 'null'] },
  },
}

export const quarantineOperations = {
  list: {
    summary: 'Events that could not be applied, and those that wait behind them, oldest first',
    access: 'api',
    isTenantAware: true,
    parameters: [
      { in: 'query', name: 'cursor', schema: text },
      { in: 'query', name: 'limit', schema: { type: 'integer', minimum: 1, maximum: 200, default: 50 } },
    ],
    answer: {
      status: 200,
      contentType: json,
      schema: toObject({ items: { type: 'array', items: toObject(row) }, next: optionalText }),
    },
    problems: [400, 401, 403],
  },
  get: {
    summary: 'One event, with the event itself and the first one of its session that waits',
    access: 'api',
    isTenantAware: true,
    parameters: id,
    answer: {
      status: 200,
      contentType: json,
      schema: toObject({
        ...row,
        businessAddress: optionalText,
        userKey: optionalText,
        firstId: optionalText,
        event: {},
      }),
    },
    problems: [400, 401, 403, 404],
  },
  retry: toRelease('Applies the first waiting event of a session again, then everything behind it'),
  skip: toRelease('Leaves the first waiting event of a session out, then applies everything behind it'),
  edit: {
    ...toRelease('Applies another event instead of the first waiting one, then everything behind it'),
    requestBody: { contentType: json, schema: toObject({ event: { type: 'object' } }) },
    problems: [400, 401, 403, 404, 409, 413, 415, 503],
  },
} as const satisfies { readonly [name: string]: Operation }

function toRelease(summary: string): Operation {
  const accepted = toObject({ commandId: text, href: text })
  return {
    summary,
    access: 'api',
    isTenantAware: true,
    parameters: id,
    answer: { status: 200, contentType: json, schema: outcome },
    otherAnswers: [{ status: 202, contentType: json, schema: accepted }],
    problems: [400, 401, 403, 404, 409, 503],
  }
}

function toObject(properties: { readonly [name: string]: JsonSchema }): JsonSchema {
  return { type: 'object', required: Object.keys(properties), properties }
}
