/** When a change may go: the verdict, what voids it, the check of stored conversations; and what a file of it is worth. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { compareCharts } from '../../../src/charts/compare/compare-charts.ts'
import { extractChart } from '../../../src/charts/extract-chart.ts'
import { hashChart } from '../../../src/charts/hash-chart.ts'
import type { InFlightResult } from '../../../src/charts/review/in-flight-result.ts'
import { isSignedBy, parseReviewFile, signReview } from '../../../src/charts/review/review-file.ts'
import { judgeReview, toReviewId } from '../../../src/charts/review/review.ts'
import type { ReviewSide, Verdict } from '../../../src/charts/review/review.ts'
import { conversationMachine } from '../../../src/machines/conversation/machine.ts'
import { registration as draft } from '../../support/machines/draft-conversation.ts'

const [baseChart, headChart] = [extractChart(conversationMachine), extractChart(draft.machine)]
const { changes } = compareCharts(baseChart, headChart)
const toSide = (chart: typeof baseChart, source: string | null): ReviewSide => ({
  machine: chart.machine,
  version: chart.version,
  chart: hashChart(chart),
  source,
})
const sides = { base: toSide(baseChart, 'aaaa'), head: toSide(headChart, 'bbbb') }
const approved: Verdict = { ...sides, verdict: 'approved', author: 'Ana', note: '', at: '2026-11-25T10:00:00.000Z' }
const green: InFlightResult = {
  schema: 'duologue.in-flight/1',
  machine: 'conversation',
  version: headChart.version,
  hash: sides.head.chart,
  verdict: 'green',
  at: '2026-11-25T10:00:00.000Z',
  snapshotId: '1',
  counts: { ok: 5, mapped: 0, blocked: 0 },
  total: 5,
  open: 3,
  states: [],
  dryRun: { tried: 5, restored: 5, failures: [] },
}

test('an approved change that every stored conversation survives may go', () => {
  expect(judgeReview(sides, changes, { verdict: approved, inFlight: green })).toMatchObject({
    isGreen: true,
    verdict: 'approved',
    inFlight: 'green',
  })
})

test.each([
  ['nobody decided', null, green, 'none', 'green'],
  ['it was rejected', { ...approved, verdict: 'rejected' as const }, green, 'rejected', 'green'],
  ['nothing was checked', approved, null, 'approved', 'none'],
  ['conversations would be stuck', approved, { ...green, verdict: 'blocked' as const }, 'approved', 'blocked'],
  ['the check is of another chart', approved, { ...green, hash: '0000000000000000' }, 'approved', 'stale'],
] as const)('it may not go when %s', (_why, verdict, inFlight, given, checked) => {
  const judgement = judgeReview(sides, changes, { verdict, inFlight })
  expect(judgement).toMatchObject({ isGreen: false, verdict: given, inFlight: checked })
  expect(judgement.reasons).toHaveLength(2)
})

test('any change of either side voids the verdict', () => {
  const field = fc.constantFrom('chart' as const, 'source' as const)
  fc.assert(
    fc.property(
      fc.constantFrom('base' as const, 'head' as const),
      field,
      fc.stringMatching(/^[0-9a-f]{16}$/u),
      (side, name, hash) => {
        const now = { ...sides, [side]: { ...sides[side], [name]: hash } }
        expect(judgeReview(now, changes, { verdict: approved, inFlight: green }).verdict).toBe('void')
      },
    ),
  )
})

test('a kept chart has no sources, and is the same chart all the same', () => {
  const now = { ...sides, base: { ...sides.base, source: null } }
  expect(judgeReview(now, changes, { verdict: approved, inFlight: green }).verdict).toBe('approved')
})

test('what changes nothing needs no verdict; what changes only code does', () => {
  const same = { base: sides.base, head: sides.base }
  expect(judgeReview(same, [], { verdict: null, inFlight: null }).isGreen).toBe(true)
  const code = { base: sides.base, head: { ...sides.base, source: 'cccc' } }
  expect(judgeReview(code, [], { verdict: null, inFlight: null })).toMatchObject({ isGreen: false, verdict: 'none' })
})

test('its id names both versions', () => {
  expect(toReviewId(sides.base, sides.head)).toBe(`conversation@${baseChart.version}..${headChart.version}`)
})

describe('a file', () => {
  const content = { id: toReviewId(sides.base, sides.head), ...sides, verdict: approved, inFlight: green }
  const file = { schema: 'duologue.review/1', ...content, signature: signReview(content, 'token') }

  test('is what it was after JSON and another order of fields, and its signature holds', () => {
    const reordered = JSON.parse(JSON.stringify(file, Object.keys(flatten(file)).toSorted().toReversed())) as unknown
    expect(isSignedBy(parseReviewFile(JSON.parse(JSON.stringify(file))), 'token')).toBe(true)
    expect(isSignedBy(parseReviewFile(reordered), 'token')).toBe(true)
  })

  test('whose verdict was changed, or that another token signed, is not signed', () => {
    const forged = { ...file, verdict: { ...approved, author: 'Mallory' } }
    expect(isSignedBy(parseReviewFile(forged), 'token')).toBe(false)
    expect(isSignedBy(parseReviewFile(file), 'another')).toBe(false)
    expect(isSignedBy(parseReviewFile({ ...file, signature: null }), 'token')).toBe(false)
  })

  test('of anything else is refused with the field', () => {
    expect(() => parseReviewFile({ ...file, base: null })).toThrow('not a review of duologue.review/1: base')
    expect(() => parseReviewFile('{}')).toThrow('not a review')
  })
})

function flatten(value: object): { readonly [name: string]: true } {
  const names: { [name: string]: true } = {}
  for (const [name, inner] of Object.entries(value)) {
    names[name] = true
    if (typeof inner === 'object' && inner !== null) Object.assign(names, flatten(inner as object))
  }
  return names
}
