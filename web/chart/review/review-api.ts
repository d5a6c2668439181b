/** What a review asks and writes. Writing brings the review token, which stays in this tab. */
import type { ChartCoverage } from '../../../src/charts/coverage/cover-chart.ts'
import type { Carried } from '../../../src/charts/review/carry-threads.ts'
import type { InFlightResult } from '../../../src/charts/review/in-flight-result.ts'
import type { ReplayLine } from '../../../src/charts/review/replay-line.ts'
import type { ReviewAnswer } from '../../../src/charts/review/review-answer.ts'
import type { MigrationMap } from '../../../src/machines/migration-map.ts'
import { ask, Refused, refuse, toQuery, toThreadsPath } from '../api.ts'

export type Thread = Carried<{
  readonly id: string
  readonly about: string
  readonly chartHash: string
  readonly resolvedAt: string | null
  readonly resolvedBy: string | null
  readonly comments: readonly {
    readonly id: string
    readonly author: string
    readonly body: string
    readonly at: string
  }[]
}>
export type Threads = { readonly items: readonly Thread[]; readonly mayWrite: boolean }
export type { ChartCoverage, ReviewAnswer }

export type Writer = { readonly name: string; readonly token: string }

const kept = { name: 'duologue-reviewer', token: 'duologue-review-token' } as const

export function readWriter(): Writer {
  return { name: sessionStorage.getItem(kept.name) ?? '', token: sessionStorage.getItem(kept.token) ?? '' }
}

export function keepWriter({ name, token }: Writer): void {
  sessionStorage.setItem(kept.name, name)
  sessionStorage.setItem(kept.token, token)
}

export function toReviewPath(id: string): string {
  return `/api/reviews/${encodeURIComponent(id)}`
}

export async function readReview(id: string): Promise<ReviewAnswer> {
  return ask(toReviewPath(id))
}

export async function decide(id: string, body: object, writer: Writer): Promise<ReviewAnswer> {
  return post(toReviewPath(id), { ...body, name: writer.name }, writer)
}

export async function readThreads(ref: string): Promise<Threads> {
  return ask(toThreadsPath(ref))
}

export async function comment(
  ref: string,
  about: { readonly about: string } | { readonly threadId: string },
  body: string,
  writer: Writer,
): Promise<Threads> {
  return post(toThreadsPath(ref), { ...about, body, name: writer.name }, writer)
}

export async function settle(ref: string, threadId: string, isResolved: boolean, writer: Writer): Promise<Threads> {
  return post(`${toThreadsPath(ref)}/${threadId}`, { isResolved, name: writer.name }, writer)
}

async function post<Answer>(path: string, body: object, { token }: Writer): Promise<Answer> {
  const answer = await fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'duologue-review-token': token },
    body: JSON.stringify(body),
  }).catch(() => null)
  if (answer === null) throw new Refused('the service does not answer')
  return answer.ok ? ((await answer.json()) as Answer) : refuse(answer)
}

/** Lines as they come; ends with the last one, or when `signal` says so. */
export async function* replay(
  ref: string,
  fields: { readonly [name: string]: string },
  signal: AbortSignal,
): AsyncGenerator<readonly ReplayLine[]> {
  const answer = await fetch(`/api/charts/${encodeURIComponent(ref)}/replay${toQuery(fields)}`, { signal })
  if (!answer.ok || answer.body === null) return refuse(answer)
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    const lines = `${rest}${value}`.split('\n')
    rest = lines.pop() ?? ''
    yield lines.map((line) => JSON.parse(line) as ReplayLine)
  }
}

/** With a map that is not kept; null: with those that are. Changes nothing. */
export async function checkInFlight(ref: string, map: MigrationMap | null): Promise<InFlightResult> {
  const path = `/api/charts/${encodeURIComponent(ref)}/in-flight`
  if (map === null) return ask<InFlightResult>(path)
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(path, { method: 'POST', headers, body: JSON.stringify(map) }).catch(() => null)
  if (answer === null) throw new Refused('the service does not answer')
  return answer.ok ? ((await answer.json()) as InFlightResult) : refuse(answer)
}
