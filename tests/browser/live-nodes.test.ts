/**
 * Live numbers on a node that owns no conversation: what another node commits is on its page, a link that breaks is said
 * and mended, and what stands still because nobody fires its timers is listed. PostgreSQL, NATS and both nodes are real.
 */
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'

import type { LiveAnswer, StuckAnswer } from '../../src/charts/live/live-answer.ts'
import { runAxe } from '../support/axe.ts'
import { startBrowser } from '../support/browser.ts'
import { ownVersion } from '../support/machines/draft-conversation.ts'
import { createProduction } from '../support/production.ts'
import type { Production } from '../support/production.ts'
import { until } from '../support/service.ts'
import type { ServiceProcess } from '../support/service.ts'
import { openTcpProxy } from '../support/tcp-proxy.ts'
import type { TcpProxy } from '../support/tcp-proxy.ts'

const wide = { width: 1440, height: 900 }
const narrow = { width: 390, height: 844 }
const own = `conversation@${ownVersion}`
const waitingId = 'conversation.PROGRESS.waiting'
/** The chart gives 15 minutes; this tenant less. */
const idleTimeoutMs = 20_000

let browser: Browser
let production: Production
let owner: ServiceProcess
let shown: ServiceProcess
let link: TcpProxy
let signedIn: Awaited<ReturnType<typeof readSession>>
let people = 0

beforeAll(async () => {
  production = await createProduction()
  owner = await production.start({ DUOLOGUE_ROLES: 'webhook,actors' })
  shown = await production.start({ DUOLOGUE_ROLES: 'pages', DUOLOGUE_PUBLIC_URL: owner.url })
  link = await openTcpProxy([Number(new URL(shown.url).port)])
  browser = await startBrowser()
  signedIn = await readSession()
}, 180_000)
afterAll(async () => {
  await browser?.close()
  await link?.close()
  await production?.remove()
})

async function readSession() {
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.goto(/charts\s+(?<link>http\S+)/u.exec(shown.output())?.groups?.['link'] ?? '')
  const state = await context.storageState()
  await context.close()
  return state
}

test('what another node commits is on the page within a second', { timeout: 120_000 }, async () => {
  const page = await open({ viewport: wide }, 'tab=live')
  await page.locator('.totals').waitFor()
  const latenesses: number[] = []
  for (let round = 0; round < 3; round += 1) {
    const before = await countRows()
    await arrive()
    await until(async () => (await countRows()) > before, 10_000)
    const stored = performance.now()
    await until(async () => (await totalOnPage(page)) > before, 5_000)
    latenesses.push(performance.now() - stored)
  }
  process.stdout.write(`another node's, seen after ${latenesses.map((ms) => `${Math.round(ms)} ms`).join(', ')}\n`)
  expect(Math.max(...latenesses)).toBeLessThanOrEqual(1_000)
  await page.locator('.legend').getByText('live', { exact: true }).waitFor()
})

test(
  'a link that breaks is said with the moment of the last numbers, and mended without a hand',
  { timeout: 120_000 },
  async () => {
    const page = await open({ viewport: wide }, 'tab=live')
    const before = await countRows()
    await expect.poll(async () => totalOnPage(page)).toBe(before)
    link.cut()
    await page
      .getByRole('alert')
      .getByText(/Not live: the service does not answer; the numbers are those of \d\d:\d\d:\d\d/u)
      .waitFor()
    await page.locator('.legend .removed').getByText('as of').waitFor()
    expect(await totalOnPage(page)).toBe(before)
    await arrive()
    await until(async () => (await countRows()) > before, 10_000)
    link.heal()
    await expect.poll(async () => totalOnPage(page), { timeout: 10_000 }).toBe(before + 1)
    await page.getByRole('alert').waitFor({ state: 'detached' })
    await page.locator('.legend').getByText('live', { exact: true }).waitFor()
  },
)

