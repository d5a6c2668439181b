/**
 * The store that simulations run on is as strict as the SQL: random calls, right and wrong ones, are asked of both,
 * and every answer and at the end every row is the same.
 */
import { describe, expect, test } from 'vitest'
import { compareStores } from '../../simulation/contract/compare-stores.ts'
import { useDatabase } from './use-database.ts'

const callsPerSeed = 200
/** A few milliseconds a call; a busy machine takes ten times as long. */
const withinMs = 240_000

describe('the simulated store and PGlite', () => {
  const database = useDatabase('pglite', 4)
  const answered = new Set<string>()

  test.each([1, 2, 3, 4])(
    `answer the same to ${callsPerSeed} random calls of seed %i`,
    async (seed) => {
      const { answers, difference } = await compareStores(database(), seed, callsPerSeed)
      expect(difference).toBeNull()
      expect(answers['commit committed']).toBeGreaterThan(callsPerSeed / 4)
      for (const outcome of Object.keys(answers)) answered.add(outcome)
    },
    withinMs,
  )

  test('were asked for every outcome', () => {
    const commits = ['committed', 'stale', 'duplicate', 'fenced', 'refused'].map((outcome) => `commit ${outcome}`)
    const starts = ['started', 'cancelled', 'held', 'not-pending', 'fenced'].map((outcome) => `start ${outcome}`)
    expect([...commits, ...starts].filter((outcome) => !answered.has(outcome))).toEqual([])
  })
})
