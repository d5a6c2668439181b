/**
 * Reads a machine from `machine.root`: XState's own graph functions lose `always`, guards and actions.
 * Nothing of the machine runs but its delay functions, which are asked with the context of a new
 * conversation so that the chart can say "after 15 min"; one that throws stays unknown.
 */
import type { AnyStateMachine, AnyStateNode } from 'xstate'

import { toAction, toGuard } from './action-names.ts'
import { chartSchemaName } from './chart.ts'
import type { Chart, ChartState, ChartTransition, TransitionKind } from './chart.ts'

/** A definition as `stateNode.transitions` holds it. */
type Definition = {
  readonly eventType: string
  readonly target: readonly AnyStateNode[] | undefined
  readonly guard?: unknown
  readonly actions: readonly unknown[]
  readonly reenter: boolean
  readonly description?: string
}

type Reading = { readonly machine: AnyStateMachine; readonly context: unknown }

/** `input` opens the conversation whose context the delays are asked with. */
export function extractChart(machine: AnyStateMachine, input?: unknown): Chart {
  const reading = { machine, context: readContext(machine, input) }
  const nodes = listNodes(machine.root)
  const { guards, actions, delays, actors } = machine.implementations
  return {
    schema: chartSchemaName,
    machine: machine.id,
    version: machine.version ?? '0',
    root: machine.root.id,
    declared: {
      guards: Object.keys(guards).toSorted(),
      actions: Object.keys(actions).toSorted(),
      delays: Object.keys(delays).toSorted(),
      actors: Object.keys(actors).toSorted(),
    },
    states: nodes.map(toState),
    transitions: nodes.flatMap((node) => listTransitions(node, reading)),
  }
}

/** Only the context is made: entering the first state could go in circles for ever. */
function readContext(machine: AnyStateMachine, input: unknown): unknown {
  const { context } = machine.config as { readonly context?: unknown }
  try {
    return typeof context === 'function' ? (context({ input, spawn: refuseSpawn, self: null }) as unknown) : context
  } catch {
    return undefined
  }
}

function refuseSpawn(): never {
  throw new Error('no actor runs while a chart is read')
}

function listNodes(node: AnyStateNode): readonly AnyStateNode[] {
  return [node, ...Object.values(node.states as Record<string, AnyStateNode>).flatMap(listNodes)]
}

function toState(node: AnyStateNode): ChartState {
  return {
    id: node.id,
    key: node.key,
    parent: node.parent?.id ?? null,
    kind: node.type,
    history: node.type === 'history' ? (node.history === 'deep' ? 'deep' : 'shallow') : null,
    initial: node.type === 'compound' ? (node.initial.target[0]?.id ?? null) : null,
    description: node.description ?? null,
    tags: [...(node.tags as readonly string[])],
    entry: node.entry.flatMap(toAction),
    exit: node.exit.flatMap(toAction),
    invocations: node.invoke.map(({ id, src }) => ({ id, source: typeof src === 'string' ? src : 'code' })),
  }
}

function listTransitions(node: AnyStateNode, reading: Reading): readonly ChartTransition[] {
  const byEvent = [...(node.transitions as Map<string, Definition[]>).entries()]
  const always = (node.always ?? []) as unknown as readonly Definition[]
  const all = [...byEvent, ['', always] as const].flatMap(([event, candidates]) =>
    candidates.map((definition, place) => toTransition(node, event, definition, place, reading)),
  )
  return node.type === 'history' ? [...all, ...toHistoryDefault(node)] : all
}

/** A history state that nothing was remembered for leads to its `target`. */
function toHistoryDefault(node: AnyStateNode): readonly ChartTransition[] {
  const { parent } = node
  const { target } = node.config as { readonly target?: unknown }
  const [found] = [target].flat()
  if (typeof found !== 'string' || parent === undefined) return []
  const goal = found.startsWith('#') ? found.slice(1) : `${parent.id}.${found.replace(/^\./, '')}`
  return [
    {
      id: `${node.id}||0`,
      source: node.id,
      kind: 'always',
      event: '',
      name: 'nothing remembered',
      targets: [goal],
      guard: null,
      actions: [],
      delay: null,
      reenters: false,
      description: null,
    },
  ]
}

function toTransition(
  node: AnyStateNode,
  event: string,
  definition: Definition,
  place: number,
  reading: Reading,
): ChartTransition {
  const { kind, name } = readEvent(event, node.id)
  return {
    id: `${node.id}|${event}|${place}`,
    source: node.id,
    kind,
    event,
    name,
    targets: (definition.target ?? []).map(({ id }) => id),
    guard: toGuard(definition.guard),
    actions: definition.actions.flatMap(toAction),
    delay: kind === 'after' ? { name, ms: readDelay(name, reading) } : null,
    reenters: definition.reenter && definition.target !== undefined,
    description: definition.description ?? null,
  }
}

function readEvent(event: string, nodeId: string): { readonly kind: TransitionKind; readonly name: string } {
  const strip = (prefix: string): string => event.slice(prefix.length)
  if (event === '') return { kind: 'always', name: 'always' }
  if (event.startsWith('xstate.after.')) {
    return { kind: 'after', name: strip('xstate.after.').slice(0, -nodeId.length - 1) }
  }
  if (event.startsWith('xstate.done.actor.')) return { kind: 'done', name: strip('xstate.done.actor.') }
  if (event.startsWith('xstate.done.state.')) return { kind: 'done', name: 'all done' }
  if (event.startsWith('xstate.error.actor.')) return { kind: 'error', name: strip('xstate.error.actor.') }
  if (event.startsWith('xstate.snapshot.')) return { kind: 'snapshot', name: strip('xstate.snapshot.') }
  return { kind: 'event', name: event === '*' ? 'any event' : event }
}

function readDelay(name: string, { machine, context }: Reading): number | null {
  const delays = machine.implementations.delays as Record<string, unknown>
  const known = Object.hasOwn(delays, name) ? delays[name] : Number(name)
  try {
    const ms = typeof known === 'function' ? (known({ context, event: { type: '' } }, undefined) as unknown) : known
    return typeof ms === 'number' && Number.isFinite(ms) ? ms : null
  } catch {
    return null
  }
}
