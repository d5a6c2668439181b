/**
 * The charts are walked on the running service, ours and the example's side by side: every transition, both outcomes of
 * every guard, all pairs through risky states, and random walks. `npm run walk` does the same by hand.
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

const atOnce = 200
const seed = Number(process.env['WALK_SEED'] ?? 1)
const randomWalks = Number(process.env['RANDOM_WALKS'] ?? 80)
const runMs = 600_000

let world: ServiceWorld

beforeAll(async () => {
  world = await openServiceWorld({ models: Object.values(models) })
}, 120_000)

afterAll(async () => {
  await world?.close()
})

describe.each(Object.entries(models))('the machine %s', (_, model) => {
  let plan: Plan
  let planned: RunReport
  let random: RunReport

  // All of them at once: walks wait more than they work.
  beforeAll(async () => {
    plan = createPlan(model)
    const paths = plan.paths.map((path) => toPathWalk(model, path))
    const choices = toRandomWalks(model, plan.graphs, { seed, walks: randomWalks })
    ;[planned, random] = await Promise.all([
      runWalks(model, world, paths, atOnce),
      runWalks(model, world, choices, atOnce),
    ])
  }, runMs)

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

  test('and the service go the same way on random walks', () => {
    process.stdout.write(`random walks of seed ${seed}: ${random.walks.length}, ${random.steps} steps\n`)
    expect(random.failures.map(({ message }) => message)).toEqual([])
    expect(random.walks).toHaveLength(randomWalks)
  })

  test('and nobody got a message after his walk', async () => {
    const counts = await world.countSent()
    for (const { user, received, walk } of [...planned.walks, ...random.walks]) {
      expect([walk.id, counts.get(user) ?? 0]).toEqual([walk.id, received])
    }
  })
})
