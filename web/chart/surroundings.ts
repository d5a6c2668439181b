/** What is around a state or transition in a chart: what leaves it, what leads to it, what comes before and after. */
import type { Chart, ChartState, ChartTransition } from '../../src/charts/chart.ts'

export type Surroundings = {
  state(id: string | null): ChartState | undefined
  transition(id: string | null): ChartTransition | undefined
  outOf(stateId: string): readonly ChartTransition[]
  into(stateId: string): readonly ChartTransition[]
}

export function toSurroundings(chart: Chart): Surroundings {
  const states = new Map(chart.states.map((state) => [state.id, state]))
  const transitions = new Map(chart.transitions.map((transition) => [transition.id, transition]))
  return {
    state: (id) => (id === null ? undefined : states.get(id)),
    transition: (id) => (id === null ? undefined : transitions.get(id)),
    outOf: (stateId) => chart.transitions.filter(({ source }) => source === stateId),
    into: (stateId) =>
      chart.transitions.filter(({ source, targets }) => targets.includes(stateId) && source !== stateId),
  }
}

/**
 * Where an arrow key leads. Down follows the direction of transitions, up goes against it: from a state to
 * what leaves it, from a transition to its target. Left and right go through what stands beside.
 */
export function findNeighbour(key: string, id: string, chart: Chart, around: Surroundings): string | null {
  const transition = around.transition(id)
  if (transition !== undefined) {
    const [target] = transition.targets
    if (key === 'ArrowDown') return target ?? transition.source
    if (key === 'ArrowUp') return transition.source === chart.root ? null : transition.source
    return step(around.outOf(transition.source), id, key)
  }
  if (key === 'ArrowDown') return around.outOf(id)[0]?.id ?? null
  if (key === 'ArrowUp') return around.into(id)[0]?.id ?? null
  return step(
    chart.states.filter(({ id: other }) => other !== chart.root),
    id,
    key,
  )
}

function step(list: readonly { readonly id: string }[], id: string, key: string): string | null {
  const at = list.findIndex((one) => one.id === id)
  const next = (at + (key === 'ArrowRight' ? 1 : -1) + list.length) % list.length
  return list[next]?.id ?? null
}
