/** How the OpenAPI document describes what operators and programs may ask of a conversation. */
import { statuses } from '../../machines/status.ts'
import type { JsonSchema, Operation } from './openapi.ts'

const text: JsonSchema = { type: 'string' }
const operatorId: JsonSchema = { type: 'string', description: 'who does it', maxLength: 128 }
const reason: JsonSchema = { type: 'string', description: 'for the history', maxLength: 500 }

type CommandShape = {
  readonly eventType: string
  readonly summary: string
  readonly required: readonly string[]
  readonly properties: { readonly [field: string]: JsonSchema }
}

/** By the last part of the path; `eventType` is what the chart is told. */
export const commandShapes: { readonly [name: string]: CommandShape } = {
  handoff: {
    eventType: 'handoff.requested',
    summary: 'Asks for a person: the conversation waits in the queue, the assistant is silent',
    required: [],
    properties: { operatorId, reason },
  },
  assign: {
    eventType: 'operator.assigned',
    summary: 'An operator takes the conversation over, out of the queue or from the assistant',
    required: ['operatorId'],
    properties: { operatorId },
  },
  reply: {
    eventType: 'operator.replied',
    summary:
      'The assigned operator writes to the user: text, media, or a template of the provider. Outside the 24-hour window all but a template is held (`…/sending` says so)',
    required: ['operatorId'],
    properties: {
      operatorId,
      body: { type: 'string', maxLength: 4_096 },
      contentSid: { type: 'string', pattern: '^HX[0-9a-fA-F]{32}$' },
      contentVariables: { type: 'object', description: 'of the template', additionalProperties: text },
      mediaUrls: { type: 'array', maxItems: 10, items: { type: 'string', format: 'uri' } },
    },
  },
  release: {
    eventType: 'operator.released',
    summary: 'The assigned operator gives the conversation back to the assistant',
    required: ['operatorId'],
    properties: { operatorId },
  },
  transfer: {
    eventType: 'operator.transferred',
    summary: 'The assigned operator hands the conversation to a colleague',
    required: ['operatorId', 'to'],
    properties: { operatorId, to: operatorId },
  },
  escalate: {
    eventType: 'operator.escalated',
    summary: 'Moves a handoff to the queue of the second line',
    required: ['operatorId'],
    properties: { operatorId, reason },
  },
  extend: {
    eventType: 'operator.extended',
    summary: 'The assigned operator asks for more time: the silence counts anew',
    required: ['operatorId'],
    properties: { operatorId },
  },
  close: {
    eventType: 'operator.closed',
    summary: 'An operator closes the conversation, as the first line or the second',
    required: ['operatorId', 'as'],
    properties: { operatorId, as: { enum: ['agent', 'support'] }, reason },
  },
}

const outcome: JsonSchema = {
  type: 'object',
  required: ['commandId', 'outcome', 'status', 'version'],
  properties: {
    commandId: text,
    outcome: { enum: ['applied', 'refused', 'stale'] },
    status: { enum: statuses },
    version: { type: 'integer' },
    reason: text,
  },
}

const json = 'application/json'

export function toCommandOperation({ summary, required, properties }: CommandShape): Operation {
  return {
    summary: `${summary}. 200 applied; 409 refused, with the reason; 412 stale; 202 when no outcome is known yet`,
    access: 'api',
    isTenantAware: true,
    parameters: [
      { in: 'path', name: 'id', schema: { type: 'string', format: 'uuid' } },
      { in: 'header', name: 'If-Match', schema: { type: 'string', description: 'the version that was seen: "12"' } },
      { in: 'header', name: 'Idempotency-Key', schema: { type: 'string', description: 'repeated: applied once' } },
    ],
    requestBody: {
      contentType: json,
      schema: { type: 'object', required, properties, additionalProperties: false },
    },
    answer: { status: 200, contentType: json, schema: outcome },
    otherAnswers: [
      {
        status: 202,
        contentType: json,
        schema: { type: 'object', required: ['commandId', 'href'], properties: { commandId: text, href: text } },
      },
    ],
    problems: [400, 401, 403, 404, 409, 412, 413, 415, 503],
  }
}

export const commandOutcomeOperation: Operation = {
  summary: 'What became of a command; 404 while it waits, or when there is none of that id',
  access: 'api',
  isTenantAware: true,
  parameters: [{ in: 'path', name: 'id', schema: text }],
  answer: {
    status: 200,
    contentType: json,
    schema: {
      type: 'object',
      required: ['id', 'conversationId', 'outcome', 'status', 'version', 'reason', 'at'],
      properties: {
        id: text,
        conversationId: text,
        outcome: { enum: ['applied', 'refused', 'stale'] },
        status: { enum: statuses },
        version: { type: 'integer' },
        reason: { type: ['string', 'null'] },
        at: { type: 'string', format: 'date-time' },
      },
    },
  },
  problems: [400, 401, 403, 404],
}
