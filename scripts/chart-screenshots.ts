/**
 * The pictures of the documentation, made anew: `node scripts/chart-screenshots.ts`. The pages have to be built.
 * Those that a page of the documentation shows are written to `docs/`. With SCREENSHOT_FOLDER all are written there: each
 * scene in both themes, on a wide and a narrow screen. SCREENSHOT_SCENES names some of the scenes.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContext, Page } from 'playwright-core'

import { startReviewedService } from '../tests/browser/reviewed-service.ts'
import { startSmallCharts } from '../tests/browser/small-charts.ts'
import { startLateConversations } from './chart-screenshots/late-conversations.ts'
import { startBrowser } from '../tests/support/browser.ts'
import { draftVersion, ownVersion } from '../tests/support/machines/draft-conversation.ts'
import { until } from '../tests/support/service.ts'

type Scene = {
  readonly name: string
  readonly query: string
  /** What is done before the picture is taken. */
  readonly act?: (page: Page) => Promise<void>
}
type Place = { readonly url: string; readonly link: string }

const docs = fileURLToPath(new URL('../docs', import.meta.url))
const folder = process.env['SCREENSHOT_FOLDER'] ?? null
const wanted = process.env['SCREENSHOT_SCENES']?.split(',') ?? null
const shown = ['docs/charts.md', 'README.md']
  .map((path) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8'))
  .join('')
const sizes = [
  ['', { width: 1440, height: 900 }],
  ['-narrow', { width: 390, height: 844 }],
] as const
const themes = ['light', 'dark'] as const

const own = `m=conversation@${ownVersion}`
const draft = `m=${encodeURIComponent(`conversation@${draftVersion}+draft`)}&base=conversation@${ownVersion}`
const walk = encodeURIComponent(
  JSON.stringify([
    { event: 'message.received', choices: { asksForPerson: false, goesOn: true } },
    { waitMs: 1_500 },
    {
      event: 'xstate.done.actor.draftReply',
      choices: { isDraftForPerson: false, isDraftGoodbye: false, isDraft: true },
    },
    { waitMs: 600_000 },
  ]),
)

const reading: readonly Scene[] = [
  { name: 'charts', query: 's=conversation.PROGRESS' },
  { name: 'charts-whole', query: '' },
  { name: 'charts-compare', query: 'm=conversation&base=conversation@1' },
  {
    name: 'charts-simulate',
    query: `m=conversation&steps=${walk}`,
    async act(page) {
      await page.locator('.walk li').nth(4).waitFor()
      await until(async () => {
        const box = await page.locator('.chart .atomic.active').boundingBox()
        return box !== null && box.y < 800
      }, 5_000)
    },
  },
]

/** Of a review on a running service: what was replayed, the first that differs, and what tests walk. */
const reviewing: readonly Scene[] = [
  {
    name: 'charts-review',
    query: `${draft}&tab=review`,
    async act(page) {
      await page.locator('.gate').first().waitFor()
      await page.getByRole('button', { name: 'Replay', exact: true }).click()
      await page.locator('.replay .changes button').first().click()
    },
  },
  {
    name: 'charts-tests',
    query: `${draft}&tab=review&overlay=tests`,
    async act(page) {
      await page.locator('.legend').waitFor()
      await page.locator('.gate').first().waitFor()
    },
  },
  {
    name: 'charts-findings',
    query: `${draft}&tab=findings&overlay=findings`,
    act: async (page) => page.locator('.legend').waitFor(),
  },
]

/** Who stands where, who is late, whom a renamed state touches, and the map that answers it. */
const watching: readonly Scene[] = [
  { name: 'charts-live', query: `${own}&tab=live&s=conversation.PROGRESS`, act: untilStanding },
  {
    name: 'charts-stuck',
    query: `${own}&tab=live`,
    async act(page) {
      await page
        .getByRole('button', { name: /over the limit/u })
        .first()
        .click()
      await page.getByRole('heading', { name: /^\d+ over the limit in/u }).waitFor()
      await page.locator('.standing li').first().waitFor()
    },
  },
  { name: 'charts-impact', query: `${draft}&tab=live`, act: untilStanding },
  {
    name: 'charts-conversation',
    query: `${own}&tab=live&s=conversation.HUMAN_HANDOFF`,
    async act(page) {
      await page.locator('.standing button', { hasText: 'HUMAN_HANDOFF' }).first().click()
      await page.locator('[data-step]').waitFor()
      await page.getByRole('slider', { name: 'Step' }).press('ArrowLeft')
    },
  },
  {
    name: 'charts-pick',
    query: `${draft}&tab=review`,
    async act(page) {
      await page.getByRole('button', { name: 'Pick it on the picture' }).click()
      await page.locator('.candidate').first().waitFor()
      await page.locator('.chart [data-state="conversation.PROGRESS.listening"]').hover()
    },
  },
  {
    name: 'charts-map',
    query: `${draft}&tab=review`,
    async act(page) {
      const editor = page.getByRole('region', { name: 'Migration map' })
      await editor.getByRole('button', { name: 'Pick it on the picture' }).click()
      await page.locator('.chart [data-state="conversation.PROGRESS.listening"]').click()
      await editor.getByText('Everybody would go on').waitFor()
      await editor.getByRole('link').scrollIntoViewIfNeeded()
    },
  },
]

async function untilStanding(page: Page): Promise<void> {
  await page.locator('[data-stuck]').first().waitFor()
  await page.locator('.standing li').first().waitFor()
}

const browser = await startBrowser()
try {
  await takeOf(reading, async () => {
    const charts = await startSmallCharts()
    return { place: { url: charts.url, link: charts.link() }, close: charts.close }
  })
  await takeOf(reviewing, async () => {
    const reviewed = await startReviewedService(40)
    return { place: { url: reviewed.url(), link: reviewed.link() }, close: reviewed.close }
  })
  await takeOf(watching, startLateConversations)
} finally {
  await browser.close()
}

async function takeOf(
  all: readonly Scene[],
  start: () => Promise<{ readonly place: Place; readonly close: () => Promise<void> }>,
): Promise<void> {
  const scenes = all.filter(({ name }) => wanted === null || wanted.includes(name))
  if (scenes.length === 0) return
  const { place, close } = await start()
  try {
    const storageState = await signIn(browser, place.link)
    for (const scene of scenes) {
      for (const [suffix, viewport] of sizes) {
        for (const colorScheme of themes) {
          const file = `${scene.name}${suffix}-${colorScheme}.png`
          if (folder === null && !shown.includes(file)) continue
          const context = await browser.newContext({ viewport, colorScheme, deviceScaleFactor: 1, storageState })
          await take(context, `${place.url}/?${scene.query}`, scene, `${folder ?? docs}/${file}`)
          await context.close()
        }
      }
    }
  } finally {
    await close()
  }
}

async function take(context: BrowserContext, url: string, { act }: Scene, path: string): Promise<void> {
  const page = await context.newPage()
  await page.goto(url)
  await page.locator('.chart [data-state]').first().waitFor()
  await act?.(page)
  await page.evaluate('document.fonts.ready')
  await page.screenshot({ path, animations: 'disabled' })
}

async function signIn(where: Browser, link: string): Promise<Awaited<ReturnType<BrowserContext['storageState']>>> {
  const context = await where.newContext()
  await (await context.newPage()).goto(link)
  const state = await context.storageState()
  await context.close()
  return state
}
