import fc from 'fast-check'
import { expect, test } from 'vitest'

import { parseChart, toChartJson } from '../../src/charts/chart.ts'
import { compareCharts } from '../../src/charts/compare/compare-charts.ts'
import { describeChart } from '../../src/charts/describe-chart.ts'
import { toSvg } from '../../src/charts/drawing/to-svg.ts'
import { toMarkdownTable, toReviewText } from '../../src/charts/export/to-markdown.ts'
import { toMermaid } from '../../src/charts/export/to-mermaid.ts'
import { toTransitionRows } from '../../src/charts/export/transition-rows.ts'
import { extractChart } from '../../src/charts/extract-chart.ts'
import { layOutChart } from '../../src/charts/layout/lay-out-chart.ts'
import { parseGuard } from '../../src/charts/simulate/parse-guard.ts'
import { toGuard } from '../../src/charts/action-names.ts'
import type { Chart } from '../../src/charts/chart.ts'
import { conversationMachine } from '../../src/machines/conversation/machine.ts'
import { elkEngine } from './layout-engine.ts'
import { randomMachines } from './random-machine.ts'

const chart = extractChart(conversationMachine)

test('a chart that went through its JSON is drawn as the same bytes', async () => {
  const again = parseChart(JSON.parse(toChartJson(chart)))
  expect(await draw(again)).toBe(await draw(chart))
})

test('an SVG stands alone: no address, no script, both themes, and text that fits in any font', async () => {
  const svg = await draw(chart)
  const withoutNamespace = svg.replace('http://www.w3.org/2000/svg', '')
  expect(withoutNamespace).not.toMatch(/https?:|url\(|@import|<script|href=/u)
  expect(svg).toContain('prefers-color-scheme:dark')
  const texts = [...svg.matchAll(/<text [^>]*>/gu)]
    .map(([tag]) => tag)
    .filter((tag) => !/title|heading|caption/u.test(tag))
  expect(texts.length).toBeGreaterThan(50)
  expect(texts.every((tag) => tag.includes('textLength'))).toBe(true)
})

test('what somebody named cleverly stays text', async () => {
  const [state, ...states] = chart.states
  const evil = '</style><script>alert(1)</script>"\'&'
  const named: Chart = {
    ...chart,
    machine: evil,
    states: [state!, ...states.map((one) => ({ ...one, description: evil }))],
  }
  const svg = await draw(named)
  expect(svg).not.toContain('<script')
  expect(svg).toContain('&lt;script&gt;alert(1)')
  expect(toMarkdownTable(named)).not.toMatch(/[^\\]<script/u)
})

test('the table has one row for each transition', () => {
  fc.assert(
    fc.property(randomMachines, ({ machine }) => {
      const random = extractChart(machine)
      expect(toTransitionRows(random).map(({ id }) => id)).toEqual(random.transitions.map(({ id }) => id))
      const lines = toMarkdownTable(random)
        .split('\n')
        .filter((line) => line.startsWith('| '))
      expect(lines.length).toBe(random.transitions.length + 2)
    }),
    { numRuns: 50 },
  )
})

test('Mermaid gets every state and transition, and no line that it reads as something else', () => {
  fc.assert(
    fc.property(randomMachines, ({ machine }) => {
      const random = extractChart(machine)
      const lines = toMermaid(random)
        .trimEnd()
        .split('\n')
        .map((line) => line.trim())
      expect(lines[0]).toBe('stateDiagram-v2')
      const known =
        /^(?:%% .+|state "[^"]*" as \w+|state \w+ \{|\}|--|\[\*\] --> \w+|\w+ --> \[\*\]|\w+ --> \w+ : [^;#"]+)$/u
      for (const line of lines.slice(1)) expect(line).toMatch(known)
      const ways = lines.filter((line) => /^\w+ --> \w+ :/u.test(line))
      expect(ways.length).toBe(random.transitions.length)
    }),
    { numRuns: 50 },
  )
})

test('a review text says that nothing changed, or what', () => {
  expect(toReviewText(compareCharts(chart, chart))).toMatch(/^# conversation: \d+ to \d+\n\nNothing changed\.\n$/u)
  const without: Chart = { ...chart, version: 'other', transitions: chart.transitions.slice(1) }
  const text = toReviewText(compareCharts(chart, without))
  expect(text).toContain('1 change, the most dangerous first:')
  expect(Buffer.byteLength(text)).toBeLessThan(60_000)
})

test.each([
  'goesOn',
  'not goesOn',
  'goesOn and isLate',
  'not (goesOn or isLate)',
  '(goesOn and isLate) or (not isOpen)',
  'in PROGRESS',
])('the guard %s is read back from its text', (text) => {
  expect(toGuard(parseGuard(text))?.text).toBe(text)
})

async function draw(drawn: Chart): Promise<string> {
  const picture = await layOutChart(drawn, { engine: elkEngine })
  return toSvg(picture, { theme: 'auto', overlay: null, describe: describeChart(drawn) })
}
