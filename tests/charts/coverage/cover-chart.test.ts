/** Coverage on a chart: a known gap shows as exactly that gap, and what changed since is untested. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

import { coverChart } from '../../../src/charts/coverage/cover-chart.ts'
import { parseCoverage } from '../../../src/charts/coverage/coverage.ts'
import { toCoverageOverlay } from '../../../src/charts/coverage/to-coverage-overlay.ts'
import { describeChart } from '../../../src/charts/describe-chart.ts'
import { ChartDrawing } from '../../../src/charts/drawing/chart-drawing.ts'
import { toMarkup } from '../../../src/charts/drawing/to-markup.ts'
import { extractChart } from '../../../src/charts/extract-chart.ts'
import { layOutChart } from '../../../src/charts/layout/lay-out-chart.ts'
import { conversationMachine } from '../../../src/machines/conversation/machine.ts'
import { registration as draft } from '../../support/machines/draft-conversation.ts'
import { elkEngine } from '../layout-engine.ts'

const chart = extractChart(conversationMachine)
const { version = '' } = conversationMachine
const path = new URL(`../../../coverage/conversation@${version}.json`, import.meta.url)
const coverage = { ...parseCoverage(JSON.parse(readFileSync(path, 'utf8'))), chart: null }
const whole = coverChart(chart, { coverage, walked: chart, base: null })

test('the file of this build covers every transition but those that it excuses', () => {
  const transitions = whole.items.filter(({ what }) => what === 'transition')
  expect(transitions).toHaveLength(chart.transitions.length)
  const count = (kind: string): number => transitions.filter((item) => item.kind === kind).length
  const excused = Object.keys(coverage.unwalked).filter((id) => Object.hasOwn(coverage.transitions, id))
  expect(count('excused')).toBe(excused.length)
  expect(count('uncovered')).toBe(0)
  expect(count('covered')).toBe(chart.transitions.length - excused.length)
})

test('a known gap shows exactly that gap, first', () => {
  const [gap] = chart.transitions.filter(({ id }) => (coverage.transitions[id] ?? []).length > 0)
  const holed = { ...coverage, transitions: { ...coverage.transitions, [gap!.id]: [] } }
  const { items } = coverChart(chart, { coverage: holed, walked: chart, base: null })
  expect(items.filter(({ kind }) => kind === 'uncovered').map(({ id }) => id)).toEqual([gap!.id])
  expect(items[0]?.id).toBe(gap!.id)
})

test('a file without a gap shows none', () => {
  const full = { ...coverage, transitions: Object.fromEntries(chart.transitions.map(({ id }) => [id, ['walk-1']])) }
  const { items } = coverChart(chart, { coverage: full, walked: chart, base: null })
  expect(items.filter(({ kind, what }) => what === 'transition' && kind !== 'covered')).toEqual([])
})

describe('a changed chart', () => {
  const changed = extractChart(draft.machine)
  const { items, of } = coverChart(changed, { coverage, walked: chart, base: chart })

  test('has its changed transitions first, and untested; the rest keeps its tests', () => {
    expect(of).toEqual({ version, isThisChart: false })
    const first = items.slice(0, 3)
    expect(first.every(({ isChanged, kind }) => isChanged && kind === 'uncovered')).toBe(true)
    expect(items.slice(3).every(({ kind }) => kind !== 'uncovered')).toBe(true)
    const walked = (list: typeof items): number => list.filter(({ kind }) => kind === 'covered').length
    expect(walked(items)).toBe(walked(whole.items) - 3)
  })
})

test('over a chart the colours of kinds are gone, and each transition has the colour of its tests', async () => {
  const picture = await layOutChart(chart, { engine: elkEngine, title: 'x', onFailure: () => {} })
  const overlay = toCoverageOverlay(whole.items)
  const markup = toMarkup(ChartDrawing({ picture, overlay, describe: describeChart(chart) }))
  expect(markup).not.toContain('class="chart kinds"')
  for (const kind of ['covered', 'excused'] as const) {
    const drawn = [...markup.matchAll(new RegExp(`class="[^"]*\\b${kind}\\b[^"]*" data-edge`, 'gu'))].length
    expect(drawn).toBe(whole.items.filter((item) => item.what === 'transition' && item.kind === kind).length)
  }
})

test('what is no coverage is refused with the field', () => {
  expect(() => parseCoverage({ machine: 'x' })).toThrow('not a file of coverage: version')
})
