/** Migrations over a direct connection, and the rights of those who run them. */
import { createServer } from 'node:http'
import { once } from 'node:events'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { migrate, runMigrate } from '../../../src/commands/migrate.ts'
import { StoreRefused } from '../../../src/actors/ports.ts'
import { openSupabase } from '../../../src/infra/supabase/client.ts'
import { readMigrations } from '../../../src/infra/supabase/migrations.ts'
import { createRepository } from '../../../src/infra/supabase/repository.ts'
import { serveLite } from '../../support/database.ts'
import { execute, startPostgres, type TestPostgres } from '../../support/postgres.ts'
import { batchOf, claimAll, initialize, newSession, nextStep, opening } from './batches.ts'

describe('migrations', () => {
  let server: TestPostgres
  beforeAll(async () => {
    server = await startPostgres()
  }, 60_000)
  afterAll(() => server.stop())

  const makeDatabase = async (name: string, owner = 'postgres') => {
    await execute(server.url, `create database ${name} owner ${owner}`)
    return server.url.replace(/postgres@(.*)\/postgres$/u, `${owner}@$1/${name}`)
  }

  test('an empty database gets all of them, once, in order', async () => {
    const url = await makeDatabase('empty')
    const versions = (await readMigrations()).map(({ version }) => version)
    expect(await migrate(url)).toEqual(versions)
    expect(await migrate(url)).toEqual([])
    const sql = postgres(url, { max: 1 })
    const recorded = await sql`select version, name, cardinality(statements) as statements
      from supabase_migrations.schema_migrations order by version`
    await sql.end()
    expect(recorded.map(({ version }) => version as string)).toEqual(versions)
    expect(recorded[0]).toMatchObject({ name: 'foundation', statements: 1 })
  })

  test('two that start at once take turns', async () => {
    const url = await makeDatabase('at_once')
    const applied = await Promise.all([migrate(url), migrate(url), migrate(url)])
    expect(applied.filter((versions) => versions.length > 0)).toHaveLength(1)
  })

  test('a migration that fails leaves nothing behind and is named', async () => {
    const url = await makeDatabase('broken')
    await execute(url, 'create schema duologue')
    await execute(url, 'create table duologue.tenants (id int)')
    await expect(migrate(url)).rejects.toThrow(/could not apply migration 20261122000200_tables/u)
    const sql = postgres(url, { max: 1 })
    expect(await sql`select to_regclass('duologue.channels') as made`).toEqual([{ made: null }])
    await sql.end()
  })

  test('a deployment whose owner is no superuser and obeys row-level security works', async () => {
    await execute(server.url, 'create role plain login createrole')
    const url = await makeDatabase('plain', 'plain')
    await migrate(url)
    const sql = postgres(url, { max: 1 })
    const call = async (name: string, request: object) => {
      const [row] = await sql.unsafe(`select public.${name}($1::text::jsonb) as answer`, [JSON.stringify(request)])
      return row?.['answer'] as unknown
    }
    await call('initialize_deployment', { partitions: 2, business_addresses: ['sms:+1'] })
    expect(await call('claim_partitions', { node_id: 'a', lease_ms: 1_000, held: [] })).toMatchObject({
      partitions: [
        { partition: 0, epoch: 1 },
        { partition: 1, epoch: 1 },
      ],
    })
    expect(await call('find_channel', { address: 'sms:+1' })).toMatchObject({ channel: { address: 'sms:+1' } })
    const [role] = await sql`select rolsuper, rolbypassrls from pg_roles where rolname = current_user`
    expect(role).toEqual({ rolsuper: false, rolbypassrls: false })
    await sql.end()
  })

  test('where new functions are granted to everybody by name, as in a Supabase project, they are taken back', async () => {
    const url = await makeDatabase('granting')
    const roles = ['anon', 'authenticated', 'service_role']
    for (const role of roles)
      await execute(url, `do $$ begin create role ${role}; exception when duplicate_object then null; end $$`)
    await execute(url, `alter default privileges grant execute on functions to ${roles.join(', ')}`)
    await execute(url, `alter default privileges grant all on tables to ${roles.join(', ')}`)
    await migrate(url)
    const sql = postgres(url, { max: 1 })
    const reachable = await sql`
      select role, pg_proc.oid::regprocedure::text as name from pg_proc cross join unnest(${roles}::text[]) as role
      where pronamespace in ('public'::regnamespace, 'duologue'::regnamespace) and has_function_privilege(role, pg_proc.oid, 'execute')
        and not (role = 'service_role' and pronamespace = 'public'::regnamespace)`
    expect(reachable.map(({ role, name }) => `${role}: ${name}`)).toEqual([])
    const tables = await sql`
      select role, relname from pg_class cross join unnest(${roles}::text[]) as role
      where relnamespace = 'duologue'::regnamespace and relkind in ('r', 'v') and has_table_privilege(role, pg_class.oid, 'select')`
    expect([...tables]).toEqual([])
    await sql.end()
  })

  test('without a direct connection the command says how to push', async () => {
    const answer = await runMigrate({ databaseUrl: null, supabaseUrl: 'https://x.supabase.co' })
    expect(answer).toMatchObject({ kind: 'advice', text: expect.stringContaining('supabase db push') })
  })

  test('a database that goes away in the middle is no refusal; a broken rule is one', async () => {
    const url = await server.createDatabase()
    const lite = await serveLite(url)
    const store = createRepository(openSupabase({ url: lite.url, secretKey: lite.secretKey }))
    const deployment = await initialize({ store })
    const owned = await claimAll({ store }, 'a')
    const session = newSession(deployment)
    await store.commitSteps(batchOf('a', owned, [opening(session, 1)]))
    const rule = store.commitSteps(batchOf('a', owned, [nextStep(session, 1, 2, { replyAddress: null as never })]))
    await expect(rule).rejects.toThrow(StoreRefused)

    const sql = postgres(url, { max: 1, onnotice: () => {} })
    await sql`begin`
    await sql`select from duologue.partitions for update`
    const cut = store.commitSteps(batchOf('a', owned, [nextStep(session, 1, 2)]))
    cut.catch(() => {})
    await expect
      .poll(
        () => sql`select pg_terminate_backend(pid) from pg_stat_activity
        where wait_event_type = 'Lock' and datname = current_database()`,
        { timeout: 10_000, interval: 10 },
      )
      .toHaveLength(1)
    await expect(cut).rejects.toThrow(/could not call commit_steps/u)
    await expect(cut).rejects.not.toBeInstanceOf(StoreRefused)
    await sql`rollback`
    await sql.end()
    await lite.stop()
  })
})

