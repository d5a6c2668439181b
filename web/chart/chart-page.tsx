/** The page of charts: which ones there are, and the one that the address names. */
import { useRef } from 'preact/hooks'
import { listCharts, readView, type ChartItem } from './api.ts'
import { ChartDesk } from './chart-desk.tsx'
import { useAddress } from './use-address.ts'
import { useAsked } from './use-asked.ts'
import type { View } from '../../src/charts/library.ts'

export function ChartPage() {
  const [address, go] = useAddress()
  const list = useAsked('list', listCharts)
  const items = list.answer ?? []
  const shown = find(items, address.chart) ?? items[0] ?? null
  const base = shown === null ? null : find(items, address.base)
  const folds = address.folds.join(',')
  // The view is asked for together with the list: a link names its chart.
  const ref = shown?.ref ?? (list.answer === null ? (address.chart ?? 'conversation') : null)
  const baseRef = list.answer === null ? address.base : (base?.ref ?? null)
  const asked = useAsked<View>(ref === null ? null : JSON.stringify([ref, baseRef, folds]), async () =>
    readView(ref ?? '', baseRef, address.folds),
  )
  const last = useRef<View | null>(null)
  last.current = asked.answer ?? last.current
  const view = last.current
  if (list.problem !== null) return <p class="notice">The charts could not be shown: {list.problem}.</p>
  if (list.answer !== null && shown === null) return <p class="notice">This build has no charts.</p>
  if (shown === null || view === null) {
    const problem = list.answer === null ? null : asked.problem
    return (
      <p class="notice">
        {problem === null ? 'The chart is being drawn …' : `The chart could not be shown: ${problem}.`}
      </p>
    )
  }
  return (
    <ChartDesk
      items={items}
      shown={shown}
      base={base}
      view={view}
      address={address}
      go={go}
      notes={toNotes(items, address.chart, address.base, asked.problem)}
    />
  )
}

function find(items: readonly ChartItem[], name: string | null): ChartItem | null {
  if (name === null) return null
  return items.find(({ ref, machine }) => ref === name || machine === name) ?? null
}

/** What the address names and this build does not have. */
function toNotes(
  items: readonly ChartItem[],
  chart: string | null,
  base: string | null,
  problem: string | null,
): readonly string[] {
  const isUnknown = (name: string | null): name is string => name !== null && find(items, name) === null
  return [
    ...(isUnknown(chart) ? [`There is no chart ${chart}: another one is shown.`] : []),
    ...(isUnknown(base) ? [`There is no chart ${base} to compare with.`] : []),
    ...(problem === null ? [] : [`The newest view could not be shown: ${problem}.`]),
  ]
}
