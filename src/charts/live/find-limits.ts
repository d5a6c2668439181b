/** How long somebody should stand in each state at most: the timers that leave it say so. */
import type { ChartIndex } from '../chart-index.ts'
import { toPath } from './value-states.ts'

export type StateLimit = {
  readonly id: string
  readonly path: readonly string[]
  /** Null: no timer leaves it, or how long it takes is not known here. */
  readonly limitMs: number | null
}

/** Of the states that nothing is inside of. A timer of a state around it counts where the state has none of its own. */
export function findLimits(index: ChartIndex): readonly StateLimit[] {
  const leaves = index.chart.states.filter(({ kind }) => kind === 'atomic')
  return leaves.map(({ id }) => ({ id, path: toPath(index, id), limitMs: findLimit(index, id) }))
}

function findLimit(index: ChartIndex, id: string): number | null {
  for (const around of index.lineage(id)) {
    const delays = index
      .outOf(around)
      // A guarded timer may fire and leave everybody where they are.
      .filter(({ kind, guard, targets }) => kind === 'after' && guard === null && targets.some((goal) => goal !== id))
      .flatMap(({ delay }) => delay?.ms ?? [])
    if (delays.length > 0) return Math.min(...delays)
  }
  return null
}