test.each([
  [502, '<html>bad gateway</html>', Error],
  [503, '{"code":"PGRST002","message":"no schema cache"}', Error],
  [504, '', Error],
  [500, '{"code":"57014","message":"canceling statement due to statement timeout"}', Error],
  [500, '{"code":"53100","message":"disk full"}', Error],
  [500, '{"code":"40P01","message":"deadlock detected"}', Error],
  [405, '{"code":"25006","message":"cannot execute INSERT in a read-only transaction"}', Error],
  [400, '{"code":"22P05","message":"unsupported Unicode escape sequence"}', StoreRefused],
  [400, '{"code":"P0001","message":"duologue: a conversation may not go from A to B"}', StoreRefused],
  [409, '{"code":"23505","message":"duplicate key"}', StoreRefused],
  [404, '{"code":"PGRST202","message":"could not find the function"}', Error],
  [401, '{"message":"Invalid API key"}', Error],
])('an answer of %s %s is the right kind of error', async (status, body, kind) => {
  const server = createServer((_request, response) => response.writeHead(status).end(body)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = address !== null && typeof address === 'object' ? address.port : 0
  const answer = createRepository(openSupabase({ url: `http://127.0.0.1:${port}`, secretKey: 'x' })).ping()
  await expect(answer).rejects.toSatisfy(
    (error) => error instanceof Error && (kind === StoreRefused) === error instanceof StoreRefused,
  )
  server.closeAllConnections()
  server.close()
})
