/**
 * Two versions of a chart as one: the union of both, laid out once, so that nothing jumps between before and
 * after; with what changed, most dangerous first. States are matched by id (or by key, when one was moved),
 * transitions by what they are about; what is left over was added or removed.
 *
 * 1. Comparing a chart with itself finds nothing.
 * 2. What comparing a with b calls added, comparing b with a calls removed.
 */
import { describeOccasion, describeTransition } from '../describe-chart.ts'
import type { Chart, ChartState, ChartTransition } from '../chart.ts'
import { toTargetName } from '../target-name.ts'
import { matchTransitions } from './match-transitions.ts'
import type { TransitionMatch } from './match-transitions.ts'
import { compareStates } from './compare-states.ts'
import { toOrderText, toTransitionDifferences } from './transition-differences.ts'

export type ChangeKind = 'added' | 'removed' | 'changed' | 'moved' | 'retargeted'

export type Change = {
  readonly kind: ChangeKind
  readonly what: 'state' | 'transition'
  /** Ids in the union; the first is the one to look at. */
  readonly ids: readonly string[]
  /** 0 is the most dangerous. */
  readonly risk: number
  readonly sentence: string
  readonly was: string | null
  readonly now: string | null
}

export type Comparison = {
  readonly base: { readonly machine: string; readonly version: string }
  readonly head: { readonly machine: string; readonly version: string }
  readonly union: Chart
  readonly changes: readonly Change[]
  /** Ids in the union that only the base has: hidden in the view "after". */
  readonly onlyBase: readonly string[]
  /** Ids that only the head has: hidden in the view "before". */
  readonly onlyHead: readonly string[]
}

const risks = {
  removedState: 0,
  removedTransition: 1,
  structure: 2,
  condition: 3,
  action: 4,
  added: 5,
  words: 6,
} as const

/** Throws when the charts are of two machines. */
export function compareCharts(base: Chart, head: Chart): Comparison {
  if (base.root !== head.root) throw new Error(`${base.machine} and ${head.machine} are two machines`)
  const moved = findMoved(base, head)
  const states = compareStates(base, head, moved, risks)
  const matches = matchTransitions(
    base.transitions.map((one) => rename(one, moved)),
    head.transitions,
  )
  const removed = matches.filter((match) => match.kind === 'removed')
  const retargeted = matches.filter((match) => match.kind === 'retargeted')
  const union = toUnion(base, head, states.removed, [...removed, ...retargeted])
  const transitions = matches.flatMap((match) => toChanges(match, head, states.removedIds))
  const changes = [...states.changes, ...transitions].toSorted((a, b) => a.risk - b.risk)
  return {
    base: { machine: base.machine, version: base.version },
    head: { machine: head.machine, version: head.version },
    union,
    changes,
    onlyBase: [...states.removedIds, ...[...removed, ...retargeted].map(({ base: own }) => toBaseId(own.id))],
    onlyHead: [
      ...states.addedIds,
      ...matches.flatMap((match) => (match.kind === 'added' || match.kind === 'retargeted' ? [match.head.id] : [])),
    ],
  }
}

/** Where a removed transition stands in the union: its own id may belong to another one by now. */
export function toBaseId(id: string): string {
  return `base:${id}`
}

/** Base ids of states that stand elsewhere in the head: their key left one place and came to one other. */
function findMoved(base: Chart, head: Chart): ReadonlyMap<string, string> {
  const isIn = (chart: Chart, id: string): boolean => chart.states.some((state) => state.id === id)
  const gone = Map.groupBy(
    base.states.filter(({ id }) => !isIn(head, id)),
    ({ key }) => key,
  )
  const come = Map.groupBy(
    head.states.filter(({ id }) => !isIn(base, id)),
    ({ key }) => key,
  )
  const moved = new Map<string, string>()
  for (const [key, [from, ...others]] of gone) {
    const [to, ...candidates] = come.get(key) ?? []
    if (from !== undefined && to !== undefined && others.length + candidates.length === 0) moved.set(from.id, to.id)
  }
  return moved
}

function rename(transition: ChartTransition, moved: ReadonlyMap<string, string>): ChartTransition {
  const { source, targets } = transition
  return { ...transition, source: moved.get(source) ?? source, targets: targets.map((id) => moved.get(id) ?? id) }
}

function toUnion(
  base: Chart,
  head: Chart,
  removedStates: readonly ChartState[],
  gone: readonly (TransitionMatch & { readonly base: ChartTransition })[],
): Chart {
  const states = insertRemoved(base, head, removedStates)
  const parents = new Set(states.map(({ parent }) => parent))
  return {
    ...head,
    states: states.map((state) =>
      state.kind !== 'parallel' && parents.has(state.id) ? { ...state, kind: 'compound' } : state,
    ),
    transitions: [...head.transitions, ...gone.map(({ base: own }) => ({ ...own, id: toBaseId(own.id) }))],
  }
}

/** Each removed state behind the one that it followed, so that the order of reading stays. */
function insertRemoved(base: Chart, head: Chart, removed: readonly ChartState[]): readonly ChartState[] {
  const states = [...head.states]
  for (const state of removed) {
    const place = base.states.findIndex(({ id }) => id === state.id)
    const before = base.states.slice(0, place).findLast(({ id }) => states.some((one) => one.id === id))
    const at = before === undefined ? states.length : states.findIndex(({ id }) => id === before.id) + 1
    states.splice(at, 0, state)
  }
  return states
}

// ── Changes of transitions ───────────────────────────────────────────────────────────────────────

function toChanges(match: TransitionMatch, head: Chart, removedStates: readonly string[]): readonly Change[] {
  const say = (transition: ChartTransition): string => describeTransition(transition, head.root)
  const what = 'transition'
  switch (match.kind) {
    case 'added': {
      const now = say(match.head)
      return [
        { kind: 'added', what, ids: [match.head.id], risk: risks.added, sentence: `added: ${now}`, was: null, now },
      ]
    }
    case 'removed': {
      const was = say(match.base)
      const because = removedStates.includes(match.base.source) ? ' (with its state)' : ''
      const sentence = `removed: ${was}${because}`
      return [
        {
          kind: 'removed',
          what,
          ids: [toBaseId(match.base.id)],
          risk: risks.removedTransition,
          sentence,
          was,
          now: null,
        },
      ]
    }
    case 'retargeted': {
      const [was, now] = [say(match.base), say(match.head)]
      const to = (transition: ChartTransition): string =>
        transition.targets.length === 0
          ? 'nowhere'
          : transition.targets.map((id) => toTargetName(id, head.root)).join(' and ')
      const sentence = `${describeOccasion(match.head, head.root)} leads to ${to(match.head)} instead of ${to(match.base)}`
      const ids = [match.head.id, toBaseId(match.base.id)]
      return [{ kind: 'retargeted', what, ids, risk: risks.structure, sentence, was, now }]
    }
    case 'matched': {
      const { conditions, actions } = toTransitionDifferences(match)
      const order = toOrderText(match)
      const all = [...conditions, ...order, ...actions]
      if (all.length === 0) return []
      const risk = conditions.length + order.length > 0 ? risks.condition : risks.action
      const sentence = `${describeOccasion(match.head, head.root)}: ${all.join('; ')}`
      const [was, now] = [say(match.base), say(match.head)]
      return [{ kind: 'changed', what, ids: [match.head.id], risk, sentence, was, now }]
    }
  }
}
