/** What changed about states themselves: which came, went or moved, and what they do by themselves. */
import type { Chart, ChartState } from '../chart.ts'
import { toTargetName } from '../target-name.ts'
import type { Change } from './compare-charts.ts'
import { toActionDifferences } from './transition-differences.ts'

export type StateComparison = {
  readonly changes: readonly Change[]
  readonly removed: readonly ChartState[]
  readonly removedIds: readonly string[]
  readonly addedIds: readonly string[]
}

type Risks = {
  readonly removedState: number
  readonly structure: number
  readonly action: number
  readonly added: number
  readonly words: number
}

/** `moved`: base ids of states that stand elsewhere now, with their new ids. */
export function compareStates(
  base: Chart,
  head: Chart,
  moved: ReadonlyMap<string, string>,
  risks: Risks,
): StateComparison {
  const name = (id: string): string => toTargetName(id, head.root)
  const headStates = new Map(head.states.map((state) => [state.id, state]))
  const baseIds = new Set(base.states.map(({ id }) => id))
  const arrived = new Set(moved.values())
  const removed = base.states.filter(({ id }) => !headStates.has(id))
  const added = head.states.filter(({ id }) => !baseIds.has(id))
  const changes: Change[] = []
  for (const { id } of removed) {
    const to = moved.get(id)
    const texts = { was: name(id), now: to === undefined ? null : name(to) }
    changes.push(
      to === undefined
        ? {
            kind: 'removed',
            what: 'state',
            ids: [id],
            risk: risks.removedState,
            sentence: `the state ${name(id)} is removed`,
            ...texts,
          }
        : {
            kind: 'moved',
            what: 'state',
            ids: [to, id],
            risk: risks.removedState,
            sentence: `the state ${name(id)} is now ${name(to)}`,
            ...texts,
          },
    )
  }
  for (const { id } of added.filter((state) => !arrived.has(state.id))) {
    const sentence = `the state ${name(id)} is added`
    changes.push({ kind: 'added', what: 'state', ids: [id], risk: risks.added, sentence, was: null, now: name(id) })
  }
  for (const was of base.states) {
    const now = headStates.get(moved.get(was.id) ?? was.id)
    if (now !== undefined) changes.push(...toStateChanges(was, now, moved, name, risks))
  }
  return { changes, removed, removedIds: removed.map(({ id }) => id), addedIds: added.map(({ id }) => id) }
}

function toStateChanges(
  was: ChartState,
  now: ChartState,
  moved: ReadonlyMap<string, string>,
  name: (id: string) => string,
  risks: Risks,
): readonly Change[] {
  const structure = toStructureTexts(was, now, moved, name)
  const actions = [
    ...toActionDifferences('on entry does', was.entry, now.entry),
    ...toActionDifferences('on exit does', was.exit, now.exit),
    ...toInvocationTexts(was, now),
  ]
  const words = toWordTexts(was, now)
  const texts = [...structure, ...actions, ...words]
  if (texts.length === 0) return []
  const risk = structure.length > 0 ? risks.structure : actions.length > 0 ? risks.action : risks.words
  const sentence = `${now.parent === null ? 'the machine' : name(now.id)} ${texts.join('; ')}`
  return [{ kind: 'changed', what: 'state', ids: [now.id], risk, sentence, was: null, now: null }]
}

function toStructureTexts(
  was: ChartState,
  now: ChartState,
  moved: ReadonlyMap<string, string>,
  name: (id: string) => string,
): readonly string[] {
  const initial = was.initial === null ? null : (moved.get(was.initial) ?? was.initial)
  const starts = (id: string | null): string => (id === null ? 'nowhere' : name(id))
  return [
    ...(was.kind === now.kind ? [] : [`is ${now.kind} instead of ${was.kind}`]),
    ...(initial === now.initial ? [] : [`starts in ${starts(now.initial)} instead of ${starts(was.initial)}`]),
    ...(was.history === now.history
      ? []
      : [`remembers ${now.history ?? 'nothing'} instead of ${was.history ?? 'nothing'}`]),
  ]
}

function toInvocationTexts(was: ChartState, now: ChartState): readonly string[] {
  const list = ({ invocations }: ChartState): string =>
    invocations.length === 0
      ? 'nothing'
      : invocations.map(({ id, source }) => (id === source ? id : `${source} as ${id}`)).join(', ')
  return list(was) === list(now) ? [] : [`invokes ${list(now)} instead of ${list(was)}`]
}

function toWordTexts(was: ChartState, now: ChartState): readonly string[] {
  const tags = ({ tags: all }: ChartState): string => (all.length === 0 ? 'none' : all.join(', '))
  return [
    ...(tags(was) === tags(now) ? [] : [`has the tags ${tags(now)} instead of ${tags(was)}`]),
    ...(was.description === now.description ? [] : ['is described in other words']),
  ]
}
