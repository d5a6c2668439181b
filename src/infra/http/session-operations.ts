/** How the OpenAPI document describes sessions: who somebody is, and what operators may say of it. */
import { sessionMessages } from './conversation-operations.ts'
import type { JsonSchema, Operation } from './openapi.ts'

const json = 'application/json'
const text: JsonSchema = { type: 'string' }
const optionalText: JsonSchema = { type: ['string', 'null'] }
const id = [{ in: 'path', name: 'id', schema: { type: 'string', format: 'uuid' } }] as const
const order: NonNullable<Operation['requestBody']> = {
  contentType: json,
  schema: {
    type: 'object',
    required: ['address', 'operatorId'],
    properties: {
      address: { type: 'string', description: 'any spelling of a phone number, or a business-scoped id' },
      operatorId: { type: 'string', description: 'who says so', maxLength: 128 },
      reason: { type: 'string', description: 'for the record', maxLength: 400 },
    },
    additionalProperties: false,
  },
}

const applied = (properties: { readonly [field: string]: JsonSchema }): Operation['answer'] => ({
  status: 200,
  contentType: json,
  schema: {
    type: 'object',
    required: ['outcome', 'linkId'],
    properties: { outcome: { enum: ['applied'] }, linkId: text, ...properties },
  },
})

const common = { access: 'api', isTenantAware: true } as const

export const sessionOperations = {
  get: {
    ...common,
    summary: 'A session: its addresses, its conversations and those linked to it, every link made and undone',
    parameters: id,
    answer: { status: 200, contentType: json, schema: { type: 'object', required: ['id', 'addresses', 'links'] } },
    problems: [400, 401, 403, 404],
  },
  messages: sessionMessages,
  link: {
    ...common,
    summary: 'The address is the same person: what comes under it belongs to this session from now on',
    parameters: id,
    requestBody: order,
    answer: applied({ closedConversationId: optionalText }),
    problems: [400, 401, 403, 404, 409, 413, 415, 503],
  },
  unlink: {
    ...common,
    summary: 'The address is another person: its messages and what comes under it go to a session of its own',
    parameters: id,
    requestBody: order,
    answer: applied({ sessionId: optionalText, moved: { type: 'integer' } }),
    problems: [400, 401, 403, 404, 409, 413, 415, 503],
  },
} as const satisfies { readonly [name: string]: Operation }
