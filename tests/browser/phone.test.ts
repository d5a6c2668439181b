/** The phone page as a person uses it: in a real browser, through the real webhook, sender and fake Twilio. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { startBrowser } from '../support/browser.ts'
import { startSmallDuologue, type SmallDuologue } from './small-duologue.ts'

const wide = { width: 1280, height: 800 }
const narrow = { width: 390, height: 844 }
const assets = fileURLToPath(new URL('../../web/dist/assets', import.meta.url))

let browser: Browser
let duologue: SmallDuologue

beforeAll(async () => {
  duologue = await startSmallDuologue()
  browser = await startBrowser()
})
afterAll(async () => {
  await browser?.close()
  await duologue?.close()
})

describe.each([
  ['wide and light', { viewport: wide, colorScheme: 'light' }],
  ['narrow and dark', { viewport: narrow, colorScheme: 'dark', hasTouch: true }],
] as const)('on a screen that is %s', (_name, options) => {
  test('a message is answered, and both sides get their ticks', async () => {
    const page = await openPhone(options)
    await say(page, 'Is anybody there?')
    const [own, answer] = [page.locator('[data-direction=sent]'), page.locator('[data-direction=received]')]
    await answer.getByText('You wrote “Is anybody there?”').waitFor()
    await own.getByRole('img', { name: 'delivered', exact: true }).waitFor()
    await answer.getByRole('img', { name: 'read', exact: true }).waitFor()
    expect(await readTickColor(page, 'received')).not.toBe(await readTickColor(page, 'sent'))
  })

  test('the status and version follow the conversation', async () => {
    const page = await openPhone(options)
    expect(await page.locator('.chat-header').innerText()).toContain('no messages yet')
    await say(page, 'Hello')
    await page.locator('.chat-header').getByText('PROGRESS').waitFor()
    await expect.poll(() => readVersion(page)).toBeGreaterThanOrEqual(3)
    await openDetails(page)
    const history = page.getByRole('list', { name: 'History' })
    await expect.poll(() => history.locator('.chip').allInnerTexts()).toEqual(['PENDING', 'PROGRESS'])
    const link = await page.getByRole('link', { name: 'History as JSON' }).getAttribute('href')
    const rows = await page.evaluate(
      async (path) => (await fetch(path)).json() as Promise<{ items: unknown[] }>,
      link ?? '',
    )
    expect(rows.items).toHaveLength(2)
  })

  test('a day can be let pass', async () => {
    const page = await openPhone(options)
    await say(page, 'Hello')
    await page.locator('.chat-header').getByText('PROGRESS').waitFor()
    await openDetails(page)
    await page.getByRole('button', { name: 'Advance 24 hours' }).click()
    await page.getByText('24 hours have passed for this person.').waitFor()
    await page.locator('.chat-header').getByText('EXPIRED').waitFor()
    expect(duologue.published).toContainEqual(
      expect.objectContaining({ type: 'clock.advanced', userKey: await readUser(page), byMs: 86_400_000 }),
    )
  })

  test('nothing is wider than the screen, and nothing comes from elsewhere', async () => {
    const page = await openPhone(options)
    await say(page, `${'long'.repeat(100)} and\nanother line`)
    await page.locator('[data-direction=received]').waitFor()
    expect(await page.evaluate('document.documentElement.scrollWidth - window.innerWidth')).toBeLessThanOrEqual(0)
    const origins = await page.evaluate(() =>
      performance.getEntriesByType('resource').map(({ name }) => new URL(name).origin),
    )
    expect(new Set(origins)).toEqual(new Set([duologue.url]))
  })
})

test('several people keep their own conversations, also after a reload', async () => {
  const page = await openPhone({ viewport: wide })
  await say(page, 'I am the first')
  await page.getByText('You wrote “I am the first”').waitFor()
  const first = await readUser(page)
  await page.getByLabel('Another number').fill('+55 11 98765-4321')
  await page.getByRole('button', { name: 'Add' }).click()
  await page.getByText('Say something.').waitFor()
  await say(page, 'I am the second')
  await page.getByText('You wrote “I am the second”').waitFor()
  expect(await page.locator('.message').count()).toBe(2)
  await page.reload()
  await page.getByText('You wrote “I am the second”').waitFor()
  await page.locator('.person').last().click()
  await page.getByText('You wrote “I am the first”').waitFor()
  expect(await readUser(page)).toBe(first)
})

test('an SMS user writes to the SMS number', async () => {
  const page = await openPhone({ viewport: wide })
  await page.getByLabel('Another number').fill('+1 500 555 4242')
  await page.getByLabel('Channel').selectOption('sms')
  await page.getByRole('button', { name: 'Add' }).click()
  await page.getByText('Say something.').waitFor()
  await say(page, 'by SMS')
  await page.getByText('You wrote “by SMS”').waitFor()
  expect(duologue.published).toContainEqual(
    expect.objectContaining({ businessAddress: 'sms:+14155238886', userKey: 'sms:+15005554242', body: 'by SMS' }),
  )
})

test('a number that is none is refused in words', async () => {
  const page = await openPhone({ viewport: wide })
  await page.getByLabel('Another number').fill('12')
  await page.getByRole('button', { name: 'Add' }).click()
  await page.getByRole('alert').getByText('Write it with + and the country code.').waitFor()
})

test('a message that the webhook refused says so and can be sent again', async () => {
  const page = await openPhone({ viewport: wide })
  duologue.isLogUp = false
  onTestFinished(() => void (duologue.isLogUp = true))
  await say(page, 'while the log is down')
  const again = page.getByRole('button', { name: 'Not delivered. Send again' })
  await again.waitFor()
  duologue.isLogUp = true
  await again.click()
  await page.getByText('You wrote “while the log is down”').waitFor()
})

test('everything can be done with the keyboard', async () => {
  const page = await openPhone({ viewport: wide })
  await page.keyboard.type('two')
  await page.keyboard.press('Shift+Enter')
  await page.keyboard.type('lines')
  expect(await page.locator('.message').count()).toBe(0)
  await page.keyboard.press('Enter')
  await page.locator('[data-direction=received]').waitFor()
  expect(await page.locator('[data-direction=sent] .text').innerText()).toBe('two\nlines')
  await page.keyboard.type('x')
  await page.keyboard.press('Tab')
  expect(await page.evaluate("document.activeElement.getAttribute('aria-label')")).toBe('Send')
})

test('an arriving answer is announced', async () => {
  const page = await openPhone({ viewport: wide })
  const log = page.getByRole('log', { name: 'Messages' })
  expect(await log.getAttribute('aria-live')).toBe('polite')
  await say(page, 'Hello')
  await log.locator('[data-direction=received]').getByText('Answer:').waitFor({ state: 'attached' })
})

test('what users and assistants write stays text', async () => {
  const page = await openPhone({ viewport: wide })
  const dialogs: string[] = []
  page.on('dialog', (dialog) => {
    dialogs.push(dialog.message())
    void dialog.dismiss()
  })
  const payloads = [
    '<img src=x onerror=alert(1)>',
    '<script>alert(2)</script>',
    '"><svg/onload=alert(3)>',
    'javascript:alert(4)',
  ]
  for (const payload of payloads) await say(page, payload)
  await expect.poll(() => page.locator('[data-direction=received]').count()).toBe(payloads.length)
  expect(await page.locator('[data-direction=sent] .text').allInnerTexts()).toEqual(payloads)
  expect(await page.locator('.thread :is(img, script, a, .text svg)').count()).toBe(0)
  expect(dialogs).toEqual([])
})

test('the connection is shown, and comes back by itself', async () => {
  const page = await openPhone({ viewport: wide })
  await page.getByText('Connected', { exact: true }).waitFor()
  await page.context().setOffline(true)
  duologue.app.server.server.closeAllConnections()
  await page.getByText('Connection lost, trying again…').waitFor()
  await page.context().setOffline(false)
  await page.getByText('Connected', { exact: true }).waitFor()
  await say(page, 'back again')
  await page.getByText('You wrote “back again”').waitFor()
})

test('without the printed link there is one sentence and nothing else', async () => {
  const page = await browser.newPage()
  onTestFinished(() => page.close())
  const answer = await page.goto(`${duologue.url}/phone`)
  expect(answer?.status()).toBe(401)
  expect(await page.locator('body').innerText()).toBe(
    'Open this page with the link that Duologue printed when it started.',
  )
})

test('the scripts of the page are at most 25 KiB, compressed', () => {
  expect(existsSync(assets)).toBe(true)
  const scripts = readdirSync(assets).filter((name) => name.startsWith('phone-') && name.endsWith('.js'))
  expect(scripts.length).toBeGreaterThan(0)
  const bytes = scripts.reduce((sum, name) => sum + gzipSync(readFileSync(`${assets}/${name}`)).length, 0)
  expect(bytes).toBeLessThanOrEqual(25 * 1024)
})

/** A new browser profile that signed in; a page that complains in its console fails the test. */
async function openPhone(options: BrowserContextOptions): Promise<Page> {
  const context = await browser.newContext(options)
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error' && !/ERR_|Failed to load resource/.test(message.text()))
      complaints.push(message.text())
  })
  onTestFinished(async () => {
    await context.close()
    expect(complaints).toEqual([])
  })
  await page.goto(`${duologue.url}/phone?code=${duologue.app.issueSignInCode()}`)
  expect(page.url()).toBe(`${duologue.url}/phone`)
  await page.getByText('Connected', { exact: true }).waitFor()
  return page
}

async function say(page: Page, text: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Message' }).fill(text)
  await page.keyboard.press('Enter')
}

/** On a narrow screen the details are behind the status. */
async function openDetails(page: Page): Promise<void> {
  const status = page.locator('.status-button')
  if (await status.isEnabled()) await status.click()
}

async function readVersion(page: Page): Promise<number> {
  return Number(/version (\d+)/.exec(await page.locator('.status-button').innerText())?.[1] ?? 0)
}

async function readUser(page: Page): Promise<string> {
  return page.evaluate(() => JSON.parse(localStorage.getItem('duologue.phone.people') ?? '{}').selected as string)
}

async function readTickColor(page: Page, direction: string): Promise<unknown> {
  return page.evaluate(`getComputedStyle(document.querySelector('[data-direction=${direction}] .tick')).color`)
}
