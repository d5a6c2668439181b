/**
 * Mistakes that only two connections of a real PostgreSQL can show: the row locks of the functions. (`start_effects` without
 * its lock is no mistake but for the order of waiting: the update that renews the lease locks and compares again.)
 */
import type { TestedMutant } from './mutant.ts'

const test = 'tests/infra/supabase/stale-writes.test.ts'
const lock = 'order by partition for no key update;'

export const testedMutants: readonly TestedMutant[] = [
  {
    name: 'commit_steps compares owner and epoch without the lock',
    breaks: 'D3: a check without the lock does not fence',
    file: 'supabase/migrations/20261125001000_identity.sql',
    function: 'public.commit_steps',
    from: `perform from duologue.partitions where partition = any(asked) ${lock}`,
    to: '',
    test,
    title: 'waits while a new owner claims is fenced',
  },
  {
    name: 'a claim waits for nobody',
    breaks: 'D3: once a new owner has its answer, no commit of the old one lands',
    file: 'supabase/migrations/20261125000600_ownership.sql',
    function: 'public.claim_partitions',
    from: `perform from duologue.partitions
  where take_all or owner = asking
  ${lock}`,
    to: '',
    test,
    title: 'a forced one waits and sees the commit',
  },
]
