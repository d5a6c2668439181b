-- What happens while the log is away, and after: the spool that takes the webhooks' events meanwhile, and what is known
-- of the log itself, so that every node agrees whether it is still the same one.
--
-- The spool has three phases. `direct`: events go to the log. `spooling`: every node's events go here, whoever noticed
-- that the log is down, and one node at a time drains them in order. `closing`: the last page is being drained and
-- nothing is taken in, so that the spool really becomes empty; the nodes hold their events for that moment.
-- Every function that changes the phase, adds or takes holds the lock of the one row of `spool_state`: the order of
-- the ids is the order in which the rows became visible, and nothing is added between "it is empty" and `direct`.

create or replace function public.schema_version(request jsonb default '{}') returns jsonb
language sql stable set search_path = ''
as $$ select jsonb_build_object('version', '20261125000400', 'format', 1) $$;

-- The publication id holds kind, channel, provider id and (for a delivery) the status.
create table duologue.spool (
  id bigint primary key generated always as identity,
  publication_id text not null unique check (octet_length(publication_id) between 1 and 1024),
  event jsonb not null check (jsonb_typeof(event) = 'object'),
  session_key text not null
    generated always as (duologue.session_key(event ->> 'businessAddress', event ->> 'userKey')) stored,
  spooled_at timestamptz not null default clock_timestamp()
);

-- `era`: how often the spooling began.
create table duologue.spool_state (
  only_row boolean primary key default true check (only_row),
  era bigint not null default 0,
  phase text not null default 'direct' check (phase in ('direct', 'spooling', 'closing')),
  closing_until timestamptz,
  log_down_at timestamptz,
  drainer text,
  drainer_until timestamptz
) with (fillfactor = 20);

-- `accounted_through`: what is missing before this sequence was purged by the janitor, or was noticed already.
create table duologue.log_state (
  only_row boolean primary key default true check (only_row),
  created text,
  generation integer not null default 1,
  incarnation text,
  seen_sequence bigint not null default 0,
  accounted_through bigint not null default 0,
  incidents bigint not null default 0,
  reconcile_since timestamptz,
  reconciler text,
  reconciler_until timestamptz,
  janitor text,
  janitor_until timestamptz
) with (fillfactor = 20);

do $$
declare
  name text;
begin
  foreach name in array array['spool', 'spool_state', 'log_state']
  loop
    execute format('alter table duologue.%I enable row level security', name);
    execute format('alter table duologue.%I force row level security', name);
    execute format('create policy owner on duologue.%I to current_user using (true) with check (true)', name);
    execute format('revoke all on duologue.%I from public, anon, authenticated, service_role', name);
  end loop;
end
$$;
revoke all on sequence duologue.spool_id_seq from public, anon, authenticated, service_role;

create function duologue.lock_spool() returns duologue.spool_state
language plpgsql volatile set search_path = ''
as $$
declare
  state duologue.spool_state;
begin
  insert into duologue.spool_state default values on conflict (only_row) do nothing;
  select * into state from duologue.spool_state for no key update;
  -- A drainer that ended while it was closing must not keep the webhooks waiting.
  if state.phase = 'closing' and state.closing_until < clock_timestamp() then
    update duologue.spool_state set phase = 'spooling', closing_until = null returning * into state;
  end if;
  return state;
end
$$;

