-- Reviews of a change to a machine: journals in bulk, to be run on a draft in memory; comments that hang on states and
-- transitions; verdicts that name by hash what they are about. Comments and verdicts are only ever added.

create or replace function public.schema_version(request jsonb default '{}') returns jsonb
language sql stable set search_path = ''
as $$ select jsonb_build_object('version', '20261125001400', 'format', 1) $$;

-- ── Journals ─────────────────────────────────────────────────────────────────────────────────────

-- Whole conversations with their journals, the last changed first. One with more than `events_max` entries has null in
-- place of them: they are read page by page.
-- request: {machine, status, address, changed_after, after: {updated_at, id}, limit, tenant_id}
-- -> {items: [{id, status, machine, machineVersion, version, openedAt, updatedAt, events}], next, now}
create function public.list_journals(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  events_max constant bigint := 400;
  after jsonb;
  page_limit integer;
  answer jsonb;
begin
  request := duologue.as_object(request);
  after := nullif(request -> 'after', 'null');
  page_limit := duologue.page_limit(request);
  with page as (
    select conversation.*
    from duologue.conversations as conversation
    join duologue.sessions as session on session.id = conversation.session_id
    where (request ->> 'machine' is null or conversation.machine = request ->> 'machine')
      and (request ->> 'status' is null or conversation.status = request ->> 'status')
      and (request ->> 'address' is null or request ->> 'address' in (session.business_address, session.user_key))
      and (request ->> 'changed_after' is null
        or conversation.updated_at >= (request ->> 'changed_after')::timestamptz)
      and (request ->> 'tenant_id' is null or conversation.tenant_id = (request ->> 'tenant_id')::uuid)
      and (after is null or (conversation.updated_at, conversation.id)
        < ((after ->> 'updated_at')::timestamptz, (after ->> 'id')::uuid))
    order by conversation.updated_at desc, conversation.id desc
    limit page_limit
  )
  select jsonb_build_object(
    'items', coalesce(jsonb_agg(jsonb_build_object('id', page.id, 'status', page.status, 'machine', page.machine,
      'machineVersion', page.machine_version, 'version', page.version, 'openedAt', page.opened_at,
      'updatedAt', page.updated_at, 'events', journal.events) order by page.updated_at desc, page.id desc), '[]'),
    'next', case when count(*) = page_limit then (array_agg(jsonb_build_object('updated_at', page.updated_at,
      'id', page.id) order by page.updated_at, page.id))[1] end,
    'now', clock_timestamp())
  into answer
  from page
  cross join lateral (
    select case when page.version <= events_max then (
      select jsonb_agg(jsonb_build_object('version', entry.version, 'event', entry.event,
        'machineVersion', entry.machine_version, 'occurredAt', entry.occurred_at, 'hash', entry.hash)
        order by entry.version)
      from duologue.conversation_events as entry where entry.conversation_id = page.id) end as events
  ) as journal;
  return answer;
end
$$;

-- ── Comments ─────────────────────────────────────────────────────────────────────────────────────

-- The charts that somebody wrote about: a thread finds its state again in a newer one by comparing the two.
create table duologue.review_charts (
  hash text primary key check (hash ~ '^[0-9a-f]{16,64}$'),
  chart jsonb not null check (jsonb_typeof(chart) = 'object')
);

create table duologue.review_threads (
  id uuid primary key,
  machine text not null check (octet_length(machine) between 1 and 128),
  -- The id of a state or a transition, as that chart has it.
  about text not null check (octet_length(about) between 1 and 1024),
  chart_hash text not null references duologue.review_charts,
  opened_at timestamptz not null default clock_timestamp(),
  resolved_at timestamptz,
  resolved_by text check (octet_length(resolved_by) between 1 and 256),
  check ((resolved_at is null) = (resolved_by is null))
);
create index review_threads_by_machine on duologue.review_threads (machine, opened_at);

create table duologue.review_comments (
  id uuid primary key,
  thread_id uuid not null references duologue.review_threads,
  author text not null check (octet_length(author) between 1 and 256),
  body text not null check (octet_length(body) between 1 and 16384),
  at timestamptz not null default clock_timestamp()
);
create index review_comments_by_thread on duologue.review_comments (thread_id, at);

-- {id, machine, about}: made at the first comment. An id that is there already changes nothing.
-- request: {comment_id, thread_id, machine, about, chart_hash, chart, author, body} -> {threadId | null}: null when the
-- thread is of another machine. `about`, `chart_hash` and `chart` count for a new thread only.
create function public.add_review_comment(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  thread uuid;
begin
  request := duologue.as_object(request);
  thread := (request ->> 'thread_id')::uuid;
  if not exists (select from duologue.review_threads where id = thread) then
    if request -> 'chart' is null or request ->> 'about' is null then
      return jsonb_build_object('threadId', null);
    end if;
    insert into duologue.review_charts (hash, chart) values (request ->> 'chart_hash', request -> 'chart')
      on conflict (hash) do nothing;
    insert into duologue.review_threads (id, machine, about, chart_hash)
      values (thread, request ->> 'machine', request ->> 'about', request ->> 'chart_hash')
      on conflict (id) do nothing;
  end if;
  if not exists (select from duologue.review_threads where id = thread and machine = request ->> 'machine') then
    return jsonb_build_object('threadId', null);
  end if;
  insert into duologue.review_comments (id, thread_id, author, body)
    values ((request ->> 'comment_id')::uuid, thread, request ->> 'author', request ->> 'body')
    on conflict (id) do nothing;
  -- Whoever goes on talking has not resolved it.
  update duologue.review_threads set resolved_at = null, resolved_by = null where id = thread;
  return jsonb_build_object('threadId', thread);
end
$$;

-- request: {thread_id, machine, is_resolved, author} -> {settled}
create function public.settle_review_thread(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  settled boolean;
begin
  request := duologue.as_object(request);
  update duologue.review_threads
  set resolved_at = case when (request ->> 'is_resolved')::boolean then clock_timestamp() end,
    resolved_by = case when (request ->> 'is_resolved')::boolean then request ->> 'author' end
  where id = (request ->> 'thread_id')::uuid and machine = request ->> 'machine'
  returning true into settled;
  return jsonb_build_object('settled', coalesce(settled, false));
end
$$;

-- request: {machine} -> {items: [{id, about, chartHash, openedAt, resolvedAt, resolvedBy, comments: [{id, author, body,
-- at}]}], charts: {hash: chart}}: the newest 500 threads, oldest first, and the charts that they were written on.
create function public.list_review_threads(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  threads_max constant integer := 500;
  answer jsonb;
begin
  request := duologue.as_object(request);
  with thread as (
    select * from duologue.review_threads where machine = request ->> 'machine'
    order by opened_at desc, id desc
    limit threads_max
  )
  select jsonb_build_object(
    'items', coalesce((
      select jsonb_agg(jsonb_build_object('id', thread.id, 'about', thread.about, 'chartHash', thread.chart_hash,
        'openedAt', thread.opened_at, 'resolvedAt', thread.resolved_at, 'resolvedBy', thread.resolved_by,
        'comments', (
          select coalesce(jsonb_agg(jsonb_build_object('id', comment.id, 'author', comment.author,
            'body', comment.body, 'at', comment.at) order by comment.at, comment.id), '[]')
          from duologue.review_comments as comment where comment.thread_id = thread.id))
        order by thread.opened_at, thread.id)
      from thread), '[]'),
    'charts', coalesce((
      select jsonb_object_agg(hash, chart) from duologue.review_charts
      where hash in (select chart_hash from thread)), '{}'))
  into answer;
  return answer;
end
$$;

-- ── Verdicts ─────────────────────────────────────────────────────────────────────────────────────

create table duologue.review_verdicts (
  id uuid primary key,
  review_id text not null check (octet_length(review_id) between 1 and 256),
  -- {machine, version, chart, source}: what was looked at, by hash.
  base jsonb not null check (jsonb_typeof(base) = 'object'),
  head jsonb not null check (jsonb_typeof(head) = 'object'),
  verdict text not null check (verdict in ('approved', 'rejected')),
  author text not null check (octet_length(author) between 1 and 256),
  note text not null check (octet_length(note) <= 16384),
  at timestamptz not null default clock_timestamp()
);
create index review_verdicts_by_review on duologue.review_verdicts (review_id, at desc);
create trigger review_verdicts_stay before update or delete or truncate on duologue.review_verdicts
  for each statement execute function duologue.refuse('a verdict stays what it is');
create trigger review_comments_stay before update or delete or truncate on duologue.review_comments
  for each statement execute function duologue.refuse('a comment stays what it is');

-- request: {id, review_id, base, head, verdict, author, note} -> {at}
create function public.give_review_verdict(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  given timestamptz;
begin
  request := duologue.as_object(request);
  insert into duologue.review_verdicts (id, review_id, base, head, verdict, author, note)
    values ((request ->> 'id')::uuid, request ->> 'review_id', request -> 'base', request -> 'head',
      request ->> 'verdict', request ->> 'author', request ->> 'note')
    on conflict (id) do nothing;
  select at into given from duologue.review_verdicts where id = (request ->> 'id')::uuid;
  return jsonb_build_object('at', given);
end
$$;

-- request: {review_id} -> {items: [{id, base, head, verdict, author, note, at}]}: the last 50, newest first.
create function public.list_review_verdicts(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  verdicts_max constant integer := 50;
  answer jsonb;
begin
  request := duologue.as_object(request);
  select jsonb_build_object('items', coalesce(jsonb_agg(jsonb_build_object('id', id, 'base', base, 'head', head,
    'verdict', verdict, 'author', author, 'note', note, 'at', at) order by at desc, id desc), '[]'))
  into answer
  from (
    select * from duologue.review_verdicts where review_id = request ->> 'review_id'
    order by at desc, id desc
    limit verdicts_max
  ) as newest;
  return answer;
end
$$;

-- ── Reach ────────────────────────────────────────────────────────────────────────────────────────

do $$
declare
  named text;
begin
  foreach named in array array['review_charts', 'review_threads', 'review_comments', 'review_verdicts'] loop
    execute format('alter table duologue.%I enable row level security', named);
    execute format('alter table duologue.%I force row level security', named);
    execute format('create policy owner on duologue.%I to current_user using (true) with check (true)', named);
    execute format('revoke all on duologue.%I from public, anon, authenticated, service_role', named);
  end loop;
end
$$;

select duologue.expose('public.list_journals(jsonb)');
select duologue.expose('public.add_review_comment(jsonb)');
select duologue.expose('public.settle_review_thread(jsonb)');
select duologue.expose('public.list_review_threads(jsonb)');
select duologue.expose('public.give_review_verdict(jsonb)');
select duologue.expose('public.list_review_verdicts(jsonb)');

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
