/**
 * Which transition of the head is which of the base. Only those of one state and one event are matched with
 * each other (all timers of a state count as one event, since their delay may have changed), the most alike
 * first.
 */
import type { ChartTransition } from '../chart.ts'

type Pair = { readonly base: ChartTransition; readonly head: ChartTransition }
type Places = { readonly basePlace: number; readonly headPlace: number }

export type TransitionMatch =
  /** Places among the matched candidates for the same event, from 0: they differ when the order changed. */
  | (Pair & Places & { readonly kind: 'matched' })
  | (Pair & { readonly kind: 'retargeted' })
  | { readonly kind: 'added'; readonly head: ChartTransition }
  | { readonly kind: 'removed'; readonly base: ChartTransition }

/** How alike two transitions of one event are; each is tried in turn. */
const likenesses: readonly ((one: ChartTransition) => string)[] = [
  (one) => JSON.stringify([one.targets, one.guard, one.actions, one.delay, one.reenters, one.description]),
  (one) => JSON.stringify([one.targets, one.guard?.text, one.delay?.name, toActionNames(one)]),
  (one) => JSON.stringify([one.targets, one.guard?.text, one.delay?.name]),
  (one) => JSON.stringify([one.targets, one.guard?.text]),
  (one) => JSON.stringify([one.targets, one.delay?.name, toActionNames(one)]),
  (one) => JSON.stringify([one.targets, one.delay?.name]),
]
/** With another target it is still the same question, or the same moment. */
const retargeting = (one: ChartTransition): string => JSON.stringify([one.guard?.text, one.delay?.name])

export function matchTransitions(
  base: readonly ChartTransition[],
  head: readonly ChartTransition[],
): readonly TransitionMatch[] {
  const baseGroups = Map.groupBy(base, toGroup)
  const headGroups = Map.groupBy(head, toGroup)
  const groups = new Set([...headGroups.keys(), ...baseGroups.keys()])
  return [...groups].flatMap((group) => matchGroup(baseGroups.get(group) ?? [], headGroups.get(group) ?? []))
}

function toGroup({ source, kind, name, event }: ChartTransition): string {
  if (kind === 'after') return `${source}|after`
  return `${source}|${kind}|${kind === 'event' ? event : name}`
}

function matchGroup(base: readonly ChartTransition[], head: readonly ChartTransition[]): readonly TransitionMatch[] {
  const left = { base: [...base], head: [...head] }
  const pairs = likenesses.flatMap((likeness) => takePairs(left, likeness))
  const retargeted = takePairs(left, retargeting).map((pair) => ({ ...pair, kind: 'retargeted' as const }))
  return [
    ...withPlaces(pairs, base, head),
    ...retargeted,
    ...left.head.map((one) => ({ kind: 'added' as const, head: one })),
    ...left.base.map((one) => ({ kind: 'removed' as const, base: one })),
  ]
}

function takePairs(
  left: { base: ChartTransition[]; head: ChartTransition[] },
  likeness: (one: ChartTransition) => string,
): readonly Pair[] {
  const pairs: Pair[] = []
  // Both lists are made anew below, so this one stays whole.
  const { head: candidates } = left
  for (const head of candidates) {
    const wanted = likeness(head)
    const base = left.base.find((one) => likeness(one) === wanted)
    if (base === undefined) continue
    pairs.push({ base, head })
    left.base = left.base.filter((one) => one !== base)
    left.head = left.head.filter((one) => one !== head)
  }
  return pairs
}

function withPlaces(
  pairs: readonly Pair[],
  base: readonly ChartTransition[],
  head: readonly ChartTransition[],
): readonly TransitionMatch[] {
  const inBase = pairs.toSorted((a, b) => base.indexOf(a.base) - base.indexOf(b.base))
  const inHead = pairs.toSorted((a, b) => head.indexOf(a.head) - head.indexOf(b.head))
  return inHead.map((pair) => {
    // Timers of different delays do not wait for each other: only those of one delay have an order.
    const rivals = ({ head: one }: Pair): boolean => one.event === pair.head.event
    const basePlace = inBase.filter(rivals).indexOf(pair)
    const headPlace = inHead.filter(rivals).indexOf(pair)
    return { ...pair, kind: 'matched', basePlace, headPlace }
  })
}

function toActionNames({ actions }: ChartTransition): string {
  return actions.map(({ name }) => name).join(',')
}
