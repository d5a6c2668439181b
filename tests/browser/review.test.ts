/**
 * The review of a prepared change, from the picture to the verdict, as a reviewer does it: on a running service whose
 * conversations came through its webhook. What the page counts is counted here another way, from the messages.
 */
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'

import type { ReplayLine } from '../../src/charts/review/replay-line.ts'
import type { ReviewAnswer } from '../../src/charts/review/review-answer.ts'
import { runAxe } from '../support/axe.ts'
import { createTabTo } from '../support/tab-to.ts'
import { startBrowser } from '../support/browser.ts'
import { renamedFrom, renamedTo } from '../support/machines/draft-conversation-renamed.ts'
import { draftVersion, ownVersion } from '../support/machines/draft-conversation.ts'
import { runCommand } from '../support/command.ts'
import { apiToken } from '../support/service.ts'
import { headers, reviewToken, startReviewedService, toPath } from './reviewed-service.ts'
import type { ReviewedService } from './reviewed-service.ts'

const wide = { width: 1440, height: 900 }
const narrow = { width: 390, height: 844 }
const tabTo = createTabTo(160)
const users = 24
const reviewId = `conversation@${ownVersion}..${draftVersion}`
const query = `m=${encodeURIComponent(`conversation@${draftVersion}+draft`)}&base=conversation@${ownVersion}`

let browser: Browser
let reviewed: ReviewedService
let signedIn: Awaited<ReturnType<typeof readSession>>

beforeAll(async () => {
  reviewed = await startReviewedService(users)
  browser = await startBrowser()
  signedIn = await readSession()
}, 180_000)
afterAll(async () => {
  await browser?.close()
  await reviewed?.close()
})

/** The printed link signs in once; all pages of this test share what it gave. */
async function readSession() {
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.goto(reviewed.link())
  const state = await context.storageState()
  await context.close()
  return state
}

test('replaying on the same version differs nowhere; on the draft exactly where its guards were asked', async () => {
  const same = await readReplay(`conversation@${ownVersion}`)
  expect(same.at(-1)).toMatchObject({ kind: 'done', done: users, same: users, differs: 0, unknown: 0 })
  const lines = await readReplay(`conversation@${draftVersion}+draft`)
  const refunds = (await reviewed.listSaying('refund')).length
  const goodbyes = (await reviewed.listSaying('sair')).length
  expect(refunds).toBe(users / 4)
  expect(goodbyes).toBe(users / 4)
  const differing = lines.filter((line) => line.kind === 'differs')
  expect(differing.filter(({ ends }) => ends.was === 'PROGRESS' && ends.would === 'HUMAN_HANDOFF')).toHaveLength(
    refunds,
  )
  expect(
    differing.filter(({ ends, differences }) => ends.was === ends.would && differences.join() === 'sends'),
  ).toHaveLength(goodbyes)
  expect(lines.at(-1)).toMatchObject({ done: users, differs: refunds + goodbyes, same: users - refunds - goodbyes })
  expect(await readReplay(`conversation@${draftVersion}+draft`, 'status=USER_CLOSED')).toHaveLength(goodbyes + 1)
})

