/** The pictures of docs/charts.md, made anew: `node scripts/chart-screenshots.ts`. The pages have to be built. */
import { fileURLToPath } from 'node:url'

import { startBrowser } from '../tests/support/browser.ts'
import { startSmallCharts } from '../tests/browser/small-charts.ts'

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
    await page.screenshot({ path: `${process.env['SCREENSHOT_FOLDER'] ?? docs}/${name}.png` })
    await context.close()
  }
} finally {
  await browser.close()
  await charts.close()
}
