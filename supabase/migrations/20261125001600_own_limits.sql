-- Who stands too long is judged by each conversation's own timers: a tenant's settings may have armed them for another
-- time than the chart's default.

create or replace function public.schema_version(request jsonb default '{}') returns jsonb
language sql stable set search_path = ''
as $$ select jsonb_build_object('version', '20261125001600', 'format', 1) $$;

-- limits: [{id, shapes: [shape], timers: [timer id], limitMs}] -> the open conversations of these shapes that should have
-- been moved: one of these timers is over by the session's clock; or none of them is armed, and they stand there for
-- longer than the limit.
create function duologue.over_limit(limits jsonb) returns table (id text, conversation uuid, since timestamptz)
language sql stable set search_path = ''
as $$
  with asked as materialized (
    select told.it ->> 'id' as id, shape.it::uuid as shape,
      array(select jsonb_array_elements_text(coalesce(told.it -> 'timers', '[]'))) as timers,
      make_interval(secs => (told.it ->> 'limitMs')::double precision / 1000) as allowed
    from jsonb_array_elements(limits) as told(it)
    cross join lateral jsonb_array_elements_text(told.it -> 'shapes') as shape(it)
  ), due as materialized (
    select row.id, row.shape, row.state_since, row.timers, session.clock_offset_ms
    from duologue.partitions
    cross join lateral (
      select * from duologue.conversations
      where conversations.partition = partitions.partition and next_timer_at < now()) as row
    join duologue.sessions as session on session.id = row.session_id
    where row.closed_at is null and row.shape in (select asked.shape from asked)
  )
  select asked.id, due.id, due.state_since
  from asked
  join due on due.shape = asked.shape
  where exists (
    select from unnest(asked.timers) as timer
    where (due.timers -> timer ->> 'dueAt')::double precision - due.clock_offset_ms < extract(epoch from now()) * 1000)
  union all
  select asked.id, row.id, row.state_since
  from asked
  join duologue.shapes as known on known.shape = asked.shape and not known.timers ?| asked.timers
  join duologue.conversations as row on row.shape = asked.shape and row.closed_at is null
    and row.state_since < now() - asked.allowed
$$;

-- asked: {machine, machineVersion, path, openOnly, over: {timers, limitMs}, after: {since, id}, limit}
-- -> {total, items, next}: who has stood there longest comes first; with `over` only those that should have been moved.
create or replace function duologue.standing_list(asked jsonb) returns jsonb
language plpgsql stable set search_path = ''
as $$
declare
  after jsonb := nullif(asked -> 'after', 'null');
  page_limit integer := duologue.page_limit(asked);
  open_only boolean := coalesce((asked ->> 'openOnly')::boolean, false);
  is_over constant boolean := jsonb_typeof(asked -> 'over') = 'object';
  standing uuid[];
  chosen uuid[];
  total bigint;
  answer jsonb;
begin
  select array_agg(shape), coalesce(sum(case when open_only then open else count end), 0)
  into standing, total
  from duologue.shapes_in(asked);
  if is_over then
    select count(*), (array_agg(late.conversation order by late.since, late.conversation) filter (
      where after is null
        or (late.since, late.conversation) > ((after ->> 'since')::timestamptz, (after ->> 'id')::uuid)))[:page_limit]
    into total, chosen
    from duologue.over_limit(jsonb_build_array(
      asked -> 'over' || jsonb_build_object('shapes', coalesce(to_jsonb(standing), '[]')))) as late;
  end if;
  with told as (
    select row.*
    from unnest(standing) as one(shape)
    cross join lateral (
      select conversation.* from duologue.conversations as conversation
      where not is_over and conversation.shape = one.shape and (not open_only or conversation.closed_at is null)
        and (after is null or (conversation.state_since, conversation.id)
          > ((after ->> 'since')::timestamptz, (after ->> 'id')::uuid))
      order by conversation.state_since, conversation.id
      limit page_limit) as row
    union all
    select conversation.* from duologue.conversations as conversation where is_over and conversation.id = any(chosen)
  ), page as (
    select * from told order by state_since, id limit page_limit
  )
  select jsonb_build_object('total', total,
    'items', coalesce(jsonb_agg(jsonb_build_object('id', page.id, 'machine', page.machine,
      'machineVersion', page.machine_version, 'status', page.status, 'value', page.snapshot -> 'value',
      'version', page.version, 'address', duologue.mask_address(session.user_key), 'since', page.state_since,
      'ageMs', floor(extract(epoch from now() - page.state_since) * 1000) + session.clock_offset_ms,
      'openedAt', page.opened_at, 'nextTimerAt', page.next_timer_at,
      'nextTimerMs', floor(extract(epoch from page.next_timer_at - now()) * 1000),
      'quarantined', session.quarantined_at is not null) order by page.state_since, page.id), '[]'),
    'next', case when count(*) = page_limit then (array_agg(jsonb_build_object('since', page.state_since, 'id', page.id)
      order by page.state_since desc, page.id desc))[1] end)
  into answer
  from page
  join duologue.sessions as session on session.id = page.session_id;
  return answer;