test(
  'by mouse: the picture, the replay, what is not tested, findings, a comment, the verdict',
  { timeout: 180_000 },
  async () => {
    const page = await open({ viewport: wide }, '')
    const panel = page.getByRole('tabpanel')
    await choice(page, 'Chart').selectOption({ label: `conversation ${draftVersion} (draft)` })
    await choice(page, 'Compare with').selectOption({ label: `conversation ${ownVersion}` })
    await panel.locator('.changes li').first().waitFor()

    await page.getByRole('tab', { name: 'Review' }).click()
    await panel.getByText('May not go yet').waitFor()
    await panel.getByText(`${users} stored conversations, `).waitFor()
    await panel.getByText('all can go on').waitFor()
    await panel.getByRole('button', { name: 'Replay', exact: true }).click()
    const refunds = (await reviewed.listSaying('refund')).length
    const goodbyes = (await reviewed.listSaying('sair')).length
    await panel.getByText(`${refunds + goodbyes} of ${users} would go otherwise`).waitFor()
    await panel.getByText(`end otherwise ${refunds}`).click()
    const differing = panel.locator('.replay .changes > li')
    await expect.poll(async () => differing.count()).toBe(refunds)
    await differing.first().getByRole('button').click()
    const sides = panel.locator('.sides section')
    expect(await sides.nth(0).innerText()).toContain('PROGRESS.collecting')
    expect(await sides.nth(1).innerText()).toContain('HUMAN_HANDOFF.queued')
    expect(await panel.locator('.parting').innerText()).toContain('I want a refund')
    expect(await marked(page, 'state', 'was')).toEqual(['conversation.PROGRESS.collecting'])
    expect(await marked(page, 'state', 'would')).toEqual(['conversation.HUMAN_HANDOFF.queued'])
    expect(await page.locator('.chart.kinds').count()).toBe(0)

    const untested = panel.getByRole('region', { name: 'Tests' }).getByRole('button')
    expect(await untested.count()).toBeGreaterThan(0)
    expect(await untested.first().innerText()).toContain('changed')
    await untested.first().click()
    expect(await page.locator('.chart [data-edge].selected').count()).toBe(1)
    await page.getByRole('tab', { name: 'Details' }).click()
    await panel.getByText('It was added or changed, and no test walks it.').waitFor()

    await page.getByRole('tab', { name: 'Changes' }).click()
    await choice(page, 'Show').selectOption('tests')
    await page
      .locator('.legend')
      .getByText(/^\d+ tested$/u)
      .waitFor()
    expect((await marked(page, 'edge', 'uncovered')).length).toBeGreaterThan(0)
    expect((await marked(page, 'edge', 'covered')).length).toBeGreaterThan(40)
    await choice(page, 'Show').selectOption('findings')
    await page.getByRole('button', { name: 'Show the whole chart' }).click()
    await page.locator('.chart [data-state].allowed').first().click()
    await page.getByRole('tab', { name: 'Details' }).click()
    await panel.getByText(/a closed conversation stays as it is/u).waitFor()

    await writeComment(page, 'Why **not** <img src=x onerror="document.title=1"> here?')
    await panel.getByRole('button', { name: 'Resolve' }).click()
    await panel.getByText('resolved by Ana').waitFor()
    expect(await panel.locator('.comment-text b').innerText()).toBe('not')
    expect(await panel.locator('.comment-text').innerText()).toContain('<img src=x')
    expect(await panel.locator('.comment-text img').count()).toBe(0)

    await choice(page, 'Show').selectOption('comments')
    await page.locator('.legend').getByText('0 open').waitFor()
    expect(await marked(page, 'state', 'allowed')).toHaveLength(1)

    await page.getByRole('tab', { name: 'Review' }).click()
    await panel.getByLabel('Note').fill('Refunds need a person.')
    await panel.getByRole('button', { name: 'Approve' }).click()
    await panel
      .locator('.gate')
      .getByText(/approved by Ana/u)
      .waitFor()
    await panel.locator('.gate').getByText('May go', { exact: true }).waitFor()
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      panel.getByRole('link', { name: `Save as reviews/${reviewId}.json` }).click(),
    ])
    const file = JSON.parse(readFileSync(await download.path(), 'utf8')) as ReviewAnswer
    expect(file).toMatchObject({
      id: reviewId,
      verdict: { verdict: 'approved', author: 'Ana' },
      inFlight: { verdict: 'green' },
    })
    expect(file.signature).toMatch(/^[0-9a-f]{64}$/u)
  },
)

