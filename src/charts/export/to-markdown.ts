/** A chart, or a comparison, as Markdown for a pull request or a page of documentation. */
import type { Chart } from '../chart.ts'
import type { Comparison } from '../compare/compare-charts.ts'
import { toTransitionRows } from './transition-rows.ts'

export function toMarkdownTable(chart: Chart): string {
  const lines = toTransitionRows(chart).map(({ source, event, guard, actions, target }) =>
    toRow([source, event, guard, actions, target]),
  )
  return [
    `# ${toCell(chart.machine)} ${toCell(chart.version)}`,
    '',
    toRow(['from', 'event', 'guard', 'actions', 'to']),
    '| --- | --- | --- | --- | --- |',
    ...lines,
    '',
  ].join('\n')
}

export function toReviewText({ base, head, changes }: Comparison): string {
  const title = `# ${toCell(head.machine)}: ${toCell(base.version)} to ${toCell(head.version)}`
  if (changes.length === 0) return `${title}\n\nNothing changed.\n`
  const items = changes.map(({ sentence }) => `- ${toCell(sentence)}`)
  const summary = `${changes.length} ${changes.length === 1 ? 'change' : 'changes'}, the most dangerous first:`
  return [title, '', summary, '', ...items, ''].join('\n')
}

function toRow(cells: readonly string[]): string {
  return `| ${cells.map(toCell).join(' | ')} |`
}

/** What could become markup or another cell is written as text. */
export function toCell(text: string): string {
  return text.replaceAll(/\s+/gu, ' ').replaceAll(/[\\|<>`*_[\]]/gu, String.raw`\$&`)
}
