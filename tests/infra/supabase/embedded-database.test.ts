/** The embedded default by itself: its thread, its restarts, its failures. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { StoreRefused } from '../../../src/actors/ports.ts'
import { createCall } from '../../../src/infra/supabase/call.ts'
import { openSupabase } from '../../../src/infra/supabase/client.ts'
import { openEmbeddedApp } from '../../../src/infra/supabase/embedded-app.ts'
import { openEmbeddedDatabase, type EmbeddedDatabase } from '../../../src/infra/supabase/embedded-database.ts'
import { createRepository } from '../../../src/infra/supabase/repository.ts'
import { batchOf, claimAll, initialize, newSession, nextStep, opening } from './batches.ts'

describe('the embedded database', () => {
  let folder = ''
  let database: EmbeddedDatabase
  const output: string[] = []
  const path = () => join(folder, 'database')
  let firstMs = 0
  /** Answers the processor time that it took, ms: the machine may be busy. */
  const open = async () => {
    const began = process.cpuUsage()
    database = await openEmbeddedDatabase(path(), (text) => output.push(text))
    const { user, system } = process.cpuUsage(began)
    return (user + system) / 1_000
  }
  const store = () => createRepository(database.client)

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'duologue-embedded-'))
    firstMs = await open()
    await initialize({ store: store() })
  }, 120_000)
  afterAll(async () => {
    await database.close()
    await rm(folder, { recursive: true, force: true })
  })

  test('the timers of this thread tick while it works', async () => {
    const owned = await claimAll({ store: store() }, 'a')
    const deployment = await initialize({ store: store() })
    const sessions = Array.from({ length: 200 }, () => newSession(deployment))
    await store().commitSteps(
      batchOf(
        'a',
        owned,
        sessions.map((session) => opening(session, 1)),
      ),
    )
    let ticks = 0
    const ticking = setInterval(() => (ticks += 1), 1)
    for (let version = 1; version < 4; version += 1) {
      await store().commitSteps(
        batchOf(
          'a',
          owned,
          sessions.map((session) => nextStep(session, version, version + 1)),
        ),
      )
    }
    clearInterval(ticking)
    expect(ticks).toBeGreaterThan(20)
  })

  test('calls at the same time do not share a transaction', async () => {
    const owned = await claimAll({ store: store() }, 'a')
    const deployment = await initialize({ store: store() })
    const session = newSession(deployment)
    const wrong = { ...opening(newSession(deployment), 2), replyAddress: null as never }
    const outcomes = await Promise.allSettled([
      store().commitSteps(batchOf('a', owned, [opening(session, 1)])),
      store().commitSteps(batchOf('a', owned, [wrong])),
      store().ping(),
      store().commitSteps(batchOf('a', owned, [nextStep(session, 1, 3)])),
    ])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
    expect((await store().getConversation(session.conversationId))?.version).toBe(2)
  })

  test("what a refused statement prints goes where it was asked to, not to this process's output", async () => {
    output.length = 0
    await expect(createCall(database.client)('commit_steps', { partitions: 1 })).rejects.toThrow(StoreRefused)
    await expect.poll(() => output.join('')).toContain('takes a batch of format 1')
  })

  test('a call that nobody waits for any more ends for its caller, and the next one is answered', async () => {
    const aborted = database.client.rpc('schema_version', {}).abortSignal(AbortSignal.abort())
    expect((await aborted).error).not.toBeNull()
    await expect(store().ping()).resolves.toBeUndefined()
  })

  test('data survives a restart, a later start applies nothing and is quick, and another program reads the data', async () => {
    const owned = await claimAll({ store: store() }, 'a')
    const session = newSession(await initialize({ store: store() }))
    await store().commitSteps(batchOf('a', owned, [opening(session, 1)]))
    await database.close()
    const plain = new PGlite(path())
    const { rows } = await plain.query('select id, status, version from duologue.conversations where id = $1', [
      session.conversationId,
    ])
    await plain.close()
    expect(rows).toEqual([{ id: session.conversationId, status: 'PENDING', version: 1 }])
    const laterMs = await open()
    expect(await store().getConversation(session.conversationId)).toMatchObject({ version: 1 })
    expect(laterMs).toBeLessThan(firstMs / 2)
  })

  test('dead rows are vacuumed between two requests', async () => {
    await database.close()
    const app = await openEmbeddedApp(path(), 'sb_secret_x', 20)
    const countVacuumed = async () => {
      const [row] = await app.query(
        `select count(*)::int as tables from pg_class
         where relnamespace = 'duologue'::regnamespace and relkind = 'r' and reltuples < 0`,
        [],
      )
      return row?.['tables']
    }
    await expect.poll(countVacuumed, { timeout: 30_000, interval: 20 }).toBe(0)
    await app.close()
    await open()
  })

  test('a closed database answers with an error that nobody can take for a refusal', async () => {
    await database.close()
    const answer = store().ping()
    await expect(answer).rejects.toThrow(/could not call schema_version/u)
    await expect(answer).rejects.not.toBeInstanceOf(StoreRefused)
    await open()
  })
})

test('a project that does not answer is no refusal', async () => {
  const store = createRepository(openSupabase({ url: 'http://127.0.0.1:9', secretKey: 'sb_secret_x' }))
  const answer = store.ping()
  await expect(answer).rejects.toThrow(/could not call schema_version/u)
  await expect(answer).rejects.not.toBeInstanceOf(StoreRefused)
})
