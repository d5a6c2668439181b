/**
 * A machine taken apart for the host lint: its states, and every action, guard and function in them, with the place
 * where it stands. Reads XState's own structures; runs nothing.
 */
import type { AnyStateMachine, AnyStateNode } from 'xstate'

/** `where`: the state's id, and what of it: `m.a entry`, `m.a on message.received`, `m.a invoke draft`. */
export type Placed<T> = { readonly where: string; readonly part: T }

/** Something with a name, an inline function, or one of XState's own action creators (a function with a type). */
export type ActionPart = string | { readonly type: string; readonly params?: unknown } | BuiltIn | PlainFunction
export type PlainFunction = (...given: never[]) => unknown
export type BuiltIn = PlainFunction & { readonly type: string; readonly [detail: string]: unknown }

export type InvokePart = {
  readonly id: string
  readonly src: unknown
  readonly input?: unknown
  readonly node: AnyStateNode
}

export type ChartParts = {
  readonly nodes: readonly AnyStateNode[]
  readonly actions: readonly Placed<ActionPart>[]
  readonly guards: readonly Placed<unknown>[]
  readonly invokes: readonly Placed<InvokePart>[]
  /** Everything that decides or computes; it must answer the same whenever it is asked. */
  readonly functions: readonly Placed<PlainFunction>[]
}

type TransitionPart = { readonly eventType: string; readonly guard?: unknown; readonly actions: readonly unknown[] }

export function toChartParts(machine: AnyStateMachine): ChartParts {
  const nodes = toNodes(machine.root as AnyStateNode)
  const actions: Placed<ActionPart>[] = []
  const guards: Placed<unknown>[] = []
  const invokes: Placed<InvokePart>[] = []
  for (const node of nodes) {
    const keep = (where: string, list: readonly unknown[]): void => {
      for (const part of list) actions.push({ where, part: part as ActionPart })
    }
    keep(`${node.id} entry`, node.entry)
    keep(`${node.id} exit`, node.exit)
    if (node.type === 'compound') keep(`${node.id} initial`, node.initial.actions)
    for (const transition of toTransitions(node)) {
      const where = `${node.id} ${transition.eventType === '' ? 'always' : `on ${transition.eventType}`}`
      keep(where, transition.actions)
      if (transition.guard !== undefined) guards.push({ where, part: transition.guard })
    }
    for (const { id, src, input } of node.invoke) {
      invokes.push({ where: `${node.id} invoke ${id}`, part: { id, src, input, node } })
    }
  }
  return { nodes, actions, guards, invokes, functions: toFunctions(machine, actions, guards, invokes) }
}

/** Of all events, delays and `always`. */
export function toTransitions(node: AnyStateNode): readonly TransitionPart[] {
  return [...[...node.transitions.values()].flat(), ...(node.always ?? [])] as readonly TransitionPart[]
}

/** The state itself and all around it, the innermost first. */
export function toLine(node: AnyStateNode): AnyStateNode[] {
  return node.parent === undefined ? [node] : [node, ...toLine(node.parent)]
}

export function isBuiltIn(part: unknown): part is BuiltIn {
  return typeof part === 'function' && 'type' in part && String(part.type).startsWith('xstate.')
}

/** What a named action is made of, if it is one of XState's own. */
export function toImplementation(machine: AnyStateMachine, action: ActionPart): unknown {
  if (typeof action === 'function') return action
  const name = typeof action === 'string' ? action : action.type
  return (machine.implementations.actions as { readonly [name: string]: unknown })[name]
}

/** `and`, `or` and `not` hold other guards; they are no functions of the machine's own. */
export function toInnerGuards(guard: unknown): readonly unknown[] {
  if (typeof guard !== 'function' || !('check' in guard)) return [guard]
  const inner = 'guards' in guard ? (guard.guards as readonly unknown[]) : []
  return inner.flatMap((each) => toInnerGuards(each))
}

function toNodes(node: AnyStateNode): AnyStateNode[] {
  return [
    node,
    ...Object.values(node.states as { readonly [key: string]: AnyStateNode }).flatMap((each) => toNodes(each)),
  ]
}

function toFunctions(
  machine: AnyStateMachine,
  actions: readonly Placed<ActionPart>[],
  guards: readonly Placed<unknown>[],
  invokes: readonly Placed<InvokePart>[],
): Placed<PlainFunction>[] {
  const { implementations } = machine
  const candidates: Placed<unknown>[] = [
    { where: 'context', part: (machine.config as { readonly context?: unknown }).context },
    ...Object.entries(implementations.guards).map(([name, part]) => ({ where: `guard ${name}`, part })),
    ...Object.entries(implementations.delays).map(([name, part]) => ({ where: `delay ${name}`, part })),
    ...Object.entries(implementations.actions).flatMap(([name, part]) => toDetails(`action ${name}`, part)),
    ...actions.flatMap(({ where, part }) => toDetails(where, part)),
    ...guards.flatMap(({ where, part }) => toInnerGuards(part).map((inner) => ({ where, part: inner }))),
    ...invokes.map(({ where, part }) => ({ where, part: part.input })),
  ]
  return candidates.filter(
    (each): each is Placed<PlainFunction> => typeof each.part === 'function' && !isBuiltIn(each.part),
  )
}

/** The functions inside XState's own actions, and a named action's params. */
function toDetails(where: string, part: unknown): Placed<unknown>[] {
  if (isBuiltIn(part)) {
    const { assignment, event, delay, input, collect, value } = part
    const assigned = typeof assignment === 'object' && assignment !== null ? Object.values(assignment) : [assignment]
    return [...assigned, event, delay, input, collect, value].map((detail: unknown) => ({ where, part: detail }))
  }
  return typeof part === 'object' && part !== null && 'params' in part ? [{ where, part: part.params }] : []
}
