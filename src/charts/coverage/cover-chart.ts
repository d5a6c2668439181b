/**
 * The coverage of a chart, transition by transition. A file that was made for this very chart says it. One that was
 * made for another version says it of what has not changed since; whatever changed is untested until tests have walked
 * it again.
 *
 * 1. Every state that is a leaf and every transition of the chart stands here exactly once.
 * 2. A reason excuses what nothing walks; it does not cover it.
 */
import type { Chart } from '../chart.ts'
import { compareCharts } from '../compare/compare-charts.ts'
import { matchTransitions } from '../compare/match-transitions.ts'
import { toOrderText, toTransitionDifferences } from '../compare/transition-differences.ts'
import { describeChart } from '../describe-chart.ts'
import { hashChart } from '../hash-chart.ts'
import type { Coverage } from './coverage.ts'

export type CoverageKind = 'covered' | 'excused' | 'uncovered'

export type CoveredItem = {
  readonly id: string
  readonly what: 'state' | 'transition'
  readonly kind: CoverageKind
  /** How many walks walk it, and the first of them. */
  readonly walks: number
  readonly names: readonly string[]
  /** Why nothing walks it; null where something does, or nobody says. */
  readonly reason: string | null
  /** It was added or changed. */
  readonly isChanged: boolean
  readonly sentence: string
}

export type ChartCoverage = {
  /** For which chart the file was made. */
  readonly of: { readonly version: string; readonly isThisChart: boolean }
  /** What changed and is not covered first, then what else is not covered, then the rest. */
  readonly items: readonly CoveredItem[]
}

export type CoverChartOptions = {
  readonly coverage: Coverage
  /** The chart that the file was made for. */
  readonly walked: Chart
  /** What the chart is compared with; null: only what is not covered matters. */
  readonly base: Chart | null
}

const namesMax = 12

export function coverChart(chart: Chart, { coverage, walked, base }: CoverChartOptions): ChartCoverage {
  const isThisChart = (coverage.chart ?? hashChart(walked)) === hashChart(chart)
  const idIn = isThisChart ? (id: string): string | null => id : toUnchanged(walked, chart)
  const changed = toChanged(base, chart)
  const describe = describeChart(chart)
  const parents = new Set(chart.states.map(({ parent }) => parent))
  const leaves = chart.states.filter(({ id, kind }) => kind === 'atomic' && !parents.has(id))
  const items = [
    ...chart.transitions.map(({ id }) => toItem(id, 'transition', coverage.transitions)),
    ...leaves.map(({ id }) => toItem(id, 'state', coverage.states)),
  ]
  return {
    of: { version: coverage.version, isThisChart },
    items: items.toSorted((a, b) => toRank(a) - toRank(b)),
  }

  function toItem(id: string, what: CoveredItem['what'], all: Coverage['transitions']): CoveredItem {
    const known = idIn(id)
    const walks = known === null ? [] : (all[known] ?? [])
    const reason = known === null ? null : coverage.unwalked[known] || null
    const kind = walks.length > 0 ? 'covered' : reason === null ? 'uncovered' : 'excused'
    const names = walks.slice(0, namesMax)
    const isChanged = changed.has(id)
    return { id, what, kind, walks: walks.length, names, reason, isChanged, sentence: describe(id) }
  }
}

function toRank({ kind, isChanged, what }: CoveredItem): number {
  const kinds = { uncovered: 0, excused: 2, covered: 4 } as const
  return (isChanged ? 0 : 10) + kinds[kind] + (what === 'transition' ? 0 : 1)
}

/** From ids of the chart to those of the walked one, of what is the same in both. */
function toUnchanged(walked: Chart, chart: Chart): (id: string) => string | null {
  const ids = new Map<string, string>()
  for (const match of matchTransitions(walked.transitions, chart.transitions)) {
    if (match.kind !== 'matched') continue
    const { conditions, actions } = toTransitionDifferences(match)
    if (conditions.length + actions.length + toOrderText(match).length === 0) ids.set(match.head.id, match.base.id)
  }
  const states = new Set(walked.states.map(({ id }) => id))
  return (id) => ids.get(id) ?? (states.has(id) ? id : null)
}

function toChanged(base: Chart | null, chart: Chart): ReadonlySet<string> {
  if (base === null) return new Set()
  const { changes, onlyHead } = compareCharts(base, chart)
  return new Set([...changes.flatMap(({ ids }) => ids), ...onlyHead])
}
