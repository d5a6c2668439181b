/**
 * A state chart as data: what a machine says about itself, without its code. It is plain JSON with a
 * schema version, so that an old version can be kept, drawn and compared when its code is gone.
 *
 * 1. Every state and every transition of the machine stands here exactly once, in source order.
 * 2. A transition's id is `source|event|place among the source's candidates for that event`.
 * 3. The fields of equal charts stand in equal order: the same machine gives the same bytes.
 */
import { z } from 'zod'

export const chartSchemaName = 'duologue.chart/1'

const action = z.strictObject({
  /** `sendMessage`; `code` for an inline function without a name. */
  name: z.string(),
  /** What the chart hands over, when it is plain data. */
  params: z.json(),
  /** True when the params are computed as the action runs. */
  isComputed: z.boolean(),
})

const guard = z.strictObject({
  /** `goesOn`, `not optsOut`, `code`. */
  text: z.string(),
  /** The named guards in it. */
  names: z.array(z.string()),
})

const invocation = z.strictObject({ id: z.string(), source: z.string() })

const state = z.strictObject({
  id: z.string(),
  key: z.string(),
  /** Null for the root alone. */
  parent: z.string().nullable(),
  kind: z.enum(['atomic', 'compound', 'parallel', 'final', 'history']),
  /** What a history state remembers. */
  history: z.enum(['shallow', 'deep']).nullable(),
  /** The id of the child that is entered first. */
  initial: z.string().nullable(),
  description: z.string().nullable(),
  tags: z.array(z.string()),
  entry: z.array(action),
  exit: z.array(action),
  invocations: z.array(invocation),
})

const delay = z.strictObject({
  /** The name of the delay, or its number of milliseconds. */
  name: z.string(),
  /** Null when it is computed from what is not known here. */
  ms: z.number().nullable(),
})

const transition = z.strictObject({
  id: z.string(),
  source: z.string(),
  kind: z.enum(['event', 'after', 'done', 'error', 'always', 'snapshot']),
  /** XState's event descriptor; empty for `always`. */
  event: z.string(),
  /** What a reader calls it: `message.received`, `draftReply`, `idleTimeout`. */
  name: z.string(),
  /** Ids; empty when the state is not left. */
  targets: z.array(z.string()),
  guard: guard.nullable(),
  actions: z.array(action),
  delay: delay.nullable(),
  reenters: z.boolean(),
  description: z.string().nullable(),
})

export const chartSchema = z.strictObject({
  schema: z.literal(chartSchemaName),
  machine: z.string(),
  version: z.string(),
  root: z.string(),
  /** The names of guards, actions, delays and actors that the machine declares, sorted. */
  declared: z.strictObject({
    guards: z.array(z.string()),
    actions: z.array(z.string()),
    delays: z.array(z.string()),
    actors: z.array(z.string()),
  }),
  states: z.array(state),
  transitions: z.array(transition),
})

export type Chart = z.infer<typeof chartSchema>
export type ChartState = Chart['states'][number]
export type ChartTransition = Chart['transitions'][number]
export type ChartAction = z.infer<typeof action>
export type TransitionKind = ChartTransition['kind']

/** Throws with a sentence when `json` is no chart of this schema. */
export function parseChart(json: unknown): Chart {
  const parsed = chartSchema.safeParse(json)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new Error(`not a chart of ${chartSchemaName}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim())
}

/** The chart's file, ending with a newline; equal charts give equal bytes. */
export function toChartJson(chart: Chart): string {
  return `${JSON.stringify(chart, null, 2)}\n`
}
