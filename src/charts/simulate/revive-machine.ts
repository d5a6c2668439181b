/**
 * A machine made again of its chart, for versions whose code is gone. What the chart knows by name is taken
 * from the machine of today: a guard or action of the same name does what it does now, and one that is gone
 * does nothing (a guard does not hold). Whoever shows the result says so.
 */
import { createMachine, fromPromise, raise } from 'xstate'
import type { AnyStateMachine } from 'xstate'

import { indexChart } from '../chart-index.ts'
import type { ChartIndex } from '../chart-index.ts'
import type { Chart, ChartAction, ChartState, ChartTransition } from '../chart.ts'
import { parseGuard } from './parse-guard.ts'

type Config = { [field: string]: unknown }

export function reviveMachine(chart: Chart, today: AnyStateMachine | null): AnyStateMachine {
  const index = indexChart(chart)
  const root = index.state(chart.root)
  if (root === undefined) throw new Error(`the chart ${chart.machine} has no root`)
  const context = (today?.config as { readonly context?: unknown } | undefined)?.context ?? {}
  const config = { ...toConfig(root, index), id: chart.root, version: chart.version, context }
  return createMachine(config as never, toImplementations(chart, today) as never) as AnyStateMachine
}

function toConfig(state: ChartState, index: ChartIndex): Config {
  const children = index.children(state.id)
  const own = index.outOf(state.id)
  const of = (wanted: (transition: ChartTransition) => boolean): readonly Config[] =>
    own.filter(wanted).map(toTransitionConfig)
  if (state.kind === 'history') {
    const target = own[0]?.targets[0]
    return {
      id: state.id,
      type: 'history',
      history: state.history,
      ...(target !== undefined && { target: `#${target}` }),
    }
  }
  const on = Object.fromEntries(
    [...new Set(own.filter(({ kind }) => kind !== 'after' && kind !== 'always').map(({ event }) => event))].map(
      (event) => [event, of((one) => one.event === event)],
    ),
  )
  const delays = new Set(own.flatMap(({ delay }) => (delay === null ? [] : [delay.name])))
  const after = Object.fromEntries([...delays].map((name) => [name, of(({ delay }) => delay?.name === name)]))
  return {
    id: state.id,
    type: state.kind === 'compound' && children.length === 0 ? 'atomic' : state.kind,
    ...(state.initial !== null && { initial: index.state(state.initial)?.key }),
    ...(state.tags.length > 0 && { tags: state.tags }),
    entry: state.entry.map(toActionConfig),
    exit: state.exit.map(toActionConfig),
    invoke: state.invocations.map(({ id, source }) => ({ id, src: source })),
    on,
    after,
    always: of(({ kind }) => kind === 'always'),
    ...(children.length > 0 && {
      states: Object.fromEntries(children.map((child) => [child.key, toConfig(child, index)])),
    }),
  }
}

function toTransitionConfig({ targets, guard, actions, reenters }: ChartTransition): Config {
  return {
    ...(targets.length > 0 && { target: targets.map((id) => `#${id}`), reenter: reenters }),
    ...(guard !== null && { guard: parseGuard(guard.text) }),
    actions: actions.map(toActionConfig),
  }
}

function toActionConfig({ name, params, isComputed }: ChartAction): unknown {
  if (isComputed) return { type: name, params: () => ({}) }
  if (name.startsWith('raise ')) return raise({ type: name.slice('raise '.length) })
  return params === null ? { type: name } : { type: name, params }
}

function toImplementations(chart: Chart, today: AnyStateMachine | null): Config {
  const known = today?.implementations as { readonly [kind: string]: Record<string, unknown> } | undefined
  const guards = chart.transitions.flatMap(({ guard }) => (guard === null ? [] : [...guard.names, guard.text]))
  const actions = [
    ...chart.transitions.flatMap((one) => one.actions),
    ...chart.states.flatMap(({ entry, exit }) => [...entry, ...exit]),
  ].map(({ name }) => name)
  const delays = chart.transitions.flatMap(({ delay }) => (delay === null ? [] : [delay]))
  const sources = chart.states.flatMap(({ invocations }) => invocations.map(({ source }) => source))
  const take = (kind: string, names: readonly string[], otherwise: unknown): Config =>
    Object.fromEntries(names.map((name) => [name, known?.[kind]?.[name] ?? otherwise]))
  const never = fromPromise(async () => new Promise(() => {}))
  return {
    guards: take('guards', guards, () => false),
    actions: take('actions', actions, () => {}),
    // The chart's own: what a delay was called may last another time today.
    delays: Object.fromEntries(delays.map(({ name, ms }) => [name, ms ?? known?.['delays']?.[name] ?? 0])),
    actors: Object.fromEntries(sources.map((source) => [source, never])),
  }
}
