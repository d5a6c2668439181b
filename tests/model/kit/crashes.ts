/**
 * Crash mode: while walks are on their way, the process is killed at one named crash point after the other. Each life
 * ends at the n-th time that its point is reached, so that there is progress between two deaths.
 */
import { crashPoints } from '../../../src/actors/ports.ts'
import type { CrashPoint } from '../../../src/actors/ports.ts'
import type { ServiceWorld } from './service-world.ts'

export type Crashes = {
  readonly kills: number
  readonly byPoint: { readonly [point in CrashPoint]?: number }
}

/** Reached this often before a life ends: small, so that every kind of boundary is near every kind of step. */
const timesMax = 5

/** Kills until `killsMax` are done or the walks are; the last life has no end. Resolves when the walks are done. */
export async function crashDuring<T>(
  world: ServiceWorld,
  walks: () => Promise<T>,
  killsMax: number,
): Promise<{ readonly report: T; readonly crashes: Crashes }> {
  const byPoint: { [point in CrashPoint]?: number } = {}
  let kills = 0
  let isDone = false
  await world.restart(toEnv(0))
  const running = walks().finally(() => {
    isDone = true
  })
  while (kills < killsMax) {
    const outcome = await Promise.race([
      running.then(() => 'done' as const),
      world
        .service()
        .crashPointReached()
        .then(() => 'reached' as const),
    ])
    if (outcome === 'done' || isDone) break
    const point = toPoint(kills)
    byPoint[point] = (byPoint[point] ?? 0) + 1
    kills += 1
    await world.restart(kills < killsMax ? toEnv(kills) : {})
  }
  return { report: await running, crashes: { kills, byPoint } }
}

function toPoint(kill: number): CrashPoint {
  return crashPoints[kill % crashPoints.length] ?? 'after-commit'
}

/** At least the second time: a life that ends at its first commit gets nobody any further. */
function toEnv(kill: number): { readonly [name: string]: string } {
  const times = 2 + (kill % timesMax)
  return { DUOLOGUE_TEST_CRASH_POINT: `${toPoint(kill)}:${times}` }
}
