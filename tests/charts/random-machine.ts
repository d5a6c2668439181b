/** Random machines of every kind of state and transition that XState knows, with what has to be found in them. */
import fc from 'fast-check'
import { createMachine } from 'xstate'
import type { AnyStateMachine } from 'xstate'

type Config = { [field: string]: unknown }

const events = ['message.received', 'operator.closed', 'TICK', '*'] as const
const guards = ['goesOn', 'optsOut', 'isLate'] as const
const actions = ['collect', 'noteReason', 'sendMessage'] as const
const delays = ['quiet', 'idleTimeout', '250'] as const

/** Where states go and what they do is drawn from these numbers, so that shrinking keeps machines whole. */
type Draw = (max: number) => number

export type RandomMachine = {
  readonly machine: AnyStateMachine
  /** Counted while it was made, without looking at the machine. */
  readonly stateCount: number
  readonly transitionCount: number
}

export const randomMachines: fc.Arbitrary<RandomMachine> = fc
  .array(fc.nat(1_000), { minLength: 40, maxLength: 400 })
  .map((numbers) => build(numbers))

export function build(numbers: readonly number[], statesMax = 20): RandomMachine {
  let at = 0
  const draw: Draw = (max) => (max <= 0 ? 0 : (numbers[at++ % numbers.length] ?? 0) % max)
  const tree = growTree(draw, statesMax)
  const paths = [...listPaths(tree, [])]
  let transitionCount = 0
  const addTransitions = (node: Tree, above: readonly string[]): Config => {
    const path = paths.find((one) => one.join('.') === above.join('.')) ?? above
    const { config, count } = toConfig(node, path, paths, draw)
    transitionCount += count
    const states = node.children.map((child) => [child.key, addTransitions(child, [...path, child.key])] as const)
    return states.length === 0 ? config : { ...config, states: Object.fromEntries(states) }
  }
  const machine = createMachine({ id: 'random', version: '7', ...addTransitions(tree, []) } as never, {
    delays: { quiet: 1_500, idleTimeout: () => 900_000 },
    guards: Object.fromEntries(guards.map((name) => [name, () => true])),
    actions: Object.fromEntries(actions.map((name) => [name, () => {}])),
  })
  // A machine printed whole fills the screen and takes seconds.
  const named = { [fc.toStringMethod]: () => `build(${JSON.stringify(numbers)})` }
  return { machine, stateCount: paths.length + 1, transitionCount, ...named }
}

type Kind = 'atomic' | 'compound' | 'parallel' | 'final' | 'history'
type Tree = { readonly key: string; readonly kind: Kind; readonly children: readonly Tree[] }

function growTree(draw: Draw, statesMax: number): Tree {
  let left = statesMax
  const grow = (key: string, depth: number, mayEnd: boolean): Tree => {
    const inner = depth === 0 || (depth < 3 && draw(statesMax > 40 ? 2 : 3) === 0)
    const kinds: readonly Kind[] = mayEnd ? ['atomic', 'atomic', 'final', 'history'] : ['atomic']
    if (!inner || left < 2) return { key, kind: kinds[draw(kinds.length)] ?? 'atomic', children: [] }
    const kind = depth > 0 && draw(4) === 0 ? 'parallel' : 'compound'
    const wanted = Math.min(left, depth === 0 ? Math.max(2 + draw(4), statesMax >> 2) : 2 + draw(4))
    left -= wanted
    const children = Array.from({ length: wanted }, (_, place) =>
      grow(`${'abc'[depth] ?? 'd'}${place}`, depth + 1, kind === 'compound' && place > 0),
    )
    return { key, kind, children }
  }
  return grow('random', 0, false)
}

function listPaths(node: Tree, path: readonly string[]): readonly (readonly string[])[] {
  return node.children.flatMap((child) => {
    const own = [...path, child.key]
    return [own, ...listPaths(child, own)]
  })
}

/** In a small machine anything; in a large one, as in those that people write, something near. */
function toGoal(own: number, count: number, draw: Draw): number {
  return count <= 40 ? draw(count) : Math.max(0, Math.min(count - 1, own + draw(7) - 3))
}

function toConfig(
  node: Tree,
  path: readonly string[],
  paths: readonly (readonly string[])[],
  draw: Draw,
): { readonly config: Config; readonly count: number } {
  if (node.kind === 'final') return { config: { type: 'final' }, count: 0 }
  if (node.kind === 'history')
    return { config: { type: 'history', history: draw(2) === 0 ? 'deep' : 'shallow' }, count: 0 }
  let count = 0
  const transition = (): Config => {
    count += 1
    const goal = paths[toGoal(paths.indexOf(path), paths.length, draw)] ?? path
    const to: Config =
      draw(4) === 0 ? {} : { target: `#${['random', ...goal].join('.')}`, ...(draw(4) === 0 && { reenter: true }) }
    const condition: Config = draw(3) === 0 ? { guard: guards[draw(guards.length)] } : {}
    const orders: Config =
      draw(2) === 0 ? { actions: [actions[draw(actions.length)], { type: 'noteReason', params: { reason: 'x' } }] } : {}
    return { ...to, ...condition, ...orders }
  }
  const some = (most: number): readonly Config[] => Array.from({ length: 1 + draw(most) }, transition)
  const config: Config = {
    type: node.kind === 'parallel' ? 'parallel' : undefined,
    entry: actions[draw(actions.length)],
  }
  if (node.kind === 'compound') config['initial'] = node.children[0]?.key
  const on: Config = {}
  for (let left = draw(3); left > 0; left -= 1) {
    const event = events[draw(events.length)] ?? '*'
    if (on[event] === undefined) on[event] = some(2)
  }
  config['on'] = on
  if (draw(3) === 0) config['after'] = { [delays[draw(delays.length)] ?? '250']: some(2) }
  if (path.length > 0 && draw(4) === 0)
    config['invoke'] = { id: `draft-${path.join('-')}`, src: 'draftReply', onDone: some(2), onError: some(1) }
  // A guard that never holds keeps `always` from running in circles when the machine is made.
  if (path.length > 0 && draw(5) === 0) config['always'] = some(1)
  if (path.length > 0 && node.kind === 'parallel' && draw(2) === 0) config['onDone'] = some(1)
  return { config, count }
}
