/** How the OpenAPI document describes the routes of live charts. */
import type { Operation } from './openapi.ts'

const text = { type: 'string' } as const
const chart = [
  { in: 'path', name: 'chart', schema: { ...text, description: '`conversation@1`, or `conversation`' } },
] as const

const window = { in: 'query', name: 'window', schema: { enum: ['1h', '24h', '7d'], default: '1h' } } as const
const base = {
  in: 'query',
  name: 'base',
  schema: { ...text, description: 'another chart of the machine: whom the change from it touches is answered as well' },
} as const
const json = { status: 200, contentType: 'application/json' } as const

export const liveOperations = {
  live: {
    summary:
      'How many conversations stand in each state, how often transitions were taken, and who stands in one state',
    access: 'api',
    parameters: [
      ...chart,
      window,
      base,
      { in: 'query', name: 'open', schema: { type: 'boolean', description: 'only open ones in the list' } },
      {
        in: 'query',
        name: 'over',
        schema: { type: 'boolean', description: 'only who stands in the state for longer than its timers allow' },
      },
      { in: 'query', name: 'state', schema: { ...text, description: 'the id of the state whose list is wanted' } },
      { in: 'query', name: 'cursor', schema: text },
      { in: 'query', name: 'limit', schema: { type: 'integer', minimum: 1, maximum: 200, default: 50 } },
    ],
    answer: { status: 200, contentType: 'application/json' },
    problems: [400, 401, 403, 404],
  },
  inFlight: {
    summary: 'What the chart would do to every conversation that is stored: ok, mapped or blocked, with the reasons',
    access: 'api',
    parameters: chart,
    answer: { status: 200, contentType: 'application/json' },
    problems: [401, 403, 404],
  },
  stream: {
    summary: 'The same without a list, as server-sent events: whenever a number changes',
    access: 'api',
    parameters: [...chart, window, base],
    answer: { status: 200, contentType: 'text/event-stream' },
    problems: [400, 401, 403, 404, 503],
  },
  stuck: {
    summary: 'Innermost states by how long their open conversations stand there, beside how long each of them should',
    access: 'api',
    parameters: chart,
    answer: json,
    problems: [401, 403, 404],
  },
  map: {
    summary: 'The migration map that leads to the chart, and from which version one would lead',
    access: 'api',
    parameters: chart,
    answer: json,
    problems: [401, 403, 404],
  },
  tryMap: {
    summary: 'The same check with a migration map that is not kept yet; nothing is changed',
    access: 'api',
    parameters: chart,
    requestBody: {
      contentType: 'application/json',
      schema: { type: 'object', required: ['schema', 'machine', 'from', 'to'] },
    },
    answer: json,
    problems: [400, 401, 403, 404, 413, 415],
  },
} as const satisfies { readonly [name: string]: Operation }
