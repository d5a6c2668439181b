-- Links: an operator says that two sessions are one person's, or that they are not (docs/decisions/2026-11-25-identity.md).
--
-- 1. `hold_identities`: webhooks of these keys wait from here on, so that nothing is on its way while the keys move.
-- 2. The caller lets every node learn of it, and has a command pass the log of the session that gives keys away: when
--    its outcome is known, everything that was acknowledged before is committed there.
-- 3. `link_identities` or `unlink_identities`: one transaction under the locks of both partitions, with the record of who
--    did it and why; the hold ends with it. A hold that nobody ends runs out, and nothing has changed.

create or replace function public.schema_version(request jsonb default '{}') returns jsonb
language sql stable set search_path = ''
as $$ select jsonb_build_object('version', '20261125001010', 'format', 1) $$;

-- `keys`: what was moved to the session `into_session_id`, from the session of `from_key` (which may not exist).
create table duologue.session_links (
  id uuid primary key,
  tenant_id uuid not null references duologue.tenants,
  into_session_id uuid not null references duologue.sessions,
  from_session_id uuid references duologue.sessions,
  from_key text not null,
  keys jsonb not null check (jsonb_typeof(keys) = 'array'),
  operator_id text not null,
  reason text not null,
  closed_conversation_id uuid,
  into_conversation_id uuid,
  linked_at timestamptz not null default clock_timestamp(),
  unlinked_at timestamptz,
  unlinked_by text,
  unlink_reason text,
  moved_messages integer not null default 0,
  check ((unlinked_at is null) = (unlinked_by is null))
);
create index session_links_into on duologue.session_links (into_session_id);
create index session_links_from on duologue.session_links (from_session_id) where from_session_id is not null;
alter table duologue.session_links enable row level security;
alter table duologue.session_links force row level security;
create policy owner on duologue.session_links to current_user using (true) with check (true);
revoke all on duologue.session_links from public, anon, authenticated, service_role;
create trigger session_links_stay before delete or truncate on duologue.session_links
  for each statement execute function duologue.refuse('what an operator did stays on record');
create trigger session_links_settled before update on duologue.session_links for each row
  when (old.unlinked_at is not null
    or (old.id, old.tenant_id, old.into_session_id, old.from_session_id, old.keys, old.operator_id, old.reason)
      is distinct from (new.id, new.tenant_id, new.into_session_id, new.from_session_id, new.keys, new.operator_id, new.reason))
  execute function duologue.refuse('a link is only undone, once');

-- The partition of a session, as the log's server maps its subject: FNV-1a of the two tokens.
create function duologue.partition_of(business_address text, user_key text) returns integer
language plpgsql volatile set search_path = ''
as $$
declare
  hash bigint := 2166136261;
  bytes bytea := convert_to(duologue.token(business_address) || duologue.token(user_key), 'UTF8');
