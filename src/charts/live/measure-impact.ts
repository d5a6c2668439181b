/**
 * Whom a change touches now: for everything that a comparison removes or changes, the open conversations that stand in
 * the state, or in the state that the transition leaves.
 */
import { indexChart } from '../chart-index.ts'
import type { Chart } from '../chart.ts'
import type { Change, Comparison } from '../compare/compare-charts.ts'
import type { Overlay } from '../drawing/overlay.ts'
import { countLive, nobody } from './count-live.ts'
import type { Standing } from './count-live.ts'
import { toShortCount } from './heat-overlay.ts'

export type Impact = {
  /** In the union of both charts. */
  readonly id: string
  readonly what: Change['what']
  readonly kind: Exclude<Change['kind'], 'added'>
  /** The state of the base that is counted; its list is that of the live chart. */
  readonly stateId: string
  readonly open: number
  readonly byVersion: { readonly [version: string]: number }
  readonly oldestAt: string | null
}

export function measureImpact(comparison: Comparison, base: Chart, standing: readonly Standing[]): readonly Impact[] {
  const { states } = countLive(indexChart(base), standing)
  const sources = new Map(comparison.union.transitions.map(({ id, source }) => [id, source]))
  const isThere = new Set([...comparison.union.states, ...comparison.union.transitions].map(({ id }) => id))
  const seen = new Set<string>()
  return comparison.changes.flatMap(({ kind, what, ids }) => {
    const id = ids.find((one) => isThere.has(one))
    if (kind === 'added' || id === undefined || seen.has(id)) return []
    seen.add(id)
    const stateId = what === 'state' ? id : (sources.get(id) ?? id)
    const { open, byVersion, oldestAt } = states[stateId] ?? nobody
    return [{ id, what, kind, stateId, open, byVersion, oldestAt }]
  })
}

/** The comparison's own marks, with the numbers on what somebody stands in. */
export function toImpactOverlay({ kind, marks }: Overlay, impact: readonly Impact[]): Overlay {
  const counted = impact.flatMap(({ id, open }): [string, Overlay['marks'][string]][] => {
    const mark = marks[id]
    if (mark === undefined) return []
    // Nobody is said, too: silence could mean that nobody counted.
    if (open === 0) return [[id, { ...mark, note: `${mark.note ?? ''}; nobody stands here` }]]
    return [
      [
        id,
        {
          ...mark,
          badge: `! ${toShortCount(open)} live here`,
          note: `${mark.note ?? ''}; ${open} open conversations stand here`,
        },
      ],
    ]
  })
  return { kind, marks: { ...marks, ...Object.fromEntries(counted) } }
}
