/** The plan of each model, before anything is started: it misses nothing, and what it excuses it could not walk. */
import { describe, expect, test } from 'vitest'

import { hashMachine, readCoverage } from './kit/coverage.ts'
import { createPlan, findExcuse } from './kit/plan.ts'
import { toChartParts } from './kit/walked.ts'
import { models } from './models.ts'

describe.each(Object.entries(models))('the machine %s', (_, model) => {
  const plan = createPlan(model)
  const { transitions, guarded } = toChartParts(model.registration.machine)

  test('has paths over all its transitions and both outcomes of its guards, but for those with a reason', () => {
    expect(plan.missing).toEqual([])
  })

  test('has no reason for what can be walked, and none for what is not there', () => {
    const items = [...transitions, ...guarded.flatMap((id) => [`${id} true`, `${id} false`])]
    const excused = items.filter((item) => findExcuse(model, item) !== null)
    expect(excused.filter((item) => plan.items.has(item))).toEqual([])
    for (const { transitions: pattern, reason } of model.unwalked) {
      expect(
        transitions.some((id) => pattern.test(id)),
        reason,
      ).toBe(true)
    }
  })

  test('is the one that was walked last: npm run walk -- --machine <name> --write', async () => {
    const stored = await readCoverage(model)
    expect(stored.hash).toBe(hashMachine(model))
    expect(stored.walks).toBe(plan.paths.length)
  })

  test('gives the same paths each time', { timeout: 60_000 }, () => {
    expect(createPlan(model).paths).toEqual(plan.paths)
  })
})
