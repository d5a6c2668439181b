/** Many walks at once in one world, a bounded number at a time. */
import { walkPath } from './walk.ts'
import type { Walk, WalkReport } from './walk.ts'
import type { Model } from './model.ts'
import type { World } from './world.ts'

export type RunReport = {
  readonly walks: readonly WalkReport[]
  readonly steps: number
  /** What went wrong, in the order of the walks. */
  readonly failures: readonly Error[]
}

export async function runWalks(model: Model, world: World, walks: readonly Walk[], atOnce: number): Promise<RunReport> {
  const reports = new Map<number, WalkReport>()
  const failures = new Map<number, Error>()
  let next = 0
  async function work(): Promise<void> {
    for (let index = next; index < walks.length; index = next) {
      next += 1
      const walk = walks[index]
      if (walk === undefined) return
      try {
        reports.set(index, await walkPath(model, world, walk))
      } catch (error) {
        failures.set(index, error instanceof Error ? error : new Error(String(error)))
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, walks.length) }, work))
  const inOrder = <T>(found: ReadonlyMap<number, T>): T[] =>
    [...found].toSorted(([a], [b]) => a - b).map(([, value]) => value)
  const walked = inOrder(reports)
  return { walks: walked, steps: walked.reduce((sum, { steps }) => sum + steps.length, 0), failures: inOrder(failures) }
}
