/** The chart page as a reviewer uses it: in a real browser, on the real HTTP application, without log and database. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'

import { extractChart } from '../../src/charts/extract-chart.ts'
import { conversationMachine } from '../../src/machines/conversation/machine.ts'
import { build } from '../charts/random-machine.ts'
import { runAxe } from '../support/axe.ts'
import { createTabTo } from '../support/tab-to.ts'
import { startBrowser } from '../support/browser.ts'
import { startSmallCharts, type SmallCharts } from './small-charts.ts'

const wide = { width: 1440, height: 900 }
const narrow = { width: 390, height: 844 }
const assets = fileURLToPath(new URL('../../web/dist/assets', import.meta.url))
const tabTo = createTabTo(120)
const chart = extractChart(conversationMachine)

let browser: Browser
let charts: SmallCharts

beforeAll(async () => {
  charts = await startSmallCharts()
  browser = await startBrowser()
}, 120_000)
afterAll(async () => {
  await browser?.close()
  await charts?.close()
})

describe.each([
  ['wide and light', { viewport: wide, colorScheme: 'light' }],
  ['wide and dark', { viewport: wide, colorScheme: 'dark' }],
  ['narrow and light', { viewport: narrow, colorScheme: 'light', hasTouch: true }],
  ['narrow and dark', { viewport: narrow, colorScheme: 'dark', hasTouch: true }],
] as const)('on a screen that is %s', (_name, options) => {
  test('axe finds nothing: chart, table, details, walk, comparison', async () => {
    const page = await open(options)
    expect(await runAxe(page)).toEqual([])
    for (const query of [
      's=conversation.PROGRESS.answering',
      'view=table',
      'base=conversation@1',
      'base=conversation@1&view=table',
      'tab=findings',
      `steps=${encodeURIComponent('[{"event":"message.received"},{"waitMs":1500}]')}`,
    ]) {
      await show(page, query)
      expect(await runAxe(page), query).toEqual([])
    }
  })

  test('nothing is wider than the screen', async () => {
    const page = await open(options)
    expect(await page.evaluate('document.documentElement.scrollWidth - window.innerWidth')).toBeLessThanOrEqual(0)
  })
})

test('every state and transition is drawn once, and every text stays in its pill or box', async () => {
  const page = await open({ viewport: wide })
  const ids = async (name: string) =>
    page
      .locator(`.chart [data-${name}]`)
      .evaluateAll((all, key) => all.map((one) => (one as SVGElement).dataset[key] ?? ''), name)
  expect((await ids('state')).toSorted()).toEqual(
    chart.states
      .map(({ id }) => id)
      .filter((id) => id !== chart.root)
      .toSorted(),
  )
  expect((await ids('edge')).toSorted()).toEqual(chart.transitions.map(({ id }) => id).toSorted())
  await page.evaluate('document.fonts.ready')
  const spills = await page.locator('.chart .label, .chart .box').evaluateAll((groups) =>
    groups.flatMap((group) => {
      const frame = group.querySelector('.pill, .frame')?.getBoundingClientRect()
      const texts = [...group.querySelectorAll('text')].map((text) => text.getBoundingClientRect())
      const tolerance = 0.5
      const isOut = texts.some(
        (text) => frame === undefined || text.left < frame.left - tolerance || text.right > frame.right + tolerance,
      )
      return isOut ? [group.getAttribute('aria-label')] : []
    }),
  )
  expect(spills).toEqual([])
})

test('the table has one row for each transition', async () => {
  const page = await open({ viewport: wide })
  await page.getByRole('button', { name: 'Table' }).click()
  const rows = await page
    .locator('tr[data-row]')
    .evaluateAll((all) => all.map((row) => (row as HTMLElement).dataset['row']))
  expect(rows).toEqual(chart.transitions.map(({ id }) => id))
})

test('by mouse: read, search, fold, simulate, compare', { timeout: 120_000 }, async () => {
  const page = await open({ viewport: wide })
  const panel = page.getByRole('tabpanel')

  await page.getByRole('button', { name: 'Show the whole chart' }).click()
  await state(page, 'conversation.PROGRESS.waiting').click()
  await panel.getByRole('heading', { name: 'waiting' }).waitFor()
  expect(await panel.innerText()).toContain('src/machines/conversation/machine.ts:')
  await panel.getByRole('button', { name: /^after 15 min.*IDLE_TIMEOUT/u }).click()
  await panel.getByRole('heading', { name: 'after 15 min' }).waitFor()
  expect(await page.evaluate('location.search')).toContain('t=')

  await page.getByRole('searchbox').fill('handoff')
  await page.getByText(/^\d+ matches$/u).waitFor()
  expect(await page.locator('.chart .dimmed').count()).toBeGreaterThan(10)
  await page.getByRole('searchbox').press('Enter')
  expect(await page.locator('.chart [data-state].selected, .chart [data-edge].selected').count()).toBe(1)
  await page.getByRole('searchbox').fill('')

  await show(page, 's=conversation.PROGRESS')
  await panel.getByRole('button', { name: 'Fold' }).click()
  await page.getByText(/4 states, \d+ transitions inside/u).waitFor()
  expect(await state(page, 'conversation.PROGRESS.waiting').count()).toBe(0)
  await panel.getByRole('button', { name: 'Unfold' }).click()
  await state(page, 'conversation.PROGRESS.waiting').waitFor()

  await page.getByRole('tab', { name: 'Simulate' }).click()
  await panel
    .locator('.options li', { hasText: 'message.received' })
    .getByRole('button', { name: /goesOn/u })
    .click()
  await panel.locator('.options li', { hasText: 'quiet passes' }).getByRole('button', { name: /else/u }).click()
  await expectPlace(page, 'PENDING.answering')
  await panel
    .locator('.options li', { hasText: 'draftReply is done' })
    .getByRole('button', { name: /^\d+\s*isDraft\b/u })
    .click()
  await expectPlace(page, 'PROGRESS.waiting')
  expect(await page.locator('.chart .active').count()).toBe(2)
  await panel.getByLabel('Let pass').fill('20')
  await panel.getByRole('button', { name: 'Pass', exact: true }).click()
  await page.getByText('IDLE_TIMEOUT').first().waitFor()
  const link = page.url()
  await panel.getByRole('button', { name: 'Step back' }).click()
  await expectPlace(page, 'PROGRESS.waiting')
  await page.goto(link)
  await expectPlace(page, 'IDLE_TIMEOUT')

  await page.getByLabel('Compare with').selectOption({ label: 'conversation 1 (kept)' })
  await panel.locator('.changes li').first().waitFor()
  await panel.locator('.changes button').first().click()
  expect(await panel.locator('.changes button[aria-current=true]').count()).toBe(1)
})

test('by keyboard only: read, search, simulate, compare', { timeout: 120_000 }, async () => {
  const page = await open({ viewport: wide })
  const focused = async () =>
    page.evaluate(
      "document.activeElement?.getAttribute('data-state') ?? document.activeElement?.getAttribute('data-edge') ?? document.activeElement?.id ?? ''",
    )
  // Into the chart: the one element of it that the Tab key reaches.
  await tabTo(page, async () => (await focused()) === 'conversation.PENDING')
  await page.keyboard.press('ArrowDown')
  const first = await focused()
  expect(String(first)).toMatch(/^conversation\.PENDING\|/u)
  await page.keyboard.press('ArrowRight')
  expect(await focused()).not.toBe(first)
  await page.keyboard.press('ArrowUp')
  expect(await focused()).toBe('conversation.PENDING')
  await page.keyboard.press('ArrowRight')
  expect(await focused()).toBe('conversation.PENDING.collecting')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('ArrowRight')
  await page.keyboard.press('ArrowDown')
  expect(await focused()).toBe('conversation.PENDING.answering')
  await page.keyboard.press('Enter')
  await page.getByRole('tabpanel').getByRole('heading', { name: 'answering' }).waitFor()
  await expect.poll(focused).toBe('panel')
  await page.keyboard.press('Escape')
  await expect.poll(focused).toBe('conversation.PENDING.answering')

  await page.keyboard.press('/')
  await page.keyboard.type('idleTimeout')
  await page.getByText(/^\d+ match(?:es)?$/u).waitFor()
  await page.keyboard.press('Enter')
  await page.getByRole('tabpanel').getByRole('heading', { name: 'after 15 min' }).waitFor()
  await page.keyboard.press('Escape')
  await expect.poll(focused).toMatch(/^conversation\.PROGRESS\.waiting\|/u)

  await tabTo(page, async () => (await focused()) === 'tab-details')
  await page.keyboard.press('ArrowRight')
  await expect.poll(focused).toBe('tab-simulate')
  const now = page.locator('.now p').first()
  await now.waitFor()
  await tabTo(page, async () =>
    Boolean(
      await page.evaluate(
        "/asksForPerson/.test(document.activeElement?.textContent ?? '') && document.activeElement?.tagName === 'BUTTON' && !document.activeElement.closest('.chart')",
      ),
    ),
  )
  await page.keyboard.press('Enter')
  await expectPlace(page, 'HUMAN_HANDOFF.queued')

  const select = page.getByLabel('Compare with')
  await tabTo(page, async () => select.evaluate((element) => element === document.activeElement))
  await page.keyboard.press('ArrowDown')
  await page.getByRole('tabpanel').locator('.changes li').first().waitFor()
  await tabTo(page, async () => Boolean(await page.evaluate("document.activeElement?.name === 'phase'")))
  await page.keyboard.press('ArrowRight')
  await expect.poll(async () => page.evaluate('location.search')).toContain('show=before')
  await tabTo(page, async () => Boolean(await page.evaluate("document.activeElement?.closest('.changes') !== null")))
  await page.keyboard.press('n')
  await page.keyboard.press('n')
  const current = page.locator('.changes button[aria-current=true]')
  await current.waitFor()
  const second = await current.innerText()
  await page.keyboard.press('p')
  await expect.poll(async () => current.innerText()).not.toBe(second)
  await page.keyboard.press('t')
  await page.getByRole('region', { name: 'All transitions' }).waitFor()
})

test('an SVG that is opened by itself has its colours, light and dark', async () => {
  for (const [colorScheme, paper] of [
    ['light', 'rgb(253, 253, 252)'],
    ['dark', 'rgb(25, 29, 28)'],
  ] as const) {
    const page = await open({ viewport: wide, colorScheme })
    await page.goto(`${charts.url}/api/charts/conversation.svg`)
    expect(await page.evaluate("getComputedStyle(document.querySelector('.paper')).fill")).toBe(paper)
    expect(await page.locator('[data-edge]').count()).toBe(chart.transitions.length)
  }
})

test('what did not change keeps its place in all three views of a comparison', async () => {
  const page = await open({ viewport: wide }, 'base=conversation@1')
  const places = async (phase: string) => {
    await page.locator('.choice').getByText(phase, { exact: true }).click()
    return page
      .locator('.chart .box .frame')
      .evaluateAll((all) => all.map((one) => `${one.getAttribute('x') ?? ''} ${one.getAttribute('y') ?? ''}`))
  }
  const [both, before, after] = [await places('Both'), await places('Before'), await places('After')]
  expect(before).toEqual(both)
  expect(after).toEqual(both)
})

test('wheel, buttons and drag move the drawing, and the link keeps where it was', async () => {
  const page = await open({ viewport: wide })
  const transform = async () => page.locator('.canvas svg > g').first().getAttribute('transform')
  const start = await transform()
  await page.mouse.move(500, 500)
  await page.mouse.wheel(0, -300)
  await expect.poll(transform).not.toBe(start)
  const zoomed = await transform()
  await page.mouse.down()
  await page.mouse.move(420, 460, { steps: 4 })
  await page.mouse.up()
  const dragged = await transform()
  expect(dragged).not.toBe(zoomed)
  // A drag is no click.
  expect(await page.locator('.chart .selected').count()).toBe(0)
  await expect.poll(async () => page.evaluate('location.search')).toContain('at=')
  await page.reload()
  await page.locator('.chart [data-state]').first().waitFor()
  const toNumbers = (text: string | null) => (text ?? '').match(/-?[\d.]+/gu)?.map((part) => Math.round(Number(part)))
  expect(toNumbers(await transform())).toEqual(toNumbers(dragged))
})

test('two fingers zoom where they are', async () => {
  const page = await open({ viewport: narrow, hasTouch: true })
  const scale = async (): Promise<number> =>
    Number(
      /scale\(([\d.]+)\)/u.exec((await page.locator('.canvas svg > g').first().getAttribute('transform')) ?? '')?.[1],
    )
  const before = await scale()
  const session = await page.context().newCDPSession(page)
  const touch = async (type: 'touchStart' | 'touchMove' | 'touchEnd', gap: number) =>
    session.send('Input.dispatchTouchEvent', {
      type,
      touchPoints: type === 'touchEnd' ? [] : [-1, 1].map((side, id) => ({ x: 190 + side * gap, y: 280, id })),
    })
  await touch('touchStart', 30)
  for (const gap of [40, 50, 60]) await touch('touchMove', gap)
  await touch('touchEnd', 60)
  const zoomed = await scale()
  expect(zoomed / before).toBeGreaterThan(1.6)
  expect(zoomed / before).toBeLessThan(2.4)
})

test('a chart of more than 60 states offers to be folded, and is', async () => {
  const numbers = Array.from({ length: 997 }, (_, place) => ((place * place * 31 + place * 7_919) >> 3) % 1_000)
  const { machine } = build(numbers, 80)
  const more = { input: null, toExample: () => ({}), allowances: [], places: {} }
  const large = await startSmallCharts({ machines: { random: { machine, ...more } } })
  onTestFinished(() => large.close())
  const page = await open({ viewport: wide }, '', large)
  const count = await page.locator('.chart [data-state]').count()
  expect(count).toBeGreaterThan(60)
  await page.getByRole('button', { name: 'Fold all states' }).click()
  await expect.poll(async () => page.locator('.chart [data-state]').count()).toBeLessThan(count / 2)
  expect(await page.evaluate('location.search')).toContain('fold=')
})

test('unknown names in a link give notes, and the rest is shown', async () => {
  const page = await open({ viewport: wide }, 'm=nothing@9&base=nobody&s=nowhere&fold=never')
  await page.getByText('There is no chart nothing@9: another one is shown.').waitFor()
  await page.getByText('There is no chart nobody to compare with.').waitFor()
  await page.getByText(/^This chart has no nowhere\./u).waitFor()
  await state(page, 'conversation.PENDING').waitFor()
})

test('a walk that makes no sense is told, and can be begun again', async () => {
  const page = await open({ viewport: wide }, `steps=${encodeURIComponent('[{"nothing":1}]')}`)
  await page.getByText(/The walk was not understood/u).waitFor()
  await page.getByRole('button', { name: 'Begin again' }).click()
  await expectPlace(page, 'PENDING.collecting')
})

test('a layout that fails is still a chart, with a note', async () => {
  const broken = await startSmallCharts({ engine: async () => Promise.reject(new Error('the engine is gone')) })
  onTestFinished(() => broken.close())
  const page = await open({ viewport: wide }, '', broken)
  await page
    .locator('.canvas-note')
    .getByText(/plain drawing/u)
    .waitFor()
  expect(await page.locator('.chart [data-edge]').count()).toBe(chart.transitions.length)
})

test('no request leaves the origin', async () => {
  const context = await browser.newContext({ viewport: wide })
  onTestFinished(() => context.close())
  const page = await context.newPage()
  const foreign: string[] = []
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== charts.url && !request.url().startsWith('data:')) foreign.push(request.url())
  })
  await page.goto(charts.link())
  await state(page, 'conversation.PENDING').waitFor()
  await page.getByRole('tab', { name: 'Simulate' }).click()
  await expectPlace(page, 'PENDING.collecting')
  expect(foreign).toEqual([])
})

test('the first chart is there 300 ms after the page has loaded', async () => {
  const page = await open({ viewport: wide })
  const times: number[] = []
  // The best of a few: what else runs on the machine is not the page's fault.
  for (let round = 0; round < 5; round += 1) {
    await page.reload()
    await state(page, 'conversation.PENDING').waitFor()
    const ms = await page.evaluate(
      "performance.getEntriesByName('chart-drawn')[0].startTime - performance.getEntriesByType('navigation')[0].loadEventStart",
    )
    times.push(ms as number)
  }
  expect(Math.min(...times)).toBeLessThanOrEqual(300)
})

test('the page keeps to its budget: 25 KiB of script, 6 KiB of styles, compressed', () => {
  const html = readFileSync(`${assets}/../chart/index.html`, 'utf8')
  const names = [...html.matchAll(/assets\/([\w.-]+\.(?:js|css))/gu)].map(([, name]) => name ?? '')
  const size = (ending: string): number =>
    names
      .filter((name) => name.endsWith(ending))
      .reduce((sum, name) => sum + gzipSync(readFileSync(`${assets}/${name}`)).length, 0)
  expect(readdirSync(assets)).toEqual(expect.arrayContaining(names))
  expect(size('.js')).toBeGreaterThan(5_000)
  expect(size('.js')).toBeLessThanOrEqual(25 * 1024)
  expect(size('.css')).toBeLessThanOrEqual(6 * 1024)
})

/** A new browser profile that signed in; a page that complains in its console fails the test. */
async function open(options: BrowserContextOptions, query = '', from = charts): Promise<Page> {
  const context = await browser.newContext(options)
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error' && !/Failed to load resource/u.test(message.text())) complaints.push(message.text())
  })
  onTestFinished(async () => {
    await context.close()
    expect(complaints).toEqual([])
  })
  await page.goto(from.link())
  await page.goto(`${from.url}/?${query}`)
  await page.locator('.chart [data-state]').first().waitFor()
  return page
}

async function show(page: Page, query: string): Promise<void> {
  await page.goto(`${charts.url}/?${query}`)
  await page
    .locator(query.includes('view=table') ? 'tr[data-row]' : '.chart [data-state]')
    .first()
    .waitFor()
  if (query.includes('base=')) await page.locator('.changes li').first().waitFor()
  if (query.includes('steps=')) await page.locator('.walk li').nth(2).waitFor()
}

function state(page: Page, id: string) {
  return page.locator(`.chart [data-state="${id}"]`)
}

async function expectPlace(page: Page, place: string): Promise<void> {
  await page.locator('.now b').getByText(place, { exact: true }).waitFor()
}
