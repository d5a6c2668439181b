/** What tests have walked of a machine: `coverage/<machine>@<version>.json`, written by `npm run walk -- --write`. */
import { z } from 'zod'

const walks = z.array(z.string())

const schema = z.object({
  machine: z.string(),
  version: z.string(),
  /** The hash of the chart that was walked; files of older builds do not say it. */
  chart: z.string().nullable().default(null),
  states: z.record(z.string(), walks),
  /** Names of the walks, by the transition's id. */
  transitions: z.record(z.string(), walks),
  /** Why nothing walks it, by the id of the transition, or of one answer of its guard (`<id> true`). */
  unwalked: z.record(z.string(), z.string()),
})

export type Coverage = z.infer<typeof schema>

/** Throws with a sentence when `json` is none. */
export function parseCoverage(json: unknown): Coverage {
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new Error(`not a file of coverage: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim())
}
