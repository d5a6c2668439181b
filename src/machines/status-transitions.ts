/**
 * Which status may follow which, read off the chart itself: the one definition of the lifecycle. A migration made
 * of it (`scripts/status-transitions.ts`) teaches the database the same table, whose triggers hold every writer to it.
 */
import type { AnyStateMachine, AnyStateNode } from 'xstate'

import { statuses } from './status.ts'
import type { Status } from './status.ts'

/** `from` is null for a new conversation; a status always follows itself. */
export type StatusTransition = { readonly from: Status | null; readonly to: Status }

/** For machines whose top-level states are the statuses. In the order of the statuses. */
export function toStatusTransitions(machine: AnyStateMachine): readonly StatusTransition[] {
  const { root } = machine
  const openings = root.initial.target.map((target) => ({ from: null, to: toStatus(target) }))
  const steps = statuses.flatMap((from) => {
    const reached = new Set<Status>([from])
    for (const node of withDescendants(root.states[from])) for (const to of findTargets(node, root)) reached.add(to)
    return statuses.filter((to) => reached.has(to)).map((to) => ({ from, to }))
  })
  return [...openings, ...steps]
}

/** Also by transitions of the root, unless the state has its own for the same event that refuses everything. */
function findTargets(node: AnyStateNode, root: AnyStateNode): readonly Status[] {
  const own = [...node.transitions.values()].flat()
  const top = root.states[toStatus(node)]
  const inherited = [...root.transitions].flatMap(([eventType, transitions]) =>
    isForbidden(top, eventType) ? [] : transitions,
  )
  const always = node.always ?? []
  return [...own, ...always, ...inherited].flatMap(({ target }) => target ?? []).map((target) => toStatus(target))
}

/** Its last candidate has no guard and no target: nothing reaches the root. */
function isForbidden(state: AnyStateNode | undefined, eventType: string): boolean {
  const last = state?.transitions.get(eventType)?.at(-1)
  return last !== undefined && last.guard === undefined
}

function withDescendants(node: AnyStateNode | undefined): readonly AnyStateNode[] {
  return node === undefined ? [] : [node, ...Object.values(node.states).flatMap((child) => withDescendants(child))]
}

function toStatus({ path, id }: AnyStateNode): Status {
  const status = statuses.find((candidate) => candidate === path[0])
  if (status === undefined) throw new Error(`the state ${id} belongs to no status`)
  return status
}
