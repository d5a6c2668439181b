/**
 * Mistakes that somebody could make in a chart: a transition with another target, without its guard, without one of its
 * actions; a state without one of its entry or exit actions. Each is a machine of its own, made of the config of the right one.
 */
import { createMachine } from 'xstate'
import type { AnyStateMachine } from 'xstate'

export type Mutation = {
  readonly kind: 'wrong target' | 'missing guard' | 'dropped action'
  /** What is wrong, in words. */
  readonly name: string
  /** The transition that is mutated; null: a state's own action. */
  readonly transition: string | null
  readonly state: string
  readonly machine: () => AnyStateMachine
}

type Config = { [key: string]: unknown }
/** Leads from the machine's config to the place that is changed. */
type Trail = readonly (string | number)[]

export function listMutations(machine: AnyStateMachine): readonly Mutation[] {
  const config = machine.config as Config
  const closed = Object.keys(config['states'] ?? {})
  const make = (mutation: Omit<Mutation, 'machine'>, change: (copy: Config) => void): Mutation => ({
    ...mutation,
    machine() {
      const copy = copyOf(config) as Config
      change(copy)
      return createMachine(copy as never, machine.implementations as never)
    },
  })
  return listNodes(machine.id, config, []).flatMap(({ id, node, trail }) => [
    ...listTransitions(id, node).flatMap(({ name, list, at }) =>
      list.flatMap((candidate, index) => {
        const transition = `${name}|${index}`
        const place = [...trail, ...at]
        const edit = (change: (target: Config, all: Config[]) => void) => (copy: Config) => {
          const holder = find(copy, place.slice(0, -1)) as Config
          const key = String(place.at(-1))
          const all = toList(holder[key])
          const target = all[index]
          if (target !== undefined) change(target, all)
          holder[key] = all
        }
        const { guard, target } = candidate
        const others = closed.filter((state) => typeof target === 'string' && !target.includes(state))
        const other = others[transition.length % Math.max(1, others.length)]
        return [
          ...(typeof target === 'string' && other !== undefined
            ? [
                make({ kind: 'wrong target', name: `${transition} leads to ${other}`, transition, state: id }, (copy) =>
                  edit((each) => (each['target'] = `#${machine.id}.${other}`))(copy),
                ),
              ]
            : []),
          ...(guard === undefined
            ? []
            : [
                make(
                  { kind: 'missing guard', name: `${transition} asks no ${toName(guard)}`, transition, state: id },
                  (copy) => edit((each) => delete each['guard'])(copy),
                ),
              ]),
          ...toList(candidate['actions']).map((action, place_) =>
            make(
              { kind: 'dropped action', name: `${transition} does no ${toName(action)}`, transition, state: id },
              (copy) => edit((each) => (each['actions'] = toList(each['actions']).toSpliced(place_, 1)))(copy),
            ),
          ),
        ]
      }),
    ),
    ...(['entry', 'exit'] as const).flatMap((when) =>
      toList(node[when]).map((action, index) =>
        make(
          { kind: 'dropped action', name: `${id} does no ${toName(action)} on ${when}`, transition: null, state: id },
          (copy) => {
            const changed = find(copy, trail) as Config
            changed[when] = toList(changed[when]).toSpliced(index, 1)
          },
        ),
      ),
    ),
  ])
}

type Node = { readonly id: string; readonly node: Config; readonly trail: Trail }

function listNodes(id: string, node: Config, trail: Trail): readonly Node[] {
  const states = Object.entries((node['states'] ?? {}) as { [name: string]: Config })
  return [
    { id, node, trail },
    ...states.flatMap(([name, child]) => listNodes(`${id}.${name}`, child, [...trail, 'states', name])),
  ]
}

type Transitions = { readonly name: string; readonly list: readonly Config[]; readonly at: Trail }

function listTransitions(id: string, node: Config): readonly Transitions[] {
  const on = Object.entries((node['on'] ?? {}) as Config)
  const after = Object.entries((node['after'] ?? {}) as Config)
  const invoke = node['invoke'] as Config | undefined
  const ends = [
    ['onDone', 'done'],
    ['onError', 'error'],
  ] as const
  return [
    ...on.map(([event, given]) => ({ name: `${id}|${event}`, list: toList(given), at: ['on', event] })),
    ...after.map(([delay, given]) => {
      return { name: `${id}|xstate.after.${delay}.${id}`, list: toList(given), at: ['after', delay] }
    }),
    ...(invoke === undefined
      ? []
      : ends.flatMap(([key, event]) => {
          const name = `${id}|xstate.${event}.actor.${String(invoke['id'])}`
          return key in invoke ? [{ name, list: toList(invoke[key]), at: ['invoke', key] }] : []
        })),
  ]
}

/** Transitions and actions are written as one or as several, as an object or as a name. */
function toList(given: unknown): Config[] {
  if (given === undefined) return []
  const list = Array.isArray(given) ? (given as unknown[]) : [given]
  return list.map((each) => (typeof each === 'string' ? { target: each, type: each } : (each as Config)))
}

function toName(named: unknown): string {
  if (typeof named === 'string') return named
  const { type, params } = named as { readonly type?: string; readonly params?: { readonly reason?: string } }
  return params?.reason === undefined ? String(type) : `${type} '${params.reason}'`
}

function find(config: Config, trail: Trail): unknown {
  return trail.reduce<unknown>((at, key) => (at as Config)[key as string], config)
}

/** Functions stay what they are. */
function copyOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyOf)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, copyOf(each)]))
}
