/** Where conversations may be brought: the innermost states of the proposed machine, as keys from the root. */
import type { View } from '../../../src/charts/library.ts'

export function toPlaces({ chart, comparison }: View): readonly string[] {
  const isGone = new Set(comparison?.onlyBase)
  const states = new Map(chart.states.map((state) => [state.id, state]))
  return chart.states
    .filter(({ id, kind }) => (kind === 'atomic' || kind === 'final') && !isGone.has(id))
    .map(({ id }) => {
      const keys: string[] = []
      for (let at = states.get(id); at !== undefined && at.id !== chart.root; at = states.get(at.parent ?? ''))
        keys.unshift(at.key)
      return keys.join('.')
    })
}