test(
  'who stands longer than the timer of the tenant allows is flagged, listed and led to, though the chart allows more',
  { timeout: 180_000 },
  async () => {
    await production.set({ idleTimeoutMs })
    const before = await countRows()
    await Promise.all([arrive(), arrive(), arrive()])
    const late = `select count(*)::int as count from duologue.conversations
      where snapshot -> 'value' ->> 'PROGRESS' = 'waiting' and snapshot #>> '{context,settings,idleTimeoutMs}' = $1`
    const countLate = async (): Promise<number> =>
      Number((await production.sql(late, [String(idleTimeoutMs)]))[0]?.['count'])
    await until(async () => (await countLate()) === 3, 15_000)
    // Nobody is left who would fire their timers.
    await owner.kill()
    const page = await open({ viewport: wide }, 'tab=live')
    const panel = page.getByRole('tabpanel')
    const row = page.locator(`[data-stuck="${waitingId}"]`)
    await row.getByText('20 s to 15 min').waitFor()
    const over = row.getByRole('button', { name: '3 over the limit' })
    // It is noticed though no number changes any more.
    await over.waitFor({ timeout: 60_000 })
    expect(await countRows()).toBe(before + 3)
    const { states } = await shown.json<StuckAnswer>(`/api/charts/${own}/stuck`)
    expect(states.find(({ id }) => id === waitingId)).toMatchObject({ older: 3, limitMs: 15 * 60_000 })
    const { list } = await shown.json<LiveAnswer>(`/api/charts/${own}/live?state=${waitingId}&over=true`)
    expect(list?.total).toBe(3)

    await over.click()
    await panel.getByRole('heading', { name: '3 over the limit in PROGRESS.waiting' }).waitFor()
    await expect.poll(async () => panel.locator('.standing li').count()).toBe(3)
    expect(await panel.locator('.standing li').first().innerText()).toContain('late by')
    // A link leads to the same list.
    await page.reload()
    await panel.getByRole('heading', { name: '3 over the limit in PROGRESS.waiting' }).waitFor()
    await panel.locator('.standing button').first().click()
    await page.locator('[data-step]').waitFor()
    expect(await page.locator('.chart [data-state].would').first().getAttribute('data-state')).toBe(waitingId)
    await page.goBack()
    await panel.getByRole('button', { name: 'Show all of them' }).click()
    await panel.getByRole('heading', { name: `${before + 3} in PROGRESS.waiting` }).waitFor()
    const refused = await shown.get(`/api/charts/${own}/live?state=conversation.PROGRESS&over=true`)
    expect(refused.status).toBe(400)
  },
)

test.each([
  ['wide and light', { viewport: wide, colorScheme: 'light' }],
  ['wide and dark', { viewport: wide, colorScheme: 'dark' }],
  ['narrow and light', { viewport: narrow, colorScheme: 'light' }],
  ['narrow and dark', { viewport: narrow, colorScheme: 'dark' }],
] as const)('axe finds nothing in a list of who is late that is %s', { timeout: 120_000 }, async (_name, options) => {
  const page = await open(options, `tab=live&s=${waitingId}&over=${waitingId}`)
  await page.getByRole('heading', { name: '3 over the limit in PROGRESS.waiting' }).waitFor()
  await page.locator('.standing li').first().waitFor()
  expect(await runAxe(page)).toEqual([])
  link.cut()
  await page.getByRole('alert').waitFor()
  expect(await runAxe(page)).toEqual([])
  link.heal()
  expect(await page.evaluate('document.documentElement.scrollWidth - window.innerWidth')).toBeLessThanOrEqual(0)
})

test('a service that was started anew asks for its link', { timeout: 60_000 }, async () => {
  const page = await open({ viewport: wide }, 'tab=live')
  await page.locator('.totals').waitFor()
  await shown.kill()
  shown = await production.start({ DUOLOGUE_ROLES: 'pages', DUOLOGUE_PUBLIC_URL: owner.url })
  link.route([Number(new URL(shown.url).port)])
  await page.getByRole('alert').getByText('you are signed out: open the link that Duologue printed').waitFor()
})

/** Somebody writes for the first time. */
async function arrive(): Promise<void> {
  people += 1
  await production.fake.say(`whatsapp:+1500557${String(1_000 + people)}`, 'hello')
}

async function countRows(): Promise<number> {
  return Number((await production.sql('select count(*)::int as count from duologue.conversations'))[0]?.['count'])
}

async function totalOnPage(page: Page): Promise<number> {
  return Number(/^\d+/u.exec(await page.locator('.totals').innerText())?.[0])
}

/** The page through the link that can break. */
async function open(options: BrowserContextOptions, wanted: string): Promise<Page> {
  const context = await browser.newContext({ ...options, storageState: signedIn })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  onTestFinished(async () => {
    await context.close()
    expect(complaints).toEqual([])
  })
  await page.goto(`http://127.0.0.1:${link.port}/?m=${own}&${wanted}`)
  await page.locator('.chart [data-state]').first().waitFor()
  return page
}
