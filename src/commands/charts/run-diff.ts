/**
 * `duologue diff`: what a change does to a chart, and whether it may go. It needs no server and no network: pictures,
 * the list of changes and a text for the pull request are written where CI can take them, and the exit code is the gate.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import type { Chart } from '../../charts/chart.ts'
import { compareCharts } from '../../charts/compare/compare-charts.ts'
import type { Comparison } from '../../charts/compare/compare-charts.ts'
import { coverChart } from '../../charts/coverage/cover-chart.ts'
import type { ChartCoverage } from '../../charts/coverage/cover-chart.ts'
import { drawComparison } from '../../charts/draw-chart.ts'
import { judgeReview, toReviewId } from '../../charts/review/review.ts'
import type { Judgement, ReviewSide } from '../../charts/review/review.ts'
import { toReviewMarkdown } from '../../charts/review/to-review-markdown.ts'
import { openCharts } from '../../parts/charts.ts'
import type { ChartsPart } from '../../parts/charts.ts'
import { readCoverageFiles } from '../../parts/reviews.ts'
import { WrongUse } from '../command.ts'
import type { CommandCall, CommandResult } from '../command.ts'
import { readChart } from './read-chart.ts'
import type { ReadChart } from './read-chart.ts'
import { readEvidence } from './read-evidence.ts'
import type { FoundEvidence } from './read-evidence.ts'

/** Nobody looks at a page meanwhile. */
const layoutTimeoutMs = 30_000
const outUsual = 'review'
const coverageFolder = fileURLToPath(new URL('../../../coverage', import.meta.url))

type Reviewed = {
  readonly id: string
  /** By hash: what a verdict would be bound to. */
  readonly sides: { readonly base: ReviewSide; readonly head: ReviewSide }
  readonly comparison: Comparison
  readonly head: Chart
  readonly evidence: FoundEvidence
  readonly judgement: Judgement
  readonly coverage: ChartCoverage | null
  readonly pictureUrl: string | null
}

export async function runDiff(call: CommandCall): Promise<CommandResult> {
  const { words, options } = call
  const { base: baseName, head: headName, out, machine } = options
  if (words.length > 0 || typeof baseName !== 'string') throw new WrongUse('diff wants --base <ref, file or version>')
  const charts = openCharts({ layoutTimeoutMs, onFailure: () => {} })
  try {
    const machineName = typeof machine === 'string' ? machine : 'conversation'
    const base = await readChart(baseName, machineName, charts.library)
    const head = await readChart(typeof headName === 'string' ? headName : machineName, machineName, charts.library)
    const reviewed = await review(base, head, call)
    const { id, comparison, judgement, evidence } = reviewed
    const isGate = options['no-gate'] !== true
    const folder = typeof out === 'string' ? out : outUsual
    const files = out === undefined && !isGate ? [] : await writeFiles(folder, reviewed, charts)
    const sides = { base: comparison.base, head: comparison.head }
    const value = { id, ...sides, changes: comparison.changes, judgement, evidence: evidence.sentence, files }
    const exitCode = isGate && !judgement.isGreen ? 1 : 0
    return { exitCode, value, text: toText(reviewed, files, isGate) }
  } finally {
    await charts.close()
  }
}

async function review(base: ReadChart, head: ReadChart, { options, env }: CommandCall): Promise<Reviewed> {
  const comparison = compareCharts(base.chart, head.chart)
  const id = toReviewId(base.side, head.side)
  const { url, reviews } = options
  const evidence = await readEvidence({
    id,
    folder: typeof reviews === 'string' ? reviews : 'reviews',
    url: typeof url === 'string' ? url : null,
    env,
  })
  const judgement = judgeReview({ base: base.side, head: head.side }, comparison.changes, evidence)
  const picture = options['picture-url']
  return {
    id,
    sides: { base: base.side, head: head.side },
    comparison,
    head: head.chart,
    evidence,
    judgement,
    coverage: cover(base, head),
    pictureUrl: typeof picture === 'string' ? picture : null,
  }
}

/** By the file of the head's own tests; one of the base says it of what did not change. */
function cover(base: ReadChart, head: ReadChart): ChartCoverage | null {
  const files = readCoverageFiles(coverageFolder).filter(({ machine }) => machine === head.side.machine)
  for (const { chart, side } of [head, base]) {
    const coverage = files.find(
      (one) => one.chart === side.chart || (one.chart === null && one.version === side.version),
    )
    if (coverage !== undefined) return coverChart(head.chart, { coverage, walked: chart, base: base.chart })
  }
  return null
}

function toText({ id, comparison, judgement, evidence }: Reviewed, files: readonly string[], isGate: boolean): string {
  const { base, head, changes } = comparison
  const title = `${head.machine}: ${base.version} to ${head.version}, ${changes.length} ${changes.length === 1 ? 'change' : 'changes'}`
  const lines = changes.map(({ sentence }) => `  ${sentence}`)
  const gate = isGate
    ? [
        `review ${id}: ${judgement.isGreen ? 'may go' : 'may not go'}`,
        ...judgement.reasons.map((reason) => `  ${reason}`),
        `  ${evidence.sentence}`,
      ]
    : []
  const written = files.length === 0 ? [] : [`written: ${files.join(', ')}`]
  return [title, ...lines, ...gate, ...written].join('\n')
}

async function writeFiles(folder: string, reviewed: Reviewed, charts: ChartsPart): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true })
  const { id, sides, comparison, judgement, evidence } = reviewed
  const { union: _union, ...rest } = comparison
  const { layOut } = charts.library
  const contents: { readonly [name: string]: string | Buffer } = {
    'review.json': `${JSON.stringify({ id, sides, judgement, ...rest }, null, 2)}\n`,
    'review.md': toReviewMarkdown({ ...reviewed, verdict: evidence.verdict, inFlight: evidence.inFlight }),
    'diff.svg': await drawComparison(comparison, { theme: 'auto', layOut }),
    'diff.png': await charts.renderPng(await drawComparison(comparison, { theme: 'light', layOut }), 2),
  }
  const paths = Object.keys(contents).map((name) => join(folder, name))
  for (const [name, content] of Object.entries(contents)) await writeFile(join(folder, name), content)
  return paths
}
