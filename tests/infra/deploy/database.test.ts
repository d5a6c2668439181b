/** PostgreSQL with the settings that the compose file gives, its roles, and the migrations on top of them. */
import postgres from 'postgres'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { migrate } from '../../../src/commands/migrate.ts'
import { makeComposeEnv, readComposeFile } from '../../support/compose-file.ts'
import { startPostgres } from '../../support/postgres.ts'
import type { TestPostgres } from '../../support/postgres.ts'

const env = makeComposeEnv({
  DUOLOGUE_PUBLIC_URL: 'https://duologue.example.org',
  TWILIO_ACCOUNT_SID: `AC${'1'.repeat(32)}`,
  TWILIO_AUTH_TOKEN: 'token',
  TWILIO_NUMBERS: 'whatsapp:+14155238886',
})
const compose = readComposeFile('docker-compose.yml', env)

let server: TestPostgres

beforeAll(async () => {
  const [, ...settings] = compose.services['postgres']?.command ?? []
  server = await startPostgres(settings)
  await withSql(server.url, async (sql) => void (await sql.unsafe(compose.configs.get('roles') ?? '')))
  await migrate(server.url)
}, 60_000)

afterAll(async () => server.stop())

async function withSql<T>(url: string, task: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  try {
    return await task(sql)
  } finally {
    await sql.end()
  }
}

test('what is committed is on the disk', async () => {
  const values = await withSql(server.url, async (sql) => {
    const found: string[] = []
    for (const name of ['fsync', 'synchronous_commit', 'full_page_writes']) {
      const [row] = await sql.unsafe(`show ${name}`)
      found.push(String(Object.values(row ?? {})[0]))
    }
    return found
  })
  expect(values).toEqual(['on', 'on', 'on'])
})

test('PostgREST’s login is nobody by itself, and calls the functions as the service role alone', async () => {
  const uri = compose.services['postgrest']?.environment?.['PGRST_DB_URI'] ?? ''
  const login = uri.replace('@postgres:5432', `@127.0.0.1:${server.port}`)
  await withSql(login, async (sql) => {
    const call = `select public.schema_version('{}') as answer`
    await expect(sql.unsafe(call)).rejects.toThrow('permission denied')
    for (const role of ['anon', 'authenticated']) {
      await sql.unsafe(`set role ${role}`)
      await expect(sql.unsafe(call)).rejects.toThrow('permission denied')
      await expect(sql.unsafe('select * from duologue.sessions')).rejects.toThrow('permission denied')
    }
    await sql.unsafe('set role service_role')
    const [row] = await sql.unsafe(call)
    expect(row).toMatchObject({ answer: { version: expect.stringMatching(/^\d{14}$/u) as string } })
    await expect(sql.unsafe('select * from duologue.sessions')).rejects.toThrow('permission denied')
  })
})
