/**
 * A walk through a chart as data: the steps that somebody chose. It stands in a link, so it is short, and
 * whatever somebody wrote there is checked before anything is made of it.
 */
import { z } from 'zod'

export const stepsMax = 200
export const walkCharactersMax = 8_000
/** About 31 years; further on, numbers of milliseconds lose their meaning. */
const waitMsMax = 1e12

const choices = z.record(z.string().max(100), z.boolean())
const payload = z.record(z.string().max(100), z.json())

const step = z.union([
  z.strictObject({ event: z.string().min(1).max(300), choices: choices.optional(), payload: payload.optional() }),
  z.strictObject({ waitMs: z.number().int().min(0).max(waitMsMax), choices: choices.optional() }),
])

/** An event that happens, or time that passes; `choices` says what guards answer in it. */
export type Step = z.infer<typeof step>

export type StepsReading =
  | { readonly kind: 'steps'; readonly steps: readonly Step[] }
  | { readonly kind: 'malformed'; readonly reason: string }

export function readSteps(text: string): StepsReading {
  if (text === '') return { kind: 'steps', steps: [] }
  if (text.length > walkCharactersMax) {
    return { kind: 'malformed', reason: `the walk is longer than ${walkCharactersMax} characters` }
  }
  try {
    const parsed = z.array(step).max(stepsMax).safeParse(JSON.parse(text))
    if (parsed.success) return { kind: 'steps', steps: parsed.data }
    const [issue] = parsed.error.issues
    return { kind: 'malformed', reason: `${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim() }
  } catch {
    return { kind: 'malformed', reason: 'the walk is no JSON' }
  }
}