test('by keyboard only: the same review', { timeout: 180_000 }, async () => {
  const page = await open({ viewport: wide }, '')
  const panel = page.getByRole('tabpanel')
  const isFocused = async (locator: ReturnType<Page['locator']>): Promise<boolean> =>
    (await locator.count()) > 0 && locator.first().evaluate((element) => element === document.activeElement)
  const to = async (locator: ReturnType<Page['locator']>): Promise<void> => tabTo(page, async () => isFocused(locator))

  await to(choice(page, 'Chart'))
  await page.keyboard.type(`conversation ${draftVersion} (d`)
  await page.keyboard.press('Tab')
  await page.keyboard.type(`conversation ${ownVersion}`)
  await panel.locator('.changes li').first().waitFor()
  await to(page.locator('#tab-changes'))
  await page.keyboard.press('ArrowRight')
  await page.keyboard.press('ArrowRight')
  await panel.locator('.gate').waitFor()

  await to(panel.getByRole('button', { name: 'Replay', exact: true }))
  await page.keyboard.press('Enter')
  await panel.getByText(`of ${users} would go otherwise`).waitFor()
  await page.keyboard.press('n')
  await panel.locator('.sides').waitFor()
  const first = await panel.locator('.parting').innerText()
  await page.keyboard.press('n')
  await expect.poll(async () => panel.locator('.parting').innerText()).not.toBe(first)
  await page.keyboard.press('p')
  await expect.poll(async () => panel.locator('.parting').innerText()).toBe(first)
  expect((await marked(page, 'state', 'would')).length).toBe(1)

  await to(panel.getByRole('region', { name: 'Tests' }).getByRole('button').first())
  await page.keyboard.press('Enter')
  await page.locator('.chart [data-edge].selected').waitFor()
  await page.keyboard.press('Escape')
  await expect.poll(async () => page.evaluate("document.activeElement?.matches('.chart [data-edge]')")).toBe(true)
  await page.keyboard.press('Enter')
  await panel.getByRole('heading', { name: 'Comments' }).waitFor()
  await to(panel.locator('#comment'))
  await page.keyboard.type('By keyboard')
  await page.keyboard.press('Tab')
  await page.keyboard.type('Bo')
  await page.keyboard.press('Tab')
  await page.keyboard.type(reviewToken)
  await page.keyboard.press('Enter')
  await panel.locator('.comment-text', { hasText: 'By keyboard' }).waitFor()

  await to(page.locator('#tab-details'))
  await page.keyboard.press('ArrowLeft')
  await page.keyboard.press('ArrowLeft')
  await panel.locator('.gate').waitFor()
  await to(panel.getByRole('button', { name: 'Reject' }))
  await page.keyboard.press('Enter')
  await panel
    .locator('.gate')
    .getByText(/rejected by Bo/u)
    .waitFor()
})

test(
  'a verdict is void once one guard was edited, though the chart shows nothing of it',
  { timeout: 120_000 },
  async () => {
    const before = await readReview()
    const approve = async (seen: string) =>
      fetch(`${reviewed.url()}/api/reviews/${reviewId}`, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify({ verdict: 'approved', name: 'Ana', note: '', seen }),
      })
    expect(((await (await approve(before.seen)).json()) as ReviewAnswer).judgement.verdict).toBe('approved')
    expect(await gate('draft-conversation')).toMatchObject({ exitCode: 0 })
    await reviewed.restart('draft-conversation-edited')
    const edited = await gate('draft-conversation-edited')
    expect(edited).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('is void') })
    const after = await readReview()
    expect(after.head.chart).toBe(before.head.chart)
    expect(after.judgement).toMatchObject({ isGreen: false, verdict: 'void' })
    expect((await approve(before.seen)).status).toBe(412)
    await reviewed.restart('draft-conversation')
    expect((await readReview()).judgement.verdict).toBe('approved')
    signedIn = await readSession()
  },
)

test(
  'a draft that renames a state: its thread goes along, and who stands there blocks it',
  { timeout: 120_000 },
  async () => {
    const written = await fetch(`${reviewed.url()}/api/charts/conversation@${ownVersion}/threads`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify({ about: renamedFrom, name: 'Ana', body: 'Still the right name?' }),
    })
    expect(written.status).toBe(200)
    const { items } = await reviewed
      .service()
      .json<{ items: { id: string }[] }>('/api/conversations?status=PROGRESS&limit=200')
    await reviewed.restart('draft-conversation-renamed')
    signedIn = await readSession()
    const page = await open({ viewport: wide }, `${query}&tab=review`)
    const panel = page.getByRole('tabpanel')
    await panel.getByText(`${items.length} of ${users} stored conversations cannot go on`).waitFor()
    const stuck = panel.getByRole('region', { name: 'Stored conversations' }).getByRole('button', { name: 'blocked' })
    expect(await stuck.first().innerText()).toContain(`${items.length} blocked PROGRESS.waiting of ${ownVersion}`)
    await stuck.first().click()
    expect(await marked(page, 'state', 'selected')).toEqual([renamedFrom])

    await panel.getByRole('region', { name: 'All comments' }).getByText('Still the right name?').click()
    expect(await marked(page, 'state', 'selected')).toEqual([renamedTo])
    await page.getByRole('tab', { name: 'Details' }).click()
    await panel.locator('.comment-text', { hasText: 'Still the right name?' }).waitFor()

    await page.getByRole('tab', { name: 'Review' }).click()
    await panel.getByLabel('Your name').fill('Ana')
    await panel.getByLabel('Review token').fill(reviewToken)
    await panel.getByRole('button', { name: 'Approve' }).click()
    await panel
      .locator('.gate')
      .getByText(/approved by Ana/u)
      .waitFor()
    await panel.locator('.gate').getByText('May not go yet').waitFor()
    await reviewed.restart('draft-conversation')
    signedIn = await readSession()
  },
)

