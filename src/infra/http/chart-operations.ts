/** How the OpenAPI document describes the routes of charts. */
import type { JsonSchema, Operation } from './openapi.ts'

const text: JsonSchema = { type: 'string' }
const json = 'application/json'
const chart = [
  { in: 'path', name: 'chart', schema: { ...text, description: '`conversation@1`, or `conversation`' } },
] as const
const base = {
  in: 'query',
  name: 'base',
  schema: { ...text, description: 'an older version to compare with' },
} as const
const fold = {
  in: 'query',
  name: 'fold',
  schema: { ...text, description: 'ids of folded states, comma list' },
} as const
const steps = { in: 'query', name: 'steps', schema: { ...text, description: 'a JSON array of steps' } } as const
const problems = [400, 401, 403, 404] as const

const item: JsonSchema = {
  type: 'object',
  required: ['ref', 'machine', 'version', 'hash', 'source', 'states', 'transitions'],
  properties: {
    ref: text,
    machine: text,
    version: text,
    hash: text,
    source: { enum: ['build', 'stored'] },
    states: { type: 'integer' },
    transitions: { type: 'integer' },
  },
}

export const chartOperations = {
  list: {
    summary: 'The charts of this build and the older ones that were kept',
    access: 'api',
    answer: {
      status: 200,
      contentType: json,
      schema: {
        type: 'object',
        required: ['items', 'next'],
        properties: { items: { type: 'array', items: item }, next: { type: 'null' } },
      },
    },
    problems: [401, 403],
  },
  file: {
    summary:
      'A chart as a file: `.svg`, `.png`, `.json`, `.mmd` (Mermaid) or `.md` (table); with `base` the comparison as `.svg`, `.png`, `.json` or `.md`',
    access: 'api',
    parameters: [
      ...chart,
      base,
      fold,
      { in: 'query', name: 'theme', schema: { enum: ['auto', 'light', 'dark'], default: 'auto' } },
      { in: 'query', name: 'scale', schema: { type: 'integer', minimum: 1, maximum: 3, default: 2 } },
    ],
    answer: { status: 200, contentType: 'image/svg+xml' },
    problems,
  },
  view: {
    summary: 'What the page shows: chart, picture, findings, and the comparison with `base`',
    access: 'api',
    parameters: [...chart, base, fold],
    answer: { status: 200, contentType: json },
    problems,
  },
  walk: {
    summary: 'A simulated walk; nothing of it happens. With `base` the same walk on that version beside it',
    access: 'api',
    parameters: [...chart, steps, base],
    answer: { status: 200, contentType: json },
    problems,
  },
  walkTest: {
    summary: 'The walk as a vitest file',
    access: 'api',
    parameters: [...chart, steps],
    answer: { status: 200, contentType: 'text/plain' },
    problems,
  },
} as const satisfies { readonly [name: string]: Operation }
