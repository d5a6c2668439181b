/**
 * Crash mode: while walks are on their way, the process is killed at one named crash point after the other. Each life is
 * calm until no send is in doubt any more, and only then has an end: a send that is interrupted twice before the provider
 * has it is left to a person, as designed, and its walk could not go on.
 */
import { setTimeout } from 'node:timers/promises'

import type { CrashPoint } from '../../../src/actors/ports.ts'
import type { ServiceWorld } from './service-world.ts'

export type Crashes = {
  readonly kills: number
  readonly byPoint: { readonly [point in CrashPoint]?: number }
}

/** The boundaries that every walk crosses in every life, from the door to the result of an effect. */
export const walkedPoints = [
  'before-commit',
  'after-commit',
  'after-effect-running',
  'after-send-returned',
  'before-publish',
  'after-publish-acknowledged',
  'after-load',
  'before-start-effects',
  'effect-claimed',
  'result-received',
] as const satisfies readonly CrashPoint[]

const lookEveryMs = 100
const calmMsMax = 60_000

/** Kills until `killsMax` are done or the walks are; the last life has no end. Resolves when the walks are done. */
export async function crashDuring<T>(
  world: ServiceWorld,
  walks: () => Promise<T>,
  killsMax: number,
): Promise<{ readonly report: T; readonly crashes: Crashes }> {
  const byPoint: { [point in CrashPoint]?: number } = {}
  let kills = 0
  await world.restart('stop', toEnv(0))
  const running = walks()
  const done = running.then(() => 'done' as const)
  while (kills < killsMax) {
    await untilCalm(world)
    const { pid, crashPointReached } = world.service()
    process.kill(pid, 'SIGUSR2')
    const outcome = await Promise.race([done, crashPointReached().then(() => 'reached' as const)])
    if (outcome === 'done') break
    const point = toPoint(kills)
    byPoint[point] = (byPoint[point] ?? 0) + 1
    kills += 1
    await world.restart('kill', kills < killsMax ? toEnv(kills) : {})
  }
  return { report: await running, crashes: { kills, byPoint } }
}

function toPoint(kill: number): CrashPoint {
  return walkedPoints[kill % walkedPoints.length] ?? 'after-commit'
}

function toEnv(kill: number): { readonly [name: string]: string } {
  return { DUOLOGUE_TEST_CRASH_POINT: toPoint(kill), DUOLOGUE_TEST_CRASH_ON: 'SIGUSR2' }
}

/** Sends that were under way by now have ended: those of the process that died were found again, or sent again. */
async function untilCalm({ production }: ServiceWorld): Promise<void> {
  const [moment] = await production.sql('select now()::text as now')
  for (const until = performance.now() + calmMsMax; ;) {
    const [row] = await production.sql(
      `select count(*)::int as doubts from duologue.effects
       where kind = 'sendMessage' and created_at < $1::text::timestamptz
         and (status in ('running', 'uncertain') or (status = 'pending' and attempts > 0))`,
      [moment?.['now']],
    )
    if (row?.['doubts'] === 0) return
    if (performance.now() > until) throw new Error(`${String(row?.['doubts'])} sends stay in doubt`)
    await setTimeout(lookEveryMs)
  }
}
