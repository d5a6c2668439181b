/**
 * The best of many layouts: how many ways cross depends on the order in which the engine breaks circles and
 * on its seed. Trying them takes seconds, so it is done once for a chart that is kept.
 */
import type { Chart } from '../chart.ts'
import type { Picture } from '../picture.ts'
import type { Tuning } from './elk-graph.ts'
import { layOutChart } from './lay-out-chart.ts'
import type { LayoutEngine } from './lay-out-chart.ts'
import { measurePicture } from './picture-metrics.ts'
import type { PictureMetrics } from './picture-metrics.ts'

/** Depth first read best by far, in thousands of layouts; more rounds of the engine's own search help it. */
const cycleBreaking = 'DEPTH_FIRST'
const thoroughness = 40
const seedsTried = 100

export type BestPicture = { readonly picture: Picture; readonly metrics: PictureMetrics; readonly tried: number }

export async function findBestPicture(chart: Chart, engine: LayoutEngine): Promise<BestPicture> {
  let best: BestPicture | null = null
  let tried = 0
  for (const tuning of listTunings()) {
    const picture = await layOutChart(chart, { engine, tuning })
    const metrics = measurePicture(picture)
    tried += 1
    if (best === null || toCost(picture, metrics) < toCost(best.picture, best.metrics))
      best = { picture, metrics, tried }
  }
  if (best === null) throw new Error('no layout was tried')
  return { ...best, tried }
}

function listTunings(): readonly Tuning[] {
  return Array.from({ length: seedsTried }, (_, place) => ({
    cycleBreaking,
    thoroughness,
    seed: place + 1,
    isCompact: true,
  }))
}

/** Crossings first; a wide picture is worse than a high one, since pages are read downwards. */
function toCost(picture: Picture, { overlaps, misplacedInitials, crossings, bends }: PictureMetrics): number {
  const faults = overlaps.length + misplacedInitials.length + (picture.note === null ? 0 : 1)
  return faults * 1e6 + crossings * 100 + bends * 4 + picture.width / 5 + picture.height / 20
}
