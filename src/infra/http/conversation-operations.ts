/** How the OpenAPI document describes the reading of conversations: the rows of `actors/read-model.ts`. */
import { statuses } from '../../machines/status.ts'
import type { JsonSchema, Operation } from './openapi.ts'

const text: JsonSchema = { type: 'string' }
const optionalText: JsonSchema = { type: ['string', 'null'] }
const moment: JsonSchema = { type: 'string', format: 'date-time' }
const optionalMoment: JsonSchema = { type: ['string', 'null'], format: 'date-time' }
const number: JsonSchema = { type: 'integer' }
const status: JsonSchema = { type: 'string', enum: statuses }
const optionalStatus: JsonSchema = { type: ['string', 'null'], enum: [...statuses, null] }

const contentKinds = [
  'text',
  'image',
  'sticker',
  'video',
  'audio',
  'document',
  'contact',
  'location',
  'button',
  'listReply',
  'form',
  'referral',
  'quote',
  'forwarded',
  'unknown',
]

const conversation = toObject({
  id: text,
  tenantId: text,
  sessionId: text,
  status,
  version: number,
  machine: text,
  machineVersion: text,
  businessAddress: text,
  userAddress: text,
  speaker: text,
  optedOut: { type: 'boolean' },
  assignedOperator: optionalText,
  line: optionalText,
  openedAt: moment,
  updatedAt: moment,
  closedAt: optionalMoment,
  nextTimerAt: optionalMoment,
  previousId: optionalText,
  quarantinedAt: optionalMoment,
})

/** Of a message wherever it is listed. */
const messageFields = {
  id: text,
  direction: { enum: ['inbound', 'outbound'] },
  author: { enum: ['user', 'assistant', 'operator', 'system'] },
  body: text,
  media: { type: 'array', items: toObject({ url: text, contentType: text }) },
  content: {
    type: 'array',
    items: { type: 'object', required: ['kind'], properties: { kind: { enum: contentKinds } } },
  },
  rateLimited: { type: 'boolean' },
  providerId: optionalText,
  at: moment,
}

const historyRow = {
  version: number,
  fromStatus: optionalStatus,
  toStatus: status,
  reason: optionalText,
  initiator: text,
  machineVersion: text,
  occurredAt: moment,
}

const page = [
  { in: 'query', name: 'cursor', schema: text },
  { in: 'query', name: 'limit', schema: { type: 'integer', minimum: 1, maximum: 200, default: 50 } },
] as const
const id = [{ in: 'path', name: 'id', schema: { type: 'string', format: 'uuid' } }] as const

export const conversationOperations = {
  list: {
    summary: 'Conversations, the last changed first; `address` is a user or a business',
    access: 'api',
    isTenantAware: true,
    parameters: [
      { in: 'query', name: 'address', schema: text },
      { in: 'query', name: 'status', schema: status },
      ...page,
    ],
    answer: toList(conversation),
    problems: [400, 401, 403],
  },
  get: {
    summary: 'One conversation',
    access: 'api',
    isTenantAware: true,
    parameters: id,
    answer: { status: 200, contentType: 'application/json', schema: conversation },
    problems: [400, 401, 403, 404],
  },
  messages: toListOfOne(
    'The messages of a conversation, oldest first',
    toObject({ ...messageFields, deliveryStatus: optionalText, errorCode: optionalText }),
  ),
  history: toListOfOne(
    'Where the status changed or an operator acted, oldest first',
    toObject({ ...historyRow, eventType: text }),
  ),
  events: toListOfOne(
    'The journal: every event that was applied, oldest first',
    toObject({ ...historyRow, eventId: text, event: {}, hash: text }),
  ),
} as const satisfies { readonly [name: string]: Operation }

/** The messages of a session and of those that are linked to it. */
export const sessionMessages = toListOfOne(
  'What was said in a session and in those that are linked to it, oldest first',
  toObject({ ...messageFields, sessionId: text, conversationId: optionalText, address: optionalText }),
)

function toListOfOne(summary: string, row: JsonSchema): Operation {
  return {
    summary,
    access: 'api',
    isTenantAware: true,
    parameters: [...id, ...page],
    answer: toList(row),
    problems: [400, 401, 403, 404],
  }
}

function toList(row: JsonSchema): Operation['answer'] {
  const schema = toObject({ items: { type: 'array', items: row }, next: optionalText })
  return { status: 200, contentType: 'application/json', schema }
}

function toObject(properties: { readonly [name: string]: JsonSchema }): JsonSchema {
  return { type: 'object', required: Object.keys(properties), properties }
}
