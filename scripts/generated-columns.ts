/**
 * Writes what the code knows of the schema from the database's own catalogue, after every change of a migration:
 * `src/infra/supabase/database-types.ts` (rows, and which of their columns are generated) and
 * `docs/generated-columns.md`. Run it with Node 24: `node scripts/generated-columns.ts`. A test compares both files
 * with the catalogue.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { openEmbeddedDatabase } from '../src/infra/supabase/embedded-database.ts'

export type Column = {
  readonly table: string
  readonly name: string
  /** PostgreSQL's name of the type: `text`, `jsonb`, `timestamp with time zone`. */
  readonly type: string
  readonly nullable: boolean
  /** The expression of a generated column, else null. */
  readonly expression: string | null
}

export const catalogueQuery = `
  select class.relname as "table", attribute.attname as name, format_type(attribute.atttypid, null) as type,
    not attribute.attnotnull as nullable,
    case when attribute.attgenerated <> '' then pg_get_expr(expression.adbin, expression.adrelid) end as expression
  from pg_attribute as attribute
  join pg_class as class on class.oid = attribute.attrelid and class.relkind = 'r'
  left join pg_attrdef as expression on expression.adrelid = class.oid and expression.adnum = attribute.attnum
  where class.relnamespace = 'duologue'::regnamespace and attribute.attnum > 0 and not attribute.attisdropped
  order by class.relname, attribute.attnum`

const root = join(import.meta.dirname, '..')
export const typesFile = join(root, 'src/infra/supabase/database-types.ts')
export const pageFile = join(root, 'docs/generated-columns.md')

export function renderDatabaseTypes(columns: readonly Column[]): string {
  const tables = Object.entries(Object.groupBy(columns, (column) => column.table)).map(
    ([table, own = []]) => `  ${table}: {
    Row: {
${own.map((column) => `      ${column.name}: ${toType(column)}`).join('\n')}
    }
    Generated: ${toUnion(own.filter((column) => column.expression !== null))}
  }`,
  )
  return `/**
 * The rows of the schema \`duologue\` as JSON carries them, from the database's catalogue: written by
 * scripts/generated-columns.ts, do not edit.
 */
import type { Json } from '../../machines/json.ts'

/** What may be inserted into a table: everything but its generated columns. */
export type Insert<Name extends keyof Tables> = Omit<Tables[Name]['Row'], Tables[Name]['Generated']>

export type Tables = {
${tables.join('\n')}
}
`
}

export function renderGeneratedColumnsPage(columns: readonly Column[]): string {
  const generated = columns.filter((column) => column.expression !== null)
  const rows = generated.map(
    ({ table, name, type, expression }) => `| \`${table}\` | \`${name}\` | ${type} | \`${expression}\` |`,
  )
  return `# Generated columns

The database computes these columns of the schema \`duologue\`. They are never in a payload: the types of
\`src/infra/supabase/database-types.ts\` leave them out of every \`Insert\`, and a test reads the catalogue and fails
when a payload names one. This page is written by \`scripts/generated-columns.ts\` from the same catalogue.

| table | column | type | computed as |
| --- | --- | --- | --- |
${rows.join('\n')}
`
}

function toUnion(columns: readonly Column[]): string {
  return columns.length === 0 ? 'never' : columns.map(({ name }) => `'${name}'`).join(' | ')
}

function toType({ type, nullable }: Column): string {
  const types: Record<string, string> = { integer: 'number', bigint: 'number', boolean: 'boolean', jsonb: 'Json' }
  return `${types[type] ?? 'string'}${nullable && type !== 'jsonb' ? ' | null' : ''}`
}

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'duologue-catalogue-'))
  const database = await openEmbeddedDatabase(join(folder, 'database'))
  const columns = (await database.query(catalogueQuery)) as unknown as readonly Column[]
  await database.close()
  await rm(folder, { recursive: true, force: true })
  await writeFile(typesFile, renderDatabaseTypes(columns))
  await writeFile(pageFile, renderGeneratedColumnsPage(columns))
  process.stdout.write(`${columns.length} columns\n`)
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await main()
