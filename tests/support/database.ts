/**
 * A migrated, empty database behind supabase-js, on either backend: `pglite` is the embedded default itself, in its
 * worker thread; `postgres` is PostgreSQL 15 behind Supabase Lite's HTTP server in a process of its own.
 * `sql` reaches the same database without Duologue.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SupabaseClient } from '@supabase/supabase-js'
import postgres from 'postgres'
import type { ReadModel } from '../../src/actors/read-model.ts'
import type { Store } from '../../src/actors/ports.ts'
import type { SendingModel } from '../../src/actors/sending-model.ts'
import { openSupabase } from '../../src/infra/supabase/client.ts'
import { openEmbeddedDatabase } from '../../src/infra/supabase/embedded-database.ts'
import { createRepository, type Repository } from '../../src/infra/supabase/repository.ts'
import { startPostgres, type TestPostgres } from './postgres.ts'

export type Backend = 'pglite' | 'postgres'
export const backends: readonly Backend[] = ['pglite', 'postgres']

export type Sql = (statement: string, parameters?: readonly unknown[]) => Promise<readonly Record<string, unknown>[]>

export type TestDatabase = {
  readonly store: Store & ReadModel & SendingModel & Repository
  readonly client: SupabaseClient
  /** Rows of one statement; placeholders are $1, $2 …; jsonb comes parsed, timestamps come as text. */
  readonly sql: Sql
  /** How another process reaches it over HTTP; null on PGlite, which has no port. */
  readonly http: { readonly url: string; readonly secretKey: string; readonly publishableKey: string } | null
  /** A direct connection's URL; null on PGlite. */
  readonly databaseUrl: string | null
  close(): Promise<void>
}

/**
 * Takes every row away but those that the migrations made. The guards would refuse it, so they are off meanwhile.
 * (Deleting a few rows is ten times faster than truncating eleven tables.)
 */
export async function resetTestDatabase({ sql }: Pick<TestDatabase, 'sql'>): Promise<void> {
  const tables = ['tenants', 'channels', 'sessions', 'conversations', 'conversation_events', 'messages', 'deliveries']
  const ours = ['effects', 'commands', 'partitions', 'nodes', 'quarantine', 'assistant_usage', 'assistant_rates']
  const reviews = ['review_verdicts', 'review_comments', 'review_threads', 'review_charts']
  const live = ['shapes', 'shape_counts', 'moves', 'move_counts']
  const people = ['opt_outs', 'opt_out_blocks', 'identities', 'message_keys', 'session_links', 'api_tokens']
  const deletes = [...tables, ...ours, ...reviews, ...live, ...people, 'spool', 'spool_state', 'log_state']
    .map((table) => `delete from duologue.${table};`)
    .join(' ')
  await sql(`do $$ begin set local session_replication_role = replica; ${deletes} end $$`)
}

export function openTestDatabase(backend: Backend): Promise<TestDatabase> {
  return backend === 'pglite' ? openPgliteDatabase() : openPostgresDatabase()
}

async function openPgliteDatabase(): Promise<TestDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'duologue-pglite-'))
  const database = await openEmbeddedDatabase(join(folder, 'database'))
  return {
    store: createRepository(database.client),
    client: database.client,
    sql: (statement, parameters = []) => database.query(statement, parameters),
    http: null,
    databaseUrl: null,
    close: async () => {
      await database.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

let server: Promise<TestPostgres> | null = null
let serverUsers = 0

async function openPostgresDatabase(): Promise<TestDatabase> {
  serverUsers += 1
  server ??= startPostgres()
  const running = await server
  const databaseUrl = await running.createDatabase()
  const http = await serveLite(databaseUrl)
  const client = openSupabase({ url: http.url, secretKey: http.secretKey })
  const direct = postgres(databaseUrl, { max: 2, onnotice: () => {}, types: textTimestamps })
  return {
    store: createRepository(client),
    client,
    sql: async (statement, parameters = []) => [...(await direct.unsafe(statement, parameters as never[]))],
    http,
    databaseUrl,
    close: async () => {
      await direct.end()
      await http.stop()
      serverUsers -= 1
      if (serverUsers > 0) return
      server = null
      await running.stop()
    },
  }
}

const textTimestamps = {
  date: { to: 1184, from: [1082, 1114, 1184], serialize: String, parse: (text: string) => text },
  bigint: { to: 20, from: [20], serialize: String, parse: Number },
}

export type LiteServer = {
  readonly url: string
  readonly secretKey: string
  readonly publishableKey: string
  /** What it printed on standard error: every refused statement. */
  errors(): string
  stop(): Promise<void>
}

/** Starts Supabase Lite's HTTP server on a database, in a process that ends with this one. */
export async function serveLite(databaseUrl: string): Promise<LiteServer> {
  const secretKey = `sb_secret_${randomBytes(18).toString('base64url')}`
  const publishableKey = `sb_publishable_${randomBytes(18).toString('base64url')}`
  const program = join(import.meta.dirname, 'lite-server.ts')
  let errors = ''
  let isStopped = false
  const launch = (port: number): ChildProcess => {
    const parameters = [program, databaseUrl, secretKey, publishableKey, String(port)]
    const child = spawn(process.execPath, parameters, { stdio: 'pipe' })
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-100_000)))
    return child
  }
  let child = launch(0)
  const port = await readPort(child, () => errors)
  // Its driver throws when the database goes away under a write; a server in production is started again, too.
  const keepRunning = (): void => {
    if (isStopped) return
    child = launch(port)
    child.once('exit', keepRunning)
  }
  child.once('exit', keepRunning)
  return {
    url: `http://127.0.0.1:${port}`,
    secretKey,
    publishableKey,
    errors: () => errors,
    stop: async () => {
      isStopped = true
      if (child.exitCode !== null) return
      child.stdin?.end()
      await once(child, 'exit')
    },
  }
}

async function readPort(child: ChildProcess, errors: () => string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  let output = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text
    const match = /^(\d+)$/mu.exec(output)
    if (match !== null) resolve(Number(match[1]))
  })
  child.once('exit', () => reject(new Error(`Supabase Lite ended: ${errors()}`)))
  return promise
}
