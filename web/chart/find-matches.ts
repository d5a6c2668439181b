/** Search: states and transitions that hold the words, in the order of reading. */
import type { Chart } from '../../src/charts/chart.ts'

export function findMatches(chart: Chart, search: string): readonly string[] {
  const wanted = search.trim().toLowerCase()
  if (wanted === '') return []
  const holds = (...texts: readonly (string | null | undefined)[]): boolean =>
    texts.some((text) => text?.toLowerCase().includes(wanted) === true)
  const states = chart.states.filter(({ id, key, parent, description, tags, entry, exit, invocations }) => {
    if (parent === null) return false
    const actions = [...entry, ...exit].map(({ name }) => name)
    const actors = invocations.flatMap((one) => [one.id, one.source])
    return holds(key, id.slice(chart.root.length + 1), description, ...tags, ...actions, ...actors)
  })
  const transitions = chart.transitions.filter(({ name, event, guard, actions, delay }) =>
    holds(
      name,
      event.startsWith('xstate.') ? null : event,
      guard?.text,
      delay?.name,
      ...actions.map((one) => one.name),
    ),
  )
  return [...states, ...transitions].map(({ id }) => id)
}
