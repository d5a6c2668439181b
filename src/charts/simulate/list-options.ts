/**
 * What can happen next: every event that some active state takes, each with its branches in the order in
 * which they are asked, and the choice of answers that leads into each. The choices are tried, not
 * deduced, so that a branch that is said to be reachable is.
 */
import { getNextTransitions } from 'xstate'
import type { AnyStateNode } from 'xstate'

import { toGuard } from '../action-names.ts'
import type { Chart } from '../chart.ts'
import type { Choices } from './choosable-machine.ts'
import { readTaken, toTransitionId } from './read-taken.ts'
import type { Walker } from './walk.ts'

export type Branch = {
  readonly transitionId: string
  /** `1`, `2`, … and `else` for a last one without a guard. */
  readonly order: string
  readonly guard: string | null
  /** The answers that lead into it; null when no answers do: another branch is always before it. */
  readonly choices: Choices | null
}

export type Option = {
  readonly event: string
  readonly kind: Chart['transitions'][number]['kind']
  /** Only for timers: when it is due. */
  readonly dueInMs: number | null
  readonly branches: readonly Branch[]
}

export type Options = {
  readonly options: readonly Option[]
  /** Timers that wait behind the next one: whatever that one does comes first. */
  readonly later: readonly { readonly event: string; readonly dueInMs: number }[]
  /** Events that the chart knows and that nothing here takes. */
  readonly ignored: readonly string[]
}

type Definition = { readonly source: AnyStateNode; readonly eventType: string; readonly guard?: unknown }
type ToExample = (event: string) => object

/** With more guards than this at one event, only the usual choice is tried. */
const guardsTriedMax = 8

export function listOptions(walker: Walker, chart: Chart, toExample: ToExample): Options {
  const definitions = getNextTransitions(walker.snapshot) as unknown as readonly Definition[]
  const byEvent = Map.groupBy(
    definitions.filter(({ eventType }) => eventType !== '' && isPossible(eventType, walker)),
    ({ eventType }) => eventType,
  )
  const kinds = new Map(chart.transitions.map(({ id, kind }) => [id, kind]))
  const now = walker.timers.now()
  const [next, ...others] = walker.timers
    .armed()
    .map(({ event, dueAt }) => ({ event: event.type, dueInMs: dueAt - now }))
  const later = new Set(others.map(({ event }) => event))
  const offered = [...byEvent].filter(([event]) => !later.has(event))
  const options = offered.map(([event, candidates]): Option => {
    const [first] = candidates
    const kind = first === undefined ? 'event' : (kinds.get(toTransitionId(first)) ?? 'event')
    const dueInMs = event === next?.event ? next.dueInMs : null
    return { event, kind, dueInMs, branches: toBranches(event, candidates, walker, toExample) }
  })
  const known = chart.transitions
    .filter(({ kind, event }) => kind === 'event' && event !== '*')
    .map(({ event }) => event)
  const taken = (event: string): boolean => byEvent.has(event) || byEvent.has('*')
  return { options, later: others, ignored: [...new Set(known)].filter((event) => !taken(event)).toSorted() }
}

const result = /^xstate\.(?:done|error)\.actor\./u

/** A state may take the result of an actor that one of its inner states invokes: there is none until that is active. */
function isPossible(event: string, { snapshot }: Walker): boolean {
  return !result.test(event) || event.replace(result, '') in snapshot.children
}

function toBranches(
  event: string,
  candidates: readonly Definition[],
  walker: Walker,
  toExample: ToExample,
): readonly Branch[] {
  const guards = candidates.map(({ guard }) => toGuard(guard))
  const names = [...new Set(guards.flatMap((guard) => guard?.names ?? []))]
  const isTaken = (id: string, choices: Choices): boolean => {
    const sample = { ...toExample(event), type: event }
    const { choosable, snapshot } = walker
    try {
      return choosable.choose(choices, () => readTaken(choosable.machine, snapshot, sample)).result.includes(id)
    } catch {
      return false
    }
  }
  return candidates.map((definition, place) => {
    const guard = guards[place] ?? null
    const transitionId = toTransitionId(definition)
    const isElse = guard === null && place === candidates.length - 1 && place > 0
    const own = guard?.names ?? []
    const usual = Object.fromEntries(names.map((name) => [name, own.includes(name)]))
    const tried = names.length <= guardsTriedMax ? [usual, ...listChoices(names)] : [usual]
    const choices = tried.find((one) => isTaken(transitionId, one)) ?? null
    return { transitionId, order: isElse ? 'else' : String(place + 1), guard: guard?.text ?? null, choices }
  })
}

function listChoices(names: readonly string[]): readonly Choices[] {
  return Array.from({ length: 2 ** names.length }, (_, bits) =>
    Object.fromEntries(names.map((name, place) => [name, ((bits >> place) & 1) === 1])),
  )
}