-- request: {is_log_down} -> {phase, era, size}. A node that cannot reach the log says so with every question: while one
-- cannot, the spool is not closed.
create function public.watch_spool(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  state duologue.spool_state;
begin
  request := duologue.as_object(request);
  select * into state from duologue.spool_state;
  if coalesce((request ->> 'is_log_down')::boolean, false)
    or (state.phase = 'closing' and state.closing_until < clock_timestamp()) then
    state := duologue.lock_spool();
  end if;
  if coalesce((request ->> 'is_log_down')::boolean, false) and state.phase <> 'direct' then
    update duologue.spool_state set log_down_at = clock_timestamp();
  end if;
  return jsonb_build_object('phase', coalesce(state.phase, 'direct'), 'era', coalesce(state.era, 0), 'size',
    case when coalesce(state.phase, 'direct') = 'direct' then 0 else (select count(*) from duologue.spool) end);
end
$$;

-- Takes events in, in the order of the list. One that is there already stays where it is.
-- request: {is_log_down, events: [{publication_id, event}]}
-- -> {era, outcome: 'spooled' | 'hold' (the spool is being closed) | 'publish' (there is no spooling any more)}
create function public.spool_events(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  state duologue.spool_state;
  is_log_down boolean;
begin
  request := duologue.as_object(request);
  is_log_down := coalesce((request ->> 'is_log_down')::boolean, false);
  state := duologue.lock_spool();
  if state.phase = 'closing' then
    return jsonb_build_object('outcome', 'hold', 'era', state.era);
  end if;
  if state.phase = 'direct' and not is_log_down then
    return jsonb_build_object('outcome', 'publish', 'era', state.era);
  end if;
  update duologue.spool_state
  set phase = 'spooling', era = era + (phase = 'direct')::integer,
    log_down_at = case when is_log_down then clock_timestamp() else log_down_at end
  returning * into state;
  insert into duologue.spool (publication_id, event)
    select asked.item ->> 'publication_id', asked.item -> 'event'
    from jsonb_array_elements(request -> 'events') with ordinality as asked(item, place)
    order by asked.place
    on conflict (publication_id) do nothing;
  return jsonb_build_object('outcome', 'spooled', 'era', state.era);
end
$$;

-- The drainer's one call: what it published leaves, its lease is renewed, and it gets the next page, oldest first, of at
-- most `limit` events and about `bytes` bytes. The page that is all there is closes the spool, if no node has said for
-- `quiet_ms` that the log is down; an empty closed spool ends the spooling. `give_up`: the log failed; another may try.
-- request: {node_id, lease_ms, limit, bytes, quiet_ms, closing_ms, published: [id], give_up}
-- -> {phase, era, is_mine, size, events: [{id, session_key, event}]}
create function public.drain_spool(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  state duologue.spool_state;
  moment timestamptz;
  page jsonb;
  size bigint;
  taken bigint;
begin
  request := duologue.as_object(request);
  state := duologue.lock_spool();
  moment := clock_timestamp();
  -- What is in the log may leave, whoever put it there.
  delete from duologue.spool
  where id in (select value::bigint from jsonb_array_elements_text(request -> 'published'));
  select count(*) into size from duologue.spool;
  if state.phase = 'direct' or (state.drainer <> request ->> 'node_id' and state.drainer_until > moment) then
    return jsonb_build_object('phase', state.phase, 'era', state.era, 'is_mine', false, 'size', size, 'events', '[]'::jsonb);
  end if;
  if coalesce((request ->> 'give_up')::boolean, false) then
    update duologue.spool_state
    set phase = 'spooling', closing_until = null, log_down_at = moment, drainer = null, drainer_until = null;
    return jsonb_build_object('phase', 'spooling', 'era', state.era, 'is_mine', false, 'size', size, 'events', '[]'::jsonb);
  end if;
  if size = 0 and (state.phase = 'closing' or state.log_down_at is null
    or state.log_down_at < moment - make_interval(secs => (request ->> 'quiet_ms')::double precision / 1000)) then
    update duologue.spool_state
    set phase = 'direct', closing_until = null, log_down_at = null, drainer = null, drainer_until = null;
    return jsonb_build_object('phase', 'direct', 'era', state.era, 'is_mine', true, 'size', 0,
      'events', '[]'::jsonb);
  end if;
  select coalesce(jsonb_agg(jsonb_build_object('id', sized.id, 'session_key', sized.session_key, 'event', sized.event)
    order by sized.id), '[]'), count(*)
  into page, taken
  from (
    select oldest.*, sum(octet_length(oldest.event::text)) over (order by oldest.id) - octet_length(oldest.event::text)
      as bytes_before
    from (select * from duologue.spool order by id limit (request ->> 'limit')::integer) as oldest
  ) as sized
  where sized.bytes_before < (request ->> 'bytes')::bigint;
  if taken = size and (state.phase = 'closing' or state.log_down_at is null
    or state.log_down_at < moment - make_interval(secs => (request ->> 'quiet_ms')::double precision / 1000)) then
    state.phase := 'closing';
    state.closing_until := moment + make_interval(secs => (request ->> 'closing_ms')::double precision / 1000);
  end if;
  update duologue.spool_state
  set phase = state.phase, closing_until = state.closing_until, drainer = request ->> 'node_id',
    drainer_until = moment + make_interval(secs => (request ->> 'lease_ms')::double precision / 1000);
  return jsonb_build_object('phase', state.phase, 'era', state.era, 'is_mine', true, 'size', size, 'events', page);
end
$$;

-- -> {phase, size, oldest_at, drainer}
create function public.spool_status(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
begin
  return (
    select jsonb_build_object('phase', coalesce(state.phase, 'direct'), 'size', spooled.size,
      'oldest_at', spooled.oldest_at,
      'drainer', case when state.drainer_until > clock_timestamp() then state.drainer end)
    from (select count(*) as size, min(spooled_at) as oldest_at from duologue.spool) as spooled
    left join duologue.spool_state as state on true);
end
$$;

create function duologue.lock_log() returns duologue.log_state
language plpgsql volatile set search_path = ''
as $$
declare
  state duologue.log_state;
begin
  insert into duologue.log_state default values on conflict (only_row) do nothing;
  select * into state from duologue.log_state for no key update;
  return state;
end
$$;

-- The highest sequence that this log certainly had: seen by a node, or committed as a cursor.
-- -> {generation, high}. Asked before the log is, so that the log cannot honestly be below it.
create function public.recall_log(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
begin
  return (
    select jsonb_build_object('generation', coalesce(max(state.generation), 1),
      'high', greatest(coalesce(max(state.seen_sequence), 0), coalesce(max(partition.cursor_sequence), 0)))
    from duologue.log_state as state
    left join duologue.partitions as partition on partition.cursor_incarnation = state.incarnation);
end
$$;

-- What a node found the log to be, compared with what it was. A log of another creation time, and one that is shorter
-- than it was, get a new name, under which it is read from its first event. A first sequence behind which a cursor
-- stands is a gap, unless the janitor purged up to there. Each is an incident: reconciliation with the provider is due.
-- request: {created, first_sequence, last_sequence, generation, high, since}: generation and high as recalled before,
-- since: how far back an incident makes the reconciliation look
-- -> {incarnation, incidents, accounted_through, incident: 'recreated' | 'shortened' | 'gap' | null, is_reconciled}
create function public.observe_log(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  state duologue.log_state;
  before_first bigint;
  last bigint;
  found_incident text;
begin
  request := duologue.as_object(request);
  before_first := greatest((request ->> 'first_sequence')::bigint - 1, 0);
  last := (request ->> 'last_sequence')::bigint;
  state := duologue.lock_log();
  if state.created is null then
    state.created := request ->> 'created';
    state.incarnation := state.created;
    state.accounted_through := before_first;
    if exists (select from duologue.partitions
      where cursor_sequence > 0 and cursor_incarnation <> state.created) then
      found_incident := 'recreated';
    elsif exists (select from duologue.partitions
      where cursor_incarnation = state.created and cursor_sequence > last) then
      found_incident := 'shortened';
    elsif exists (select from duologue.partitions
      where cursor_incarnation = state.created and cursor_sequence < before_first) then
      found_incident := 'gap';
    end if;
  elsif (request ->> 'generation')::integer <> state.generation then
    -- Another node has noticed meanwhile; what was recalled is of the log before.
    null;
  elsif state.created <> request ->> 'created' then
    found_incident := 'recreated';
  elsif last < (request ->> 'high')::bigint then
    found_incident := 'shortened';
  elsif before_first > state.accounted_through and exists (
    select from duologue.partitions
    where case when cursor_incarnation = state.incarnation then cursor_sequence else 0 end < before_first) then
    found_incident := 'gap';
  end if;

  if found_incident in ('recreated', 'shortened') then
    state.generation := state.generation + 1;
    state.created := request ->> 'created';
    -- Never a name of before, even if an old log came back: its positions are taken.
    state.incarnation := state.created || '#' || state.generation;
    state.seen_sequence := 0;
  end if;
  if found_incident is not null then
    state.incidents := state.incidents + 1;
    state.reconcile_since := least(state.reconcile_since, (request ->> 'since')::timestamptz);
    state.accounted_through := before_first;
  end if;
  if (request ->> 'generation')::integer = state.generation or found_incident is not null then
    state.seen_sequence := greatest(state.seen_sequence, last);
    state.accounted_through := greatest(state.accounted_through, before_first);
  end if;
  update duologue.log_state
  set created = state.created, generation = state.generation, incarnation = state.incarnation,
    seen_sequence = state.seen_sequence, accounted_through = state.accounted_through, incidents = state.incidents,
    reconcile_since = state.reconcile_since
  where (created, generation, seen_sequence, accounted_through, incidents) is distinct from
    (state.created, state.generation, state.seen_sequence, state.accounted_through, state.incidents);
  return jsonb_build_object('incarnation', state.incarnation, 'incidents', state.incidents,
    'incident', found_incident, 'is_reconciled', state.reconcile_since is null);
end
$$;

-- request: {node_id, lease_ms} -> {since: null when nothing is due, incidents, is_mine}
create function public.claim_reconciliation(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  state duologue.log_state;
  is_mine boolean;
begin
  request := duologue.as_object(request);
  select * into state from duologue.log_state;
  if not found or state.reconcile_since is null then
    return jsonb_build_object('since', null, 'incidents', coalesce(state.incidents, 0), 'is_mine', false);
  end if;
  state := duologue.lock_log();
  is_mine := state.reconciler = request ->> 'node_id' or coalesce(state.reconciler_until < clock_timestamp(), true);
  if is_mine then
    update duologue.log_state
    set reconciler = request ->> 'node_id',
      reconciler_until = clock_timestamp() + make_interval(secs => (request ->> 'lease_ms')::double precision / 1000);
  end if;
  return jsonb_build_object('since', state.reconcile_since, 'incidents', state.incidents, 'is_mine', is_mine);
end
$$;

-- request: {node_id, incidents}: as claimed; with an incident since then it is due again. -> {is_done}
create function public.finish_reconciliation(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  is_done boolean;
begin
  request := duologue.as_object(request);
  update duologue.log_state
  set reconcile_since = case when incidents = (request ->> 'incidents')::bigint then null else reconcile_since end,
    reconciler = null, reconciler_until = null
  where reconciler = request ->> 'node_id'
  returning reconcile_since is null into is_done;
  return jsonb_build_object('is_done', coalesce(is_done, false));
end
$$;

-- request: {node_id, lease_ms} -> {is_mine, incarnation, cursors: [{partition, incarnation, sequence}]}
create function public.plan_purge(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  state duologue.log_state;
  is_mine boolean;
begin
  request := duologue.as_object(request);
  state := duologue.lock_log();
  is_mine := state.reconcile_since is null
    and (state.janitor = request ->> 'node_id' or coalesce(state.janitor_until < clock_timestamp(), true));
  if is_mine then
    update duologue.log_state
    set janitor = request ->> 'node_id',
      janitor_until = clock_timestamp() + make_interval(secs => (request ->> 'lease_ms')::double precision / 1000);
  end if;
  return jsonb_build_object('is_mine', is_mine, 'incarnation', state.incarnation, 'cursors', (
    select coalesce(jsonb_agg(jsonb_build_object('partition', partition, 'incarnation', cursor_incarnation,
      'sequence', cursor_sequence) order by partition), '[]')
    from duologue.partitions));
end
$$;

-- Said before it is done: what is missing then is no gap. request: {node_id, incarnation, through} -> {is_recorded}
create function public.record_purge(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
begin
  request := duologue.as_object(request);
  update duologue.log_state
  set accounted_through = greatest(accounted_through, (request ->> 'through')::bigint)
  where janitor = request ->> 'node_id' and janitor_until > clock_timestamp()
    and incarnation = request ->> 'incarnation' and reconcile_since is null;
  return jsonb_build_object('is_recorded', found);
end
$$;

select duologue.expose('public.schema_version(jsonb)');
select duologue.expose('public.watch_spool(jsonb)');
select duologue.expose('public.spool_events(jsonb)');
select duologue.expose('public.drain_spool(jsonb)');
select duologue.expose('public.spool_status(jsonb)');
select duologue.expose('public.recall_log(jsonb)');
select duologue.expose('public.observe_log(jsonb)');
select duologue.expose('public.claim_reconciliation(jsonb)');
select duologue.expose('public.finish_reconciliation(jsonb)');
select duologue.expose('public.plan_purge(jsonb)');
select duologue.expose('public.record_purge(jsonb)');

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
revoke all on schema duologue from public, anon, authenticated, service_role;
