/**
 * A review as the one comment of a pull request: may it go, what changed, what is not tested, who would be stuck; a
 * picture where one can be reached, and the chart as Mermaid for who sees no picture. Never more than `bytesMax`.
 */
import type { Chart } from '../chart.ts'
import type { Comparison } from '../compare/compare-charts.ts'
import type { ChartCoverage } from '../coverage/cover-chart.ts'
import { toCell } from '../export/to-markdown.ts'
import { toMermaid } from '../export/to-mermaid.ts'
import type { InFlightResult } from './in-flight-result.ts'
import type { Judgement, Verdict } from './review.ts'

export type ReviewText = {
  readonly id: string
  readonly comparison: Comparison
  readonly head: Chart
  readonly judgement: Judgement
  readonly verdict: Verdict | null
  readonly inFlight: InFlightResult | null
  readonly coverage: ChartCoverage | null
  /** Where the picture can be reached by who reads the text; null: nowhere. */
  readonly pictureUrl: string | null
}

/** GitHub takes 65,536 characters for a comment. */
const bytesMax = 60_000
const bytesWithoutMermaid = 45_000
const changesBytesMax = 20_000
const sentenceCharactersMax = 300
const itemsMax = 40
const noteCharactersMax = 2_000

/** The first line names the comment, so that it is found again and written anew. */
export const reviewMarker = '<!-- duologue review -->'

export function toReviewMarkdown(review: ReviewText): string {
  const { comparison, judgement, pictureUrl, head } = review
  const { base } = comparison
  const title = `## ${toCell(comparison.head.machine)}: ${toCell(base.version)} to ${toCell(comparison.head.version)}`
  const parts = [
    [reviewMarker, title],
    [`**${judgement.isGreen ? 'May go' : 'May not go yet'}.** ${judgement.reasons.map(toCell).join('; ')}.`],
    toGate(judgement),
    pictureUrl === null ? [] : [`![both versions in one picture](${encodeURI(pictureUrl)})`],
    toNote(review.verdict),
    toChanges(comparison),
    toUntested(review.coverage),
    toBlocked(review.inFlight),
  ]
  const text = parts.filter((lines) => lines.length > 0).map((lines) => lines.join('\n'))
  const short = fit(text, bytesWithoutMermaid)
  const mermaid = toDetails('The chart as text', ['```mermaid', toMermaid(head).trimEnd(), '```'])
  const whole = [...short, mermaid.join('\n')]
  return `${(toBytes(whole) <= bytesMax ? whole : short).join('\n\n')}\n`
}

/** Leaves whole parts out, the last first, and says so. */
function fit(parts: readonly string[], bytes: number): readonly string[] {
  const kept = [...parts]
  while (kept.length > 3 && toBytes(kept) > bytes) kept.pop()
  return kept.length === parts.length ? kept : [...kept, 'The rest is too long for a comment: look at the page.']
}

function toBytes(parts: readonly string[]): number {
  return new TextEncoder().encode(parts.join('\n\n')).length + 1
}

function toGate({ verdict, inFlight }: Judgement): readonly string[] {
  return ['| verdict | stored conversations |', '| --- | --- |', `| ${verdict} | ${inFlight} |`]
}

function toNote(verdict: Verdict | null): readonly string[] {
  if (verdict === null || verdict.note === '') return []
  return [`> ${toCell(verdict.author)}: ${toCell(verdict.note.slice(0, noteCharactersMax))}`]
}

function toChanges({ changes }: Comparison): readonly string[] {
  if (changes.length === 0) return ['### Changes', '', 'The chart is the same.']
  const items = changes.map(({ sentence }) => `- ${toCell(toShort(sentence))}`)
  let shown = items
  while (toBytes(shown) > changesBytesMax) shown = shown.slice(0, Math.floor(shown.length * 0.8))
  return [
    `### ${changes.length === 1 ? '1 change' : `${changes.length} changes`}, the most dangerous first`,
    '',
    ...shown,
    ...toMore(changes.length - shown.length),
  ]
}

function toShort(sentence: string): string {
  return sentence.length <= sentenceCharactersMax ? sentence : `${sentence.slice(0, sentenceCharactersMax)} …`
}

function toUntested(coverage: ChartCoverage | null): readonly string[] {
  if (coverage === null) return ['### Tests', '', 'No file says what tests walk.']
  const changed = coverage.items.filter(({ isChanged, what }) => isChanged && what === 'transition')
  const open = changed.filter(({ kind }) => kind !== 'covered')
  const summary =
    changed.length === 0
      ? 'No transition was added or changed.'
      : `${changed.length - open.length} of ${changed.length} added or changed transitions are walked by a test.`
  const items = open.slice(0, itemsMax).map(({ sentence, reason }) => {
    return `- not tested: ${toCell(toShort(sentence))}${reason === null ? '' : ` (${toCell(reason)})`}`
  })
  return [
    '### Tests',
    '',
    summary,
    ...(items.length === 0 ? [] : ['', ...items]),
    ...toMore(open.length - items.length),
  ]
}

function toBlocked(result: InFlightResult | null): readonly string[] {
  const blocked = result?.states.filter(({ outcome }) => outcome === 'blocked') ?? []
  if (blocked.length === 0) return []
  const items = blocked.slice(0, itemsMax).map(({ count, machineVersion, stateIds, reasons }) => {
    const why = reasons.filter(({ isMapped }) => !isMapped).map(({ sentence }) => sentence)
    return `- ${count} of version ${toCell(machineVersion)} in ${toCell(stateIds.join(', '))}: ${toCell(toShort(why.join('; ')))}`
  })
  return ['### Conversations that cannot go on', '', ...items, ...toMore(blocked.length - items.length)]
}

function toMore(count: number): readonly string[] {
  return count > 0 ? [`- and ${count} more`] : []
}

function toDetails(summary: string, lines: readonly string[]): readonly string[] {
  return [`<details><summary>${summary}</summary>`, '', ...lines, '', '</details>']
}
