/** Commands over a database that is reached by its API, as a Supabase project is. */
import { afterAll, beforeAll, expect, test } from 'vitest'

import { runCommand, runDoctor } from '../support/command.ts'
import { openTestDatabase } from '../support/database.ts'
import type { TestDatabase } from '../support/database.ts'

let database: TestDatabase
let env: { readonly [name: string]: string }

beforeAll(async () => {
  database = await openTestDatabase('postgres')
  const { url = '', secretKey = '' } = database.http ?? {}
  env = {
    SUPABASE_URL: url,
    SUPABASE_SECRET_KEY: secretKey,
    DATABASE_URL: database.databaseUrl ?? '',
    DUOLOGUE_PORT: '0',
  }
})

afterAll(async () => {
  await database?.close()
})

test('the tenant default may be set before the first start, and a null takes a setting away', async () => {
  const first = await runCommand(
    ['tenant', 'set', 'default', 'idleTimeoutMs=1000', 'language=pt', 'openingHours=24'],
    env,
  )
  expect([first.exitCode, first.stderr]).toEqual([0, ''])
  const second = await runCommand(['tenant', 'set', 'default', 'language=null', '--json'], env)
  const settings = { idleTimeoutMs: 1000, openingHours: '24' }
  expect(JSON.parse(second.stdout)).toMatchObject({ name: 'default', settings })
  expect(await database.sql('select name, settings from duologue.tenants')).toEqual([{ name: 'default', settings }])
})

test('what is set reaches the channels of the tenant', async () => {
  const businessAddresses = ['whatsapp:+14155238886']
  await database.store.initializeDeployment({ partitions: 8, businessAddresses, providerAccount: null })
  await runCommand(['tenant', 'set', 'default', 'idleTimeoutMs=2000'], env)
  const channel = await database.store.findChannel('whatsapp:+14155238886')
  expect(channel?.settings).toMatchObject({ idleTimeoutMs: 2000 })
  const { stdout } = await runCommand(['tenant', 'show', 'default'], env)
  expect(stdout).toMatch(/idleTimeoutMs +2000\n/)
  expect(stdout).toMatch(/idleExpiryMs +86400000 {2}\(default\)\n/)
  expect(stdout).toMatch(/\n {2}whatsapp:\+14155238886\n$/)
})

test('a tenant that is not there is a bad outcome, and is not made', async () => {
  for (const args of [
    ['show', 'nobody'],
    ['set', 'nobody', 'idleTimeoutMs=1000'],
  ]) {
    const { exitCode, stderr } = await runCommand(['tenant', ...args], env)
    expect([exitCode, stderr]).toEqual([1, 'duologue: there is no tenant nobody\n'])
  }
  expect(await database.sql('select name from duologue.tenants')).toEqual([{ name: 'default' }])
})

test('the doctor sees that the database was made with another number of partitions', async () => {
  const businessAddresses = ['whatsapp:+14155238886']
  await database.store.initializeDeployment({ partitions: 8, businessAddresses, providerAccount: null })
  const { exitCode, of } = await runDoctor({ ...env, DUOLOGUE_PARTITIONS: '16' })
  expect(of('partitions')).toEqual(['bad: DUOLOGUE_PARTITIONS is 16, the database was made with 8'])
  expect(exitCode).toBe(1)
})

test('the quarantine is listed without what users wrote, and with it as JSON, page by page', async () => {
  expect((await runCommand(['quarantine', 'list'], env)).stdout).toBe('nothing is in quarantine\n')
  await database.sql(
    `insert into duologue.quarantine (partition, position_incarnation, position_sequence, kind, subject, data_base64,
      error, at) select 3, 'one', number, 'foreign', 'message.a.b', 'c2VjcmV0', $1, '2026-01-02T03:04:05Z'
    from generate_series(7, 9) as number`,
    ['not an event\u001B[2J of version 1'],
  )
  const first = await runCommand(['quarantine', 'list', '--limit', '2'], env)
  const lines = first.stdout.split('\n')
  expect(lines[0]).toMatch(
    /^2026-01-02T03:04:05\.000Z {2}foreign {2}[0-9a-f-]{36} {2}partition 3, sequence 7, session unknown$/u,
  )
  expect(lines[1]).toBe('    not an event [2J of version 1')
  const cursor = /--cursor (\S+)/.exec(first.stdout)?.[1] ?? ''
  const rest = await runCommand(['quarantine', 'list', '--cursor', cursor, '--json'], env)
  expect(JSON.parse(rest.stdout)).toMatchObject({ items: [{ sequence: 9, dataBase64: 'c2VjcmV0' }], next: null })
  const wrong = await runCommand(['quarantine', 'list', '--cursor', 'elsewhere'], env)
  expect([wrong.exitCode, wrong.stderr]).toEqual([2, 'duologue: --cursor is not one that a list answered\n'])
})

test('a conversation that is not there is a bad outcome', async () => {
  const id = '01890000-0000-7000-8000-000000000000'
  const { exitCode, stderr } = await runCommand(['replay', id], env)
  expect([exitCode, stderr]).toEqual([1, `duologue: there is no conversation ${id}\n`])
})

test('a database of another schema is named before anything is read', async () => {
  await database.sql(`create or replace function public.schema_version(request jsonb default '{}') returns jsonb
    language sql as $$ select '{"version": "20200101000000"}'::jsonb $$`)
  const { exitCode, stderr } = await runCommand(['tenant', 'show', 'default'], env)
  expect(stderr).toContain('the database has schema 20200101000000, this program needs')
  expect(exitCode).toBe(1)
  const { of } = await runDoctor(env)
  expect(of('database')[0]).toMatch(/: schema 20200101000000, this program needs \d+$/)
})
