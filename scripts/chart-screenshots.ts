/** The pictures of docs/charts.md, made anew: `node scripts/chart-screenshots.ts`. The pages have to be built. */
import { fileURLToPath } from 'node:url'

import { startBrowser } from '../tests/support/browser.ts'
import { startReviewedService } from '../tests/browser/reviewed-service.ts'
import type { ReviewedService } from '../tests/browser/reviewed-service.ts'
import { startSmallCharts } from '../tests/browser/small-charts.ts'
import { draftVersion, ownVersion } from '../tests/support/machines/draft-conversation.ts'

const docs = fileURLToPath(new URL('../docs', import.meta.url))
const wide = { width: 1440, height: 900 }
const narrow = { width: 390, height: 844 }
const walk = JSON.stringify([
  { event: 'message.received', choices: { asksForPerson: false, goesOn: true } },
  { waitMs: 1_500 },
  { event: 'xstate.done.actor.draftReply', choices: { isDraftForPerson: false, isDraftGoodbye: false, isDraft: true } },
  { waitMs: 600_000 },
])

const pictures = [
  { name: 'charts-light', query: '', size: wide, colorScheme: 'light' },
  { name: 'charts-compare-dark', query: 'm=conversation&base=conversation@1', size: wide, colorScheme: 'dark' },
  {
    name: 'charts-simulate-light',
    query: `m=conversation&steps=${encodeURIComponent(walk)}`,
    size: wide,
    colorScheme: 'light',
  },
  { name: 'charts-narrow-light', query: 's=conversation.PROGRESS', size: narrow, colorScheme: 'light' },
  {
    name: 'charts-narrow-dark',
    query: `m=conversation&steps=${encodeURIComponent(walk)}`,
    size: narrow,
    colorScheme: 'dark',
  },
] as const

/** Of a review on a running service: what was replayed, the first that differs, and what tests walk. */
const reviewPictures = [
  { name: 'charts-review-light', overlay: '', size: wide, colorScheme: 'light' },
  { name: 'charts-review-dark', overlay: '', size: wide, colorScheme: 'dark' },
  { name: 'charts-review-narrow-light', overlay: '', size: narrow, colorScheme: 'light' },
  { name: 'charts-review-narrow-dark', overlay: '', size: narrow, colorScheme: 'dark' },
  { name: 'charts-tests-light', overlay: '&overlay=tests', size: wide, colorScheme: 'light' },
  { name: 'charts-tests-dark', overlay: '&overlay=tests', size: wide, colorScheme: 'dark' },
  { name: 'charts-findings-light', overlay: '&overlay=findings', size: wide, colorScheme: 'light' },
] as const
const reviewedUsers = 40

/** Who stands where, whom a renamed state touches, and the map that answers it. `region`: what is scrolled to. */
const own = `m=conversation@${ownVersion}`
const renamed = `m=${encodeURIComponent(`conversation@${draftVersion}+draft`)}&base=conversation@${ownVersion}`
const livePictures = [
  {
    name: 'charts-live-light',
    query: `${own}&tab=live&s=conversation.PROGRESS`,
    region: null,
    size: wide,
    colorScheme: 'light',
  },
  {
    name: 'charts-live-dark',
    query: `${own}&tab=live&s=conversation.PROGRESS`,
    region: null,
    size: wide,
    colorScheme: 'dark',
  },
  {
    name: 'charts-live-narrow-light',
    query: `${own}&tab=live&s=conversation.PROGRESS`,
    region: null,
    size: narrow,
    colorScheme: 'light',
  },
  {
    name: 'charts-live-narrow-dark',
    query: `${own}&tab=live&s=conversation.PROGRESS`,
    region: null,
    size: narrow,
    colorScheme: 'dark',
  },
  {
    name: 'charts-impact-light',
    query: `${renamed}&tab=live`,
    region: 'Live impact',
    size: wide,
    colorScheme: 'light',
  },
  {
    name: 'charts-map-light',
    query: `${renamed}&tab=review`,
    region: 'Migration map',
    size: wide,
    colorScheme: 'light',
  },
  {
    name: 'charts-map-narrow-dark',
    query: `${renamed}&tab=review`,
    region: 'Migration map',
    size: narrow,
    colorScheme: 'dark',
  },
  {
    name: 'charts-conversation-light',
    query: `${own}&tab=live`,
    region: 'Conversation',
    size: wide,
    colorScheme: 'light',
  },
  {
    name: 'charts-conversation-narrow-dark',
    query: `${own}&tab=live`,
    region: 'Conversation',
    size: narrow,
    colorScheme: 'dark',
  },
] as const

