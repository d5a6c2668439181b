/**
 * Mistakes that a test of their own has to see: those that only two connections of a real PostgreSQL can show, the row
 * locks of the functions (`start_effects` without its lock is no mistake but for the order of waiting: the update that
 * renews the lease locks and compares again), and those that one seed in thousands shows.
 */
import type { TestedMutant } from './mutant.ts'

const locked = { project: 'slow', test: 'tests/infra/supabase/stale-writes.test.ts' } as const
const host = { project: 'fast', test: 'tests/actors/effects.test.ts' } as const
const lock = 'order by partition for no key update;'

export const testedMutants: readonly TestedMutant[] = [
  {
    name: 'commit_steps compares owner and epoch without the lock',
    breaks: 'D3: a check without the lock does not fence',
    file: 'supabase/migrations/20261125001000_identity.sql',
    function: 'public.commit_steps',
    from: `perform from duologue.partitions where partition = any(asked) ${lock}`,
    to: '',
    ...locked,
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
    ...locked,
    title: 'a forced one waits and sees the commit',
  },
  {
    name: 'silence of the provider proves that it has nothing',
    breaks: 'section 7',
    file: 'src/actors/resolve-uncertain.ts',
    from: "      // No answer is not the answer 'none'.",
    to: "      if (attempt >= 0) return 'accepted-none'",
    ...host,
    title: 'its silence proves nothing',
  },
  {
    name: 'a STOP waits for a send that has arrived',
    breaks: 'after STOP nothing is sent; the cursor goes on',
    file: 'src/actors/effect-runner.ts',
    from: 'return (session.newest?.effects ?? []).some(',
    to: 'return (session.committed?.effects ?? []).some(',
    ...host,
    title: 'does not hold up the STOP behind it',
  },
  {
    name: 'a callback does not settle a send that waits to be tried again',
    breaks: 'any callback proves acceptance (section 7)',
    file: 'src/actors/take-delivery.ts',
    from: '(effect.attempts > 0 ? effect : null)',
    to: 'null',
    ...host,
    title: 'while it waits to be sent once more',
  },
  {
    name: 'a STOP that waits in quarantine is heard of when it is released',
    breaks: 'after STOP nothing is sent (found by seed 520616)',
    file: 'src/actors/session.ts',
    from: "if (entry.kind === 'logged' && entry.event.type === 'message.received') {",
    to: "if (entry.kind === 'logged' && entry.event.type === 'clock.advanced') {",
    project: 'fast',
    test: 'tests/actors/quarantine.test.ts',
    title: 'a STOP that waits is an opt-out at once',
  },
  {
    name: 'an owner acts on what it inherited before it has read up to the end',
    breaks: 'D4: a STOP that waits is seen first',
    file: 'src/actors/node.ts',
    from: 'await Promise.all(partitions.map(async (partition) => partition.barrier()))',
    to: 'await Promise.resolve()',
    ...host,
    title: 'waits until all that the log held was read',
  },
]
