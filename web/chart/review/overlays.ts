/** What can be laid over the chart besides a comparison, and what its colours mean. */
import { toCoverageOverlay } from '../../../src/charts/coverage/to-coverage-overlay.ts'
import type { ChartCoverage } from '../../../src/charts/coverage/cover-chart.ts'
import type { Overlay } from '../../../src/charts/drawing/overlay.ts'
import type { View } from '../../../src/charts/library.ts'
import type { Threads } from './review-api.ts'
import { toFindingsOverlay } from '../../../src/charts/lint/to-findings-overlay.ts'

export type Laid = { readonly overlay: Overlay; readonly legend: readonly LegendItem[] }
/** `heat`: a square of that warmth before the text. */
export type LegendItem = { readonly tone: string; readonly text: string; readonly heat?: number }

export function layCoverage({ items }: ChartCoverage): Laid {
  const transitions = items.filter(({ what }) => what === 'transition')
  const count = (kind: string): number => transitions.filter((item) => item.kind === kind).length
  return {
    overlay: toCoverageOverlay(items),
    legend: [
      { tone: 'added', text: `${count('covered')} tested` },
      { tone: 'changed', text: `${count('excused')} not tested, with a reason` },
      { tone: 'removed', text: `${count('uncovered')} not tested` },
    ],
  }
}

export function layComments({ items }: Threads): Laid {
  const open = items.filter(({ resolvedAt }) => resolvedAt === null)
  const marks = [...Map.groupBy(items, ({ at }) => at ?? '')].map(([id, threads]) => {
    const count = threads.filter(({ resolvedAt }) => resolvedAt === null).length
    const tone = count > 0 ? ('doubt' as const) : ('allowed' as const)
    return [
      id,
      { tone, badge: count > 0 ? `${count} open` : null, note: `${count} open of ${threads.length} threads` },
    ] as const
  })
  return {
    overlay: { kind: 'comments', marks: Object.fromEntries(marks) },
    legend: [
      { tone: 'changed', text: `${open.length} open` },
      { tone: '', text: `${items.length - open.length} resolved` },
    ],
  }
}

export function layFindings({ findings }: Pick<View, 'findings'>): Laid {
  const allowed = findings.filter(({ allowedBecause }) => allowedBecause !== null).length
  return {
    overlay: toFindingsOverlay(findings),
    legend: [
      { tone: 'changed', text: `${findings.length - allowed} doubtful` },
      { tone: '', text: `${allowed} right as it is` },
    ],
  }
}
