/** `duologue svg`: a chart as a file, or on standard output. */
import { writeFile } from 'node:fs/promises'

import { toChartJson } from '../../charts/chart.ts'
import { toMarkdownTable } from '../../charts/export/to-markdown.ts'
import { toMermaid } from '../../charts/export/to-mermaid.ts'
import { drawChart } from '../../charts/draw-chart.ts'
import { openCharts } from '../../parts/charts.ts'
import type { ChartsPart } from '../../parts/charts.ts'
import { WrongUse } from '../command.ts'
import type { CommandCall, CommandResult } from '../command.ts'
import { readChart } from './read-chart.ts'

const forms = ['svg', 'png', 'json', 'mmd', 'md'] as const
type Form = (typeof forms)[number]
const themes = ['auto', 'light', 'dark'] as const

/** Nobody looks at a page meanwhile. */
const layoutTimeoutMs = 30_000

export async function runSvg({ words, options }: CommandCall): Promise<CommandResult> {
  if (words.length > 1) throw new WrongUse('svg wants one chart')
  const name = words[0] ?? 'conversation'
  const out = typeof options['out'] === 'string' ? options['out'] : null
  const form = readForm(options['as'], out)
  const theme = themes.find((one) => one === (options['theme'] ?? 'auto'))
  if (theme === undefined) throw new WrongUse(`--theme is one of ${themes.join(', ')}`)
  if (form === 'png' && out === null) throw new WrongUse('a PNG needs --out <file>')
  let problem: string | null = null
  const charts = openCharts({ layoutTimeoutMs, onFailure: (error) => (problem = String(error)) })
  try {
    const machine = typeof options['machine'] === 'string' ? options['machine'] : 'conversation'
    const { chart } = await readChart(name, machine, charts.library)
    const content = await toContent(form, chart, theme, charts)
    if (out !== null) await writeFile(out, content)
    const value = { machine: chart.machine, version: chart.version, form, file: out, problem }
    const text =
      out === null
        ? String(content).trimEnd()
        : `${out}: ${chart.machine} ${chart.version}, ${chart.states.length} states`
    return { exitCode: problem === null ? 0 : 1, value, text }
  } finally {
    await charts.close()
  }
}

function readForm(given: string | boolean | undefined, out: string | null): Form {
  const name = given ?? out?.split('.').at(-1) ?? 'svg'
  const form = forms.find((one) => one === name)
  if (form === undefined) throw new WrongUse(`--as is one of ${forms.join(', ')}`)
  return form
}

async function toContent(
  form: Form,
  chart: Parameters<typeof drawChart>[0],
  theme: (typeof themes)[number],
  charts: ChartsPart,
): Promise<string | Buffer> {
  switch (form) {
    case 'json':
      return toChartJson(chart)
    case 'mmd':
      return toMermaid(chart)
    case 'md':
      return toMarkdownTable(chart)
    case 'svg':
      return drawChart(chart, { theme, layOut: charts.library.layOut })
    case 'png': {
      const svg = await drawChart(chart, { theme: theme === 'dark' ? 'dark' : 'light', layOut: charts.library.layOut })
      return charts.renderPng(svg, 2)
    }
  }
}