end
$$;

-- How long the oldest open conversations of these shapes may stand there, by the timers that they have armed.
create function duologue.own_limits(standing uuid[], timer_ids text[], rows_max integer) returns jsonb
language sql stable set search_path = ''
as $$
  select case when min(own.ms) is not null then jsonb_build_array(floor(min(own.ms)), floor(max(own.ms))) end
  from (
    select row.timers, row.state_since, row.session_id
    from unnest(standing) as one(shape)
    cross join lateral (
      select timers, state_since, session_id from duologue.conversations
      where conversations.shape = one.shape and closed_at is null
      order by state_since limit rows_max) as row
    order by row.state_since limit rows_max) as oldest
  join duologue.sessions as session on session.id = oldest.session_id
  cross join lateral (
    select min((oldest.timers -> timer ->> 'dueAt')::double precision) - session.clock_offset_ms
      - extract(epoch from oldest.state_since)::double precision * 1000 as ms
    from unnest(timer_ids) as timer) as own
$$;

create or replace function duologue.stuck_view(asked jsonb) returns jsonb
language sql stable set search_path = ''
as $$
  with standing as materialized (
    select state.place, state.it, array_agg(known.shape) filter (where known.shape is not null) as shapes,
      coalesce(sum(known.open), 0)::bigint as open
    from jsonb_array_elements(asked -> 'states') with ordinality as state(it, place)
    left join lateral (
      select shape, open
      from duologue.shapes_in(jsonb_build_object('machine', asked -> 'machine', 'path', state.it -> 'path',
        'machineVersion', asked -> 'machineVersion'))
      where open > 0) as known on true
    group by state.place, state.it
  ), over as materialized (
    select told.id, count(*) as count
    from duologue.over_limit((
      select coalesce(jsonb_agg(it || jsonb_build_object('shapes', shapes)), '[]') from standing where open > 0)) as told
    group by told.id
  )
  select jsonb_build_object('at', now(), 'snapshotId', pg_current_snapshot()::text,
    'states', coalesce(jsonb_agg(jsonb_build_object('id', standing.it ->> 'id', 'open', standing.open,
      'oldestMs', floor(extract(epoch from now() - oldest.since) * 1000),
      'p95Ms', floor(extract(epoch from now() - p95.since) * 1000),
      'ownLimitsMs', own.limits, 'older', coalesce(over.count, 0)) order by standing.place), '[]'))
  from standing
  left join over on over.id = standing.it ->> 'id'
  cross join lateral (select duologue.since_of_share(standing.shapes, 0.05, standing.open) as since) as p95
  cross join lateral (select duologue.own_limits(standing.shapes,
    array(select jsonb_array_elements_text(coalesce(standing.it -> 'timers', '[]'))), 100) as limits) as own
  left join lateral (
    select min(first.since) as since
    from unnest(standing.shapes) as one(shape)
    cross join lateral (
      select state_since as since from duologue.conversations
      where conversations.shape = one.shape and closed_at is null order by state_since limit 1) as first) as oldest on true
$$;

-- request: {machine, machineVersion, states: [{id, path, timers, limitMs}]} -> {at, snapshotId, states: [{id, open, oldestMs,
-- p95Ms, ownLimitsMs: [least, most], older}]}: of the open conversations that stand in each.
create or replace function public.stuck_view(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
begin
  return duologue.stuck_view(duologue.as_object(request));
end
$$;

select duologue.expose('public.schema_version(jsonb)');
select duologue.expose('public.stuck_view(jsonb)');

-- Nothing of the schema `duologue` is callable from outside.
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
