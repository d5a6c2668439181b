/**
 * Which transitions of a chart an event took and what its guards answered on the way, read off XState's own inspection
 * of microsteps. A transition is `<source>|<event>|<index among the source's candidates for the event>`, the name that
 * charts use too.
 *
 * `_transitions` of an inspected microstep and `_nodes` of a snapshot have an underscore: xstate is pinned, and the
 * tests that compare a plan with what was walked are their contract.
 */
import type { AnyMachineSnapshot, AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate'

export type Microstep = {
  readonly eventType: string
  /** Where the chart stood before. */
  readonly before: AnyMachineSnapshot
  readonly transitions: readonly AnyTransitionDefinition[]
}

export type Walked = {
  readonly transitions: readonly string[]
  /** `<transition> true`, `<transition> false`. */
  readonly outcomes: readonly string[]
}

export const nothingWalked: Walked = { transitions: [], outcomes: [] }

export function toWalked(microsteps: readonly Microstep[]): Walked {
  const outcomes = new Set<string>()
  for (const microstep of microsteps) for (const outcome of toOutcomes(microstep)) outcomes.add(outcome)
  const transitions = microsteps.flatMap((microstep) => microstep.transitions.map(toTransitionId))
  return { transitions, outcomes: [...outcomes] }
}

export function joinWalked(first: Walked, second: Walked): Walked {
  return {
    transitions: [...first.transitions, ...second.transitions],
    outcomes: [...new Set([...first.outcomes, ...second.outcomes])],
  }
}

export function toTransitionId(transition: AnyTransitionDefinition): string {
  const { source, eventType } = transition
  const siblings = eventType === '' ? (source.always ?? []) : (source.transitions.get(eventType) ?? [])
  return `${source.id}|${eventType}|${siblings.indexOf(transition)}`
}

export type ChartParts = {
  readonly states: readonly string[]
  readonly transitions: readonly string[]
  readonly guarded: readonly string[]
}

/** All there is to walk. */
export function toChartParts(machine: AnyStateMachine): ChartParts {
  const nodes = withDescendants(machine.root)
  const all = nodes.flatMap((node) => [...[...node.transitions.values()].flat(), ...(node.always ?? [])])
  return {
    states: nodes.filter(({ type }) => type === 'atomic').map(({ id }) => id),
    transitions: all.map(toTransitionId),
    guarded: all.filter(({ guard }) => guard !== undefined).map(toTransitionId),
  }
}

/** `PROGRESS.waiting`; parallel regions are joined by `+`. */
export function toStateName(snapshot: AnyMachineSnapshot): string {
  const leaves = leavesOf(snapshot)
  return leaves.map(({ path }) => path.join('.')).join('+')
}

export function leavesOf(snapshot: AnyMachineSnapshot): readonly AnyStateNode[] {
  return nodesOf(snapshot).filter(({ type }) => type === 'atomic' || type === 'final')
}

/** Candidates are asked from the leaves upwards; the first whose guard agrees is taken, those before it said no. */
function toOutcomes({ eventType, before, transitions }: Microstep): readonly string[] {
  const isEventless = transitions[0]?.eventType === ''
  return leavesOf(before).flatMap((leaf) => {
    const outcomes: string[] = []
    for (let node: AnyStateNode | undefined = leaf; node !== undefined; node = node.parent) {
      for (const candidate of isEventless ? (node.always ?? []) : toCandidates(node, eventType)) {
        const isTaken = transitions.includes(candidate)
        if (candidate.guard !== undefined) outcomes.push(`${toTransitionId(candidate)} ${isTaken}`)
        if (isTaken) return outcomes
      }
    }
    return outcomes
  })
}

function toCandidates(node: AnyStateNode, eventType: string): readonly AnyTransitionDefinition[] {
  const descriptors = [...node.transitions.keys()].filter((descriptor) => matches(descriptor, eventType))
  return descriptors.toSorted((a, b) => b.length - a.length).flatMap((key) => node.transitions.get(key) ?? [])
}

function matches(descriptor: string, eventType: string): boolean {
  if (descriptor === eventType || descriptor === '*') return true
  return descriptor.endsWith('.*') && `${eventType}.`.startsWith(descriptor.slice(0, -1))
}

function nodesOf(snapshot: AnyMachineSnapshot): readonly AnyStateNode[] {
  return (snapshot as unknown as { readonly _nodes: readonly AnyStateNode[] })['_nodes']
}

function withDescendants(node: AnyStateNode): readonly AnyStateNode[] {
  return [node, ...Object.values(node.states).flatMap(withDescendants)]
}
