-- Nodes announce the machine versions that they know, partitions say which one they cannot do without (DESIGN D8), and
-- what waits in quarantine can be released.

create or replace function public.schema_version(request jsonb default '{}') returns jsonb
language sql stable set search_path = ''
as $$ select jsonb_build_object('version', '20261125000500', 'format', 1) $$;

-- ── Machine versions ─────────────────────────────────────────────────────────────────────────────

-- {machine: [version, oldest first]}. Nodes of the releases before this column announce nothing, and run what there was.
alter table duologue.nodes add column machines jsonb not null default '{"conversation": ["1"]}'
  check (jsonb_typeof(machines) = 'object');
-- {machine, version} of a snapshot that a former owner did not know; null: any node may own it.
alter table duologue.partitions add column needs jsonb check (jsonb_typeof(needs) = 'object');

create function duologue.knows(machines jsonb, needs jsonb) returns boolean
language sql immutable set search_path = ''
as $$ select coalesce(machines -> (needs ->> 'machine') ? (needs ->> 'version'), false) $$;

-- Of the versions that a node announces, those that every live node knows which runs the machine at all.
create function duologue.common_machines(asking text, announced jsonb, moment timestamptz) returns jsonb
language sql stable set search_path = ''
as $$
  select coalesce(jsonb_object_agg(own.machine, (
    select coalesce(jsonb_agg(known.version order by known.place), '[]')
    from jsonb_array_elements_text(own.versions) with ordinality as known(version, place)
    where not exists (
      select from duologue.nodes
      where node_id <> asking and seen_at > moment - make_interval(secs => lease_ms / 1000.0)
        and machines ? own.machine and not machines -> own.machine ? known.version))), '{}')
  from jsonb_each(announced) as own(machine, versions)
$$;

-- The partitions that a node must keep, since it knows what they need and some live node does not.
create function duologue.bound_partitions(asking text, announced jsonb, moment timestamptz) returns integer[]
language sql stable set search_path = ''
as $$
  select coalesce(array_agg(partition order by partition), '{}')
  from duologue.partitions
  where needs is not null and duologue.knows(announced, needs)
    and exists (
      select from duologue.nodes
      where node_id <> asking and not is_leaving and seen_at > moment - make_interval(secs => lease_ms / 1000.0)
        and not duologue.knows(machines, needs))
$$;

-- The partitions that others shall have: the node does not know what they need, and some live node does.
create function duologue.foreign_partitions(asking text, announced jsonb, moment timestamptz) returns integer[]
language sql stable set search_path = ''
as $$
  select coalesce(array_agg(partition order by partition), '{}')
  from duologue.partitions
  where needs is not null and not duologue.knows(announced, needs)
    and exists (
      select from duologue.nodes
      where node_id <> asking and not is_leaving and seen_at > moment - make_interval(secs => lease_ms / 1000.0)
        and duologue.knows(machines, needs))
$$;

