/** Puts each mistake into a real database's function, compares that database with the simulated store, and undoes it. */
import { readMigrations } from '../../../src/infra/supabase/migrations.ts'
import { initialize } from '../../infra/supabase/batches.ts'
import { openTestDatabase, resetTestDatabase } from '../../support/database.ts'
import type { TestDatabase } from '../../support/database.ts'
import { compareStores } from '../contract/compare-stores.ts'
import type { Caught } from './catch-mutants.ts'
import type { SqlMutant } from './sql-mutants.ts'

const seedsMax = 48
const callsPerSeed = 200

export async function catchSqlMutants(
  mutants: readonly SqlMutant[],
  onCaught: (caught: Caught) => void = () => {},
): Promise<Caught[]> {
  const database = await openTestDatabase('pglite')
  const caught: Caught[] = []
  try {
    for (const mutant of mutants) {
      const one = await catchMutant(database, mutant)
      caught.push(one)
      onCaught(one)
    }
  } finally {
    await database.close()
  }
  return caught
}

async function catchMutant(database: TestDatabase, mutant: SqlMutant): Promise<Caught> {
  const began = performance.now()
  const definition = await findDefinition(mutant.function)
  const places = definition.split(mutant.from).length - 1
  if (places !== 1)
    throw new Error(
      `the mutant '${mutant.name}' no longer applies: its text stands ${places} times in ${mutant.function}`,
    )
  await database.sql(definition.replace(mutant.from, () => mutant.to))
  try {
    for (let seed = 1; seed <= seedsMax; seed += 1) {
      const difference = await compareOnce(database, seed)
      if (difference !== null)
        return {
          name: mutant.name,
          by: `seed ${seed}, ${difference.slice(0, 100)}`,
          seconds: (performance.now() - began) / 1_000,
        }
    }
    return { name: mutant.name, by: null, seconds: (performance.now() - began) / 1_000 }
  } finally {
    await database.sql(definition)
  }
}

async function compareOnce(database: TestDatabase, seed: number): Promise<string | null> {
  await resetTestDatabase(database)
  const deployment = await initialize(database, 4)
  try {
    const { difference } = await compareStores(
      { store: database.store, sql: database.sql, deployment },
      seed,
      callsPerSeed,
    )
    return difference
  } catch (error) {
    return `the store failed: ${String(error)}`
  }
}

/** The function as its newest migration makes it, as a statement that replaces what is there. */
export async function findDefinition(name: string): Promise<string> {
  return (await findNewest(name)).definition
}

/** `file`: where the newest definition stands; whoever changes an older one changes nothing. */
export async function findNewest(name: string): Promise<{ readonly file: string; readonly definition: string }> {
  const pattern = new RegExp(`^create (?:or replace )?function ${name.replace('.', '\\.')}\\([\\s\\S]*?^\\$\\$;`, 'gmu')
  const found = (await readMigrations()).flatMap(({ version, name: title, sql }) =>
    [...sql.matchAll(pattern)].map(([text]) => ({ file: `supabase/migrations/${version}_${title}.sql`, text })),
  )
  const newest = found.at(-1)
  if (newest === undefined) throw new Error(`no migration makes ${name}`)
  const definition = newest.text.replace(/^create (?:or replace )?function/u, 'create or replace function')
  return { file: newest.file, definition }
}
