/** How the OpenAPI document describes the reading of what is sent and what is not: `actors/sending-model.ts`. */
import type { JsonSchema, Operation } from './openapi.ts'

const text: JsonSchema = { type: 'string' }
const optionalText: JsonSchema = { type: ['string', 'null'] }
const moment: JsonSchema = { type: 'string', format: 'date-time' }
const optionalMoment: JsonSchema = { type: ['string', 'null'], format: 'date-time' }
const proof = {
  id: text,
  source: { enum: ['message', 'response', 'callback', 'record'] },
  code: optionalText,
  at: moment,
  recordedAt: moment,
}

const sending = toObject({
  conversationId: text,
  window: toOptional({
    isOpen: { type: 'boolean' },
    lastInboundAt: optionalMoment,
    closesAt: optionalMoment,
    closedAt: optionalMoment,
    closedBy: { enum: ['time', 'provider', null] },
  }),
  optOut: toOptional(proof),
  sender: toOptional({ pausedUntil: moment, pausedBecause: optionalText }),
  held: toArray({
    effectId: text,
    messageId: optionalText,
    author: optionalText,
    heldBecause: { enum: ['window-closed', 'paced', 'sender-paused'] },
    heldSince: moment,
    until: optionalMoment,
  }),
  failed: toArray({ messageId: text, code: optionalText, meaning: text, action: text, at: moment }),
})

const optOut = {
  ...proof,
  tenantId: text,
  scope: text,
  userAddress: text,
  sessionId: optionalText,
  providerId: optionalText,
  effectId: optionalText,
  text: optionalText,
  endedAt: optionalMoment,
  endedBy: optionalText,
  blockedCount: { type: 'integer' },
  blocked: toArray({ effectId: text, messageId: optionalText, conversationId: optionalText, at: moment }),
}

export const sendingOperations = {
  sending: {
    summary: 'May this user be written to now; what waits and why; what was not delivered and why',
    access: 'api',
    isTenantAware: true,
    parameters: [{ in: 'path', name: 'id', schema: { type: 'string', format: 'uuid' } }],
    answer: { status: 200, contentType: 'application/json', schema: sending },
    problems: [400, 401, 403, 404],
  },
  optOuts: {
    summary: 'Who opted out, by what, and which messages that stopped; the newest first',
    access: 'api',
    isTenantAware: true,
    parameters: [
      { in: 'query', name: 'address', schema: text },
      { in: 'query', name: 'cursor', schema: text },
      { in: 'query', name: 'limit', schema: { type: 'integer', minimum: 1, maximum: 200, default: 50 } },
    ],
    answer: {
      status: 200,
      contentType: 'application/json',
      schema: toObject({ items: toArray(optOut), next: optionalText }),
    },
    problems: [400, 401, 403],
  },
} as const satisfies { readonly [name: string]: Operation }

function toArray(properties: { readonly [name: string]: JsonSchema }): JsonSchema {
  return { type: 'array', items: toObject(properties) }
}

function toOptional(properties: { readonly [name: string]: JsonSchema }): JsonSchema {
  return { ...toObject(properties), type: ['object', 'null'] }
}

function toObject(properties: { readonly [name: string]: JsonSchema }): JsonSchema {
  return { type: 'object', required: Object.keys(properties), properties }
}
