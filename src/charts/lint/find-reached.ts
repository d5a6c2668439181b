/** Every state that some sequence of events can make active, whatever the guards say. */
import type { ChartIndex } from '../chart-index.ts'

export function findReached(index: ChartIndex): ReadonlySet<string> {
  const reached = new Set<string>()
  const waiting = [...index.entered(index.chart.root)]
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    if (reached.has(id)) continue
    reached.add(id)
    for (const { targets } of index.outOf(id)) {
      for (const target of targets) waiting.push(target, ...index.entered(target))
    }
  }
  return reached
}