const folder = process.env['SCREENSHOT_FOLDER'] ?? docs
const charts = await startSmallCharts()
const browser = await startBrowser()
try {
  for (const { name, query, size, colorScheme } of pictures) {
    const context = await browser.newContext({ viewport: size, colorScheme, deviceScaleFactor: 1 })
    const page = await context.newPage()
    await page.goto(charts.link())
    await page.goto(`${charts.url}/?${query}`)
    await page.locator('.chart [data-state]').first().waitFor()
    if (query.includes('steps')) await page.locator('.walk li').nth(4).waitFor()
    await page.evaluate('document.fonts.ready')
    await page.screenshot({ path: `${folder}/${name}.png` })
    await context.close()
  }
  await takeReviews()
} finally {
  await browser.close()
  await charts.close()
}

async function takeReviews(): Promise<void> {
  const reviewed = await startReviewedService(reviewedUsers)
  try {
    const first = await browser.newContext()
    await (await first.newPage()).goto(reviewed.link())
    const storageState = await first.storageState()
    await first.close()
    for (const { name, overlay, size, colorScheme } of reviewPictures) {
      const context = await browser.newContext({ viewport: size, colorScheme, deviceScaleFactor: 1, storageState })
      const page = await context.newPage()
      const query = `m=${encodeURIComponent(`conversation@${draftVersion}+draft`)}&base=conversation@${ownVersion}&tab=review`
      await page.goto(`${reviewed.url()}/?${query}${overlay}`)
      await page.locator('.gate').waitFor()
      if (overlay === '') {
        await page.getByRole('button', { name: 'Replay', exact: true }).click()
        await page.locator('.replay .changes button').first().click()
      } else await page.locator('.legend').waitFor()
      await page.evaluate('document.fonts.ready')
      await page.screenshot({ path: `${folder}/${name}.png`, animations: 'disabled' })
      await context.close()
    }
    await takeLive(reviewed)
  } finally {
    await reviewed.close()
  }
}

async function takeLive(reviewed: ReviewedService): Promise<void> {
  await reviewed.restart('draft-conversation-renamed')
  const first = await browser.newContext()
  await (await first.newPage()).goto(reviewed.link())
  const storageState = await first.storageState()
  await first.close()
  for (const { name, query, region, size, colorScheme } of livePictures) {
    const context = await browser.newContext({ viewport: size, colorScheme, deviceScaleFactor: 1, storageState })
    const page = await context.newPage()
    await page.goto(`${reviewed.url()}/?${query}`)
    if (region === 'Conversation') {
      await page.locator('.standing button').first().click()
      await page.locator('[data-step]').waitFor()
      await page.getByRole('slider', { name: 'Step' }).press('ArrowLeft')
    } else if (region === 'Migration map') {
      const editor = page.getByRole('region', { name: region })
      await editor.getByLabel('PROGRESS.waiting goes on as').selectOption('PROGRESS.listening')
      await editor.getByText('Everybody would go on').waitFor()
    } else await page.locator('[data-stuck]').first().waitFor()
    if (region !== null) await page.getByRole('region', { name: region, exact: true }).scrollIntoViewIfNeeded()
    await page.evaluate('document.fonts.ready')
    await page.screenshot({ path: `${folder}/${name}.png`, animations: 'disabled' })
    await context.close()
  }
}
