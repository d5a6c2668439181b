/**
 * The walk finds mistakes: ten machines, each wrong in one place that a seed chose, are hosted in memory and walked with
 * the oracle of the right one. `npm run mutants:machines` walks all there are.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { hunt } from './kit/hunt.ts'
import { listMutations } from './kit/mutations.ts'
import type { Mutation } from './kit/mutations.ts'
import { createPlan, findExcuse } from './kit/plan.ts'
import { conversationModel } from './conversation/conversation-model.ts'

const seed = 20_261_125
const wanted = { 'wrong target': 4, 'missing guard': 3, 'dropped action': 3 } as const

const plan = createPlan(conversationModel)
const possible = listMutations(conversationModel.registration.machine).filter(
  ({ kind, transition }) =>
    transition === null ||
    (findExcuse(conversationModel, transition) === null &&
      // Without a guard that never says no the machine is the same.
      (kind !== 'missing guard' || findExcuse(conversationModel, `${transition} false`) === null)),
)

function choose(kind: Mutation['kind']): readonly Mutation[] {
  const ofKind = possible.filter((mutation) => mutation.kind === kind)
  const [shuffled = []] = fc.sample(fc.shuffledSubarray(ofKind, { minLength: ofKind.length }), { seed, numRuns: 1 })
  return shuffled.slice(0, wanted[kind])
}

const chosen = (Object.keys(wanted) as Mutation['kind'][]).flatMap(choose)

describe('a machine that is wrong in one place is caught by a walk', () => {
  test('ten are walked', () => {
    expect(chosen).toHaveLength(10)
  })

  test.each(chosen.map((mutation) => [mutation.kind, mutation.name, mutation] as const))(
    '%s: %s',
    { timeout: 30_000 },
    async (_kind, _name, mutation) => {
      const caught = await hunt(conversationModel, plan, mutation)
      expect(caught?.message).toContain(`npm run walk -- --machine conversation --path ${caught?.walk}`)
    },
  )
})
