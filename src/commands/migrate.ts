/**
 * `duologue migrate`: brings a PostgreSQL database to the newest schema over a direct connection, since PostgREST
 * runs no DDL. Two that start at once take turns by an advisory lock.
 */
import postgres from 'postgres'
import { applyMigrations } from '../infra/supabase/migrations.ts'

const connectTimeoutSeconds = 10
const advisoryLock = 7_241_990_214

/** Applies the missing migrations and returns their versions, oldest first. */
export async function migrate(databaseUrl: string): Promise<string[]> {
  const sql = postgres(databaseUrl, { max: 1, connect_timeout: connectTimeoutSeconds, onnotice: () => {} })
  try {
    // A single connection: the lock belongs to its session and ends with it.
    await sql`select pg_advisory_lock(${advisoryLock})`
    return await applyMigrations({
      run: async (script) => {
        await sql.unsafe(script).simple()
      },
      texts: async (query) => (await sql.unsafe(query).values()).map(([text]) => text as string),
    })
  } finally {
    await sql.end()
  }
}

/** What to do where there is no direct connection. */
export const pushAdvice =
  'PostgREST runs no DDL: set DATABASE_URL to a direct connection and run this again, or link the project with ' +
  '`supabase link` and run `supabase db push`, which applies the same files of supabase/migrations'

/** The command's answer: applied versions, or the advice when only an API is known. */
export async function runMigrate(settings: {
  readonly databaseUrl: string | null
  readonly supabaseUrl: string | null
}): Promise<
  | { readonly kind: 'migrated'; readonly versions: readonly string[] }
  | { readonly kind: 'advice'; readonly text: string }
> {
  if (settings.databaseUrl !== null) return { kind: 'migrated', versions: await migrate(settings.databaseUrl) }
  if (settings.supabaseUrl !== null) return { kind: 'advice', text: pushAdvice }
  return {
    kind: 'advice',
    text: 'the embedded database brings itself up to date at every start; set DATABASE_URL to migrate another',
  }
}
