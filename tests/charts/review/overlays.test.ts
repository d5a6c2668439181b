/** What is laid over a picture: findings where they are, and the moment at which a conversation would have parted. */
import { expect, test } from 'vitest'
import { createMachine } from 'xstate'

import { compareCharts, toBaseId } from '../../../src/charts/compare/compare-charts.ts'
import { describeChart } from '../../../src/charts/describe-chart.ts'
import { ChartDrawing } from '../../../src/charts/drawing/chart-drawing.ts'
import { toMarkup } from '../../../src/charts/drawing/to-markup.ts'
import { extractChart } from '../../../src/charts/extract-chart.ts'
import { layOutChart } from '../../../src/charts/layout/lay-out-chart.ts'
import { lintChart } from '../../../src/charts/lint/lint-chart.ts'
import { toFindingsOverlay } from '../../../src/charts/lint/to-findings-overlay.ts'
import { toPartingOverlay, toPlaces } from '../../../src/charts/review/parting.ts'
import { elkEngine } from '../layout-engine.ts'

const machine = createMachine({
  id: 'm',
  initial: 'a',
  states: {
    a: { on: { go: [{ target: 'b' }, { target: 'c' }] }, after: { 1000: 'b' } },
    b: { after: { 1000: 'a' } },
    c: {},
  },
})
const chart = extractChart(machine)

test('every finding is a mark on its state or transition; an allowed one says why and is quiet', async () => {
  const allowances = [{ rule: 'dead-end', about: 'm.c', reason: 'it is the end' }] as const
  const findings = lintChart(chart, { allowances })
  const overlay = toFindingsOverlay(findings)
  expect(new Set(Object.keys(overlay.marks))).toEqual(new Set(findings.flatMap(({ id }) => (id === null ? [] : [id]))))
  // The second transition is hidden by the first.
  expect(overlay.marks['m.a|go|1']).toMatchObject({ tone: 'doubt', badge: '1 doubt' })
  expect(overlay.marks['m.c']?.note).toContain('(right so: it is the end)')
  const picture = await layOutChart(chart, { engine: elkEngine, title: 'm', onFailure: () => {} })
  const markup = toMarkup(ChartDrawing({ picture, overlay, describe: describeChart(chart) }))
  expect(markup).not.toContain('class="chart kinds"')
  expect(markup).toMatch(/class="label event doubt toned" data-edge="m\.a\|go\|1"/u)
})

const head = createMachine({
  ...machine.config,
  states: { ...machine.config.states, a: { ...machine.config.states?.['a'], on: { go: 'c' } } },
} as never)
const standing = { value: 'a', context: {}, historyValue: {}, children: {} }

test('where a conversation parts shows both transitions, each in its own chart, and where both lead', () => {
  const event = { type: 'go' }
  const was = toPlaces({ machine, before: standing, after: 'b', event })
  const would = toPlaces({ machine: head, before: standing, after: 'c', event })
  expect(was).toEqual({ from: ['m.a'], to: ['m.b'], transitions: ['m.a|go|0'] })
  expect(would).toEqual({ from: ['m.a'], to: ['m.c'], transitions: ['m.a|go|0'] })
  const { union } = compareCharts(chart, extractChart(head))
  const { marks } = toPartingOverlay(was, would, union)
  expect(union.transitions.map(({ id }) => id)).toContain(toBaseId('m.a|go|0'))
  expect(Object.entries(marks).map(([id, { tone }]) => [id, tone])).toEqual([
    ['m.a', 'changed'],
    ['m.c', 'would'],
    ['m.b', 'was'],
    ['m.a|go|0', 'would'],
    [toBaseId('m.a|go|0'), 'was'],
  ])
})

test('what nothing reached has no transition, and an opening comes from nowhere', () => {
  expect(toPlaces({ machine, before: standing, after: 'a', event: null }).transitions).toEqual([])
  expect(toPlaces({ machine, before: null, after: 'a', event: { type: 'conversation.opened' } })).toEqual({
    from: [],
    to: ['m.a'],
    transitions: [],
  })
})
