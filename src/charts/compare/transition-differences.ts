/** In words, what differs between a transition and the same one in the other version. */
import type { ChartAction, ChartTransition } from '../chart.ts'
import { toDuration } from '../to-duration.ts'
import type { TransitionMatch } from './match-transitions.ts'

type Matched = TransitionMatch & { readonly kind: 'matched' }

export type Differences = {
  /** When and whether it is taken. */
  readonly conditions: readonly string[]
  /** What it does. */
  readonly actions: readonly string[]
}

export function toTransitionDifferences({ base, head }: Matched): Differences {
  return {
    conditions: [
      ...toGuardText(base, head),
      ...toDelayText(base, head),
      ...(base.reenters === head.reenters
        ? []
        : [head.reenters ? 'enters its state anew' : 'no longer enters its state anew']),
    ],
    actions: toActionDifferences('does', base.actions, head.actions),
  }
}

/** Guards are asked one after the other: another order can be another choice. */
export function toOrderText({ basePlace, headPlace }: Matched): readonly string[] {
  if (basePlace === headPlace) return []
  return [`is asked ${toOrdinal(headPlace)} instead of ${toOrdinal(basePlace)}`]
}

function toGuardText({ guard: was }: ChartTransition, { guard: now }: ChartTransition): readonly string[] {
  if (was?.text === now?.text) return []
  if (was === null) return [`now asks ${now?.text ?? ''}`]
  return [now === null ? `no longer asks ${was.text}` : `asks ${now.text} instead of ${was.text}`]
}

function toDelayText({ delay: was }: ChartTransition, { delay: now }: ChartTransition): readonly string[] {
  if (was === null || now === null) return []
  const [before, after] = [was, now].map(({ ms, name }) => (ms === null ? name : toDuration(ms)))
  if (before !== after) return [`after ${after ?? ''} instead of ${before ?? ''}`]
  return was.name === now.name ? [] : [`its delay is called ${now.name} instead of ${was.name}`]
}

/** `verb` says when: `does`, `on entry does`. */
export function toActionDifferences(
  verb: string,
  was: readonly ChartAction[],
  now: readonly ChartAction[],
): readonly string[] {
  const names = (actions: readonly ChartAction[]): readonly string[] => actions.map(({ name }) => name)
  const [before, after] = [names(was), names(now)]
  if (JSON.stringify(before) !== JSON.stringify(after)) {
    return [`${verb} ${toList(after)} instead of ${toList(before)}`]
  }
  const changed = now.filter((action, place) => JSON.stringify(action) !== JSON.stringify(was[place]))
  return changed.map((action) => {
    const former = was[now.indexOf(action)]
    return `${verb} ${action.name} with ${toParams(action)} instead of ${toParams(former)}`
  })
}

function toList(names: readonly string[]): string {
  return names.length === 0 ? 'nothing' : names.join(', ')
}

function toParams(action: ChartAction | undefined): string {
  if (action === undefined || action.isComputed) return 'something computed'
  return JSON.stringify(action.params)
}

function toOrdinal(place: number): string {
  return ['first', 'second', 'third', 'fourth', 'fifth'][place] ?? `at place ${place + 1}`
}
