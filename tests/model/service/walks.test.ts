/**
 * The chart is walked on the running service: every transition, both outcomes of every guard, all pairs through risky
 * states, and random walks. `npm run walk` does the same by hand.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { createCoverage, findUncovered, readCoverage, summarize } from '../kit/coverage.ts'
import { toPathWalk } from '../kit/path-walk.ts'
import { createPlan } from '../kit/plan.ts'
import type { Plan } from '../kit/plan.ts'
import { toRandomWalks } from '../kit/random-walks.ts'
import { runWalks } from '../kit/run-walks.ts'
import type { RunReport } from '../kit/run-walks.ts'
import { openServiceWorld } from '../kit/service-world.ts'
import type { ServiceWorld } from '../kit/service-world.ts'
import { models } from '../models.ts'

const atOnce = 150
const seed = Number(process.env['WALK_SEED'] ?? 1)
const randomWalks = Number(process.env['RANDOM_WALKS'] ?? 100)
const runMs = 600_000

describe.each(Object.entries(models))('the machine %s', (_, model) => {
  let world: ServiceWorld
  let plan: Plan
  let planned: RunReport

  beforeAll(async () => {
    plan = createPlan(model)
    world = await openServiceWorld(model)
    planned = await runWalks(
      model,
      world,
      plan.paths.map((path) => toPathWalk(model, path)),
      atOnce,
    )
  }, runMs)

  afterAll(async () => {
    await world?.close()
  })

  test('and the service go the same way on every planned path', () => {
    expect(planned.failures.map(({ message }) => message)).toEqual([])
    expect(planned.walks).toHaveLength(plan.paths.length)
  })

  test('has no transition and no outcome of a guard that nothing walks, unless the model says why', async () => {
    const coverage = createCoverage(model, planned.walks)
    process.stdout.write(`${coverage.machine}: ${summarize(coverage)}\n`)
    expect(findUncovered(coverage)).toEqual([])
    // Out of date: npm run walk -- --machine <name> --write
    expect(coverage).toEqual(await readCoverage(model))
  })

  test('and the service go the same way on random walks', { timeout: runMs }, async () => {
    const walks = toRandomWalks(model, plan.graphs, { seed, walks: randomWalks })
    const report = await runWalks(model, world, walks, atOnce)
    process.stdout.write(`random walks of seed ${seed}: ${report.walks.length}, ${report.steps} steps\n`)
    expect(report.failures.map(({ message }) => message)).toEqual([])
    const counts = await world.countSent()
    for (const { user, received, walk } of [...planned.walks, ...report.walks]) {
      expect([walk.id, counts.get(user) ?? 0]).toEqual([walk.id, received])
    }
  })
})
