/**
 * `duologue diff`: what a change does to a chart. It needs no server and no network: pictures, the list of changes
 * and a text for the pull request are written where CI can take them.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { compareCharts } from '../../charts/compare/compare-charts.ts'
import type { Comparison } from '../../charts/compare/compare-charts.ts'
import { drawComparison } from '../../charts/draw-chart.ts'
import { toReviewText } from '../../charts/export/to-markdown.ts'
import { openCharts } from '../../parts/charts.ts'
import type { ChartsPart } from '../../parts/charts.ts'
import { WrongUse } from '../command.ts'
import type { CommandCall, CommandResult } from '../command.ts'
import { readChart } from './read-chart.ts'

/** Nobody looks at a page meanwhile. */
const layoutTimeoutMs = 30_000

export async function runDiff({ words, options }: CommandCall): Promise<CommandResult> {
  const { base: baseName, head: headName, out, machine } = options
  if (words.length > 0 || typeof baseName !== 'string') throw new WrongUse('diff wants --base <ref, file or version>')
  const charts = openCharts({ layoutTimeoutMs, onFailure: () => {} })
  try {
    const machineName = typeof machine === 'string' ? machine : 'conversation'
    const base = await readChart(baseName, machineName, charts.library)
    const head = await readChart(typeof headName === 'string' ? headName : machineName, machineName, charts.library)
    const comparison = compareCharts(base, head)
    const files = typeof out === 'string' ? await writeFiles(out, comparison, charts) : []
    const { changes } = comparison
    const value = { base: comparison.base, head: comparison.head, changes, files }
    return { exitCode: 0, value, text: toText(comparison, files) }
  } finally {
    await charts.close()
  }
}

function toText({ base, head, changes }: Comparison, files: readonly string[]): string {
  const title = `${head.machine}: ${base.version} to ${head.version}, ${changes.length} ${changes.length === 1 ? 'change' : 'changes'}`
  const lines = changes.map(({ sentence }) => `  ${sentence}`)
  const written = files.length === 0 ? [] : [`written: ${files.join(', ')}`]
  return [title, ...lines, ...written].join('\n')
}

async function writeFiles(folder: string, comparison: Comparison, charts: ChartsPart): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true })
  const { union: _union, ...review } = comparison
  const { layOut } = charts.library
  const contents: { readonly [name: string]: string | Buffer } = {
    'review.json': `${JSON.stringify(review, null, 2)}\n`,
    'review.md': toReviewText(comparison),
    'diff.svg': await drawComparison(comparison, { theme: 'auto', layOut }),
    'diff.png': await charts.renderPng(await drawComparison(comparison, { theme: 'light', layOut }), 2),
  }
  const paths = Object.keys(contents).map((name) => join(folder, name))
  for (const [name, content] of Object.entries(contents)) await writeFile(join(folder, name), content)
  return paths
}
