/**
 * A review as a file: what `GET /api/reviews/:id` answers, and what stands in `reviews/` of a repository, so that a gate
 * needs no service. Signed with the review token where there is one: whoever may change the file could else approve.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'

import type { InFlightResult } from './in-flight-result.ts'
import { inFlightSchemaName } from './in-flight-result.ts'
import { reviewSchemaName, reviewSideSchema, verdictSchema } from './review.ts'

const inFlight = z
  .looseObject({
    schema: z.literal(inFlightSchemaName),
    machine: z.string(),
    version: z.string(),
    hash: z.string(),
    verdict: z.enum(['green', 'blocked']),
    at: z.string(),
    counts: z.object({ ok: z.number(), mapped: z.number(), blocked: z.number() }),
    total: z.number(),
    states: z.array(z.looseObject({})),
  })
  .transform((result) => result as unknown as InFlightResult)

const schema = z.looseObject({
  schema: z.literal(reviewSchemaName),
  id: z.string(),
  base: reviewSideSchema,
  head: reviewSideSchema,
  /** The newest one that was given; it may be void. */
  verdict: verdictSchema.nullable(),
  inFlight: inFlight.nullable(),
  signature: z.string().nullable(),
})

export type ReviewFile = z.infer<typeof schema>
type Signed = Pick<ReviewFile, 'id' | 'base' | 'head' | 'verdict' | 'inFlight'>

/** Throws with a sentence when `json` is none. */
export function parseReviewFile(json: unknown): ReviewFile {
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new Error(`not a review of ${reviewSchemaName}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim())
}

export function signReview(review: Signed, token: string): string {
  const { id, base, head, verdict, inFlight: checked } = review
  const text = JSON.stringify(sortKeys([id, base, head, verdict, checked]))
  return createHmac('sha256', token).update(text).digest('hex')
}

export function isSignedBy(review: ReviewFile, token: string): boolean {
  const wanted = Buffer.from(signReview(review, token))
  const given = Buffer.from(review.signature ?? '')
  return wanted.length === given.length && timingSafeEqual(wanted, given)
}

/** A file may have gone through a formatter. */
function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys)
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(fields.map(([name, inner]) => [name, sortKeys(inner)]))
}
