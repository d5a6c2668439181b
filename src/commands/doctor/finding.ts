/** One line of the doctor. */
import { toSentence } from '../sentence.ts'

export type Finding = {
  /** What was looked at: one word or two. */
  readonly check: string
  /** `warn`: it runs, but look at it. `bad`: it will not run as it is. */
  readonly state: 'ok' | 'warn' | 'bad'
  readonly text: string
  /** What to do. */
  readonly advice: string | null
}

export function ok(check: string, text: string): Finding {
  return { check, state: 'ok', text, advice: null }
}

export function warn(check: string, text: string, advice: string): Finding {
  return { check, state: 'warn', text, advice }
}

export function bad(check: string, text: string, advice: string): Finding {
  return { check, state: 'bad', text, advice }
}

/** What a check finds; a check that throws is bad itself. */
export async function examine(
  check: string,
  advice: string,
  look: () => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  try {
    return await look()
  } catch (error) {
    return [bad(check, toSentence(error), advice)]
  }
}
