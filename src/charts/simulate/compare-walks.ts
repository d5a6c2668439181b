/** The same walk on two versions, and the first step at which they part. */
import type { Point } from './walk.ts'

export type WalkDifference = {
  /** The index of the first point that differs; null when there is none. */
  readonly at: number | null
  readonly sentence: string
}

export function compareWalks(base: readonly Point[], head: readonly Point[]): WalkDifference {
  const at = head.findIndex((point, place) => !isSame(point, base[place]))
  if (at === -1) return { at: null, sentence: 'both versions take the same way' }
  const [was, now] = [base[at], head[at]]
  const where = at === 0 ? 'at the beginning' : `at step ${at}`
  if (was === undefined || now === undefined) return { at, sentence: `they part ${where}` }
  if (was.active.join() !== now.active.join()) {
    return { at, sentence: `they part ${where}: ${now.active.at(-1) ?? ''} instead of ${was.active.at(-1) ?? ''}` }
  }
  if (was.outcome === 'ignored') return { at, sentence: `they part ${where}: the older one ignores it` }
  if (now.outcome === 'ignored') return { at, sentence: `they part ${where}: the newer one ignores it` }
  return { at, sentence: `they part ${where}: the same states are active, but what is done or awaited differs` }
}

function isSame(a: Point, b: Point | undefined): boolean {
  if (b === undefined) return false
  const toText = ({ outcome, active, wishes, timers }: Point): string =>
    JSON.stringify([outcome, active, wishes.map(toName), timers])
  return toText(a) === toText(b)
}

/** What an order hands over may be computed by code that an old version no longer has. */
function toName(wish: string): string {
  return wish.split(' {')[0] ?? wish
}
