/**
 * The built-in phone on the real service, embedded parts and all: what somebody sees who types `npm start`
 * and opens the printed link, and what they see when the process is killed under them.
 * With DUOLOGUE_SCREENSHOTS set, the picture in the docs is made anew.
 */
import { fileURLToPath } from 'node:url'

import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { startBrowser } from '../support/browser.ts'
import { findFreePort } from '../support/postgres.ts'
import { makeTemporaryFolder, startService } from '../support/service.ts'
import type { ServiceProcess } from '../support/service.ts'

const picture = fileURLToPath(new URL('../../docs/phone.png', import.meta.url))

let browser: Browser
let folder: Awaited<ReturnType<typeof makeTemporaryFolder>>
let port = 0
let service: ServiceProcess
let page: Page

beforeAll(async () => {
  folder = await makeTemporaryFolder()
  port = await findFreePort()
  service = await start()
  browser = await startBrowser()
  page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
}, 120_000)

afterAll(async () => {
  await browser?.close()
  await service?.stop()
  await folder.remove()
})

async function start(): Promise<ServiceProcess> {
  return startService({ dataDir: folder.path, fake: null, port })
}

/** The link as it was printed; it signs in once. */
function readLink(): string {
  return /http:\S+\/phone\?code=\S+/u.exec(service.output())?.[0] ?? ''
}

async function say(text: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Message' }).fill(text)
  await page.keyboard.press('Enter')
}

test(
  'the printed link opens the phone, a message is answered, ticks and status follow',
  { timeout: 60_000 },
  async () => {
    await page.goto(readLink())
    await say('Hello! When are you open?')
    const answer = page.locator('[data-direction=received]')
    await answer.getByText('About “Hello! When are you open?”').waitFor()
    await page.locator('.chat-header').getByText('PROGRESS').waitFor()
    await answer.getByRole('img', { name: 'read', exact: true }).waitFor()
    await say('And where is my order 4711?')
    await expect.poll(async () => answer.count(), { timeout: 10_000 }).toBe(2)
    await answer.last().getByRole('img', { name: 'read', exact: true }).waitFor()
    if (process.env['DUOLOGUE_SCREENSHOTS']) await page.screenshot({ path: picture })
  },
)

test(
  'the service is killed under a waiting user: after the restart the answer arrives once',
  {
    timeout: 90_000,
  },
  async () => {
    await say('before the kill')
    const own = page.locator('[data-direction=sent]').filter({ hasText: 'before the kill' })
    await own.getByRole('img', { name: 'delivered', exact: true }).waitFor()
    await service.kill()
    service = await start()
    // Same browser, same user: only the link is new, since sign-ins live in the process.
    await page.goto(readLink())
    await own.waitFor()
    const answers = page.locator('[data-direction=received]').getByText('“before the kill”')
    await answers.first().waitFor({ timeout: 20_000 })
    await page.locator('.chat-header').getByText('PROGRESS').waitFor()
    expect(await answers.count()).toBe(1)
  },
)
