/**
 * Comments hang on a state or a transition by its id, on the chart on which they were written. In another chart they
 * hang where that state or transition is now, renamed or moved; what is gone leaves its thread without a place, never
 * without being seen.
 */
import type { Chart } from '../chart.ts'
import { matchTransitions } from '../compare/match-transitions.ts'
import { describeChart } from '../describe-chart.ts'
import { findRenames } from './find-renames.ts'

/** Where a thread was opened: `about` is an id of the chart of this hash. */
export type Anchored = { readonly about: string; readonly chartHash: string }

export type Carried<Thread extends Anchored> = Omit<Thread, 'chartHash'> & {
  /** The id in the chart that is shown; null: it has no such state or transition any more. */
  readonly at: string | null
  /** What it was about, in words of the chart on which it was written. */
  readonly subject: string
}

/** `charts`: those that threads were written on, by hash. */
export function carryThreads<Thread extends Anchored>(
  threads: readonly Thread[],
  charts: { readonly [hash: string]: Chart },
  shown: Chart,
): readonly Carried<Thread>[] {
  const ways = new Map<string, ReturnType<typeof toWay>>()
  return threads.map(({ chartHash, ...thread }) => {
    const chart = charts[chartHash]
    if (chart === undefined) return { ...thread, at: null, subject: thread.about }
    const way = ways.get(chartHash) ?? toWay(chart, shown)
    ways.set(chartHash, way)
    return { ...thread, at: way.at(thread.about), subject: way.describe(thread.about) }
  })
}

function toWay(from: Chart, to: Chart): { at(id: string): string | null; describe(id: string): string } {
  const states = findRenames(from, to)
  const known = (id: string): string => states.get(id) ?? id
  const transitions = new Map<string, string>()
  const renamed = from.transitions.map((one) => ({
    ...one,
    source: known(one.source),
    targets: one.targets.map(known),
  }))
  for (const match of matchTransitions(renamed, to.transitions)) {
    if (match.kind === 'matched' || match.kind === 'retargeted') transitions.set(match.base.id, match.head.id)
  }
  return { at: (id) => states.get(id) ?? transitions.get(id) ?? null, describe: describeChart(from) }
}
