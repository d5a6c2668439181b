/**
 * A chart becomes a picture. The engine may throw, hang, forget something or lay things on each other: then
 * other options are tried, and after them the tree drawing is given with a note. The result is never empty.
 */
import type { Chart } from '../chart.ts'
import type { Picture } from '../picture.ts'
import { toElkGraph, toPicture, toWidening, usualTuning } from './elk-graph.ts'
import type { ElkNode, Tuning } from './elk-graph.ts'
import { toPlan } from './plan.ts'
import { measurePicture } from './picture-metrics.ts'
import type { Plan, PlanOptions } from './plan.ts'
import { toTreePicture } from './tree-picture.ts'

/** Gives the graph back with places. It rejects when it fails, and with `LayoutTooSlow` when it takes too long. */
export type LayoutEngine = (graph: ElkNode) => Promise<ElkNode>

export class LayoutTooSlow extends Error {}

export type LayoutOptions = Pick<PlanOptions, 'extra' | 'folded'> & {
  readonly engine: LayoutEngine
  readonly title?: string
  readonly tuning?: Tuning
  /** Told what went wrong when the picture is not the one that was meant. */
  readonly onFailure?: (error: unknown) => void
}

export async function layOutChart(chart: Chart, options: LayoutOptions): Promise<Picture> {
  const { engine, onFailure = () => {} } = options
  const title = options.title ?? `${chart.machine} ${chart.version}`
  const plan = toPlan(chart, options)
  let best: { readonly picture: Picture; readonly overlaps: number } | null = null
  for (const tuning of listAttempts(options.tuning ?? usualTuning)) {
    try {
      const picture = toPicture(plan, await place(plan, tuning, engine), title)
      const { overlaps } = measurePicture(picture)
      if (overlaps.length === 0) return picture
      best = best === null || overlaps.length < best.overlaps ? { picture, overlaps: overlaps.length } : best
    } catch (error) {
      onFailure(error)
      if (error instanceof LayoutTooSlow) break
    }
  }
  if (best !== null) return best.picture
  const note = 'The layout of this chart failed: this is the plain drawing, complete but without arrows.'
  return toTreePicture(chart, title, note, options)
}

/** What is tried, one after the other, until nothing lies on anything else. */
function listAttempts(tuning: Tuning): readonly (Tuning | 'plain')[] {
  const loose = { ...tuning, isCompact: false }
  return [tuning, loose, { ...loose, seed: tuning.seed + 1 }, 'plain']
}

async function place(plan: Plan, tuning: Tuning | 'plain', engine: LayoutEngine): Promise<ElkNode> {
  const placed = await engine(toElkGraph(plan, tuning))
  const widening = toWidening(plan, placed)
  return Object.keys(widening).length === 0 ? placed : engine(toElkGraph(plan, tuning, widening))
}
