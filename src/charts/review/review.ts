/**
 * Whether a change to a machine may go: a verdict that a person gave on exactly this change, and a check that found
 * every stored conversation able to go on. Pure: the evidence is handed in, from a service or from a file.
 *
 * 1. A side of a change is named by its content: the hash of its chart, and of the sources of its machines where they
 *    are known, since a guard may answer otherwise under the same name.
 * 2. The newest verdict counts, and only on the very sides for which it was given: any change voids it.
 * 3. An in-flight check counts only for the chart that it was made for.
 * 4. A change that changes nothing needs neither.
 */
import { z } from 'zod'
import type { Comparison } from '../compare/compare-charts.ts'
import type { InFlightResult } from './in-flight-result.ts'

export const reviewSchemaName = 'duologue.review/1'

const side = z.strictObject({
  machine: z.string(),
  version: z.string(),
  /** The chart's hash. */
  chart: z.string(),
  /** The hash of the sources of its machines; null for a chart that was kept without them. */
  source: z.string().nullable(),
})

const verdict = z.strictObject({
  verdict: z.enum(['approved', 'rejected']),
  author: z.string(),
  note: z.string(),
  at: z.string(),
  base: side,
  head: side,
})

export type ReviewSide = z.infer<typeof side>
export type Verdict = z.infer<typeof verdict>

export const reviewSideSchema = side
export const verdictSchema = verdict

export type VerdictState = 'approved' | 'rejected' | 'void' | 'none'

export type Judgement = {
  readonly isGreen: boolean
  readonly verdict: VerdictState
  readonly inFlight: 'green' | 'blocked' | 'stale' | 'none' | 'not needed'
  /** What stands in the way, or why nothing does; for people. */
  readonly reasons: readonly string[]
}

export type Evidence = {
  readonly verdict: Verdict | null
  readonly inFlight: InFlightResult | null
}

/** `conversation@2..3`. */
export function toReviewId(base: Pick<ReviewSide, 'version'>, head: Pick<ReviewSide, 'machine' | 'version'>): string {
  return `${head.machine}@${base.version}..${head.version}`
}

export function judgeReview(
  { base, head }: { readonly base: ReviewSide; readonly head: ReviewSide },
  changes: Pick<Comparison, 'changes'>['changes'],
  evidence: Evidence,
): Judgement {
  const isUnchanged = changes.length === 0 && base.chart === head.chart && base.source === head.source
  if (isUnchanged) {
    return {
      isGreen: true,
      verdict: 'none',
      inFlight: 'not needed',
      reasons: ['nothing changed: there is nothing to approve'],
    }
  }
  const given = toVerdictState(base, head, evidence.verdict)
  const inFlight = toInFlightState(head, evidence.inFlight)
  const isGreen = given === 'approved' && inFlight === 'green'
  return {
    isGreen,
    verdict: given,
    inFlight,
    reasons: [toVerdictReason(given, evidence.verdict), toInFlightReason(inFlight, evidence.inFlight)],
  }
}

function toVerdictState(base: ReviewSide, head: ReviewSide, given: Verdict | null): VerdictState {
  if (given === null) return 'none'
  const isOfThis = isSame(given.head, head) && isSame(given.base, base)
  return isOfThis ? given.verdict : 'void'
}

/** Sources that are not known on one side, as of a kept chart, say nothing; charts always do. */
function isSame(given: ReviewSide, now: ReviewSide): boolean {
  const isSourceSame = given.source === null || now.source === null || given.source === now.source
  return given.machine === now.machine && given.chart === now.chart && isSourceSame
}

function toInFlightState(head: ReviewSide, result: InFlightResult | null): Judgement['inFlight'] {
  if (result === null) return 'none'
  return result.machine === head.machine && result.hash === head.chart ? result.verdict : 'stale'
}

function toVerdictReason(state: VerdictState, given: Verdict | null): string {
  switch (state) {
    case 'approved':
      return `approved by ${given?.author ?? ''} on ${toMoment(given?.at)}`
    case 'rejected':
      return `rejected by ${given?.author ?? ''} on ${toMoment(given?.at)}`
    case 'void':
      return `the verdict of ${given?.author ?? ''} on ${toMoment(given?.at)} is void: the machine was changed since`
    case 'none':
      return 'nobody has approved it'
  }
}

function toInFlightReason(state: Judgement['inFlight'], result: InFlightResult | null): string {
  const { total = 0, counts, at = '' } = result ?? {}
  switch (state) {
    case 'green':
      return `every one of ${total} stored conversations can go on (checked ${toMoment(at)})`
    case 'blocked':
      return `${counts?.blocked ?? 0} of ${total} stored conversations cannot go on (checked ${toMoment(at)})`
    case 'stale':
      return `the check of stored conversations (${toMoment(at)}) was made for another machine`
    case 'none':
      return 'stored conversations were not checked'
    case 'not needed':
      return 'no conversation is touched'
  }
}

/** `2026-11-25 08:30 UTC`, of a moment in ISO 8601 and UTC. */
function toMoment(at: string | undefined): string {
  return at === undefined ? '' : `${at.slice(0, 10)} ${at.slice(11, 16)} UTC`
}
