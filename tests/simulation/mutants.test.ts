/**
 * The tests of the tests: mistakes are put into a copy of the code and must be seen. Here those that are seen within
 * seconds; `npm run mutants` runs them all.
 */
import { expect, test } from 'vitest'
import { catchMutants } from './mutants/catch-mutants.ts'
import { catchSqlMutants, findDefinition, findNewest } from './mutants/catch-sql-mutants.ts'
import { createMutatedCopy } from './mutants/mutated-copy.ts'
import { simulatedMutants } from './mutants/simulated-mutants.ts'
import { sqlMutants } from './mutants/sql-mutants.ts'
import { testedMutants } from './mutants/tested-mutants.ts'

const withinMs = 10 * 60_000
/** Seen by fewer seeds than this when they were written. */
const seedsOfTheSample = 100

test('every mutant still applies: its text stands exactly once where it says', async () => {
  const copy = await createMutatedCopy()
  try {
    for (const mutant of [...simulatedMutants, ...testedMutants]) await copy.apply(mutant)
  } finally {
    await copy.remove()
  }
  for (const mutant of testedMutants) {
    if (mutant.function === undefined) continue
    const newest = await findNewest(mutant.function)
    expect(newest.file, mutant.name).toBe(mutant.file)
    expect(newest.definition, mutant.name).toContain(mutant.from)
  }
  for (const mutant of sqlMutants) {
    const definition = await findDefinition(mutant.function)
    expect(definition.split(mutant.from).length - 1, mutant.name).toBe(1)
  }
})

test(
  'the simulation sees the mistakes of a sample',
  async () => {
    const sample = simulatedMutants.filter(({ seedsMax }) => seedsMax <= seedsOfTheSample)
    expect(sample.length).toBeGreaterThanOrEqual(8)
    const caught = await catchMutants(sample, 2)
    expect(caught.filter(({ by }) => by === null).map(({ name }) => name)).toEqual([])
  },
  withinMs,
)

test(
  'single tests see what few seeds do, and a row lock that is missing',
  async () => {
    const caught = await catchMutants(testedMutants, 1)
    expect(caught.filter(({ by }) => by === null).map(({ name }) => name)).toEqual([])
  },
  withinMs,
)

test(
  'the comparison of the stores sees mistakes in the SQL of a sample',
  async () => {
    const sample = sqlMutants.filter((_, index) => index % 3 === 0)
    const caught = await catchSqlMutants(sample)
    expect(caught.filter(({ by }) => by === null).map(({ name }) => name)).toEqual([])
  },
  withinMs,
)
