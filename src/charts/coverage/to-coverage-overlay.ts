/** Coverage as marks on a picture. What is covered is quiet in words: how many tests; the rest says why not. */
import type { Mark, Overlay } from '../drawing/overlay.ts'
import type { CoveredItem } from './cover-chart.ts'

export function toCoverageOverlay(items: readonly CoveredItem[]): Overlay {
  return { kind: 'coverage', marks: Object.fromEntries(items.map((item) => [item.id, toMark(item)])) }
}

function toMark({ kind, what, walks, reason, isChanged }: CoveredItem): Mark {
  const badge = kind === 'uncovered' && what === 'state' ? 'no test' : null
  const changed = isChanged ? 'changed, ' : ''
  const tests = walks === 1 ? '1 test' : `${walks} tests`
  const note = kind === 'covered' ? tests : kind === 'excused' ? `no test: ${reason ?? ''}` : 'no test'
  return { tone: kind, badge, note: `${changed}${note}` }
}
