/**
 * The same paths while the service dies under them, at every named boundary: what a walk sees is what it would have
 * seen without. A sample of the paths; `npm run walk -- --crash` walks all of them so.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'

import { crashDuring, walkedPoints } from '../kit/crashes.ts'
import { toPathWalk } from '../kit/path-walk.ts'
import { createPlan } from '../kit/plan.ts'
import { runWalks } from '../kit/run-walks.ts'
import { openServiceWorld } from '../kit/service-world.ts'
import type { ServiceWorld } from '../kit/service-world.ts'
import { models } from '../models.ts'

const every = 2
const killsMax = walkedPoints.length
const runMs = 600_000

let world: ServiceWorld

beforeAll(async () => {
  const env = { DUOLOGUE_LEASE_MS: '1500' }
  world = await openServiceWorld({ models: Object.values(models), env, patienceMs: 120_000 })
}, 120_000)

afterAll(async () => {
  await world?.close()
})

test('walks over kills at every named boundary see what walks without them see', { timeout: runMs }, async () => {
  const { report, crashes } = await crashDuring(
    world,
    async () =>
      Promise.all(
        Object.values(models).map(async (model) => {
          const sample = createPlan(model).paths.filter((_, index) => index % every === 0)
          return runWalks(
            model,
            world,
            sample.map((path) => toPathWalk(model, path)),
            25,
          )
        }),
      ),
    killsMax,
  )
  const steps = report.reduce((sum, each) => sum + each.steps, 0)
  const walks = report.reduce((sum, each) => sum + each.walks.length, 0)
  process.stdout.write(
    `${walks} walks, ${steps} steps over ${crashes.kills} kills: ${JSON.stringify(crashes.byPoint)}\n`,
  )
  expect(report.flatMap(({ failures }) => failures.map(({ message }) => message))).toEqual([])
  expect(Object.keys(crashes.byPoint).toSorted()).toEqual(walkedPoints.toSorted())
  const counts = await world.countSent()
  for (const { user, received, walk } of report.flatMap((each) => each.walks)) {
    expect([walk.id, counts.get(user) ?? 0]).toEqual([walk.id, received])
  }
})
