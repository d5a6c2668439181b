-- Who stands where, counted as it changes: what the live charts, the check before a deploy and the stuck view read.
--
-- 1. A conversation's `shape` is everything that a machine must be able to go on with: machine, version, state value, the
--    timers that are armed, the effects that run, what history states remember. There are few shapes, however many
--    conversations there are.
-- 2. `shape_counts` is exact in every snapshot: the statement that writes conversations writes it too. Its rows are a
--    partition's own, and whoever writes a partition's conversations holds its lock, so nobody waits for it.
-- 3. `state_since` is when the state value last changed, or one of its timers was armed anew (the state was entered again).
-- 4. `move_counts` says how often which events led from which value to which, by the minute; later by the hour.

create or replace function public.schema_version(request jsonb default '{}') returns jsonb
language sql stable set search_path = ''
as $$ select jsonb_build_object('version', '20261125001300', 'format', 1) $$;

create table duologue.shapes (
  shape uuid primary key,
  machine text not null,
  machine_version text not null,
  value jsonb not null,
  timers jsonb not null,
  children jsonb not null,
  history jsonb not null
);
create table duologue.shape_counts (
  partition integer not null,
  shape uuid not null,
  count bigint not null,
  open bigint not null,
  primary key (partition, shape)
) with (fillfactor = 40);
-- `events`: types in the order of the steps that one commit folded; null when there were too many to tell.
create table duologue.moves (
  move uuid primary key,
  machine text not null,
  machine_version text not null,
  from_version text,
  from_value jsonb,
  events text[],
  to_value jsonb not null
);
create table duologue.move_counts (
  partition integer not null,
  since timestamptz not null,
  move uuid not null,
  count bigint not null,
  is_hour boolean not null default false,
  primary key (partition, since, move, is_hour)
) with (fillfactor = 60);
create index move_counts_by_time on duologue.move_counts (since);

do $$
declare
  name text;
begin
  foreach name in array array['shapes', 'shape_counts', 'moves', 'move_counts']
  loop
    execute format('alter table duologue.%I enable row level security', name);
    execute format('alter table duologue.%I force row level security', name);
    execute format('create policy owner on duologue.%I to current_user using (true) with check (true)', name);
    execute format('revoke all on duologue.%I from public, anon, authenticated, service_role', name);
  end loop;
end
$$;

alter table duologue.conversations
  add column state_since timestamptz,
  add column shape uuid not null generated always as (md5(
    machine || chr(10) || machine_version
    || chr(10) || coalesce((snapshot -> 'value')::text, '')
    || chr(10) || coalesce(jsonb_path_query_array(timers, '$.keyvalue().key')::text, '')
    || chr(10) || coalesce(jsonb_path_query_array(snapshot -> 'children', '$.keyvalue().key')::text, '')
    || chr(10) || coalesce(jsonb_path_query_array(snapshot -> 'children', '$.*.src')::text, '')
    || chr(10) || coalesce((snapshot -> 'historyValue')::text, ''))::uuid) stored;

-- ── Writing ──────────────────────────────────────────────────────────────────────────────────────

create function duologue.note_state_since() returns trigger
language plpgsql set search_path = ''
as $$
begin
  if tg_op = 'INSERT' then
    new.state_since := new.updated_at;
  elsif old.snapshot -> 'value' is distinct from new.snapshot -> 'value' or exists (
    select from jsonb_each(new.timers) as now
    where old.timers ? now.key and old.timers -> now.key <> now.value)
  then
    new.state_since := new.updated_at;
  else
    new.state_since := old.state_since;
  end if;
  return new;
end
$$;
create trigger conversations_since_added before insert on duologue.conversations
  for each row execute function duologue.note_state_since();
create trigger conversations_since_changed before update on duologue.conversations
  for each row when (new.version > old.version) execute function duologue.note_state_since();

-- {id of the invoked actor: its source}
create function duologue.child_sources(snapshot jsonb) returns jsonb
language sql immutable parallel safe set search_path = ''
as $$
  select coalesce(jsonb_object_agg(child.key, child.value -> 'src'), '{}')
  from jsonb_each(case when jsonb_typeof(snapshot -> 'children') = 'object' then snapshot -> 'children' else '{}' end)
    as child
