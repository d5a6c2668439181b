/** PostgreSQL 15 for the whole benchmark: one server with fsync on, a new database for every run. */
import postgres from 'postgres'
import { execute, startPostgres } from '../../tests/support/postgres.ts'
import type { Part } from '../measure/processes.ts'

export type BenchPostgres = {
  readonly part: Part
  readonly settings: { readonly [name: string]: string }
  /** With Duologue's schema. */
  createMigratedDatabase(): Promise<BenchDatabase>
  createEmptyDatabase(): Promise<BenchDatabase>
  stop(): Promise<void>
}

export type BenchDatabase = {
  readonly url: string
  sql<Row extends object>(statement: string, parameters?: readonly (string | number)[]): Promise<readonly Row[]>
  /** Nobody may be connected any more but by `sql`. */
  drop(): Promise<void>
}

const shownSettings = [
  'server_version',
  'fsync',
  'synchronous_commit',
  'full_page_writes',
  'shared_buffers',
  'max_wal_size',
  'checkpoint_timeout',
]

export async function startBenchPostgres(): Promise<BenchPostgres> {
  const server = await startPostgres()
  const settings = await readSettings(server.url)
  let number = 0
  return {
    part: { name: 'postgres', pid: server.pid, isTree: true },
    settings,
    createMigratedDatabase: async () => openDatabase(await server.createDatabase(), server.url),
    async createEmptyDatabase() {
      number += 1
      const name = `empty_${number}`
      await execute(server.url, `create database ${name}`)
      return openDatabase(server.url.replace(/postgres$/u, name), server.url)
    },
    stop: async () => server.stop(),
  }
}

function openDatabase(url: string, administratorUrl: string): BenchDatabase {
  const direct = postgres(url, {
    max: 1,
    onnotice: () => {},
    types: { bigint: { to: 20, from: [20], serialize: String, parse: Number } },
  })
  return {
    url,
    async sql<Row extends object>(statement: string, parameters: readonly (string | number)[] = []) {
      return [...(await direct.unsafe(statement, [...parameters]))] as unknown as readonly Row[]
    },
    async drop() {
      await direct.end()
      await execute(administratorUrl, `drop database ${new URL(url).pathname.slice(1)} with (force)`)
    },
  }
}

async function readSettings(url: string): Promise<{ readonly [name: string]: string }> {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  try {
    const rows =
      await sql`select name, current_setting(name) as value from pg_settings where name = any(${shownSettings})`
    return Object.fromEntries(rows.map(({ name, value }) => [String(name), String(value)]))
  } finally {
    await sql.end()
  }
}
