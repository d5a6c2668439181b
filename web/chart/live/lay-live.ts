/** Live numbers over the chart: heat, or on a comparison whom the change touches. Kept while nothing changes. */
import type { LiveAnswer } from '../../../src/charts/live/live-answer.ts'
import { toHeatOverlay, toLegend, toShortCount } from '../../../src/charts/live/heat-overlay.ts'
import { toImpactOverlay } from '../../../src/charts/live/measure-impact.ts'
import type { View } from '../../../src/charts/library.ts'
import type { Laid } from '../review/overlays.ts'
import { toClock } from '../to-clock.ts'
import type { Live } from './use-live.ts'

const windowNames: { readonly [window: string]: string } = { '1h': '1 h', '24h': '24 h', '7d': '7 days' }
type Shown = { readonly view: View; readonly answer: LiveAnswer; readonly lost: string | null }
let last: (Shown & { readonly laid: Laid }) | null = null

export function layLive(view: View, { answer, problem, heardAt }: Live): Laid | null {
  if (answer === null) return null
  const lost = problem === null ? null : `as of ${toClock(heardAt)}`
  if (last?.view !== view || last.answer !== answer || last.lost !== lost)
    last = { view, answer, lost, laid: lay({ view, answer, lost }) }
  return last.laid
}

function lay({ view: { chart, comparison }, answer, lost }: Shown): Laid {
  const freshness = lost === null ? { tone: 'added', text: 'live' } : { tone: 'removed', text: lost }
  const { open, total, impact, transitions, window } = answer
  const sum = { tone: '', text: `${open.toLocaleString('en')} open of ${total.toLocaleString('en')}` }
  if (comparison !== null && impact !== null) {
    const touched = impact.filter((one) => one.open > 0).length
    const text = `${touched} of ${impact.length} removed or changed places have somebody in them`
    return { overlay: toImpactOverlay(comparison.overlay, impact), legend: [freshness, { tone: '', text }, sum] }
  }
  const inner = chart.states.filter(({ kind }) => kind === 'atomic' || kind === 'final')
  const most = Math.max(0, ...inner.map(({ id }) => answer.states[id]?.open ?? 0))
  const steps = toLegend(most).map(({ heat, upTo }) => ({ tone: '', text: `up to ${toShortCount(upTo)}`, heat }))
  return {
    overlay: toHeatOverlay({ chart, counts: answer, taken: transitions, window: windowNames[window] ?? window }),
    legend: [freshness, { tone: '', text: '0', heat: 0 }, ...steps, sum],
  }
}
