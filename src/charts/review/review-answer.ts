/** What is known of a change under review: what the service answers, what a file holds, what the page shows. */
import type { ReviewFile } from './review-file.ts'
import type { Judgement, Verdict } from './review.ts'

export type ReviewAnswer = ReviewFile & {
  readonly baseRef: string
  readonly headRef: string
  readonly changes: number
  /** All that were given, newest first. */
  readonly verdicts: readonly Verdict[]
  readonly judgement: Judgement
  /** Names what was looked at; a verdict has to bring it. */
  readonly seen: string
  readonly mayWrite: boolean
  readonly at: string
}
