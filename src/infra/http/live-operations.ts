/** How the OpenAPI document describes the routes of live charts. */
import type { Operation } from './openapi.ts'

const text = { type: 'string' } as const
const chart = [
  { in: 'path', name: 'chart', schema: { ...text, description: '`conversation@1`, or `conversation`' } },
] as const

export const liveOperations = {
  live: {
    summary:
      'How many conversations stand in each state, how often transitions were taken, and who stands in one state',
    access: 'api',
    parameters: [
      ...chart,
      { in: 'query', name: 'window', schema: { enum: ['1h', '24h', '7d'], default: '1h' } },
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
} as const satisfies { readonly [name: string]: Operation }
