/** The SQL functions: all there, for the service role, and for nobody else (DESIGN D5). Reads the catalogue only. */
import { readMigrations } from '../../infra/supabase/migrations.ts'
import { bad, ok } from './finding.ts'
import type { Finding } from './finding.ts'

export type Query = (statement: string) => Promise<readonly Record<string, unknown>[]>

const exposure = /duologue\.expose\('public\.(\w+)\(/gu

const catalogue = `
  select function.proname as name,
    coalesce(bool_or(has_function_privilege(role.oid, function.oid, 'execute')) filter (where role.rolname <> 'service_role'),
      false) as is_open,
    coalesce(bool_or(has_function_privilege(role.oid, function.oid, 'execute')) filter (where role.rolname = 'service_role'),
      false) as is_usable
  from pg_proc as function
  cross join pg_roles as role
  where function.pronamespace = 'public'::regnamespace and role.rolname in ('anon', 'authenticated', 'service_role')
  group by function.oid, function.proname`

/** Grants are not looked at: Supabase Lite gives some at every start, and row-level security stands behind them. */
const openTables = `
  select class.relname as name
  from pg_class as class
  where class.relnamespace = to_regnamespace('duologue') and class.relkind = 'r'
    and (not class.relrowsecurity or exists (
      select from pg_policies as policy
      where policy.schemaname = 'duologue' and policy.tablename = class.relname
        and policy.roles && array['public', 'anon', 'authenticated']::name[]))
  order by class.relname`

export async function checkFunctions(query: Query): Promise<readonly Finding[]> {
  const wanted = await readExposedFunctions()
  const found = new Map((await query(catalogue)).map((row) => [String(row['name']), row]))
  const missing = wanted.filter((name) => !found.has(name))
  if (missing.length > 0) {
    const text = `${missing.length} of ${wanted.length} SQL functions are missing: ${missing.join(', ')}`
    return [bad('functions', text, 'run `npm run duologue -- migrate`')]
  }
  const open = wanted.filter((name) => found.get(name)?.['is_open'] === true)
  const unusable = wanted.filter((name) => found.get(name)?.['is_usable'] !== true)
  const tables = (await query(openTables)).map(({ name }) => String(name))
  return [
    ...toFindings(open, 'anon or authenticated may call', 'revoke execute on them from public, anon and authenticated'),
    ...toFindings(unusable, 'service_role may not call', 'grant execute on them to service_role'),
    ...toFindings(
      tables,
      'row-level security does not guard',
      'enable it, and drop policies for anon and authenticated',
    ),
    ...(open.length + unusable.length + tables.length === 0
      ? [ok('functions', `all ${wanted.length} there, callable by the service role alone`)]
      : []),
  ]
}

/** As the migrations expose them. */
async function readExposedFunctions(): Promise<readonly string[]> {
  const names = (await readMigrations()).flatMap(({ sql }) => [...sql.matchAll(exposure)].map(([, name = '']) => name))
  return [...new Set(names)].toSorted()
}

function toFindings(names: readonly string[], text: string, advice: string): readonly Finding[] {
  return names.length === 0 ? [] : [bad('functions', `${text} ${names.join(', ')}`, advice)]
}