$$;

-- A shape that nobody stood in before. In one order, so that two writers of the same new shapes wait for each other once.
create function duologue.know_shapes(ids uuid[], conversations uuid[]) returns void
language sql volatile set search_path = ''
as $$
  insert into duologue.shapes (shape, machine, machine_version, value, timers, children, history)
  select distinct on (stored.shape) stored.shape, stored.machine, stored.machine_version,
    coalesce(stored.snapshot -> 'value', 'null'),
    jsonb_path_query_array(stored.timers, '$.keyvalue().key'),
    duologue.child_sources(stored.snapshot),
    coalesce(stored.snapshot -> 'historyValue', '{}')
  from duologue.conversations as stored
  where stored.id = any(conversations) and stored.shape = any(ids)
  order by stored.shape
  on conflict do nothing
$$;

create function duologue.count_shapes() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  unknown uuid[];
  standing uuid[];
begin
  if tg_op <> 'DELETE' then
    select array_agg(shape), array_agg(id) into unknown, standing
    from after
    where not exists (select from duologue.shapes where shapes.shape = after.shape);
    if unknown is not null then
      perform duologue.know_shapes(unknown, standing);
    end if;
  end if;
  if tg_op = 'INSERT' then
    insert into duologue.shape_counts as stored (partition, shape, count, open)
    select partition, shape, count(*), count(*) filter (where closed_at is null)
    from after group by partition, shape order by partition, shape
    on conflict (partition, shape) do update
      set count = stored.count + excluded.count, open = stored.open + excluded.open;
  elsif tg_op = 'UPDATE' then
    insert into duologue.shape_counts as stored (partition, shape, count, open)
    select partition, shape, sum(count), sum(open)
    from (
      select partition, shape, 1 as count, (closed_at is null)::integer as open from after
      union all
      select partition, shape, -1, -(closed_at is null)::integer from before) as change
    group by partition, shape having sum(count) <> 0 or sum(open) <> 0
    order by partition, shape
    on conflict (partition, shape) do update
      set count = stored.count + excluded.count, open = stored.open + excluded.open;
  else
    update duologue.shape_counts as stored set count = stored.count - gone.count, open = stored.open - gone.open
    from (
      select partition, shape, count(*) as count, count(*) filter (where closed_at is null) as open
      from before group by partition, shape) as gone
    where gone.partition = stored.partition and gone.shape = stored.shape;
  end if;
  return null;
end
$$;
create trigger conversations_counted_added after insert on duologue.conversations
  referencing new table as after for each statement execute function duologue.count_shapes();
create trigger conversations_counted_changed after update on duologue.conversations
  referencing old table as before new table as after for each statement execute function duologue.count_shapes();
create trigger conversations_counted_gone after delete on duologue.conversations
  referencing old table as before for each statement execute function duologue.count_shapes();

-- moves: [{partition, machine, machine_version, from_version, from_value, events, to_value, count}]
create function duologue.write_moves(moves jsonb) returns void
language plpgsql volatile set search_path = ''
as $$
declare
  minute constant timestamptz := date_trunc('minute', clock_timestamp());
begin
  with told as (
    select partition, machine, machine_version, from_version, from_value, events, to_value, count,
      md5(jsonb_build_array(machine, machine_version, from_version, from_value, events, to_value)::text)::uuid as move
    from jsonb_to_recordset(moves) as told(partition integer, machine text, machine_version text, from_version text,
      from_value jsonb, events text[], to_value jsonb, count bigint)
  ), known as (
    insert into duologue.moves (move, machine, machine_version, from_version, from_value, events, to_value)
    select distinct on (move) move, machine, machine_version, from_version, from_value, events, to_value
    from told
    where not exists (select from duologue.moves where moves.move = told.move)
    order by move
    on conflict do nothing
  )
  insert into duologue.move_counts as stored (partition, since, move, count)
  select partition, minute, move, sum(count) from told group by partition, move order by partition, move
  on conflict (partition, since, move, is_hour) do update set count = stored.count + excluded.count;
