/** How long somebody should stand in each state at most: the timers that leave it say so. */
import type { ChartIndex } from '../chart-index.ts'
import { toPath } from './value-states.ts'

export type StateLimit = {
  readonly id: string
  readonly path: readonly string[]
  /** Those that leave it. A conversation that has one of them armed goes by that. */
  readonly timers: readonly string[]
  /** By the chart's own settings; null: no timer leaves it, or how long it takes is not known here. */
  readonly limitMs: number | null
}

/** Of the states that nothing is inside of. The timers of a state around it count where the state has none of its own. */
export function findLimits(index: ChartIndex): readonly StateLimit[] {
  const leaves = index.chart.states.filter(({ kind }) => kind === 'atomic')
  return leaves.map(({ id }) => ({ id, path: toPath(index, id), ...findLimit(index, id) }))
}

function findLimit(index: ChartIndex, id: string): Pick<StateLimit, 'timers' | 'limitMs'> {
  for (const around of index.lineage(id)) {
    const leaving = index
      .outOf(around)
      // A guarded timer may fire and leave everybody where they are.
      .filter(({ kind, guard, targets }) => kind === 'after' && guard === null && targets.some((goal) => goal !== id))
    if (leaving.length === 0) continue
    const delays = leaving.flatMap(({ delay }) => delay?.ms ?? [])
    return {
      timers: [...new Set(leaving.map(({ event }) => event))],
      limitMs: delays.length === 0 ? null : Math.min(...delays),
    }
  }
  return { timers: [], limitMs: null }
}

/** What was measured between two moments, without the moments that a commit takes: `limitMs` where it is nearly that. */
export function roundLimit(ms: number, limitMs: number | null): number {
  const slackMs = Math.max(2_000, ms / 100)
  if (limitMs !== null && Math.abs(ms - limitMs) <= slackMs) return limitMs
  const unit = ms < 600_000 ? 1_000 : 60_000
  return Math.max(unit, Math.round(ms / unit) * unit)
}
