/** What is laid over the chart: what the reader chose, else the comparison, else nothing. */
import { useMemo } from 'preact/hooks'
import type { Overlay } from '../../../src/charts/drawing/overlay.ts'
import type { View } from '../../../src/charts/library.ts'
import type { Address } from '../address.ts'
import { ask, readCoverage, toThreadsPath } from '../api.ts'
import type { Threads } from './review-api.ts'
import { useAsked } from '../use-asked.ts'
import { useLazy } from '../use-lazy.ts'
import type { Laid } from './overlays.ts'

const loadOverlays = async () => import('./overlays.ts')

export function useLaid(view: View, { layer, tab }: Address, parting: Overlay | null, live: Laid | null): Laid | null {
  const isTests = layer === 'tests'
  const key = isTests ? `${view.ref} ${view.comparison?.baseRef ?? ''}` : null
  const coverage = useAsked(key, async () => readCoverage(view.ref, view.comparison?.baseRef ?? null))
  const threads = useAsked(layer === 'comments' ? `${view.ref} ${view.hash}` : null, async () =>
    ask<Threads>(toThreadsPath(view.ref)),
  )
  const overlays = useLazy(layer !== null && layer !== 'live', loadOverlays)
  return useMemo(() => {
    if (parting !== null) {
      const legend = [
        { tone: 'removed', text: 'was' },
        { tone: 'added', text: 'would be' },
        { tone: 'changed', text: 'where they part' },
      ]
      return { overlay: parting, legend }
    }
    if (overlays !== null && isTests && coverage.answer !== null) return overlays.layCoverage(coverage.answer)
    if (isTests && coverage.problem !== null)
      return { overlay: nothing, legend: [{ tone: '', text: coverage.problem }] }
    if (overlays !== null && layer === 'comments' && threads.answer !== null)
      return overlays.layComments(threads.answer)
    if (overlays !== null && layer === 'findings') return overlays.layFindings(view)
    if (live !== null && (layer === 'live' || (layer === null && tab === 'live'))) return live
    return view.comparison === null ? null : { overlay: view.comparison.overlay, legend: [] }
  }, [view, layer, tab, overlays, coverage, threads, parting, live])
}

const nothing: Overlay = { kind: 'coverage', marks: {} }
