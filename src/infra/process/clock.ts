/** The real clock (`Clock`): the operating system's wall clock and monotonic clock, ms. */
import type { Clock } from '../../actors/ports.ts'

/** Longer delays make Node fire at once. */
const timeoutMsMax = 2 ** 31 - 1

export const processClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  schedule(delayMs, task) {
    const timeout = setTimeout(task, Math.min(Math.max(0, delayMs), timeoutMsMax))
    return () => clearTimeout(timeout)
  },
}
