/** Mistakes in the SQL functions that the comparison of the two stores has to see. */
export type SqlMutant = {
  readonly name: string
  readonly breaks: string
  /** Its newest definition in supabase/migrations is changed. */
  readonly function: string
  readonly from: string
  readonly to: string
}

const commits: SqlMutant[] = [
  {
    name: 'commit_steps compares no epoch',
    breaks: 'D3',
    function: 'public.commit_steps',
    from: 'and stored.epoch = named.epoch and stored.owner',
    to: 'and stored.owner',
  },
  {
    name: 'commit_steps compares no owner',
    breaks: 'D3',
    function: 'public.commit_steps',
    from: "and stored.epoch = named.epoch and stored.owner = batch ->> 'node_id'",
    to: 'and stored.epoch = named.epoch',
  },
  {
    name: 'commit_steps knows no commit again',
    breaks: 'D6: the same id answers the same',
    function: 'public.commit_steps',
    from: 'filter (where stored.last_commit_id = commit_id)',
    to: 'filter (where false)',
  },
  {
    name: 'a commit that its owner has given up is written after a newer one',
    breaks: 'D6',
    function: 'public.commit_steps',
    from: 'stored.last_commit_id < commit_id collate "C"',
    to: 'stored.last_commit_id <> commit_id',
  },
  {
    name: 'the cursor moves over a stale step',
    breaks: 'D2',
    function: 'public.commit_steps',
    from: 'named.cursor_incarnation is not null and wrong.outcomes is null',
    to: 'named.cursor_incarnation is not null',
  },
  {
    name: 'versions are not compared',
    breaks: 'D3',
    function: 'duologue.find_refusals',
    from: 'changed.base_version <> coalesce(stored.version, 0)',
    to: 'false',
  },
  {
    name: 'positions are not compared',
    breaks: 'D2',
    function: 'duologue.find_refusals',
    from: 'and stored.position_sequence > session.position_sequence',
    to: 'and false',
  },
  {
    name: 'a stored message is not found',
    breaks: 'a duplicate is one message',
    function: 'duologue.find_refusals',
    from: 'and provider_id = message.provider_id',
    to: 'and provider_id = message.provider_id and false',
  },
  {
    name: 'a settled effect changes again',
    breaks: 'a settled effect never changes',
    function: 'duologue.write_effect_updates',
    from: "and effect.session_id = result.session_id\n    and effect.status in ('pending', 'running', 'uncertain')",
    to: 'and effect.session_id = result.session_id',
  },
  {
    name: 'a delivery goes back',
    breaks: 'nothing moves back',
    function: 'duologue.write_deliveries',
    from: 'when duologue.delivery_rank(excluded.status) > duologue.delivery_rank(stored.status)',
    to: 'when true',
  },
]

const ownership: SqlMutant[] = [
  {
    name: 'a lease that has not run out is taken',
    breaks: 'D3',
    function: 'public.claim_partitions',
    from: 'owner = asking or lease_until < moment)\n      order by',
    to: 'owner = asking or lease_until is not null)\n      order by',
  },
  {
    name: 'a claim raises no epoch',
    breaks: 'D3',
    function: 'public.claim_partitions',
    from: 'epoch = stored.epoch + 1',
    to: 'epoch = stored.epoch',
  },
  {
    name: 'a node takes more than its fair share',
    breaks: 'D3',
    function: 'public.claim_partitions',
    from: 'limit room',
    to: 'limit 1000',
  },
  {
    name: 'a release asks for no epoch',
    breaks: 'D3',
    function: 'public.release_partitions',
    from: 'stored.partition = asked.partition and stored.epoch = asked.epoch',
    to: 'stored.partition = asked.partition',
  },
]

const effects: SqlMutant[] = [
  {
    name: 'start_effects asks for no epoch',
    breaks: 'D4: fenced like a commit',
    function: 'public.start_effects',
    from: 'stored.partition = claimed.partition and stored.epoch = claimed.epoch',
    to: 'stored.partition = claimed.partition',
  },
  {
    name: 'an effect that is not pending starts',
    breaks: 'D4',
    function: 'public.start_effects',
    from: "(effect.row).status = 'pending' as is_pending",
    to: '(effect.row).id is not null as is_pending',
  },
  {
    name: 'an opt-out does not stop a send',
    breaks: 'after STOP nothing is sent',
    function: 'duologue.find_obstacle',
    from: "when duologue.opt_out_of(session) is not null then 'opted-out'",
    to: "when false then 'opted-out'",
  },
  {
    name: 'a send of a former speaker starts',
    breaks: 'the speaker token',
    function: 'duologue.find_obstacle',
    from: 'when effect.speaker_token <> session.speaker_token',
    to: 'when false',
  },
  {
    name: 'the 24-hour window is not looked at',
    breaks: "WhatsApp's window",
    function: 'duologue.window_closed_since',
    from: "when not starts_with(session.business_address, 'whatsapp:') then null",
    to: 'when true then null',
  },
  {
    name: 'the provider’s word on the window is forgotten',
    breaks: '63016 corrects the clock',
    function: 'duologue.window_closed_since',
    from: 'when session.window_closed_at >= session.last_inbound_at then session.window_closed_at',
    to: '',
  },
  {
    name: 'START ends no opt-out',
    breaks: 'STOP and START',
    function: 'duologue.write_notices',
    from: 'update duologue.opt_outs set ended_at = moment',
    to: 'update duologue.opt_outs set ended_at = null',
  },
  {
    name: 'a message that is sent again keeps the name of its first sending',
    breaks: "a callback of an earlier sending is not the later one's",
    function: 'duologue.adopt_resend',
    from: 'update duologue.messages set provider_id = null where session_id = new.session_id and id = new.message_id;',
    to: '',
  },
  {
    name: 'the pieces of a message stand behind what was wanted after it',
    breaks: 'sends of one session go in their order',
    function: 'duologue.adopt_resend',
    from: 'new.created_at := before.created_at;',
    to: 'null;',
  },
  {
    name: 'an unsettled effect is not loaded',
    breaks: 'a new owner sees what it inherits',
    function: 'public.load_sessions',
    from: "effect.status in ('pending', 'running', 'uncertain')",
    to: "effect.status in ('pending', 'running')",
  },
  {
    name: 'quarantined timers are due',
    breaks: "a quarantined session's timers are not due",
    function: 'duologue.due_timers',
    from: 'and quarantined_at is null',
    to: '',
  },
]

export const sqlMutants: readonly SqlMutant[] = [...commits, ...ownership, ...effects]
