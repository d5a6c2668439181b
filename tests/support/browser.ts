/**
 * A real Chromium for a test: the one that `CHROMIUM_PATH` names, else the one that npm brings. Without
 * a browser the test fails and says what to do; it never passes by not looking.
 */
import { existsSync } from 'node:fs'
import { chromium, type Browser } from 'playwright-core'

const startTimeoutMs = 30_000

export async function startBrowser(): Promise<Browser> {
  const executablePath = await findChromium()
  return chromium.launch({
    executablePath,
    headless: true,
    timeout: startTimeoutMs,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--disable-background-networking',
      '--no-first-run',
    ],
  })
}

async function findChromium(): Promise<string> {
  const named = process.env['CHROMIUM_PATH']
  if (named !== undefined && named !== '') {
    if (existsSync(named)) return named
    throw new Error('there is no browser where CHROMIUM_PATH points to')
  }
  try {
    const { default: packed } = await import('@sparticuz/chromium')
    return await packed.executablePath()
  } catch (error) {
    throw new Error('there is no browser for this test: set CHROMIUM_PATH to a Chromium', { cause: error })
  }
}
