/** How the OpenAPI document describes the routes of reviews. */
import type { JsonSchema, Operation } from './openapi.ts'

const text: JsonSchema = { type: 'string' }
const json = 'application/json'
const chart = {
  in: 'path',
  name: 'chart',
  schema: { ...text, description: '`conversation@2`, or `conversation@3+draft`' },
} as const
const review = { in: 'path', name: 'id', schema: { ...text, description: '`conversation@2..3`' } } as const
const token = {
  in: 'header',
  name: 'duologue-review-token',
  schema: { ...text, description: 'DUOLOGUE_REVIEW_TOKEN, besides the API token or the page cookie' },
} as const
const written: Operation['answer'] = { status: 200, contentType: json }

const nameOf: JsonSchema = { ...text, minLength: 1, maxLength: 80 }
const bodyOf: JsonSchema = { ...text, minLength: 1, maxLength: 4_000 }

export const reviewOperations = {
  get: {
    summary: 'A review: verdict, in-flight check, and whether the change may go. The same as a file of `reviews/`',
    access: 'api',
    parameters: [review],
    answer: { status: 200, contentType: json },
    problems: [400, 401, 403, 404, 503],
  },
  decide: {
    summary: 'Approves or rejects a change, bound to the hashes of both versions',
    access: 'api',
    parameters: [review, token],
    requestBody: {
      contentType: json,
      schema: {
        type: 'object',
        required: ['verdict', 'name', 'seen'],
        additionalProperties: false,
        properties: {
          verdict: { enum: ['approved', 'rejected'] },
          name: nameOf,
          note: { ...text, maxLength: 4_000 },
          seen: { ...text, description: '`seen` of the review that was read' },
        },
      },
    },
    answer: written,
    problems: [400, 401, 403, 404, 412, 503],
  },
  threads: {
    summary: 'Comments on states and transitions, where they are in this chart',
    access: 'api',
    parameters: [chart],
    answer: { status: 200, contentType: json },
    problems: [400, 401, 403, 404, 503],
  },
  comment: {
    summary: 'Adds a comment: to a thread, or as a new one about a state or transition of this chart',
    access: 'api',
    parameters: [chart, token],
    requestBody: {
      contentType: json,
      schema: {
        type: 'object',
        required: ['name', 'body'],
        additionalProperties: false,
        properties: { threadId: text, about: text, name: nameOf, body: bodyOf },
      },
    },
    answer: written,
    problems: [400, 401, 403, 404, 503],
  },
  settle: {
    summary: 'Marks a thread as resolved, or opens it again',
    access: 'api',
    parameters: [chart, { in: 'path', name: 'thread', schema: text }, token],
    requestBody: {
      contentType: json,
      schema: {
        type: 'object',
        required: ['name', 'isResolved'],
        additionalProperties: false,
        properties: { isResolved: { type: 'boolean' }, name: nameOf },
      },
    },
    answer: written,
    problems: [400, 401, 403, 404, 503],
  },
  coverage: {
    summary: 'What tests walk of the chart; with `base` what changed and is not tested first',
    access: 'api',
    parameters: [chart, { in: 'query', name: 'base', schema: text }],
    answer: { status: 200, contentType: json },
    problems: [400, 401, 403, 404],
  },
  replay: {
    summary:
      'Runs the journals of the last conversations on this chart in memory: one JSON line for each that would go another way, the last line with the totals',
    access: 'api',
    parameters: [
      chart,
      { in: 'query', name: 'count', schema: { type: 'integer', minimum: 1, maximum: 100_000, default: 1_000 } },
      { in: 'query', name: 'status', schema: text },
      { in: 'query', name: 'address', schema: { ...text, description: 'a business address or a user’s' } },
      { in: 'query', name: 'since', schema: { ...text, description: 'changed since, ISO 8601' } },
    ],
    answer: { status: 200, contentType: 'application/x-ndjson' },
    problems: [400, 401, 403, 404, 429, 503],
  },
} as const satisfies { readonly [name: string]: Operation }
