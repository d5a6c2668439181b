/**
 * Reviewing a change over HTTP: what tests walk of it, what it would have made of old conversations, comments, and the
 * verdict. Reading needs what every page needs; writing needs the review token besides, and nothing else can write.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'

import type { Ids } from '../../actors/ports.ts'
import type { JournalFilter, ReviewStore } from '../../actors/review-store.ts'
import { parseChart } from '../../charts/chart.ts'
import type { ChartCoverage } from '../../charts/coverage/cover-chart.ts'
import type { ChartLibrary, LibraryChart } from '../../charts/library.ts'
import { carryThreads } from '../../charts/review/carry-threads.ts'
import { findReview } from '../../charts/review/find-review.ts'
import type { ReplayLine } from '../../charts/review/replay-line.ts'
import type { ReviewAnswer } from '../../charts/review/review-answer.ts'
import type { ReviewSide } from '../../charts/review/review.ts'
import { statuses } from '../../machines/status.ts'
import { findChart, readBase, readOne, readRef } from './chart-routes.ts'
import { HttpProblem } from './problem.ts'
import { reviewOperations as operations } from './review-operations.ts'

export type ReviewRouteOptions = {
  readonly library: ChartLibrary
  readonly store: ReviewStore
  readonly ids: Ids
  /** Null: nobody may write. */
  readonly reviewToken: string | null
  readonly toUserKey: (address: string) => string | null
  readonly cover: (entry: LibraryChart, base: LibraryChart | null) => ChartCoverage | null
  /** Null where the code of the chart is gone. */
  readonly replay: (
    entry: LibraryChart,
    filter: JournalFilter,
    conversationsMax: number,
  ) => AsyncGenerator<ReplayLine> | null
  readonly readReview: (id: string, base: LibraryChart, head: LibraryChart) => Promise<ReviewAnswer>
  readonly toSide: (entry: LibraryChart) => ReviewSide
}

const bodyBytesMax = 64 * 1024
const replaysAtOnceMax = 2
const conversationsMax = 100_000
const idPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

const name = z.string().trim().min(1).max(80)
const decided = z.strictObject({
  verdict: z.enum(['approved', 'rejected']),
  name,
  note: z.string().max(4_000).default(''),
  seen: z.string().max(200),
})
const commented = z.strictObject({
  threadId: z.string().regex(idPattern).optional(),
  about: z.string().max(1_000).optional(),
  name,
  body: z.string().trim().min(1).max(4_000),
})
const settled = z.strictObject({ isResolved: z.boolean(), name })

export async function registerReviewRoutes(app: FastifyInstance, options: ReviewRouteOptions): Promise<void> {
  const { library } = options
  app.addHook('onRequest', async (_request, reply) => void reply.header('cache-control', 'no-store'))
  const parser = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser('application/json', { parseAs: 'string', bodyLimit: bodyBytesMax }, parser)
  let running = 0
  app.get('/api/charts/:chart/coverage', { config: { operation: operations.coverage } }, async (request) => {
    const entry = findChart(readRef(request), library)
    const coverage = options.cover(entry, readBase(request, entry, library))
    if (coverage === null) throw new HttpProblem(404, `no tests have walked ${entry.ref}`)
    return coverage
  })
  app.get('/api/charts/:chart/replay', { config: { operation: operations.replay } }, async (request, reply) => {
    const entry = findChart(readRef(request), library)
    const { filter, count } = readReplay(request, options)
    if (running >= replaysAtOnceMax) throw new HttpProblem(429, 'other replays are running')
    const lines = options.replay(entry, filter, count)
    if (lines === null) throw new HttpProblem(404, `the code of ${entry.ref} is gone: nothing can run on it`)
    running += 1
    const stream = Readable.from(toText(lines))
    stream.once('close', () => (running -= 1))
    return reply.type('application/x-ndjson').send(stream)
  })
  registerThreads(app, options)
  app.get('/api/reviews/:id', { config: { operation: operations.get } }, async (request) => {
    const { id, base, head } = find(request, library)
    return stored(options.readReview(id, base, head))
  })
  app.post('/api/reviews/:id', { config: { operation: operations.decide } }, async (request) => {
    assertReviewer(request, options)
    const { id, base, head } = find(request, library)
    const { verdict, name: author, note, seen } = readBody(decided, request.body)
    const now = await stored(options.readReview(id, base, head))
    if (seen !== now.seen) throw new HttpProblem(412, 'the machine is another one than the one that was looked at')
    const sides = { base: options.toSide(base), head: options.toSide(head) }
    await stored(
      options.store.giveVerdict(id, { id: options.ids.next(), ...sides, verdict, author, note: note.trim() }),
    )
    return stored(options.readReview(id, base, head))
  })
}

