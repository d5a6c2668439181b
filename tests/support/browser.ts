/**
 * A real Chromium for a test: the one that `CHROMIUM_PATH` names, else the one that npm brings. Without
 * a browser the test fails and says what to do; it never passes by not looking.
 */
import { existsSync } from 'node:fs'
import { mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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
  const unpacked = join(tmpdir(), `duologue-chromium-${process.getuid?.() ?? 0}`)
  try {
    if (!existsSync(join(unpacked, 'chromium'))) await unpack(unpacked)
  } catch (error) {
    throw new Error('there is no browser for this test: set CHROMIUM_PATH to a Chromium', { cause: error })
  }
  return join(unpacked, 'chromium')
}

/**
 * The package unpacks into the temporary folder itself and takes whatever already is there for whole. So
 * it is given an empty one, which gets its name when everything is in it: tests run at the same time,
 * and end in the middle.
 */
async function unpack(folder: string): Promise<void> {
  const own = await mkdtemp(`${folder}-`)
  const usual = process.env['TMPDIR']
  process.env['TMPDIR'] = own
  try {
    const { default: packed } = await import('@sparticuz/chromium')
    await packed.executablePath()
  } finally {
    if (usual === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = usual
  }
  try {
    await rename(own, folder)
  } catch {
    // Another test was faster.
    await rm(own, { recursive: true })
  }
}
