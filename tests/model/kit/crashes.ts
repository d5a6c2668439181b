/**
 * Crash mode: while walks are on their way, the process is killed at one named crash point after the other, at the n-th
 * time that the point is reached. After each death there is a calm life until no send is in doubt any more: one that is
 * interrupted twice before the provider has it is left to a person, as designed, and its walk could not go on.
 */
import { setTimeout } from 'node:timers/promises'

import { crashPoints } from '../../../src/actors/ports.ts'
import type { CrashPoint } from '../../../src/actors/ports.ts'
import type { ServiceWorld } from './service-world.ts'

export type Crashes = {
  readonly kills: number
  readonly byPoint: { readonly [point in CrashPoint]?: number }
}

/** Reached this often before a life ends: small, so that every kind of boundary is near every kind of step. */
const timesMax = 5
const lookEveryMs = 100

/** Kills until `killsMax` are done or the walks are; the last life has no end. Resolves when the walks are done. */
export async function crashDuring<T>(
  world: ServiceWorld,
  walks: () => Promise<T>,
  killsMax: number,
): Promise<{ readonly report: T; readonly crashes: Crashes }> {
  const byPoint: { [point in CrashPoint]?: number } = {}
  let kills = 0
  let isDone = false
  await world.restart('stop', toEnv(0))
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
    await world.restart('kill')
    await untilCalm(world)
    if (kills < killsMax && !isDone) await world.restart('stop', toEnv(kills))
  }
  return { report: await running, crashes: { kills, byPoint } }
}

/** Sends that were under way when the process died have been found again, or sent again. */
async function untilCalm({ production }: ServiceWorld): Promise<void> {
  const [moment] = await production.sql('select now() as now')
  for (;;) {
    const [row] = await production.sql(
      `select count(*)::int as doubts from duologue.effects
       where kind = 'sendMessage' and status in ('running', 'uncertain') and created_at < $1::text::timestamptz`,
      [moment?.['now']],
    )
    if (row?.['doubts'] === 0) return
    await setTimeout(lookEveryMs)
  }
}

function toPoint(kill: number): CrashPoint {
  return crashPoints[kill % crashPoints.length] ?? 'after-commit'
}

/** At least the second time: a life that ends at its first commit gets nobody any further. */
function toEnv(kill: number): { readonly [name: string]: string } {
  const times = 2 + (kill % timesMax)
  return { DUOLOGUE_TEST_CRASH_POINT: `${toPoint(kill)}:${times}` }
}