function registerThreads(app: FastifyInstance, options: ReviewRouteOptions): void {
  const { library, store } = options
  const list = async ({ chart }: LibraryChart) => {
    const { items, charts } = await stored(store.listThreads(chart.machine))
    const parsed = Object.fromEntries(Object.entries(charts).map(([hash, one]) => [hash, parseChart(one)]))
    return { items: carryThreads(items, parsed, chart), mayWrite: options.reviewToken !== null }
  }
  app.get('/api/charts/:chart/threads', { config: { operation: operations.threads } }, async (request) =>
    list(findChart(readRef(request), library)),
  )
  app.post('/api/charts/:chart/threads', { config: { operation: operations.comment } }, async (request) => {
    assertReviewer(request, options)
    const entry = findChart(readRef(request), library)
    const { chart, hash } = entry
    const { threadId, about, name: author, body } = readBody(commented, request.body)
    if ((threadId === undefined) === (about === undefined)) throw new HttpProblem(400, 'either threadId or about')
    const isKnown = [...chart.states, ...chart.transitions].some(({ id }) => id === about)
    if (about !== undefined && !isKnown) throw new HttpProblem(400, 'about: the chart has no such state or transition')
    const isWritten = await stored(
      store.addComment({
        commentId: options.ids.next(),
        threadId: threadId ?? options.ids.next(),
        machine: chart.machine,
        author,
        body,
        opens: about === undefined ? null : { about, chartHash: hash, chart },
      }),
    )
    if (!isWritten) throw new HttpProblem(404, 'there is no such thread')
    return list(entry)
  })
  app.post('/api/charts/:chart/threads/:thread', { config: { operation: operations.settle } }, async (request) => {
    assertReviewer(request, options)
    const entry = findChart(readRef(request), library)
    const { thread: threadId } = request.params as { thread: string }
    if (!idPattern.test(threadId)) throw new HttpProblem(404, 'there is no such thread')
    const { isResolved, name: author } = readBody(settled, request.body)
    const { machine } = entry.chart
    const isSettled = await stored(
      store.settleThread({ threadId: threadId.toLowerCase(), machine, isResolved, author }),
    )
    if (!isSettled) throw new HttpProblem(404, 'there is no such thread')
    return list(entry)
  })
}

/** The status was sent long ago when the database stops answering: the last line says so. */
async function* toText(lines: AsyncGenerator<ReplayLine>): AsyncGenerator<string> {
  try {
    for await (const line of lines) yield `${JSON.stringify(line)}\n`
  } catch {
    yield `${JSON.stringify({ kind: 'failed', reason: 'the database does not answer' } satisfies ReplayLine)}\n`
  }
}

/** Charts are read without the database; what people said of them is not. */
async function stored<Answer>(answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer
  } catch (error) {
    throw new HttpProblem(503, 'comments and verdicts cannot be reached: the database does not answer', {
      cause: error,
    })
  }
}

function find(request: FastifyRequest, library: ChartLibrary) {
  const { id } = request.params as { id: string }
  const found = findReview(library, id)
  if (found === null)
    throw new HttpProblem(404, 'there is no such review: both versions have to be charts of this service')
  return { id, ...found }
}

function readReplay(
  request: FastifyRequest,
  { toUserKey }: ReviewRouteOptions,
): { readonly filter: JournalFilter; readonly count: number } {
  const countText = readOne(request, 'count') ?? '1000'
  const count = Number(countText)
  if (!/^\d{1,6}$/u.test(countText) || count < 1 || count > conversationsMax)
    throw new HttpProblem(400, `count: not a number from 1 to ${conversationsMax}`)
  const statusName = readOne(request, 'status')
  const status = statuses.find((one) => one === statusName)
  if (statusName !== null && status === undefined)
    throw new HttpProblem(400, `status: not one of ${statuses.join(', ')}`)
  const address = readOne(request, 'address')
  if (address !== null && (address === '' || address.length > 256)) throw new HttpProblem(400, 'address: malformed')
  const since = readOne(request, 'since')
  if (since !== null && Number.isNaN(Date.parse(since))) throw new HttpProblem(400, 'since: no moment in ISO 8601')
  return {
    count,
    filter: {
      ...(status !== undefined && { status }),
      ...(address !== null && { address: toUserKey(address) ?? address }),
      ...(since !== null && { changedAfter: new Date(since).toISOString() }),
    },
  }
}

function readBody<Body>(schema: z.ZodType<Body>, body: unknown): Body {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new HttpProblem(400, `${issue?.path.join('.') || 'body'}: ${issue?.message ?? 'malformed'}`)
}

/** Both sides are hashed first: the comparison takes the same time whatever was sent. */
function assertReviewer(request: FastifyRequest, { reviewToken }: ReviewRouteOptions): void {
  if (reviewToken === null) throw new HttpProblem(403, 'nobody may write: DUOLOGUE_REVIEW_TOKEN is not set')
  const given = request.headers['duologue-review-token']
  const toDigest = (token: string): Buffer => createHash('sha256').update(token).digest()
  const isRight = typeof given === 'string' && timingSafeEqual(toDigest(given), toDigest(reviewToken))
  if (!isRight) throw new HttpProblem(403, 'the review token is missing or another one')
}
