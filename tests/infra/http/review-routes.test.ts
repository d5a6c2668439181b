/** Reviews over HTTP: who may write, what is refused with a sentence, and what a replay streams. Fakes only the store. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createMachine } from 'xstate'

import { applyEvent, openConversation } from '../../../src/actors/step.ts'
import { toLinkHash } from '../../../src/actors/take-step.ts'
import type { ReviewStore, StoredJournal, StoredThread, StoredVerdict } from '../../../src/actors/review-store.ts'
import type { ReviewAnswer } from '../../../src/charts/review/review-answer.ts'
import { isSignedBy, parseReviewFile } from '../../../src/charts/review/review-file.ts'
import type { ReplayLine } from '../../../src/charts/review/replay-line.ts'
import { conversationRegistration } from '../../../src/machines/conversation/registration.ts'
import type { Json, JsonObject } from '../../../src/machines/json.ts'
import { registeredMachines } from '../../../src/machines/registered.ts'
import { openCharts, type ChartsPart } from '../../../src/parts/charts.ts'
import type { Draft } from '../../../src/parts/draft.ts'
import { createInFlightCheck } from '../../../src/parts/in-flight.ts'
import { createReplays } from '../../../src/parts/replays.ts'
import { openReviews } from '../../../src/parts/reviews.ts'
import { draftVersion, ownVersion, registration } from '../../support/machines/draft-conversation.ts'
import { apiToken, createMemoryReadModel, createTestApp, type TestApp } from './test-app.ts'

const reviewToken = 'a-token-of-reviewers'
const id = `conversation@${ownVersion}..${draftVersion}`
const draftRef = encodeURIComponent(`conversation@${draftVersion}+draft`)
const draft: Draft = {
  name: 'draft',
  machines: { conversation: registration },
  source: 'dddd',
  places: {},
  coverage: [],
}

let charts: ChartsPart
let app: TestApp
let closed: TestApp
let store: ReturnType<typeof createMemoryStore>

beforeAll(async () => {
  charts = openCharts({ onFailure: (error) => console.error(error), layoutTimeoutMs: 60_000, draft })
  store = createMemoryStore()
  const checkInFlight = createInFlightCheck({
    library: charts.library,
    machines: registeredMachines,
    drafts: draft.machines,
    live: { inFlight: async () => ({ at: '2026-11-25T10:00:00.000Z', snapshotId: '1', shapes: [] }) },
    maps: [],
  })
  const open = async (token: string | null): Promise<TestApp> => {
    const reviews = openReviews({
      library: charts.library,
      store,
      readModel: createMemoryReadModel([]),
      machines: registeredMachines,
      draft,
      reviewToken: token,
      checkInFlight,
    })
    return createTestApp({ charts, reviews, findTenantByToken: async () => 'the-tenant' })
  }
  app = await open(reviewToken)
  closed = await open(null)
})
beforeEach(() => store.clear())
afterAll(async () => {
  await app.server.close()
  await closed.server.close()
  await charts.close()
})

type Asked = { readonly body?: object; readonly token?: string | null; readonly on?: TestApp }

async function ask(url: string, { body, token = reviewToken, on = app }: Asked = {}) {
  return on.server.inject({
    method: body === undefined ? 'GET' : 'POST',
    url,
    headers: { authorization: `Bearer ${apiToken}`, ...(token !== null && { 'duologue-review-token': token }) },
    ...(body !== undefined && { payload: body }),
  })
}

test('a review is read by its id, and its file is signed', async () => {
  const answer = (await ask(`/api/reviews/${id}`)).json<ReviewAnswer>()
  expect(answer).toMatchObject({ id, changes: 3, verdict: null, judgement: { isGreen: false, verdict: 'none' } })
  expect(answer.head.source).toBe('dddd')
  expect(isSignedBy(parseReviewFile(answer), reviewToken)).toBe(true)
})

test('a verdict is given on what was seen, and the newest one counts', async () => {
  const { seen } = (await ask(`/api/reviews/${id}`)).json<ReviewAnswer>()
  const give = async (verdict: string, name: string) =>
    (await ask(`/api/reviews/${id}`, { body: { verdict, name, note: 'n', seen } })).json<ReviewAnswer>()
  expect((await give('approved', 'Ana')).judgement.verdict).toBe('approved')
  const rejected = await give('rejected', 'Bo')
  expect(rejected.judgement.verdict).toBe('rejected')
  expect(rejected.verdicts.map(({ author }) => author)).toEqual(['Bo', 'Ana'])
  const stale = await ask(`/api/reviews/${id}`, { body: { verdict: 'approved', name: 'Ana', seen: 'x' } })
  expect(stale.statusCode).toBe(412)
})

test('a thread hangs on a state, is answered, resolved, and opened again', async () => {
  const path = `/api/charts/${draftRef}/threads`
  type Listed = {
    items: { id: string; at: string; resolvedBy: string | null; comments: object[] }[]
    mayWrite: boolean
  }
  const opened = (
    await ask(path, { body: { about: 'conversation.PENDING', name: 'Ana', body: '<b>why</b>' } })
  ).json<Listed>()
  const [thread] = opened.items
  expect(opened).toMatchObject({ mayWrite: true, items: [{ at: 'conversation.PENDING' }] })
  await ask(path, { body: { threadId: thread?.id, name: 'Bo', body: 'so' } })
  await ask(`${path}/${thread?.id}`, { body: { isResolved: true, name: 'Bo' } })
  const listed = (await ask(`/api/charts/conversation@${ownVersion}/threads`)).json<Listed>()
  expect(listed.items[0]).toMatchObject({ at: 'conversation.PENDING', resolvedBy: 'Bo' })
  expect(listed.items[0]?.comments).toHaveLength(2)
})

test.each([
  ['without the review token', null, 'open', 403],
  ['with another one', 'x', 'open', 403],
  ['where none is set', reviewToken, 'closed', 403],
] as const)('%s nobody writes', async (_how, token, which, status) => {
  const on = which === 'closed' ? closed : app
  const body = { about: 'conversation.PENDING', name: 'Ana', body: 'x' }
  expect((await ask(`/api/charts/conversation/threads`, { body, token, on })).statusCode).toBe(status)
  const verdict = { verdict: 'approved', name: 'Ana', seen: 'x' }
  expect((await ask(`/api/reviews/${id}`, { body: verdict, token, on })).statusCode).toBe(status)
  expect(store.isEmpty()).toBe(true)
})

test('without the API token nothing is read', async () => {
  for (const url of [
    `/api/reviews/${id}`,
    '/api/charts/conversation/threads',
    '/api/charts/conversation/coverage',
    '/api/charts/conversation/replay',
  ]) {
    expect((await app.server.inject({ method: 'GET', url })).statusCode, url).toBe(401)
  }
})

test.each([
  ['/api/reviews/nothing', undefined, 404],
  ['/api/reviews/conversation@1..9', undefined, 404],
  ['/api/reviews/conversation@..', undefined, 404],
  ['/api/charts/nothing/threads', undefined, 404],
  ['/api/charts/conversation/threads', { name: 'A', body: 'x' }, 400],
  ['/api/charts/conversation/threads', { name: 'A', body: 'x', about: 'nowhere' }, 400],
  ['/api/charts/conversation/threads', { name: 'A', body: ' ', about: 'conversation' }, 400],
  ['/api/charts/conversation/threads', { name: 'A', body: 'x'.repeat(5_000), about: 'conversation' }, 400],
  ['/api/charts/conversation/threads', { name: 'A', body: 'x', threadId: '0198c0de-0000-7000-8000-0000000000ff' }, 404],
  ['/api/charts/conversation/threads', { name: 'A', body: 'x', about: 'conversation', isAdmin: true }, 400],
  ['/api/charts/conversation/threads/x', { name: 'A', isResolved: true }, 404],
  [`/api/reviews/${id}`, { verdict: 'perhaps', name: 'A', seen: '' }, 400],
  ['/api/charts/conversation/replay?count=0', undefined, 400],
  ['/api/charts/conversation/replay?count=many', undefined, 400],
  ['/api/charts/conversation/replay?status=DONE', undefined, 400],
  ['/api/charts/conversation/replay?since=soon', undefined, 400],
  ['/api/charts/conversation@1/replay', undefined, 404],
  ['/api/charts/conversation/coverage?base=nothing', undefined, 404],
] as const)('%s with %j is refused with %i and a reason', async (url, body, status) => {
  const answer = await ask(url, body === undefined ? {} : { body })
  expect(answer.statusCode).toBe(status)
  expect(answer.json<{ detail: string }>().detail.length).toBeGreaterThan(5)
})

test('a coverage names what changed and is not tested first', async () => {
  const { items } = (await ask(`/api/charts/${draftRef}/coverage?base=conversation@${ownVersion}`)).json<{
    items: { isChanged: boolean; kind: string }[]
  }>()
  expect(items.slice(0, 3).every(({ isChanged, kind }) => isChanged && kind === 'uncovered')).toBe(true)
})

test('a thousand journals are replayed in one stream: none differs on the same machine, on the draft those of its guard', async () => {
  store.journals = Array.from({ length: 1_000 }, (_, place) =>
    writeJournal(place, place % 10 === 0 ? 'a refund!' : 'how much?'),
  )
  const read = async (ref: string): Promise<readonly ReplayLine[]> =>
    (await ask(`/api/charts/${ref}/replay?count=1000`)).body
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as ReplayLine)
  const same = await read('conversation')
  expect(same.at(-1)).toMatchObject({ kind: 'done', done: 1_000, same: 1_000, differs: 0 })
  const lines = await read(draftRef)
  expect(lines.at(-1)).toMatchObject({ kind: 'done', done: 1_000, differs: 100, same: 900 })
  const differing = lines.filter((line) => line.kind === 'differs')
  expect(differing.map((line) => line.id).toSorted()).toEqual(
    store.journals
      .filter((_, place) => place % 10 === 0)
      .map((journal) => journal.id)
      .toSorted(),
  )
  expect(differing[0]?.first.wouldPlaces.transitions).toEqual(['conversation.PENDING|message.received|0'])
}, 60_000)

test('while the database is away, tests are told, comments and verdicts are 503, and a replay ends with a line', async () => {
  store.isAway = true
  for (const url of [`/api/reviews/${id}`, '/api/charts/conversation/threads']) {
    const answer = await ask(url)
    expect(answer.statusCode).toBe(503)
    expect(answer.json<{ detail: string }>().detail).toContain('the database does not answer')
  }
  expect((await ask('/api/charts/conversation/coverage')).statusCode).toBe(200)
  const replayed = await ask('/api/charts/conversation/replay')
  expect(JSON.parse(replayed.body)).toEqual({ kind: 'failed', reason: 'the database does not answer' })
})

test("a tenant's token has no part in reviews: a machine is everybody's", async () => {
  const headers = { authorization: 'Bearer of-a-tenant', 'duologue-review-token': reviewToken }
  const paths = ['threads', 'coverage', 'replay'].map((name) => `/api/charts/conversation/${name}`)
  for (const url of [...paths, `/api/reviews/${id}`]) {
    expect((await app.server.inject({ method: 'GET', url, headers })).statusCode, url).toBe(403)
  }
  const payload = { about: 'conversation.PENDING', name: 'Ana', body: 'x' }
  const written = await app.server.inject({ method: 'POST', url: '/api/charts/conversation/threads', headers, payload })
  expect(written.statusCode).toBe(403)
  expect(store.isEmpty()).toBe(true)
})

test('a draft that could run in a circle for ever is not run', async () => {
  const circle = createMachine({
    id: 'conversation',
    version: 'circle',
    initial: 'a',
    states: { a: { always: 'b' }, b: { always: 'a' } },
  })
  const machines = { conversation: { ...registration, machine: circle } }
  const replays = createReplays({ store, readModel: createMemoryReadModel([]), machines: registeredMachines })
  const lines = []
  for await (const line of replays.run(machines.conversation, {}, 10)) lines.push(line)
  expect(lines).toEqual([{ kind: 'failed', reason: expect.stringContaining('the draft is not run') }])
})

// ── The store ────────────────────────────────────────────────────────────────────────────────────

function createMemoryStore() {
  const threads = new Map<string, StoredThread & { machine: string }>()
  const written: { [hash: string]: Json } = {}
  const verdicts: { review: string; verdict: StoredVerdict }[] = []
  const at = '2026-11-25T10:00:00.000Z'
  const assertThere = (): void => {
    if (memory.isAway) throw new Error('no connection')
  }
  const memory: ReviewStore & {
    journals: readonly StoredJournal[]
    isAway: boolean
    clear(): void
    isEmpty(): boolean
  } = {
    journals: [],
    isAway: false,
    clear() {
      threads.clear()
      verdicts.length = 0
      memory.isAway = false
    },
    isEmpty: () => threads.size + verdicts.length === 0,
    async listJournals(_filter, after, limit) {
      assertThere()
      const from = Number(after?.['from'] ?? 0)
      const items = memory.journals.slice(from, from + limit)
      const next = from + limit < memory.journals.length ? { from: from + limit } : null
      return { items, next, now: Date.parse('2027-01-01') }
    },
    async addComment({ threadId, commentId, machine, author, body, opens }) {
      const comment = { id: commentId, author, body, at }
      const thread = threads.get(threadId)
      if (thread === undefined && opens === null) return false
      if (opens !== null) written[opens.chartHash] = opens.chart
      const { about, chartHash, comments } = thread ?? { ...opens!, comments: [] }
      const open = { openedAt: at, resolvedAt: null, resolvedBy: null }
      threads.set(threadId, { id: threadId, machine, about, chartHash, ...open, comments: [...comments, comment] })
      return true
    },
    async settleThread({ threadId, isResolved, author }) {
      const thread = threads.get(threadId)
      if (thread === undefined) return false
      threads.set(threadId, { ...thread, resolvedAt: isResolved ? at : null, resolvedBy: isResolved ? author : null })
      return true
    },
    async listThreads() {
      assertThere()
      return { items: [...threads.values()].map(({ machine: _machine, ...thread }) => thread), charts: written }
    },
    async giveVerdict(review, verdict) {
      verdicts.unshift({ review, verdict: { ...verdict, at } })
      return { at }
    },
    async listVerdicts(review) {
      assertThere()
      return verdicts.filter((one) => one.review === review).map(({ verdict }) => verdict)
    },
  }
  return memory
}

function writeJournal(place: number, body: string): StoredJournal {
  const opening = { at: 0, businessAddress: 'whatsapp:+14155238886', settings: {}, previous: null }
  const events: JsonObject[] = [
    { type: 'conversation.opened', input: conversationRegistration.toInput(opening) },
    { type: 'message.received', messageId: 'm', body, media: [], at: 1_764_000_000_000 },
    { type: 'xstate.after.quiet.conversation.PENDING.collecting' },
  ]
  let [snapshot, hash] = ['', '']
  const journal = events.flatMap((event, index) => {
    const step =
      index === 0
        ? openConversation(conversationRegistration, event['input'] ?? null)
        : applyEvent(conversationRegistration, snapshot, event)
    if (step === null) throw new Error('the chart ignores an event of the test')
    snapshot = step.snapshot
    hash = toLinkHash(hash, event, snapshot)
    const occurredAt = 1_764_000_000_000 + index * 1_500
    return [{ version: index + 1, event, hash, machineVersion: ownVersion, occurredAt }]
  })
  const moment = new Date(1_764_000_000_000).toISOString()
  return {
    id: `0198c0de-0000-7000-8000-${String(place).padStart(12, '0')}`,
    status: 'PENDING',
    machine: 'conversation',
    machineVersion: ownVersion,
    version: journal.length,
    openedAt: moment,
    updatedAt: moment,
    events: journal,
  }
}
