/** What a chart's content is called: equal charts have equal hashes, whatever they are stored as. */
import { createHash } from 'node:crypto'

import { toChartJson } from './chart.ts'
import type { Chart } from './chart.ts'

const charactersShown = 16

export function hashChart(chart: Chart): string {
  return createHash('sha256').update(toChartJson(chart)).digest('hex').slice(0, charactersShown)
}
