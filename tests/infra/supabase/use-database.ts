/** One database for a suite, empty and initialized before each of its tests, closed after the last. */
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { openTestDatabase, resetTestDatabase, type Backend, type TestDatabase } from '../../support/database.ts'
import { initialize, type Deployment } from './batches.ts'

export type DatabaseInUse = TestDatabase & { readonly deployment: Deployment }

const openTimeoutMs = 120_000

/** The returned function answers the database of the running test. */
export function useDatabase(backend: Backend, partitions = 8): () => DatabaseInUse {
  let database: TestDatabase | null = null
  let deployment: Deployment | null = null
  beforeAll(async () => {
    database = await openTestDatabase(backend)
  }, openTimeoutMs)
  beforeEach(async () => {
    if (database === null) return
    await resetTestDatabase(database)
    deployment = await initialize(database, partitions)
  })
  afterAll(() => database?.close())
  return () => {
    if (database === null || deployment === null) throw new Error('the database is not open')
    return { ...database, deployment }
  }
}
