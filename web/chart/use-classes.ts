/** How each state and transition stands out, or does not. */
import { useMemo } from 'preact/hooks'
import type { View } from '../../src/charts/library.ts'
import type { ReviewedWalk } from '../../src/charts/simulate/walk-chart.ts'
import type { Address } from './address.ts'
import type { Picking } from './review/mapping.ts'

type Standing = {
  readonly matches: readonly string[]
  readonly walk: ReviewedWalk | null
  /** A state is wanted: only those that may be chosen stand out. */
  readonly picking: Picking | null
}

export function useClasses(
  view: View,
  { selected, search, phase }: Address,
  { matches, walk, picking }: Standing,
): (id: string) => string {
  return useMemo(() => {
    const found = new Set(matches)
    const last = walk?.points.at(-1)
    const active = new Set(last?.active)
    const taken = new Set(last?.taken)
    const hidden = new Set(
      phase === 'before' ? view.comparison?.onlyHead : phase === 'after' ? view.comparison?.onlyBase : [],
    )
    return (id) => {
      if (hidden.has(id)) return 'gone'
      if (picking !== null) return id === picking.from ? 'active' : picking.goals.has(id) ? 'candidate' : 'dimmed'
      const classes = [
        id === selected ? 'selected' : '',
        search.trim() !== '' && !found.has(id) ? 'dimmed' : '',
        active.has(id) ? 'active' : '',
        taken.has(id) ? 'taken' : '',
      ]
      return classes.filter((one) => one !== '').join(' ')
    }
  }, [view, selected, search, phase, matches, walk, picking])
}
