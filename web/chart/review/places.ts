/** Where conversations stand and may be brought, as keys from the root: `PROGRESS.waiting`. */
import type { View } from '../../../src/charts/library.ts'

export type Place = { readonly id: string; readonly name: string }

/** The innermost states of the proposed machine. */
export function listGoals(view: View): readonly Place[] {
  const isGone = new Set(view.comparison?.onlyBase)
  return view.chart.states
    .filter(({ id, kind }) => (kind === 'atomic' || kind === 'final') && !isGone.has(id))
    .map(({ id }) => ({ id, name: toName(view, id) }))
}

/** The state of that name, also one that is gone; null when neither chart has it. */
export function findState(view: View, name: string): string | null {
  return view.chart.states.find(({ id }) => toName(view, id) === name)?.id ?? null
}

function toName({ chart }: View, id: string): string {
  const states = new Map(chart.states.map((state) => [state.id, state]))
  const keys: string[] = []
  for (let at = states.get(id); at !== undefined && at.id !== chart.root; at = states.get(at.parent ?? ''))
    keys.unshift(at.key)
  return keys.join('.')
}
