/** What is wrong with the numbers, and as of when they are. */
import { toClock } from '../to-clock.ts'
import type { Live } from './use-live.ts'

export function toLost({ problem, heardAt }: Live): string {
  const since = heardAt === 0 ? '' : `; the numbers are those of ${toClock(heardAt)}`
  return `Not live: ${problem ?? ''}${since}`
}
