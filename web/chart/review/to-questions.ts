/** What a migration map has to answer, each once, with how many conversations ask it. */
import type { InFlightReason, InFlightResult } from '../../../src/charts/review/in-flight-result.ts'
import type { MigrationMap } from '../../../src/machines/migration-map.ts'

export type Question = InFlightReason & { readonly count: number; readonly source: string | null }

/** Answered ones stay, so that an answer can be taken back. */
export function toQuestions({ states }: InFlightResult): readonly Question[] {
  const all = states.flatMap(({ reasons, count, children }) =>
    reasons.map((reason) => ({ ...reason, count, source: children[reason.subject] ?? null })),
  )
  return [...Map.groupBy(all, ({ kind, subject }) => `${kind} ${subject}`).values()].flatMap((same) => {
    const [first] = same
    if (first === undefined) return []
    const count = same.reduce((sum, one) => sum + one.count, 0)
    return [{ ...first, count, isMapped: same.every(({ isMapped }) => isMapped) }]
  })
}

/** By itself. What another answer takes care of (a state that goes on says so of its timers too) needs none. */
export function isAnswered({ kind, subject, source }: Question, { states, sources, arm, drop }: MigrationMap): boolean {
  if (kind === 'state-removed') return states[subject] !== undefined
  if (kind === 'source-renamed') return source !== null && sources[source] !== undefined
  return arm.includes(subject) || drop.includes(subject)
}
