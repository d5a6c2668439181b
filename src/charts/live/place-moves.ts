/**
 * Which transitions stored moves were. A move says from which value which events led to which; the chart says which of
 * its transitions can do that. Guards are not asked again: of several that lead to the same place the first one that the
 * chart names is taken, the innermost state first, as XState asks.
 */
import type { Json } from '../../machines/json.ts'
import type { ChartIndex } from '../chart-index.ts'
import type { ChartTransition } from '../chart.ts'
import { toActive, toInnermost } from './value-states.ts'

export type StoredMove = {
  readonly from: Json
  readonly events: readonly string[] | null
  readonly to: Json
  readonly count: number
}

export type PlacedMoves = {
  /** How often each transition was taken; those that never were are not named. */
  readonly transitions: { readonly [id: string]: number }
  /** Steps that no transition of this chart explains. */
  readonly unplaced: number
}

type Reached = { readonly active: ReadonlySet<string>; readonly taken: readonly string[] }

const reachedMax = 64
const alwaysMax = 6
const openedType = 'conversation.opened'
const migratedType = 'machine.migrated'

export function placeMoves(index: ChartIndex, moves: readonly StoredMove[]): PlacedMoves {
  const transitions: { [id: string]: number } = {}
  let unplaced = 0
  for (const move of moves) {
    const taken = findTaken(index, move)
    if (taken === null) unplaced += move.count
    else for (const id of taken) transitions[id] = (transitions[id] ?? 0) + move.count
  }
  return { transitions, unplaced }
}

function findTaken(index: ChartIndex, { from, events, to }: StoredMove): readonly string[] | null {
  const goal = toActive(index, to)
  if (goal === null || events === null) return null
  const start = from === null ? index.entered(index.chart.root) : toSet(index.chart.root, toActive(index, from))
  if (start === null) return null
  let reached: readonly Reached[] = [{ active: start, taken: [] }]
  for (const [place, event] of events.entries()) {
    if (event === openedType || event === migratedType) continue
    const isLast = place === events.length - 1
    reached = dropEqual(reached.flatMap((one) => step(index, one, event, isLast ? goal : null))).slice(0, reachedMax)
  }
  const wanted = toKey(toInnermost(index, goal))
  const found = reached.find(
    ({ active }) =>
      toKey(
        toInnermost(
          index,
          [...active].filter((id) => id !== index.chart.root),
        ),
      ) === wanted,
  )
  return found?.taken ?? null
}

/** All that one event may lead to: the innermost state is asked first, and `always` afterwards. */
function step(index: ChartIndex, before: Reached, event: string, goal: readonly string[] | null): readonly Reached[] {
  const candidates = [...before.active]
    .toSorted((one, other) => index.lineage(other).length - index.lineage(one).length)
    .flatMap((id) => index.outOf(id).filter((transition) => isFor(transition, event)))
  const direct = candidates.map((transition) => take(index, before, transition, goal))
  // Two parallel regions may both take it.
  const both = direct.flatMap((one, place) =>
    candidates
      .slice(place + 1)
      .filter(({ source }) => isBeside(index, candidates[place]?.source ?? '', source))
      .map((transition) => take(index, one, transition, goal)),
  )
  return [...direct, ...both].flatMap((one) => [one, ...takeAlways(index, one, goal, alwaysMax)])
}

function takeAlways(
  index: ChartIndex,
  before: Reached,
  goal: readonly string[] | null,
  depth: number,
): readonly Reached[] {
  if (depth === 0) return []
  const next = [...before.active]
    .flatMap((id) => index.outOf(id).filter(({ kind, targets }) => kind === 'always' && targets.length > 0))
    .filter(({ source }) => index.state(source)?.kind !== 'history')
    .map((transition) => take(index, before, transition, goal))
  return next.flatMap((one) => [one, ...takeAlways(index, one, goal, depth - 1)])
}

function take(
  index: ChartIndex,
  { active, taken }: Reached,
  transition: ChartTransition,
  goal: readonly string[] | null,
): Reached {
  const { source, targets, id } = transition
  const [target] = targets
  if (target === undefined) return { active, taken: [...taken, id] }
  // What a history state remembered is not known here; where the move ended is.
  const history = index.state(target)
  if (history?.kind === 'history' && goal !== null && goal.includes(history.parent ?? '')) {
    return { active: new Set(goal), taken: [...taken, id] }
  }
  const domain = findDomain(index, source, targets)
  const isInside = (one: string): boolean => one !== domain && index.lineage(one).includes(domain)
  const kept = [...active].filter((one) => !isInside(one))
  const entered = targets.flatMap((one) => [...index.entered(one)]).filter(isInside)
  return { active: new Set([...kept, ...entered]), taken: [...taken, id] }
}

/** The innermost state around the source and all targets that is not left. */
function findDomain(index: ChartIndex, source: string, targets: readonly string[]): string {
  const around = [source, ...index.lineage(source).slice(1)]
  return (
    around.find((one) => targets.every((target) => target !== one && index.lineage(target).includes(one))) ??
    index.chart.root
  )
}

function isBeside(index: ChartIndex, one: string, other: string): boolean {
  return !index.lineage(one).includes(other) && !index.lineage(other).includes(one)
}

function isFor({ event }: ChartTransition, type: string): boolean {
  if (event === '') return false
  return event === type || event === '*' || (event.endsWith('.*') && type.startsWith(event.slice(0, -1)))
}

/** With the root: what stands on it holds in every state. */
function toSet(root: string, active: readonly string[] | null): ReadonlySet<string> | null {
  return active === null ? null : new Set([root, ...active])
}

function toKey(ids: readonly string[]): string {
  return ids.toSorted().join(' ')
}

function dropEqual(reached: readonly Reached[]): readonly Reached[] {
  const first = new Map<string, Reached>()
  for (const one of reached) {
    const key = toKey([...one.active])
    if (!first.has(key)) first.set(key, one)
  }
  return [...first.values()]
}
