import type { Page } from 'playwright-core'

/** Presses the Tab key until the focus is there, so many times at most. */
export function createTabTo(pressesMax: number) {
  return async (page: Page, isThere: () => Promise<boolean>): Promise<void> => {
    for (let press = 0; press < pressesMax; press += 1) {
      await page.keyboard.press('Tab')
      if (await isThere()) return
    }
    throw new Error('the Tab key does not lead there')
  }
}
