/** Charts over HTTP, on the whole application without log and database: what programs and the page ask for. */
import { afterAll, beforeAll, expect, test } from 'vitest'

import { chartSchemaName, parseChart, toChartJson } from '../../../src/charts/chart.ts'
import { extractChart } from '../../../src/charts/extract-chart.ts'
import type { View } from '../../../src/charts/library.ts'
import type { ReviewedWalk } from '../../../src/charts/simulate/walk-chart.ts'
import { conversationMachine } from '../../../src/machines/conversation/machine.ts'
import { conversationRegistration } from '../../../src/machines/conversation/registration.ts'
import { openCharts } from '../../../src/parts/charts.ts'
import type { ChartsPart } from '../../../src/parts/charts.ts'
import { apiToken, createTestApp, type TestApp } from './test-app.ts'

let charts: ChartsPart
let app: TestApp

beforeAll(async () => {
  charts = openCharts({ onFailure: (error) => console.error(error), layoutTimeoutMs: 60_000 })
  app = await createTestApp({ charts })
})
afterAll(async () => {
  await app.server.close()
  await charts.close()
})

const build = `conversation@${String(conversationMachine.version)}`
const kept = 'conversation@1'

async function get(url: string, headers: object = { authorization: `Bearer ${apiToken}` }) {
  return app.server.inject({ method: 'GET', url, headers: { ...headers } })
}

test('the list names the charts of this build and those that were kept', async () => {
  const { items } = (await get('/api/charts')).json<{ items: { ref: string; source: string }[] }>()
  expect(items).toContainEqual(expect.objectContaining({ ref: build, source: 'build' }))
  expect(items).toContainEqual(expect.objectContaining({ ref: kept, source: 'stored' }))
})

test('charts are for who has the token', async () => {
  for (const path of [
    '/api/charts',
    `/api/charts/${build}.svg`,
    `/api/charts/${build}/view`,
    `/api/charts/${build}/walk`,
  ]) {
    expect((await get(path, {})).statusCode).toBe(401)
  }
})

test('the JSON of a chart is the chart', async () => {
  const answer = await get(`/api/charts/${build}.json`)
  const input = conversationRegistration.toInput({
    at: 0,
    businessAddress: 'whatsapp:+14155238886',
    settings: {},
    previous: null,
  })
  expect(answer.headers['content-type']).toBe('application/json')
  expect(toChartJson(parseChart(answer.json()))).toBe(toChartJson(extractChart(conversationMachine, input)))
  expect(answer.json<{ schema: string }>().schema).toBe(chartSchemaName)
})

test.each([
  ['svg', 'image/svg+xml', /^<svg /u],
  ['png', 'image/png', /^.PNG/u],
  ['mmd', 'text/plain; charset=utf-8', /^stateDiagram-v2\n/u],
  ['md', 'text/markdown; charset=utf-8', /^# conversation \d+\n/u],
] as const)('%s is served at a stable address', async (form, type, beginning) => {
  const answer = await get(`/api/charts/${build}.${form}`)
  expect(answer.statusCode).toBe(200)
  expect(answer.headers['content-type']).toBe(type)
  expect(answer.rawPayload.toString('latin1')).toMatch(beginning)
})

test('an SVG may carry its style sheet and nothing else, and asks twice for the same bytes', async () => {
  const [one, two] = [await get(`/api/charts/${build}.svg`), await get(`/api/charts/${build}.svg`)]
  expect(one.headers['content-security-policy']).toBe("default-src 'none'; style-src 'unsafe-inline'; sandbox")
  expect(one.body).toBe(two.body)
})

test('a comparison has pictures, a review text and a list of changes', async () => {
  const json = (await get(`/api/charts/${build}.json?base=${kept}`)).json<{ changes: { sentence: string }[] }>()
  expect(json.changes.length).toBeGreaterThan(0)
  const review = (await get(`/api/charts/${build}.md?base=${kept}`)).body
  expect(review).toContain('the most dangerous first:')
  expect((await get(`/api/charts/${build}.svg?base=${kept}`)).body).toContain('class="chart"')
  expect((await get(`/api/charts/${build}.mmd?base=${kept}`)).statusCode).toBe(400)
})

test('a view holds chart, picture, findings, places and comparison', async () => {
  const view = (await get(`/api/charts/${build}/view?base=${kept}&fold=conversation.PROGRESS,nothing`)).json<View>()
  expect(view.folded).toEqual(['conversation.PROGRESS'])
  expect(view.picture.boxes.some(({ kind }) => kind === 'folded')).toBe(true)
  expect(view.comparison?.baseRef).toBe(kept)
  expect(view.places['conversation.PENDING']).toMatch(/^src\/machines\/conversation\/machine\.ts:\d+$/u)
  expect(view.findings.every(({ allowedBecause }) => allowedBecause !== null)).toBe(true)
})

test('a view that was laid out before is there at once', async () => {
  const url = `/api/charts/${build}/view?fold=conversation.PENDING`
  await get(url)
  const usage = process.cpuUsage()
  const rounds = 20
  for (let round = 0; round < rounds; round += 1)
    await charts.library.view({ entry: charts.library.find(build)!, base: null, folds: ['conversation.PENDING'] })
  const { user, system } = process.cpuUsage(usage)
  expect((user + system) / 1_000 / rounds).toBeLessThan(5)
})

test('a walk is simulated, on two versions side by side', async () => {
  const steps = JSON.stringify([{ event: 'message.received', choices: { asksForPerson: true } }])
  const walk = (
    await get(`/api/charts/${build}/walk?base=${kept}&steps=${encodeURIComponent(steps)}`)
  ).json<ReviewedWalk>()
  expect(walk.points.at(-1)?.active.at(-1)).toBe('conversation.HUMAN_HANDOFF.queued')
  expect(walk.base).toMatchObject({ ref: kept, isRevived: true })
  expect(walk.options.map(({ event }) => event)).toContain('operator.assigned')
})

test('a walk on a chart whose code is gone says so, and is no test', async () => {
  const walk = (await get(`/api/charts/${kept}/walk`)).json<ReviewedWalk>()
  expect(walk.isRevived).toBe(true)
  expect((await get(`/api/charts/${kept}/walk-test`)).statusCode).toBe(404)
  expect((await get(`/api/charts/${build}/walk-test`)).body).toContain("from 'vitest'")
})

test.each([
  ['/api/charts/nothing@1.svg', 404],
  ['/api/charts/conversation.gif', 404],
  ['/api/charts/conversation', 404],
  ['/api/charts/..%2f..%2fetc%2fpasswd.svg', 404],
  ['/api/charts/__proto__/view', 404],
  ['/api/charts/constructor.svg', 404],
  ['/api/charts/nothing/view', 404],
  ['/api/charts/conversation/view?base=nothing', 404],
  ['/api/charts/conversation/view?base=a&base=b', 400],
  ['/api/charts/conversation.svg?theme=pink', 400],
  ['/api/charts/conversation.png?scale=99', 400],
  [`/api/charts/conversation/view?fold=${'a,'.repeat(600)}`, 400],
  ['/api/charts/conversation/walk?steps=%5B', 400],
  ['/api/charts/conversation/walk?steps=%5B%7B%22waitMs%22%3A-1%7D%5D', 400],
])('%s is refused with %i and a reason', async (url, status) => {
  const answer = await get(url)
  expect(answer.statusCode).toBe(status)
  expect(answer.json<{ detail: string }>().detail.length).toBeGreaterThan(5)
})
