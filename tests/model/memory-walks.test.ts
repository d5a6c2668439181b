/** The paths over all transitions, on a host over memory ports: what fails here needs no service to be found. */
import { describe, expect, test } from 'vitest'

import { createMemoryWalkWorld } from './kit/memory-world.ts'
import { toPathWalk } from './kit/path-walk.ts'
import { createPlan } from './kit/plan.ts'
import { runWalks } from './kit/run-walks.ts'
import { models } from './models.ts'

describe.each(Object.entries(models))('the machine %s', (_, model) => {
  test('and a host in memory go the same way over every transition', { timeout: 60_000 }, async () => {
    const paths = createPlan(model).paths.filter(({ id }) => id.startsWith('transitions-'))
    const world = createMemoryWalkWorld(model.registration)
    const walks = paths.map((path) => toPathWalk(model, path))
    const { failures, walks: walked } = await runWalks(model, world, walks, 1)
    await world.close()
    expect(failures.map(({ message }) => message)).toEqual([])
    expect(walked).toHaveLength(paths.length)
  })
})