end
$$;

-- The types of the events of these versions, in their order; null when they are too many to tell.
create function duologue.event_types(conversation uuid, above bigint, upto bigint) returns text[]
language sql stable set search_path = ''
as $$
  select array_agg(event ->> 'type' order by version)
  from duologue.conversation_events
  where conversation_id = conversation and version > above and version <= upto and upto - above <= 12
$$;

create function duologue.count_openings() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform duologue.write_moves(jsonb_agg(opened))
  from (
    select partition, machine, machine_version, duologue.event_types(id, 0, version) as events,
      coalesce(snapshot -> 'value', 'null') as to_value, count(*) as count
    from after group by 1, 2, 3, 4, 5) as opened
  having count(*) > 0;
  return null;
end
$$;
create trigger conversations_moved_in after insert on duologue.conversations
  referencing new table as after for each statement execute function duologue.count_openings();

create function duologue.count_moves() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform duologue.write_moves(jsonb_agg(moved))
  from (
    select now.partition, now.machine, now.machine_version, was.machine_version as from_version,
      was.snapshot -> 'value' as from_value, duologue.event_types(now.id, was.version, now.version) as events,
      coalesce(now.snapshot -> 'value', 'null') as to_value, count(*) as count
    from after as now
    join before as was on was.id = now.id and now.version > was.version
    group by 1, 2, 3, 4, 5, 6, 7) as moved
  having count(*) > 0;
  return null;
end
$$;
create trigger conversations_moved after update on duologue.conversations
  referencing old table as before new table as after for each statement execute function duologue.count_moves();

-- ── What is stored already ───────────────────────────────────────────────────────────────────────

-- The guards compare rows with the journal, and this changes none of what they guard.
alter table duologue.conversations disable trigger user;
update duologue.conversations set state_since = updated_at;
alter table duologue.conversations enable trigger user;
alter table duologue.conversations alter column state_since set not null;
create index conversations_by_shape on duologue.conversations (shape, state_since, id) include (closed_at);

insert into duologue.shapes (shape, machine, machine_version, value, timers, children, history)
  select distinct on (stored.shape) stored.shape, stored.machine, stored.machine_version,
    coalesce(stored.snapshot -> 'value', 'null'), jsonb_path_query_array(stored.timers, '$.keyvalue().key'),
    duologue.child_sources(stored.snapshot), coalesce(stored.snapshot -> 'historyValue', '{}')
  from duologue.conversations as stored
  order by stored.shape;
insert into duologue.shape_counts (partition, shape, count, open)
  select partition, shape, count(*), count(*) filter (where closed_at is null)
  from duologue.conversations group by partition, shape;

-- ── Reading ──────────────────────────────────────────────────────────────────────────────────────
-- The inner functions are stable: all that one call reads, it reads at one moment, and `snapshotId` names that moment.
-- Nothing that is read here holds an address that is not masked, or a word that anybody wrote.

