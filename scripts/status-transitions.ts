/**
 * Writes the migration that gives the database the chart's own table of status transitions, from the machine. Run it
 * with Node 24 when a test says that the two differ: `node scripts/status-transitions.ts`. Once released, a migration
 * stays as it is: give the next one a new number here.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { conversationMachine } from '../src/machines/conversation/machine.ts'
import { statuses } from '../src/machines/status.ts'
import { toStatusTransitions } from '../src/machines/status-transitions.ts'

const version = '20261125000200'
export const migrationFile = join(import.meta.dirname, `../supabase/migrations/${version}_status_transitions.sql`)

export function renderMigration(): string {
  const transitions = toStatusTransitions(conversationMachine)
  const rows = [null, ...statuses].map((from) => {
    const next = transitions.filter((transition) => transition.from === from).map(({ to }) => `'${to}'`)
    return `    (${from === null ? 'null' : `'${from}'`}, array[${next.join(', ')}])`
  })
  return `-- Which status may follow which, read off the chart by scripts/status-transitions.ts: do not edit.

create or replace function public.schema_version(request jsonb default '{}') returns jsonb
language sql stable set search_path = ''
as $$ select jsonb_build_object('version', '${version}', 'format', 1) $$;

delete from duologue.status_transitions;
insert into duologue.status_transitions (from_status, to_status)
  select allowed.from_status, next.to_status
  from (values
${rows.join(',\n')}
  ) as allowed(from_status, next)
  cross join lateral unnest(allowed.next) as next(to_status);
`
}

if (import.meta.main) writeFileSync(migrationFile, renderMigration())