begin
  for place in 0 .. length(bytes) - 1 loop
    hash := ((hash # get_byte(bytes, place)) * 16777619) & 4294967295;
  end loop;
  return hash % (select count(*) from duologue.partitions);
end
$$;

-- The key and what was learned by it, and by that.
create function duologue.keys_learned_from(address text, named text[]) returns text[]
language sql volatile set search_path = ''
as $$
  with recursive learned as (
    select user_key, home from duologue.identities where business_address = address and user_key = any(named)
    union
    select next.user_key, next.home
    from learned
    join duologue.identities as next on next.business_address = address and next.learned_from = learned.user_key
      and next.home = learned.home and next.user_key <> next.home
  )
  select coalesce(array_agg(user_key order by user_key), '{}') from learned
$$;

create function duologue.raise_generation() returns void
language sql volatile set search_path = ''
as $$ update duologue.identity_state set generation = generation + 1 $$;

-- What a link or its undoing is about: the session, and the one that the key leads to now (a link) or is to lead to
-- again (an unlink). `refusal`: why it cannot be done.
create function duologue.plan_link(request jsonb, is_undoing boolean, out into_session duologue.sessions,
  out from_session duologue.sessions, out from_key text, out keys text[], out link_id uuid, out refusal text)
language plpgsql volatile set search_path = ''
as $$
declare
  named text := request ->> 'user_key';
  current_home text;
  link duologue.session_links;
begin
  select * into into_session from duologue.sessions
  where id = (request ->> 'session_id')::uuid
    and (request ->> 'tenant_id' is null or tenant_id = (request ->> 'tenant_id')::uuid);
  if into_session.id is null then
    return;
  end if;
  select home into current_home from duologue.identities
  where session_key = duologue.session_key(into_session.business_address, named);
  current_home := coalesce(current_home, named);
  if is_undoing then
    if named = into_session.user_key or current_home <> into_session.user_key then
      refusal := 'the address is not linked to this session';
      return;
    end if;
    select * into link from duologue.session_links as linked
    where linked.into_session_id = into_session.id and linked.unlinked_at is null and linked.keys ? named
    order by linked_at desc limit 1;
    link_id := link.id;
    from_key := coalesce(link.from_key, named);
    keys := duologue.keys_learned_from(into_session.business_address, case
      when link.id is null then array[named]
      else array(select jsonb_array_elements_text(link.keys)) end);
  else
    if current_home = into_session.user_key then
      refusal := 'the address is of this session already';
      return;
    end if;
    if into_session.redirects <> '{}' and into_session.redirects ? into_session.user_key then
      refusal := 'the session is linked to another one itself';
      return;
    end if;
    from_key := current_home;
    select coalesce(array_agg(user_key order by user_key), '{}') into keys from duologue.identities
    where business_address = into_session.business_address and home = current_home;
  end if;
  select * into from_session from duologue.sessions
  where session_key = duologue.session_key(into_session.business_address, from_key);
  if into_session.quarantined_at is not null or from_session.quarantined_at is not null then
    refusal := 'events of one of the two sessions wait in quarantine';
  elsif exists (select from duologue.spool_state where phase <> 'direct') then
    refusal := 'events wait in the spool';
  end if;
end
$$;

-- request: {tenant_id, session_id, user_key, is_undoing, hold_ms}
-- -> {outcome: 'held' | 'refused' | 'missing', reason?, into: {session_id, user_key, business_address, conversation_id},
--     from: {session_id | null, user_key, business_address, conversation_id | null, status}, keys}
create function public.hold_identities(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  plan record;
begin
  request := duologue.as_object(request);
  perform pg_advisory_xact_lock(hashtext('duologue.identities'));
  select * into plan from duologue.plan_link(request, (request ->> 'is_undoing')::boolean);
  if (plan.into_session).id is null then
    return jsonb_build_object('outcome', 'missing');
  elsif plan.refusal is not null then
    return jsonb_build_object('outcome', 'refused', 'reason', plan.refusal);
  end if;
  insert into duologue.identities (business_address, user_key, home)
    values ((plan.into_session).business_address, request ->> 'user_key', request ->> 'user_key')
    on conflict (session_key) do nothing;
  update duologue.identities
  set held_until = clock_timestamp() + make_interval(secs => (request ->> 'hold_ms')::double precision / 1000)
  where business_address = (plan.into_session).business_address and user_key = any(plan.keys || (request ->> 'user_key'));
  perform duologue.raise_generation();
  return jsonb_build_object('outcome', 'held', 'keys', to_jsonb(plan.keys || (request ->> 'user_key')),
    'into', duologue.link_side(plan.into_session, (plan.into_session).user_key, (plan.into_session).business_address),
    'from', duologue.link_side(plan.from_session, plan.from_key, (plan.into_session).business_address));
end
$$;

create function duologue.link_side(session duologue.sessions, user_key text, business_address text) returns jsonb
language sql volatile set search_path = ''
as $$
  select jsonb_build_object('session_id', session.id, 'user_key', user_key, 'business_address', business_address,
    'conversation_id', session.conversation_id,
    'status', (select status from duologue.conversations where id = session.conversation_id))
$$;

-- Nothing moves; whoever waits goes on.
-- request: {tenant_id, session_id, keys: [user key]} -> {}
create function public.release_identities(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
begin
  request := duologue.as_object(request);
  update duologue.identities as held
  set held_until = null
  from duologue.sessions as session
  where session.id = (request ->> 'session_id')::uuid
    and (request ->> 'tenant_id' is null or session.tenant_id = (request ->> 'tenant_id')::uuid)
    and held.business_address = session.business_address and held.held_until is not null
    and held.user_key in (select jsonb_array_elements_text(request -> 'keys'));
  perform duologue.raise_generation();
  return '{}';
end
$$;

-- Takes the locks in which commits of both sessions wait, in the order of commit_steps.
create function duologue.lock_sessions(one duologue.sessions, other duologue.sessions) returns void
language plpgsql volatile set search_path = ''
as $$
begin
  perform from duologue.partitions
  where partition in (one.partition, other.partition)
  order by partition for no key update;
end
$$;

-- All keys of the session at `user_key` are the session's from now on; what comes under them goes to it. The other session
-- keeps its history, and sends on what still reaches it.
-- request: {tenant_id, session_id, user_key, from_key, link_id, operator_id, reason, closed_conversation_id}: `from_key` as it
-- was held; another one by now is refused
-- -> {outcome: 'applied' | 'refused' | 'missing', reason?, link_id}
create function public.link_identities(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  plan record;
begin
  request := duologue.as_object(request);
  -- Asked again because the answer was lost.
  if exists (
    select from duologue.session_links
    where id = (request ->> 'link_id')::uuid and into_session_id = (request ->> 'session_id')::uuid
      and (request ->> 'tenant_id' is null or tenant_id = (request ->> 'tenant_id')::uuid)) then
    return jsonb_build_object('outcome', 'applied', 'link_id', request ->> 'link_id');
  end if;
  select * into plan from duologue.plan_link(request, false);
  perform duologue.lock_sessions(plan.into_session, plan.from_session);
  perform pg_advisory_xact_lock(hashtext('duologue.identities'));
  select * into plan from duologue.plan_link(request, false);
  if (plan.into_session).id is null then
    return jsonb_build_object('outcome', 'missing');
  elsif plan.refusal is not null then
    return jsonb_build_object('outcome', 'refused', 'reason', plan.refusal);
  elsif plan.from_key is distinct from request ->> 'from_key' then
    return jsonb_build_object('outcome', 'refused', 'reason', 'the address was moved meanwhile');
  end if;
  insert into duologue.identities (business_address, user_key, home)
    values ((plan.into_session).business_address, request ->> 'user_key', (plan.into_session).user_key)
    on conflict (session_key) do nothing;
  update duologue.identities set home = (plan.into_session).user_key, held_until = null
  where business_address = (plan.into_session).business_address
    and (home = plan.from_key or user_key = request ->> 'user_key');
  insert into duologue.session_links (id, tenant_id, into_session_id, from_session_id, from_key, keys, operator_id,
    reason, closed_conversation_id, into_conversation_id)
  values ((request ->> 'link_id')::uuid, (plan.into_session).tenant_id, (plan.into_session).id,
    (plan.from_session).id, plan.from_key,
    to_jsonb(array(select distinct key from unnest(plan.keys || (request ->> 'user_key')) as key order by key)),
    request ->> 'operator_id', request ->> 'reason', (request ->> 'closed_conversation_id')::uuid,
    (plan.into_session).conversation_id);
  -- Whoever asked to be left alone under either address is left alone.
  update duologue.sessions
  set redirects = redirects - plan.keys, opted_out = opted_out or coalesce((plan.from_session).opted_out, false),
    identity_version = identity_version + 1
  where id = (plan.into_session).id;
  update duologue.sessions
  set redirects = (select jsonb_object_agg(key, (plan.into_session).user_key) from unnest(plan.keys) as key),
    identity_version = identity_version + 1
  where id = (plan.from_session).id;
  -- What had given keys to the other session before gives them to this one.
  update duologue.sessions as older
  set redirects = (
      select jsonb_object_agg(each.key, case
        when each.value #>> '{}' = plan.from_key then to_jsonb((plan.into_session).user_key) else each.value end)
      from jsonb_each(older.redirects) as each),
    identity_version = identity_version + 1
  where older.id in (
      select from_session_id from duologue.session_links
      where into_session_id = (plan.from_session).id and unlinked_at is null)
    and older.redirects <> '{}';
  perform duologue.raise_generation();
  return jsonb_build_object('outcome', 'applied', 'link_id', request ->> 'link_id');
end
$$;

-- The keys lead to the session that they came from, or to one of their own, and so do the messages that came under them
-- meanwhile, with the answers that they got: an answer goes to whoever wrote last before it.
-- request: {tenant_id, session_id, user_key, from_key, new_session_id, operator_id, reason}
-- -> {outcome: 'applied' | 'busy' | 'refused' | 'missing', reason?, link_id, session_id, moved}: `busy` while the assistant
--    is about to answer what the other person wrote last
create function public.unlink_identities(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  plan record;
  target duologue.sessions;
  moved_ids uuid[];
begin
  request := duologue.as_object(request);
  select * into plan from duologue.plan_link(request, true);
  perform duologue.lock_sessions(plan.into_session, plan.from_session);
  perform pg_advisory_xact_lock(hashtext('duologue.identities'));
  select * into plan from duologue.plan_link(request, true);
  if (plan.into_session).id is null then
    return jsonb_build_object('outcome', 'missing');
  elsif plan.refusal is not null then
    return jsonb_build_object('outcome', 'refused', 'reason', plan.refusal);
  elsif plan.from_key is distinct from request ->> 'from_key' then
    return jsonb_build_object('outcome', 'refused', 'reason', 'the address was moved meanwhile');
  elsif duologue.answers_other(plan.into_session, plan.keys) then
    return jsonb_build_object('outcome', 'busy');
  end if;
  target := plan.from_session;
  moved_ids := duologue.messages_under((plan.into_session).id, plan.keys);
  if target.id is null and moved_ids <> '{}' then
    insert into duologue.sessions (id, tenant_id, channel_id, partition, business_address, user_key, conversation_id,
      reply_address, speaker, speaker_token, opted_out)
    values ((request ->> 'new_session_id')::uuid, (plan.into_session).tenant_id, (plan.into_session).channel_id,
      duologue.partition_of((plan.into_session).business_address, plan.from_key),
      (plan.into_session).business_address, plan.from_key, null, plan.from_key, 'none', 0,
      (plan.into_session).opted_out)
    returning * into target;
  end if;
  update duologue.identities set home = plan.from_key, held_until = null
  where business_address = (plan.into_session).business_address and user_key = any(plan.keys);

  update duologue.messages set session_id = target.id, conversation_id = target.conversation_id
  where session_id = (plan.into_session).id and id = any(moved_ids);
  update duologue.message_keys set session_id = target.id
  where session_id = (plan.into_session).id and user_key = any(plan.keys);

  update duologue.sessions as session
  set redirects = session.redirects || (
      select jsonb_object_agg(key, plan.from_key) from unnest(plan.keys) as key),
    reply_address = coalesce(duologue.last_address(session.id), session.user_key),
    last_inbound_at = (select max(at) from duologue.messages where session_id = session.id and direction = 'inbound'),
    identity_version = session.identity_version + 1
  where id = (plan.into_session).id;
  update duologue.sessions as session
  set redirects = session.redirects - plan.keys,
    reply_address = coalesce(duologue.last_address(session.id), session.reply_address),
    last_inbound_at = (select max(at) from duologue.messages where session_id = session.id and direction = 'inbound'),
    identity_version = session.identity_version + 1
  where id = target.id;

  if plan.link_id is not null then
    update duologue.session_links
    set unlinked_at = clock_timestamp(), unlinked_by = request ->> 'operator_id', unlink_reason = request ->> 'reason',
      moved_messages = cardinality(moved_ids)
    where id = plan.link_id;
  else
    -- Nobody had linked them but a message that carried both.
    insert into duologue.session_links (id, tenant_id, into_session_id, from_session_id, from_key, keys, operator_id,
      reason, linked_at, unlinked_at, unlinked_by, unlink_reason, moved_messages)
    values (duologue.new_id(), (plan.into_session).tenant_id, (plan.into_session).id, target.id, plan.from_key,
      to_jsonb(plan.keys), 'system', 'they came in one message', (
        select min(created_at) from duologue.identities
        where business_address = (plan.into_session).business_address and user_key = any(plan.keys)),
      clock_timestamp(), request ->> 'operator_id', request ->> 'reason', cardinality(moved_ids))
    returning id into plan.link_id;
  end if;
  perform duologue.raise_generation();
  return jsonb_build_object('outcome', 'applied', 'link_id', plan.link_id, 'session_id', target.id,
    'moved', cardinality(moved_ids));
end
$$;

-- Whether an answer to what came under these keys is still on its way, which would go to the wrong person afterwards.
create function duologue.answers_other(session duologue.sessions, keys text[]) returns boolean
language plpgsql volatile set search_path = ''
as $$
declare
  newest record;
begin
  select id, direction into newest from duologue.messages
  where session_id = session.id order by id desc limit 1;
  if newest.direction = 'inbound' then
    return session.speaker = 'assistant' and exists (
      select from duologue.message_keys
      where message_id = newest.id and session_id = session.id and user_key = any(keys));
  end if;
  return newest.id = any(duologue.messages_under(session.id, keys)) and exists (
    select from duologue.effects
    where partition = session.partition and session_id = session.id and status in ('pending', 'running', 'uncertain'));
end
$$;

-- Messages of a session that are another person's: inbound ones under these keys, and what was answered to them.
create function duologue.messages_under(asked_session uuid, keys text[]) returns uuid[]
language sql volatile set search_path = ''
as $$
  select coalesce(array_agg(owned.id), '{}')
  from (
    select message.id, (
      select said.id from duologue.messages as said
      where said.session_id = asked_session and said.id <= message.id and said.direction = 'inbound'
      order by said.id desc limit 1) as said_id
    from duologue.messages as message
    where message.session_id = asked_session
      and message.id >= (
        select message_id from duologue.message_keys
        where session_id = asked_session and user_key = any(keys)
        order by message_id limit 1)
  ) as owned
  where exists (
    select from duologue.message_keys
    where message_id = owned.said_id and session_id = asked_session and user_key = any(keys))
$$;

-- The address of the newest message that a user sent, as it came.
create function duologue.last_address(asked_session uuid) returns text
language sql volatile set search_path = ''
as $$
  select raw ->> 'From' from duologue.messages
  where session_id = asked_session and direction = 'inbound'
  order by id desc limit 1
$$;

-- ── Reading ──────────────────────────────────────────────────────────────────────────────────────

-- The session and all that are linked to it, directly or by another one.
create function duologue.linked_sessions(asked_session uuid) returns setof uuid
language sql volatile set search_path = ''
as $$
  with recursive linked as (
    select asked_session as id
    union
    select link.from_session_id from linked
    join duologue.session_links as link
      on link.into_session_id = linked.id and link.unlinked_at is null and link.from_session_id is not null
  )
  select id from linked
$$;

-- request: {session_id, tenant_id} -> {session: {...} | null}: who it is, its conversations and those of the sessions that
-- are linked to it (200 at most, the newest first), and every link that was ever made or undone.
create function public.get_session(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  asked duologue.sessions;
  linked uuid[];
begin
  request := duologue.as_object(request);
  select * into asked from duologue.sessions
  where id = (request ->> 'session_id')::uuid
    and (request ->> 'tenant_id' is null or tenant_id = (request ->> 'tenant_id')::uuid);
  if asked.id is null then
    return jsonb_build_object('session', null);
  end if;
  linked := array(select duologue.linked_sessions(asked.id));
  return jsonb_build_object('session', jsonb_build_object('id', asked.id, 'tenantId', asked.tenant_id,
    'businessAddress', asked.business_address, 'userAddress', asked.user_key, 'replyAddress', asked.reply_address,
    'optedOut', asked.opted_out, 'conversationId', asked.conversation_id,
    'linkedTo', (
      select other.id from duologue.sessions as other
      where other.session_key = duologue.session_key(asked.business_address, asked.redirects ->> asked.user_key)),
    'addresses', (
      select coalesce(jsonb_agg(jsonb_build_object('address', user_key, 'learnedFrom', learned_from, 'knownAt', created_at)
        order by created_at, user_key), '[]')
      from duologue.identities where business_address = asked.business_address and home = asked.user_key),
    'conversations', (
      select coalesce(jsonb_agg(jsonb_build_object('id', id, 'sessionId', session_id, 'status', status, 'version', version,
        'openedAt', opened_at, 'closedAt', closed_at) order by id desc), '[]')
      from (
        select * from duologue.conversations where session_id = any(linked) order by id desc limit 200) as newest),
    'links', (
      select coalesce(jsonb_agg(jsonb_build_object('id', id, 'intoSessionId', into_session_id,
        'fromSessionId', from_session_id, 'address', from_key, 'addresses', keys, 'operatorId', operator_id,
        'reason', reason, 'closedConversationId', closed_conversation_id, 'intoConversationId', into_conversation_id,
        'linkedAt', linked_at, 'unlinkedAt', unlinked_at, 'unlinkedBy', unlinked_by, 'unlinkReason', unlink_reason,
        'movedMessages', moved_messages) order by linked_at), '[]')
      from duologue.session_links
      where tenant_id = asked.tenant_id and (into_session_id = any(linked) or from_session_id = asked.id))));
end
$$;

-- What was said in a session and in those linked to it, oldest first.
-- request: {session_id, after: {id}, limit, tenant_id} -> {items, next} | null
create function public.list_session_messages(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  linked uuid[];
  page_limit integer;
  answer jsonb;
begin
  request := duologue.as_object(request);
  page_limit := duologue.page_limit(request);
  if not exists (
    select from duologue.sessions
    where id = (request ->> 'session_id')::uuid
      and (request ->> 'tenant_id' is null or tenant_id = (request ->> 'tenant_id')::uuid)) then
    return null;
  end if;
  linked := array(select duologue.linked_sessions((request ->> 'session_id')::uuid));
  select jsonb_build_object(
    'items', coalesce(jsonb_agg(jsonb_build_object('id', page.id, 'sessionId', page.session_id,
      'conversationId', page.conversation_id, 'direction', page.direction, 'author', page.author, 'body', page.body,
      'media', page.media, 'providerId', page.provider_id, 'address', page.user_key, 'at', page.at)
      order by page.id), '[]'),
    'next', case when count(*) = page_limit then
      (array_agg(jsonb_build_object('id', page.id) order by page.id desc))[1] end)
  into answer
  from (
    select message.*, coalesce(came.user_key, case when message.direction = 'inbound' then session.user_key end) as user_key
    from duologue.messages as message
    join duologue.sessions as session on session.id = message.session_id
    left join duologue.message_keys as came on came.message_id = message.id
    where message.session_id = any(linked)
      and (request -> 'after' ->> 'id' is null or message.id > (request -> 'after' ->> 'id')::uuid)
    order by message.id
    limit page_limit
  ) as page;
  return answer;
end
$$;

-- Which session an address leads to: {home: user key | null}.
-- request: {tenant_id, user_key} -> {homes: [{business_address, user_key}]}
create function public.find_homes(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
begin
  request := duologue.as_object(request);
  return jsonb_build_object('homes', (
    select coalesce(jsonb_agg(jsonb_build_object('business_address', known.business_address, 'user_key', known.home)
      order by known.business_address), '[]')
    from duologue.channels as channel
    cross join lateral (
      select business_address, home from duologue.identities
      where session_key = duologue.session_key(channel.address, request ->> 'user_key') offset 0) as known
    where request ->> 'tenant_id' is null or channel.tenant_id = (request ->> 'tenant_id')::uuid));
end
$$;

select duologue.expose('public.hold_identities(jsonb)');
select duologue.expose('public.release_identities(jsonb)');
select duologue.expose('public.link_identities(jsonb)');
select duologue.expose('public.unlink_identities(jsonb)');
select duologue.expose('public.get_session(jsonb)');
select duologue.expose('public.list_session_messages(jsonb)');
select duologue.expose('public.find_homes(jsonb)');

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