-- Whether a conversation of this value stands in the state of this path: `{PROGRESS,waiting}` from the root, whose own
-- path is empty.
create function duologue.stands_in(value jsonb, path text[]) returns boolean
language sql immutable parallel safe set search_path = ''
as $$
  select case
    when cardinality(path) = 0 then true
    when jsonb_typeof(place.it) = 'string' then place.it #>> '{}' = path[cardinality(path)]
    when jsonb_typeof(place.it) = 'object' then place.it ? path[cardinality(path)]
    else false
  end
  from (select case when cardinality(path) > 1 then value #> path[:cardinality(path) - 1] else value end as it) as place
$$;

create function duologue.mask_address(address text) returns text
language sql immutable parallel safe set search_path = ''
as $$
  select coalesce(substring(address from '^[a-z]+:'), '') || '…' || right(address, least(2, length(address) / 4))
$$;

-- asked: {machine, machineVersion, path}; the shapes of it, each with its counts.
create function duologue.shapes_in(asked jsonb) returns table (
  shape uuid, machine_version text, value jsonb, timers jsonb, children jsonb, history jsonb, count bigint, open bigint)
language sql stable set search_path = ''
as $$
  select known.shape, known.machine_version, known.value, known.timers, known.children, known.history,
    counted.count, counted.open
  from duologue.shapes as known
  join (
    select shape, sum(count)::bigint as count, sum(open)::bigint as open
    from duologue.shape_counts group by shape having sum(count) > 0) as counted on counted.shape = known.shape
  where known.machine = asked ->> 'machine'
    and (asked ->> 'machineVersion' is null or known.machine_version = asked ->> 'machineVersion')
    and (jsonb_typeof(asked -> 'path') is distinct from 'array'
      or duologue.stands_in(known.value, array(select jsonb_array_elements_text(asked -> 'path'))))
$$;

-- asked: {machine, machineVersion, path, olderThanMs, openOnly, after: {since, id}, limit} -> {total, items, next}: who
-- has stood there longest comes first.
create function duologue.standing_list(asked jsonb) returns jsonb
language plpgsql stable set search_path = ''
as $$
declare
  after jsonb := nullif(asked -> 'after', 'null');
  page_limit integer := duologue.page_limit(asked);
  open_only boolean := coalesce((asked ->> 'openOnly')::boolean, false);
  until timestamptz := now() - make_interval(secs => (asked ->> 'olderThanMs')::double precision / 1000);
  standing uuid[];
  total bigint;
  answer jsonb;
begin
  select array_agg(shape), coalesce(sum(case when open_only then open else count end), 0)
  into standing, total
  from duologue.shapes_in(asked);
  if until is not null then
    select coalesce(sum(older.count), 0) into total
    from unnest(standing) as one(shape)
    cross join lateral (
      select count(*) as count from duologue.conversations
      where conversations.shape = one.shape and state_since < until and (not open_only or closed_at is null)) as older;
  end if;
  select jsonb_build_object('total', total,
    'items', coalesce(jsonb_agg(jsonb_build_object('id', page.id, 'machine', page.machine,
      'machineVersion', page.machine_version, 'status', page.status, 'value', page.snapshot -> 'value',
      'version', page.version, 'address', duologue.mask_address(session.user_key), 'since', page.state_since,
      'ageMs', floor(extract(epoch from now() - page.state_since) * 1000) + session.clock_offset_ms,
      'openedAt', page.opened_at, 'nextTimerAt', page.next_timer_at) order by page.state_since, page.id), '[]'),
    'next', case when count(*) = page_limit then (array_agg(jsonb_build_object('since', page.state_since, 'id', page.id)
      order by page.state_since desc, page.id desc))[1] end)
  into answer
  from (
    select row.*
    from unnest(standing) as one(shape)
    cross join lateral (
      select conversation.* from duologue.conversations as conversation
      where conversation.shape = one.shape and (not open_only or conversation.closed_at is null)
        and (until is null or conversation.state_since < until)
        and (after is null or (conversation.state_since, conversation.id)
          > ((after ->> 'since')::timestamptz, (after ->> 'id')::uuid))
      order by conversation.state_since, conversation.id
      limit page_limit) as row
    order by row.state_since, row.id
    limit page_limit
  ) as page
  join duologue.sessions as session on session.id = page.session_id;
  return answer;
end
$$;

create function duologue.live_view(asked jsonb) returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object(
    'at', now(), 'snapshotId', pg_current_snapshot()::text,
    'states', coalesce((
      select jsonb_agg(jsonb_build_object('machineVersion', state.machine_version, 'value', state.value,
        'count', state.count, 'open', state.open, 'oldestAt', state.oldest) order by state.count desc, state.value)
      from (
        select machine_version, value, sum(count)::bigint as count, sum(open)::bigint as open,
          min(oldest.since) filter (where open > 0) as oldest
        from duologue.shapes_in(jsonb_build_object('machine', asked -> 'machine')) as known
        left join lateral (
          select state_since as since from duologue.conversations
          where conversations.shape = known.shape and closed_at is null and known.open > 0
          order by state_since limit 1) as oldest on true
        group by machine_version, value) as state), '[]'),
    'moves', case when asked ->> 'windowSeconds' is not null then coalesce((
      select jsonb_agg(jsonb_build_object('machineVersion', move.machine_version, 'fromVersion', move.from_version,
        'from', move.from_value, 'events', to_jsonb(move.events), 'to', move.to_value, 'count', counted.count)
        order by counted.count desc, move.move)
      from (
        select move, sum(count)::bigint as count from duologue.move_counts
        where since >= now() - make_interval(secs => (asked ->> 'windowSeconds')::double precision)
        group by move) as counted
      join duologue.moves as move on move.move = counted.move and move.machine = asked ->> 'machine'), '[]') end,
    'list', case when jsonb_typeof(asked -> 'list') = 'object' then
      duologue.standing_list(asked -> 'list' || jsonb_build_object('machine', asked -> 'machine')) end)
$$;

-- request: {machine, windowSeconds, list: {path, machineVersion, olderThanMs, openOnly, after, limit}}
-- -> {at, snapshotId, states: [{machineVersion, value, count, open, oldestAt}], moves, list}
create function public.live_view(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
begin
  return duologue.live_view(duologue.as_object(request));
end
$$;

-- The moment before which the oldest share of the open conversations of these shapes came.
create function duologue.since_of_share(standing uuid[], share double precision, open bigint) returns timestamptz
language sql stable set search_path = ''
as $$
  select row.state_since
  from unnest(standing) as one(shape)
  cross join lateral (
    select state_since from duologue.conversations
    where conversations.shape = one.shape and closed_at is null
    order by state_since limit ceil(open * share)::bigint) as row
  order by row.state_since
  offset greatest(ceil(open * share)::bigint - 1, 0) limit 1
$$;

create function duologue.stuck_view(asked jsonb) returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object('at', now(), 'snapshotId', pg_current_snapshot()::text,
    'states', coalesce(jsonb_agg(jsonb_build_object('id', state.it ->> 'id', 'open', coalesce(standing.open, 0),
      'oldestMs', floor(extract(epoch from now() - oldest.since) * 1000),
      'p95Ms', floor(extract(epoch from now() - p95.since) * 1000),
      'older', coalesce(older.count, 0)) order by state.place), '[]'))
  from jsonb_array_elements(asked -> 'states') with ordinality as state(it, place)
  cross join lateral (
    select array_agg(shape) as shapes, sum(open)::bigint as open
    from duologue.shapes_in(jsonb_build_object('machine', asked -> 'machine', 'path', state.it -> 'path',
      'machineVersion', asked -> 'machineVersion'))
    where open > 0) as standing
  cross join lateral (select duologue.since_of_share(standing.shapes, 0.05, standing.open) as since) as p95
  left join lateral (
    select min(first.since) as since
    from unnest(standing.shapes) as one(shape)
    cross join lateral (
      select state_since as since from duologue.conversations
      where conversations.shape = one.shape and closed_at is null order by state_since limit 1) as first) as oldest on true
  left join lateral (
    select count(*) as count
    from unnest(standing.shapes) as one(shape)
    join duologue.conversations on conversations.shape = one.shape and closed_at is null
      and state_since < now() - make_interval(secs => (state.it ->> 'limitMs')::double precision / 1000)
    where state.it ->> 'limitMs' is not null) as older on true
$$;

-- request: {machine, machineVersion, states: [{id, path, limitMs}]} -> {at, snapshotId, states: [{id, open, oldestMs,
-- p95Ms, older}]}: of the open conversations that stand in each.
create function public.stuck_view(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
begin
  return duologue.stuck_view(duologue.as_object(request));
end
$$;

create function duologue.in_flight(asked jsonb) returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object('at', now(), 'snapshotId', pg_current_snapshot()::text,
    'shapes', coalesce(jsonb_agg(jsonb_build_object('shape', known.shape, 'machineVersion', known.machine_version,
      'value', known.value, 'timers', known.timers, 'children', known.children, 'history', known.history,
      'count', known.count, 'open', known.open, 'oldestAt', oldest.since, 'samples', coalesce(sample.rows, '[]'))
      order by known.count desc, known.shape), '[]'))
  from duologue.shapes_in(jsonb_build_object('machine', asked -> 'machine')) as known
  left join lateral (
    select state_since as since from duologue.conversations
    where conversations.shape = known.shape and closed_at is null and known.open > 0
    order by state_since limit 1) as oldest on true
  left join lateral (
    select jsonb_agg(jsonb_build_object('snapshot', one.snapshot, 'timers', one.timers)) as rows
    from (
      select snapshot, timers from duologue.conversations
      where conversations.shape = known.shape
      order by state_since limit least(greatest((asked ->> 'samples')::integer, 0), 20)) as one) as sample on true
$$;

-- request: {machine, samples} -> {at, snapshotId, shapes: [{shape, machineVersion, value, timers, children, history, count,
-- open, oldestAt, samples: [{snapshot, timers}]}]}. Samples are for the service alone, and never leave it.
create function public.in_flight(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
begin
  return duologue.in_flight(duologue.as_object(request));
end
$$;

-- Conversations of an older version that a migration map wants to go on at once, when every live node knows the newer one.
-- request: {machine, from, to, paths: [[key]], after: {id}, limit} -> {isReady, items: [{id, businessAddress, userKey}], next}
create function public.list_to_wake(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  after uuid;
  page_limit integer;
  ready boolean;
  answer jsonb;
begin
  request := duologue.as_object(request);
  after := (request -> 'after' ->> 'id')::uuid;
  page_limit := duologue.page_limit(request);
  select coalesce(bool_and(machines -> (request ->> 'machine') ? (request ->> 'to')), false) into ready
  from duologue.nodes
  where seen_at > clock_timestamp() - make_interval(secs => lease_ms / 1000.0) and machines ? (request ->> 'machine');
  if not ready then
    return jsonb_build_object('isReady', false, 'items', '[]'::jsonb, 'next', null);
  end if;
  select jsonb_build_object('isReady', true,
    'items', coalesce(jsonb_agg(jsonb_build_object('id', page.id, 'businessAddress', page.business_address,
      'userKey', page.user_key) order by page.id), '[]'),
    'next', case when count(*) = page_limit then
      (array_agg(jsonb_build_object('id', page.id) order by page.id desc))[1] end)
  into answer
  from (
    select conversation.id, session.business_address, session.user_key
    from (
      select known.shape
      from duologue.shapes_in(jsonb_build_object('machine', request -> 'machine', 'machineVersion', request -> 'from'))
        as known
      where exists (
        select from jsonb_array_elements(request -> 'paths') as asked(path)
        where duologue.stands_in(known.value, array(select jsonb_array_elements_text(asked.path))))) as standing
    join duologue.conversations as conversation on conversation.shape = standing.shape
    join duologue.sessions as session on session.id = conversation.session_id
    where (after is null or conversation.id > after) and session.conversation_id = conversation.id
    order by conversation.id
    limit page_limit
  ) as page;
  return answer;
end
$$;

-- Minutes that are over become hours, and what is older than any window is dropped. Whoever comes second has nothing to do.
create function public.tidy_moves(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
begin
  if not pg_try_advisory_xact_lock(hashtext('duologue.tidy_moves')) then
    return jsonb_build_object('tidied', false);
  end if;
  with over as (
    delete from duologue.move_counts
    where not is_hour and since < date_trunc('hour', clock_timestamp()) - interval '1 hour'
    returning since, move, count
  )
  insert into duologue.move_counts as stored (partition, since, move, count, is_hour)
  select -1, date_trunc('hour', since), move, sum(count), true from over group by 2, 3 order by 2, 3
  on conflict (partition, since, move, is_hour) do update set count = stored.count + excluded.count;
  delete from duologue.move_counts where since < clock_timestamp() - interval '8 days';
  return jsonb_build_object('tidied', true);
end
$$;

select duologue.expose('public.schema_version(jsonb)');
select duologue.expose('public.live_view(jsonb)');
select duologue.expose('public.stuck_view(jsonb)');
select duologue.expose('public.in_flight(jsonb)');
select duologue.expose('public.list_to_wake(jsonb)');
select duologue.expose('public.tidy_moves(jsonb)');

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