test.each([
  ['wide and light', { viewport: wide, colorScheme: 'light' }],
  ['wide and dark', { viewport: wide, colorScheme: 'dark' }],
  ['narrow and light', { viewport: narrow, colorScheme: 'light' }],
  ['narrow and dark', { viewport: narrow, colorScheme: 'dark' }],
] as const)('axe finds nothing in a review that is %s', { timeout: 120_000 }, async (_name, options) => {
  const page = await open(options, `${query}&tab=review`)
  const panel = page.getByRole('tabpanel')
  await panel.getByRole('button', { name: 'Replay', exact: true }).click()
  await panel.getByText(`of ${users} would go otherwise`).waitFor()
  await panel.locator('.replay .changes button').first().click()
  expect(await runAxe(page)).toEqual([])
  expect(await page.evaluate('document.documentElement.scrollWidth - window.innerWidth')).toBeLessThanOrEqual(0)
  for (const more of [
    'tab=details&s=conversation.PENDING',
    'overlay=tests',
    'overlay=findings',
    'overlay=tests&view=table',
  ]) {
    await page.goto(`${reviewed.url()}/?${query}&${more}`)
    await page
      .locator(more.includes('table') ? 'tr[data-row]' : '.chart [data-state]')
      .first()
      .waitFor()
    if (more.includes('overlay')) await page.locator('.legend').waitFor()
    else await panel.getByRole('heading', { name: 'Comments' }).waitFor()
    expect(await runAxe(page), more).toEqual([])
  }
})

/** A label around a select has the options' words in it too. */
function choice(page: Page, name: string) {
  return page
    .locator('.toolbar .field', { has: page.locator('span', { hasText: new RegExp(`^${name}$`, 'u') }) })
    .locator('select')
}

async function readReplay(ref: string, fields = ''): Promise<readonly ReplayLine[]> {
  const answer = await fetch(`${reviewed.url()}/api/charts/${encodeURIComponent(ref)}/replay?${fields}`, { headers })
  const lines = (await answer.text()).trim().split('\n')
  return lines.map((line) => JSON.parse(line) as ReplayLine).filter(({ kind }) => kind !== 'progress')
}

/** As CI asks: the same two machines here, the evidence from the service. */
async function gate(head: string) {
  const out = await mkdtemp(join(tmpdir(), 'duologue-gate-'))
  onTestFinished(async () => rm(out, { recursive: true }))
  const sides = ['--base', `conversation@${ownVersion}`, '--head', toPath(head)]
  const env = { DUOLOGUE_API_TOKEN: apiToken }
  return runCommand(['diff', ...sides, '--url', reviewed.url(), '--out', out], env)
}

async function readReview(): Promise<ReviewAnswer> {
  return (await (await fetch(`${reviewed.url()}/api/reviews/${reviewId}`, { headers })).json()) as ReviewAnswer
}

async function writeComment(page: Page, text: string): Promise<void> {
  await page.getByLabel('Comment', { exact: true }).fill(text)
  await page.getByLabel('Your name').fill('Ana')
  await page.getByLabel('Review token').fill(reviewToken)
  await page.getByRole('button', { name: 'Add comment' }).click()
  await page.locator('.comment-text').first().waitFor()
}

async function marked(page: Page, what: 'state' | 'edge', tone: string): Promise<readonly string[]> {
  return page
    .locator(`.chart [data-${what}].${tone}`)
    .evaluateAll((all, name) => all.map((one) => (one as SVGElement).dataset[name] ?? ''), what)
}

async function open(options: BrowserContextOptions, wanted: string): Promise<Page> {
  const context = await browser.newContext({ ...options, storageState: signedIn })
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
  await page.goto(`${reviewed.url()}/?${wanted}`)
  await page.locator('.chart [data-state]').first().waitFor()
  return page
}
