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
      enter(id, index, found)
      let inner = id
      for (const outer of lineage(id).slice(1)) {
        found.add(outer)
        if (states.get(outer)?.kind === 'parallel') enterRegions(outer, inner, index, found)
        inner = outer
      }
      return found
    },
  }
  return index
}

/** The state and what is entered with it further in. */
function enter(id: string, index: ChartIndex, found: Set<string>): void {
  const state = index.state(id)
  if (state === undefined || found.has(id)) return
  found.add(id)
  if (state.kind === 'parallel') enterRegions(id, null, index, found)
  if (state.initial !== null) enterWithin(state.initial, id, index, found)
  if (state.kind !== 'history' || state.parent === null) return
  const instead = index.outOf(id)[0]?.targets[0] ?? index.state(state.parent)?.initial ?? null
  if (instead !== null) enterWithin(instead, state.parent, index, found)
}

/** An initial state may lie deeper than one level: what is between is entered as well. */
function enterWithin(id: string, outer: string, index: ChartIndex, found: Set<string>): void {
  const between = index.lineage(id).slice(1)
  for (const at of between.slice(0, Math.max(0, between.indexOf(outer)))) found.add(at)
  enter(id, index, found)
}

function enterRegions(id: string, but: string | null, index: ChartIndex, found: Set<string>): void {
  for (const region of index.children(id))
    if (region.kind !== 'history' && region.id !== but) enter(region.id, index, found)
}
