/**
 * What speaks for a change, as a gate finds it: a file in the repository, or the service that `--url` names. A file is
 * believed for what it says unless the review token is set: then it has to be signed with it.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { isSignedBy, parseReviewFile } from '../../charts/review/review-file.ts'
import type { ReviewFile } from '../../charts/review/review-file.ts'
import { readConfig } from '../../config.ts'
import type { CommandCall } from '../command.ts'
import { openServiceApi } from '../service-api.ts'

export type FoundEvidence = Pick<ReviewFile, 'verdict' | 'inFlight'> & {
  /** Where it is from, and what is not believed of it; for people. */
  readonly sentence: string
}

export type EvidenceSource = {
  readonly id: string
  readonly folder: string
  readonly url: string | null
  readonly env: CommandCall['env']
}

export async function readEvidence(source: EvidenceSource): Promise<FoundEvidence> {
  return source.url === null ? readFile(source) : askService(source, source.url)
}

function readFile({ id, folder, env }: EvidenceSource): FoundEvidence {
  const path = join(folder, `${id}.json`)
  if (!existsSync(path)) return { verdict: null, inFlight: null, sentence: `there is no ${path}` }
  let review: ReviewFile
  try {
    review = parseReviewFile(JSON.parse(readFileSync(path, 'utf8')))
  } catch (error) {
    throw new Error(`could not read ${path}`, { cause: error })
  }
  if (review.id !== id) throw new Error(`${path} is the review ${review.id}`)
  const token = env['DUOLOGUE_REVIEW_TOKEN'] ?? ''
  if (token === '') return { ...review, sentence: `as ${path} says; its signature was not checked` }
  if (isSignedBy(review, token)) return { ...review, sentence: `as ${path} says, signed` }
  return {
    verdict: null,
    inFlight: null,
    sentence: `${path} is not signed with the review token: it counts for nothing`,
  }
}

async function askService({ id, env }: EvidenceSource, url: string): Promise<FoundEvidence> {
  const { status, body } = await openServiceApi(readConfig(env), url).get(`/api/reviews/${encodeURIComponent(id)}`)
  if (status === 404) return { verdict: null, inFlight: null, sentence: `the service at ${url} has no review ${id}` }
  if (status !== 200)
    throw new Error(`the service at ${url} answered ${status}: ${JSON.stringify(body['detail'] ?? '')}`)
  return { ...parseReviewFile(body), sentence: `as the service at ${url} says` }
}
