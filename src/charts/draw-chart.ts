/** From a chart, or two, straight to a file. */
import type { Chart } from './chart.ts'
import type { Comparison } from './compare/compare-charts.ts'
import { toExtraSigns, toOverlay } from './compare/to-overlay.ts'
import { describeChart } from './describe-chart.ts'
import type { Theme } from './drawing/chart-styles.ts'
import { toSvg } from './drawing/to-svg.ts'
import type { LayoutOptions } from './layout/lay-out-chart.ts'
import type { Picture } from './picture.ts'

/** Lays out with the engine of the library. */
export type LayOut = (chart: Chart, options: Pick<LayoutOptions, 'title' | 'extra' | 'folded'>) => Promise<Picture>

type DrawOptions = { readonly theme: Theme; readonly layOut: LayOut }

export async function drawChart(chart: Chart, { theme, layOut }: DrawOptions): Promise<string> {
  return toSvg(await layOut(chart, {}), { theme, overlay: null, describe: describeChart(chart) })
}

export async function drawComparison(comparison: Comparison, { theme, layOut }: DrawOptions): Promise<string> {
  const overlay = toOverlay(comparison)
  const { base, head, union } = comparison
  const title = `${base.machine} ${base.version} to ${head.machine} ${head.version}`
  const picture = await layOut(union, { title, extra: toExtraSigns(overlay) })
  return toSvg(picture, { theme, overlay, describe: describeChart(union) })
}
