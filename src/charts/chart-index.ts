/** A chart with the look-ups that reading it needs: parents, children, what leaves a state, what is entered. */
import type { Chart, ChartState, ChartTransition } from './chart.ts'

export type ChartIndex = {
  readonly chart: Chart
  state(id: string): ChartState | undefined
  children(id: string): readonly ChartState[]
  /** The state, its parent, and so on up to the root. */
  lineage(id: string): readonly string[]
  outOf(id: string): readonly ChartTransition[]
  /** Everything that is active after a transition to this state, its lineage included. */
  entered(id: string): ReadonlySet<string>
}

export function indexChart(chart: Chart): ChartIndex {
  const states = new Map(chart.states.map((state) => [state.id, state]))
  const children = Map.groupBy(chart.states, ({ parent }) => parent ?? '')
  const outgoing = Map.groupBy(chart.transitions, ({ source }) => source)
  const lineage = (id: string): readonly string[] => {
    const found: string[] = []
    for (let at: string | null = id; at !== null; at = states.get(at)?.parent ?? null) found.push(at)
    return found
  }
  const index: ChartIndex = {
    chart,
    state: (id) => states.get(id),
    children: (id) => children.get(id) ?? [],
    lineage,
    outOf: (id) => outgoing.get(id) ?? [],
    entered(id) {
      const found = new Set<string>()
      for (const outer of lineage(id)) {
        found.add(outer)
        if (outer === id || states.get(outer)?.kind !== 'parallel') continue
        for (const region of index.children(outer)) if (!lineage(id).includes(region.id)) enter(region.id, index, found)
      }
      enter(id, index, found)
      return found
    },
  }
  return index
}

function enter(id: string, index: ChartIndex, found: Set<string>): void {
  const state = index.state(id)
  if (state === undefined) return
  found.add(id)
  if (state.initial !== null) for (const inner of index.entered(state.initial)) found.add(inner)
  if (state.kind === 'parallel') {
    for (const region of index.children(id)) if (region.kind !== 'history') enter(region.id, index, found)
  }
  if (state.kind !== 'history' || state.parent === null) return
  const [remembered] = index.outOf(id)
  const instead = remembered?.targets[0] ?? index.state(state.parent)?.initial
  if (instead !== undefined && instead !== null) for (const inner of index.entered(instead)) found.add(inner)
}
