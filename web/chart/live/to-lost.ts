/** What is wrong with the numbers, and as of when they are. */
import type { Live } from './use-live.ts'

export function toLost({ problem, heardAt }: Live): string {
  const since = heardAt === 0 ? '' : `; the numbers are those of ${toClock(heardAt)}`
  return `Not live: ${problem ?? ''}${since}`
}

export function toClock(at: number): string {
  return new Date(at).toLocaleTimeString('en-GB')
}
