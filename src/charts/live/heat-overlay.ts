/**
 * Numbers as heat on a chart: states by their open conversations, transitions by how often they were taken. The scale
 * is that of square roots, so that a few beside many are still seen; each kind has its own, and nothing is warmer than 8.
 */
import type { Chart } from '../chart.ts'
import type { Mark, Overlay } from '../drawing/overlay.ts'
import { nobody } from './count-live.ts'
import type { LiveCounts } from './count-live.ts'

export const heatMax = 8

export type HeatAsked = {
  readonly chart: Chart
  readonly counts: LiveCounts
  /** How often each transition was taken, and in what time: `1 h`. */
  readonly taken: { readonly [id: string]: number }
  readonly window: string
}

export function toHeatOverlay({ chart, counts, taken, window }: HeatAsked): Overlay {
  const inner = chart.states.filter(({ id }) => id !== chart.root)
  const leaves = inner.filter(({ kind }) => kind !== 'compound' && kind !== 'parallel')
  const most = Math.max(0, ...leaves.map(({ id }) => counts.states[id]?.open ?? 0))
  const often = Math.max(0, ...Object.values(taken))
  const marks: { [id: string]: Mark } = {}
  for (const { id, kind } of inner) {
    if (kind === 'history') continue
    const { count, open } = counts.states[id] ?? nobody
    // A state around others is not coloured by their sum: its colour would hide theirs.
    const isLeaf = kind !== 'compound' && kind !== 'parallel'
    const badge =
      count === open
        ? toShortCount(open)
        : open === 0
          ? `${toShortCount(count)} closed`
          : `${toShortCount(open)} of ${toShortCount(count)}`
    marks[id] = {
      tone: 'unchanged',
      badge,
      note: `${open} open of ${count} conversations`,
      heat: isLeaf ? toHeat(open, most) : 0,
    }
  }
  for (const { id } of chart.transitions) {
    const count = taken[id] ?? 0
    const badge = count === 0 ? null : toShortCount(count)
    marks[id] = { tone: 'unchanged', badge, note: `taken ${count} times in ${window}`, heat: toHeat(count, often) }
  }
  return { kind: 'heat', marks }
}

/** 0 for nobody, else 1 to 8. */
export function toHeat(count: number, most: number): number {
  if (count <= 0 || most <= 0) return 0
  return Math.max(1, Math.round(Math.sqrt(count / most) * heatMax))
}

/** The counts at which the legend's steps begin, largest last. */
export function toLegend(most: number): readonly { readonly heat: number; readonly upTo: number }[] {
  if (most <= 0) return []
  const steps = [1, 2, 4, 6, 8].map((heat) => ({ heat, upTo: Math.max(1, Math.round((heat / heatMax) ** 2 * most)) }))
  return steps.filter(({ upTo }, place) => steps[place + 1]?.upTo !== upTo)
}

/** `942`, `12.3k`, `1.2M`: as wide as its box allows. The whole number stands in the tooltip and in the panel. */
export function toShortCount(count: number): string {
  if (count < 10_000) return String(count).replace(/\B(?=(?:\d{3})+$)/u, ',')
  const [by, unit] = count < 999_500 ? [1_000, 'k'] : [1_000_000, 'M']
  const short = count / by
  return `${short < 99.95 ? short.toFixed(1) : Math.round(short)}${unit}`
}
