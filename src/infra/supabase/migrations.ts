/**
 * The migrations of `supabase/migrations`, applied by version and recorded in the table that the Supabase CLI keeps
 * (`supabase_migrations.schema_migrations`), so that this and `supabase db push` can take turns on one database.
 * Each migration and its record are one transaction.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

export type Migration = { readonly version: string; readonly name: string; readonly sql: string }

/** What applying needs of a database: one session, several statements in a call. */
export interface MigrationConnection {
  /** Runs a script; its statements may open and close a transaction. */
  run(script: string): Promise<void>
  /** The first column of a query's rows, as text. */
  texts(query: string): Promise<readonly string[]>
}

const folder = join(import.meta.dirname, '../../../supabase/migrations')
const filePattern = /^(\d{14})_(.+)\.sql$/u

const recordTable = `
  create schema if not exists supabase_migrations;
  create table if not exists supabase_migrations.schema_migrations (version text not null primary key);
  alter table supabase_migrations.schema_migrations add column if not exists statements text[];
  alter table supabase_migrations.schema_migrations add column if not exists name text;`

/** All migrations, oldest first. */
export async function readMigrations(): Promise<readonly Migration[]> {
  const files = (await readdir(folder)).toSorted()
  const migrations = files.flatMap((file) => {
    const match = filePattern.exec(file)
    return match === null ? [] : [{ version: match[1] ?? '', name: match[2] ?? '', file }]
  })
  return Promise.all(
    migrations.map(async ({ version, name, file }) => ({
      version,
      name,
      sql: await readFile(join(folder, file), 'utf8'),
    })),
  )
}

/** Applies what is missing and returns its versions. */
export async function applyMigrations(connection: MigrationConnection): Promise<string[]> {
  const recorded = await connection.texts(`select to_regclass('supabase_migrations.schema_migrations')::text`)
  if (recorded[0] === undefined || recorded[0] === null) await connection.run(recordTable)
  const applied = new Set(await connection.texts('select version from supabase_migrations.schema_migrations'))
  const missing = (await readMigrations()).filter(({ version }) => !applied.has(version))
  for (const { version, name, sql } of missing) {
    const record = `insert into supabase_migrations.schema_migrations (version, name, statements)
      values (${toLiteral(version)}, ${toLiteral(name)}, array[${toLiteral(sql)}]);`
    try {
      await connection.run(`begin;\n${sql}\n${record}\ncommit;`)
    } catch (cause) {
      await connection.run('rollback;')
      throw new Error(`could not apply migration ${version}_${name}`, { cause })
    }
  }
  return missing.map(({ version }) => version)
}

function toLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