-- Renews what the node holds, gives back more than its fair share and what only others can run, takes free partitions.
-- A node that knows no version of a machine in common with the others takes nothing while they own anything.
-- request: {node_id, lease_ms, held: [{partition, epoch, needs}], machines, take_all, renew_only}
-- -> {partitions: [{partition, epoch, cursor_incarnation, cursor_sequence}], machines: {machine: [version]}}: all that
--    the node owns now, and the versions that all live nodes know.
create or replace function public.claim_partitions(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  asking text;
  take_all boolean;
  renew_only boolean;
  lease interval;
  announced jsonb;
  common jsonb;
  bound integer[];
  misfits integer[];
  held integer[];
  share integer;
  room integer;
  moment timestamptz;
begin
  request := duologue.as_object(request);
  asking := request ->> 'node_id';
  take_all := coalesce((request ->> 'take_all')::boolean, false);
  renew_only := coalesce((request ->> 'renew_only')::boolean, false);
  lease := make_interval(secs => (request ->> 'lease_ms')::double precision / 1000);
  announced := coalesce(request -> 'machines', '{"conversation": ["1"]}');

  -- Every lock is waited for in the order of the partitions, as in commit_steps; what others hold is only tried.
  perform from duologue.partitions
  where take_all or owner = asking
  order by partition for no key update;
  moment := clock_timestamp();

  if take_all then
    delete from duologue.nodes where node_id <> asking;
  end if;
  delete from duologue.nodes where node_id <> asking and seen_at < moment - interval '1 hour';
  common := duologue.common_machines(asking, announced, moment);
  -- Without a version in common it is counted like one that leaves: the others keep what they have.
  renew_only := renew_only or (
    exists (select from jsonb_each(common) where value = '[]')
    and exists (select from duologue.partitions where owner <> asking and lease_until > moment));
  insert into duologue.nodes (node_id, seen_at, lease_ms, is_leaving, machines)
    values (asking, moment, (request ->> 'lease_ms')::bigint, renew_only, announced)
    on conflict (node_id) do update
      set seen_at = excluded.seen_at, lease_ms = excluded.lease_ms, is_leaving = excluded.is_leaving,
        machines = excluded.machines;

  update duologue.partitions as stored set needs = claimed.needs
  from jsonb_to_recordset(request -> 'held') as claimed(partition integer, epoch bigint, needs jsonb)
  where stored.partition = claimed.partition and stored.epoch = claimed.epoch and stored.owner = asking
    and jsonb_typeof(claimed.needs) = 'object' and stored.needs is distinct from claimed.needs;
  bound := duologue.bound_partitions(asking, announced, moment);
  misfits := duologue.foreign_partitions(asking, announced, moment);

  select coalesce(array_agg(stored.partition order by stored.partition <> all(bound), stored.partition), '{}') into held
  from jsonb_to_recordset(request -> 'held') as claimed(partition integer, epoch bigint)
  join duologue.partitions as stored
    on stored.partition = claimed.partition and stored.epoch = claimed.epoch and stored.owner = asking;
  update duologue.partitions set owner = null, lease_until = null
  where partition = any(held) and partition = any(misfits);
  held := array(select one from unnest(held) with ordinality as each(one, place) where one <> all(misfits) order by place);

  -- A node that leaves keeps what it has until it releases it; what only it can run is never too much.
  share := case
    when renew_only then cardinality(held)
    else greatest(
      (select count(*) from unnest(held) as one where one = any(bound)), (
        select ceil((select count(*) from duologue.partitions)::numeric / greatest(count(*), 1))
        from duologue.nodes
        where not is_leaving and seen_at > moment - make_interval(secs => lease_ms / 1000.0)))
  end;
  if cardinality(held) > share then
    update duologue.partitions set owner = null, lease_until = null
    where partition = any(held[share + 1:]);
    held := held[:share];
  end if;
  update duologue.partitions set lease_until = moment + lease where partition = any(held);

  -- What this node owns without knowing it (an answer was lost) is taken anew, like a free one.
  if not renew_only then
    room := greatest(share - cardinality(held), (
      select count(*) from duologue.partitions
      where partition = any(bound) and partition <> all(held)
        and (take_all or owner is null or owner = asking or lease_until < moment)));
    with free as (
      select partition from duologue.partitions
      where partition <> all(held) and partition <> all(misfits)
        and (take_all or owner is null or owner = asking or lease_until < moment)
      order by partition <> all(bound), partition
      limit room
      for no key update skip locked
    ), taken as (
      update duologue.partitions as stored
      set owner = asking, epoch = stored.epoch + 1, lease_until = moment + lease,
        last_commit_id = null, last_commit_outcome = null
      from free where free.partition = stored.partition
      returning stored.partition
    )
    select held || coalesce(array_agg(partition), '{}') into held from taken;
  end if;

  return jsonb_build_object('machines', common, 'partitions', coalesce((
    select jsonb_agg(jsonb_build_object('partition', partition, 'epoch', epoch,
      'cursor_incarnation', cursor_incarnation, 'cursor_sequence', cursor_sequence) order by partition)
    from duologue.partitions where partition = any(held)), '[]'));
end
$$;

-- What is stored, by what a machine must be able to go on with: one row for each machine, version and state value, the
-- most frequent first, with the snapshot of the newest conversation that stands there.
-- -> {items: [{machine, machineVersion, value, count, open, snapshot}], isWhole}
create function public.distinct_states(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  states_max constant integer := 1000;
  answer jsonb;
begin
  with states as (
    select machine, machine_version, snapshot -> 'value' as value, count(*) as count,
      count(*) filter (where closed_at is null) as open, max(id::text)::uuid as newest
    from duologue.conversations
    group by machine, machine_version, snapshot -> 'value'
    order by count(*) desc
    limit states_max + 1
  )
  select jsonb_build_object('isWhole', count(*) <= states_max, 'items', coalesce(jsonb_agg(jsonb_build_object(
    'machine', states.machine, 'machineVersion', states.machine_version, 'value', states.value,
    'count', states.count, 'open', states.open, 'snapshot', newest.snapshot)
    order by states.count desc, states.machine, states.machine_version, states.value), '[]'))
  into answer
  from states
  cross join lateral (select snapshot from duologue.conversations where id = states.newest offset 0) as newest;
  return answer;
end
$$;

-- ── Quarantine ───────────────────────────────────────────────────────────────────────────────────

alter table duologue.quarantine
  add column attempts integer not null default 0 check (attempts >= 0),
  drop constraint quarantine_kind_check,
  add constraint quarantine_kind_check check (kind in ('poison', 'waiting', 'foreign', 'applied', 'skipped'));
-- Whoever releases an event may find a session without a conversation: its very first event waits.
alter table duologue.commands alter column conversation_id drop not null;
create index quarantine_waiting on duologue.quarantine (session_id, at, position_sequence)
  where kind in ('poison', 'waiting');

-- A commit names a waiting event by its position: written again it is the same row, with what has become of it. What
-- failed does not become waiting by coming once more. A row that waits no more stays as it is.
create function duologue.settle_quarantine() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  update duologue.quarantine
  set kind = case when new.kind = 'waiting' then kind else new.kind end, error = coalesce(new.error, error),
    attempts = attempts + case when new.kind = 'waiting' then 0 else 1 end
  where partition = new.partition and position_incarnation = new.position_incarnation
    and position_sequence = new.position_sequence
    and session_id = new.session_id and kind in ('poison', 'waiting');
  if found or new.kind in ('applied', 'skipped') then
    return null;
  end if;
  return new;
end
$$;
create trigger quarantine_settled before insert on duologue.quarantine
  for each row execute function duologue.settle_quarantine();
create trigger quarantine_stays before update on duologue.quarantine for each row
  when (old.kind in ('applied', 'skipped') and new.kind <> old.kind)
  execute function duologue.refuse('what was released waits no more');

-- The first events that wait, as many as one commit may apply: 200, or half a megabyte.
create function duologue.parked_queue(session uuid) returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object(
    'count', (
      select count(*) from duologue.quarantine
      where session_id = session and kind in ('poison', 'waiting')),
    'events', coalesce(jsonb_agg(jsonb_build_object('id', first.id, 'position_incarnation', first.position_incarnation,
      'position_sequence', first.position_sequence, 'kind', first.kind, 'subject', first.subject,
      'data_base64', first.data_base64, 'error', first.error, 'at', first.at)
      order by first.at, first.position_sequence, first.id), '[]'))
  from (
    select *, sum(octet_length(data_base64)) over (order by at, position_sequence, id)
      - octet_length(data_base64) as bytes_before
    from (
      select * from duologue.quarantine
      where session_id = session and kind in ('poison', 'waiting')
      order by at, position_sequence, id
      limit 200) as oldest
  ) as first
  where first.bytes_before < 512 * 1024
$$;

create or replace function duologue.session_row(session duologue.sessions) returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object('session_key', session.session_key, 'id', session.id, 'tenant_id', session.tenant_id,
    'channel_id', session.channel_id, 'business_address', session.business_address, 'user_key', session.user_key,
    'position_incarnation', session.position_incarnation, 'position_sequence', session.position_sequence,
    'reply_address', session.reply_address, 'last_inbound_at', session.last_inbound_at, 'speaker', session.speaker,
    'speaker_token', session.speaker_token, 'opted_out', session.opted_out,
    'clock_offset_ms', session.clock_offset_ms, 'quarantined_at', session.quarantined_at,
    'parked', case when session.quarantined_at is not null then duologue.parked_queue(session.id) end)
$$;

create index sessions_quarantined on duologue.sessions (partition, id) where quarantined_at is not null;

-- As before, and with the sessions whose release has stopped halfway: their first waiting event is no poison.
create or replace function duologue.unsettled_effects(asked integer, after jsonb, room integer) returns jsonb
language plpgsql volatile set search_path = ''
as $$
begin
  return (
    select coalesce(jsonb_agg(jsonb_build_object('session_key', session.session_key, 'partition', asked,
      'wake_at', page.wake_at, 'id', page.id) order by page.id), '[]')
    from (
      select work.id, min(work.wake_at) as wake_at
      from (
        -- Each part is a page of its own, so that a page costs what it holds.
        (select session_id as id,
          min(coalesce(case when status = 'running' then deadline else next_attempt_at end, created_at)) as wake_at
        from duologue.effects
        where partition = asked and status in ('pending', 'running', 'uncertain')
          and (after is null or session_id > (after ->> 'id')::uuid)
        group by session_id
        order by session_id
        limit room)
        union all
        (select quarantined.id, quarantined.quarantined_at
        from duologue.sessions as quarantined
        cross join lateral (
          select kind from duologue.quarantine
          where session_id = quarantined.id and kind in ('poison', 'waiting')
          order by at, position_sequence, id limit 1) as first
        where quarantined.partition = asked and quarantined.quarantined_at is not null and first.kind = 'waiting'
          and (after is null or quarantined.id > (after ->> 'id')::uuid)
        order by quarantined.id
        limit room)
      ) as work
      group by work.id
      order by work.id
      limit room
    ) as page
    cross join lateral (select session_key from duologue.sessions where id = page.id offset 0) as session);
end
$$;

create function duologue.quarantine_item(parked duologue.quarantine) returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object('id', parked.id, 'partition', parked.partition, 'sessionId', parked.session_id,
    'incarnation', parked.position_incarnation, 'sequence', parked.position_sequence, 'kind', parked.kind,
    'subject', parked.subject, 'dataBase64', parked.data_base64, 'error', parked.error,
    'attempts', parked.attempts, 'at', parked.at)
$$;

-- request: {after: {at, sequence, id}, limit, tenant_id}: what waits, oldest first.
create or replace function public.quarantine_list(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  after jsonb;
  page_limit integer;
  answer jsonb;
begin
  request := duologue.as_object(request);
  after := nullif(request -> 'after', 'null');
  page_limit := duologue.page_limit(request);
  select jsonb_build_object(
    'items', coalesce(jsonb_agg(page.item order by page.at, page.sequence, page.id), '[]'),
    'next', case when count(*) = page_limit then (array_agg(jsonb_build_object('at', page.at,
      'sequence', page.sequence, 'id', page.id) order by page.at desc, page.sequence desc, page.id desc))[1] end)
  into answer
  from (
    select duologue.quarantine_item(parked) as item, parked.at, parked.position_sequence as sequence, parked.id
    from duologue.quarantine as parked
    left join duologue.sessions as session on session.id = parked.session_id
    where parked.kind in ('poison', 'waiting', 'foreign')
      and (after is null or (parked.at, parked.position_sequence, parked.id)
        > ((after ->> 'at')::timestamptz, (after ->> 'sequence')::bigint, (after ->> 'id')::uuid))
      and (request ->> 'tenant_id' is null or session.tenant_id = (request ->> 'tenant_id')::uuid)
    order by parked.at, parked.position_sequence, parked.id
    limit page_limit
  ) as page;
  return answer;
end
$$;

-- request: {id, tenant_id} -> {item: {..., businessAddress, userKey, firstId} | null}: an event of any kind; `firstId`
-- is the first of its session that waits, the only one that can be released.
create function public.quarantine_get(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
begin
  request := duologue.as_object(request);
  return jsonb_build_object('item', (
    select duologue.quarantine_item(parked) || jsonb_build_object('businessAddress', session.business_address,
      'userKey', session.user_key, 'firstId', (
        select id from duologue.quarantine as waiting
        where waiting.session_id = session.id and waiting.kind in ('poison', 'waiting')
        order by waiting.at, waiting.position_sequence, waiting.id limit 1))
    from duologue.quarantine as parked
    left join duologue.sessions as session on session.id = parked.session_id
    where parked.id = (request ->> 'id')::uuid
      and (request ->> 'tenant_id' is null or session.tenant_id = (request ->> 'tenant_id')::uuid)));
end
$$;

-- A foreign event has no session whose log could tell it: a person looks at it and puts it aside.
-- request: {id} -> {dismissed: boolean}
create function public.dismiss_foreign(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
begin
  request := duologue.as_object(request);
  update duologue.quarantine set kind = 'skipped'
  where id = (request ->> 'id')::uuid and kind = 'foreign' and session_id is null;
  return jsonb_build_object('dismissed', found);
end
$$;

select duologue.expose('public.schema_version(jsonb)');
select duologue.expose('public.claim_partitions(jsonb)');
select duologue.expose('public.distinct_states(jsonb)');
select duologue.expose('public.quarantine_list(jsonb)');
select duologue.expose('public.quarantine_get(jsonb)');
select duologue.expose('public.dismiss_foreign(jsonb)');

do $$
declare
  inner_function regprocedure;
begin
  for inner_function in
    select oid::regprocedure from pg_proc where pronamespace = 'duologue'::regnamespace
  loop
    execute format('revoke all on function %s from public, anon, authenticated, service_role', inner_function);
  end loop;
end
$$;
