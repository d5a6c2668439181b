/**
 * Folding: a state with what is inside it becomes one box. What leads in or out of it leads to the box;
 * what happens only inside is counted and not drawn.
 */
import type { Chart, ChartState, ChartTransition } from './chart.ts'

export type Folded = { readonly states: number; readonly transitions: number }

export type FoldedChart = {
  readonly chart: Chart
  /** What is inside the boxes that were folded, by their ids. */
  readonly folded: { readonly [stateId: string]: Folded }
}

/** Above it a page offers to fold all outer states at once. */
export const foldingOfferedFrom = 60

/** Ids that name no state with children are passed over; of nested ones the outermost counts. */
export function foldChart(chart: Chart, wanted: readonly string[]): FoldedChart {
  const parents = new Map(chart.states.map(({ id, parent }) => [id, parent]))
  const foldable = new Set(listFoldable(chart).filter((id) => wanted.includes(id)))
  const toFold = (id: string): string | null => {
    let found: string | null = null
    for (let at: string | null = id; at !== null; at = parents.get(at) ?? null) if (foldable.has(at)) found = at
    return found
  }
  const isHidden = (id: string): boolean => {
    const fold = toFold(id)
    return fold !== null && fold !== id
  }
  const counts = new Map<string, Folded>()
  const count = (id: string, by: Partial<Folded>): void => {
    const known = counts.get(id) ?? { states: 0, transitions: 0 }
    counts.set(id, { states: known.states + (by.states ?? 0), transitions: known.transitions + (by.transitions ?? 0) })
  }
  const states: ChartState[] = []
  for (const state of chart.states) {
    const fold = toFold(state.id)
    if (fold !== null && fold !== state.id) count(fold, { states: 1 })
    else states.push(fold === state.id ? { ...state, kind: 'atomic', initial: null } : state)
  }
  const transitions: ChartTransition[] = []
  for (const transition of chart.transitions) {
    const source = toFold(transition.source) ?? transition.source
    const targets = transition.targets.map((id) => toFold(id) ?? id)
    const isInner = isHidden(transition.source) && targets.every((id) => id === source)
    if (isInner) count(source, { transitions: 1 })
    else transitions.push({ ...transition, source, targets })
  }
  return { chart: { ...chart, states, transitions }, folded: Object.fromEntries(counts) }
}

/** The ids of the states that have something inside. */
export function listFoldable(chart: Chart): readonly string[] {
  const parents = new Set(chart.states.map(({ parent }) => parent))
  return chart.states.filter(({ id }) => id !== chart.root && parents.has(id)).map(({ id }) => id)
}
