/** `duologue migrate` as a command: what to do, and in which words it ended. */
import { readConfig } from '../config.ts'
import { WrongUse } from './command.ts'
import type { CommandCall, CommandResult } from './command.ts'
import { runMigrate } from './migrate.ts'

export async function runMigrateCommand({ words, env }: CommandCall): Promise<CommandResult> {
  if (words.length > 0) throw new WrongUse('migrate takes no arguments: DATABASE_URL names the database')
  const { databaseUrl, supabase } = readConfig(env)
  const outcome = await migrate({ databaseUrl, supabaseUrl: supabase?.url ?? null })
  if (outcome.kind === 'advice') {
    // A project that is known by its API alone was not migrated; the embedded database needs nothing.
    return { exitCode: supabase === null ? 0 : 2, value: { applied: [], advice: outcome.text }, text: outcome.text }
  }
  const { versions } = outcome
  const text = versions.length === 0 ? 'nothing to do: the schema is the newest' : `applied ${versions.join(', ')}`
  return { exitCode: 0, value: { applied: versions }, text }
}

async function migrate(settings: Parameters<typeof runMigrate>[0]): ReturnType<typeof runMigrate> {
  try {
    return await runMigrate(settings)
  } catch (error) {
    throw new Error('could not migrate the database at DATABASE_URL', { cause: error })
  }
}
