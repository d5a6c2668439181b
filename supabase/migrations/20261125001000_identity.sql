-- Who is who (docs/decisions/2026-11-25-identity.md). A user is known by keys: a phone number, a business-scoped id, a
-- second phone number. `identities` says of each key that was ever seen which session it is of: its home, named by the
-- session's own user key. One row per key is where all nodes agree; whoever comes first decides.
--
-- The webhook asks `resolve_identities` before it publishes. What slipped through (the database was silent, another
-- program published, an operator has changed a link meanwhile) is found by the owner: `load_sessions` tells where a key
-- without a session leads and which keys a session has given away, `commit_steps` refuses what was decided without
-- knowing that, and the owner sends the event on.

create or replace function public.schema_version(request jsonb default '{}') returns jsonb
language sql stable set search_path = ''
as $$ select jsonb_build_object('version', '20261125001000', 'format', 1) $$;

-- `learned_from`: the key that came along and led to this home; null: it is its own, or an operator's word.
create table duologue.identities (
  business_address text not null check (octet_length(business_address) between 1 and 256),
  user_key text not null check (octet_length(user_key) between 1 and 256),
  session_key text primary key generated always as (duologue.session_key(business_address, user_key)) stored,
  home text not null check (octet_length(home) between 1 and 256),
  learned_from text,
  held_until timestamptz,
  created_at timestamptz not null default clock_timestamp()
);
create index identities_by_home on duologue.identities (business_address, home);

-- Raised whenever a key gets another home, or is held: what a node remembers of before is worth nothing then.
create table duologue.identity_state (
  only_row boolean primary key default true check (only_row),
  generation bigint not null default 0
) with (fillfactor = 20);
insert into duologue.identity_state default values;

-- Messages that came under another key than their session's own.
create table duologue.message_keys (
  message_id uuid primary key,
  session_id uuid not null,
  user_key text not null check (octet_length(user_key) between 1 and 256)
);
create index message_keys_by_session on duologue.message_keys (session_id, user_key);

-- `redirects`: {user key: home} of keys that this session has given away. `identity_version` rises with every change of
-- what an owner must know before it decides anything more.
alter table duologue.sessions
  add column redirects jsonb not null default '{}' check (jsonb_typeof(redirects) = 'object'),
  add column identity_version bigint not null default 0 check (identity_version >= 0);

insert into duologue.identities (business_address, user_key, home)
  select business_address, user_key, user_key from duologue.sessions;

do $$
declare
  name text;
begin
  foreach name in array array['identities', 'identity_state', 'message_keys']
  loop
    execute format('alter table duologue.%I enable row level security', name);
    execute format('alter table duologue.%I force row level security', name);
    execute format('create policy owner on duologue.%I to current_user using (true) with check (true)', name);
    execute format('revoke all on duologue.%I from public, anon, authenticated, service_role', name);
  end loop;
end
$$;

-- ── Resolving ────────────────────────────────────────────────────────────────────────────────────

-- The home of the first of these keys that has one; `is_held` when any of them is; `is_split` when they lead apart.
create function duologue.find_home(address text, keys text[], out home text, out is_held boolean, out is_split boolean,
  out missing text[])
language plpgsql volatile set search_path = ''
as $$
begin
  select (array_agg(known.home order by asked.place) filter (where known.home is not null))[1],
    coalesce(bool_or(known.held_until > clock_timestamp()), false), count(distinct known.home) > 1,
    coalesce(array_agg(asked.key order by asked.place) filter (where known.home is null), '{}')
  into home, is_held, is_split, missing
  from unnest(keys) with ordinality as asked(key, place)
  left join lateral (
    select stored.home, stored.held_until from duologue.identities as stored
    where stored.session_key = duologue.session_key(address, asked.key) offset 0) as known on true;
end
$$;

-- The same of all asks in one look; most users are known.
create function duologue.look_up_homes(asks jsonb) returns table (
  place bigint, address text, keys text[], claims boolean, home text, is_held boolean, is_split boolean, is_known boolean)
language sql volatile set search_path = ''
as $$
  select asked.place, asked.ask ->> 'business_address', array_agg(carried.key order by carried.place),
    (asked.ask ->> 'claims')::boolean,
    (array_agg(known.home order by carried.place) filter (where known.home is not null))[1],
    coalesce(bool_or(known.held_until > clock_timestamp()), false), count(distinct known.home) > 1,
    count(known.home) = count(*)
  from jsonb_array_elements(asks) with ordinality as asked(ask, place)
  cross join lateral jsonb_array_elements_text(asked.ask -> 'user_keys') with ordinality as carried(key, place)
  left join lateral (
    select stored.home, stored.held_until from duologue.identities as stored
    where stored.session_key = duologue.session_key(asked.ask ->> 'business_address', carried.key) offset 0
  ) as known on true
  group by asked.place, asked.ask
$$;

-- Writes down the keys of one ask that nobody has written yet, under the lock. Answers as `find_home`.
create function duologue.claim_keys(address text, keys text[], out home text, out is_held boolean, out is_split boolean)
language plpgsql volatile set search_path = ''
as $$
declare
  found_home record;
  added integer;
begin
  select * into found_home from duologue.find_home(address, keys);
  home := coalesce(found_home.home, keys[1]);
  is_held := found_home.is_held;
  is_split := found_home.is_split;
  insert into duologue.identities (business_address, user_key, home, learned_from)
    select address, missing.key, claim_keys.home, case when missing.key <> claim_keys.home then (
      select known from unnest(keys) as known where known <> missing.key limit 1) end
    from unnest(found_home.missing) as missing(key)
    where exists (select from duologue.channels where channels.address = claim_keys.address)
    on conflict (session_key) do nothing;
  get diagnostics added = row_count;
  if added < cardinality(found_home.missing) then
    -- A session that is being made at this moment may have claimed its own key.
    select again.home, again.is_held, again.is_split into found_home from duologue.find_home(address, keys) as again;
    home := coalesce(found_home.home, keys[1]);
    is_held := found_home.is_held;
    is_split := found_home.is_split;
  end if;
end
$$;

-- Which session each of these events belongs to. `user_keys`: what it carried, the phone number first. `claims`: its
-- keys are written down, so that whatever comes under one of them alone finds the same session; a single phone number
-- needs no row, its session makes one.
-- request: {asks: [{business_address, user_keys: [text], claims}]}
-- -> {generation, homes: [{home, is_held, is_split}]} in the order of the asks
create function public.resolve_identities(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
  set enable_seqscan = off set jit = off
as $$
declare
  ask record;
  claimed record;
  homes jsonb := '[]';
  is_locked boolean := false;
  seen bigint;
begin
  request := duologue.as_object(request);
  -- Read first: what is read after it is at least as new.
  select generation into seen from duologue.identity_state;
  for ask in select * from duologue.look_up_homes(request -> 'asks') as asked order by asked.place
  loop
    if not ask.is_known and ask.claims then
      -- One at a time, and so in no order that two could wait for each other in.
      if not is_locked then
        perform pg_advisory_xact_lock(hashtext('duologue.identities'));
        is_locked := true;
      end if;
      select * into claimed from duologue.claim_keys(ask.address, ask.keys);
      ask.home := claimed.home;
      ask.is_held := claimed.is_held;
      ask.is_split := claimed.is_split;
    end if;
    homes := homes || jsonb_build_object('home', coalesce(ask.home, ask.keys[1]), 'is_held', ask.is_held,
      'is_split', ask.is_split);
  end loop;
  return jsonb_build_object('generation', coalesce(seen, 0), 'homes', homes);
end
$$;

-- -> {generation}
create function public.identity_generation(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
begin
  return jsonb_build_object('generation', coalesce((select generation from duologue.identity_state), 0));
end
$$;

-- ── Committing ───────────────────────────────────────────────────────────────────────────────────

-- A new session claims its own key. It waits for whoever is writing the same key, and then sees what was written.
create function duologue.claim_identities(sessions jsonb, held integer[]) returns void
language plpgsql volatile set search_path = ''
as $$
declare
  keys text[];
  is_right boolean;
begin
  select coalesce(array_agg(added.user_key), '{}'), coalesce(bool_and(exists (
      select from duologue.channels
      where id = added.channel_id and tenant_id = added.tenant_id and address = added.business_address)), true)
  into keys, is_right
  from (
    select c.is_new::boolean, c.tenant_id::uuid, c.channel_id::uuid, c.business_address, c.user_key
    from rows from (
      jsonb_array_elements_text(sessions -> 'is_new'), jsonb_array_elements_text(sessions -> 'tenant_id'),
      jsonb_array_elements_text(sessions -> 'channel_id'), jsonb_array_elements_text(sessions -> 'business_address'),
      jsonb_array_elements_text(sessions -> 'user_key')
    ) as c(is_new, tenant_id, channel_id, business_address, user_key)
  ) as added
  where added.is_new;
  if not is_right then
    raise exception 'duologue: a new session names a channel that is not of its tenant or its address';
  end if;
  if keys = '{}' then
    return;
  end if;
  insert into duologue.identities (business_address, user_key, home)
    select c.business_address, c.user_key, c.user_key
    from rows from (
      jsonb_array_elements_text(sessions -> 'is_new'), jsonb_array_elements_text(sessions -> 'partition'),
      jsonb_array_elements_text(sessions -> 'business_address'), jsonb_array_elements_text(sessions -> 'user_key')
    ) as c(is_new, partition, business_address, user_key)
    where c.is_new::boolean and c.partition::integer = any(held)
    order by c.business_address, c.user_key
    on conflict (session_key) do nothing;
end
$$;

-- The sessions of the held partitions that were decided without knowing where a key belongs by now.
create function duologue.find_moved(sessions jsonb, held integer[]) returns jsonb
language plpgsql volatile set search_path = ''
as $$
begin
  return (
    select coalesce(jsonb_object_agg(session.id, '{"kind": "stale"}'::jsonb), '{}')
    from (
      select id::uuid, is_new::boolean, partition::integer, business_address, user_key, identity_version::bigint
      from rows from (
        jsonb_array_elements_text(sessions -> 'id'), jsonb_array_elements_text(sessions -> 'is_new'),
        jsonb_array_elements_text(sessions -> 'partition'), jsonb_array_elements_text(sessions -> 'business_address'),
        jsonb_array_elements_text(sessions -> 'user_key'), jsonb_array_elements_text(sessions -> 'identity_version')
      ) as c(id, is_new, partition, business_address, user_key, identity_version)
    ) as session
    left join lateral (
      select identity_version from duologue.sessions where id = session.id offset 0) as stored on not session.is_new
    left join lateral (
      select home from duologue.identities
      where session_key = duologue.session_key(session.business_address, session.user_key) offset 0
    ) as claimed on session.is_new
    where session.partition = any(held) and case
      when session.is_new then claimed.home <> session.user_key
      -- A node of before this migration names none.
      else session.identity_version <> stored.identity_version
    end);
end
$$;

-- list: {session_id, user_key, message_id}: under which keys messages came, and what was learned without having been
-- asked for. A key that has a home already keeps it.
create function duologue.write_identities(list jsonb, refused uuid[]) returns void
language plpgsql volatile set search_path = ''
as $$
begin
  insert into duologue.identities (business_address, user_key, home, learned_from)
    select distinct session.business_address, c.user_key, session.user_key, session.user_key
    from rows from (
      jsonb_array_elements_text(list -> 'session_id'), jsonb_array_elements_text(list -> 'user_key')
    ) as c(session_id, user_key)
    cross join lateral (
      select business_address, user_key from duologue.sessions where id = c.session_id::uuid offset 0) as session
    where not (c.session_id::uuid = any(refused))
    order by 1, 2
    on conflict (session_key) do nothing;
  insert into duologue.message_keys (message_id, session_id, user_key)
    select c.message_id::uuid, c.session_id::uuid, c.user_key
    from rows from (
      jsonb_array_elements_text(list -> 'session_id'), jsonb_array_elements_text(list -> 'user_key'),
      jsonb_array_elements_text(list -> 'message_id')
    ) as c(session_id, user_key, message_id)
    where c.message_id is not null and not (c.session_id::uuid = any(refused));
end
$$;

-- As before, and: new sessions claim their keys, what was decided on a link of before is stale, and the batch may hold
-- a list `identities`.
create or replace function public.commit_steps(batch jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
  set enable_seqscan = off set enable_mergejoin = off set jit = off set plan_cache_mode = force_generic_plan
as $$
declare
  commit_id text;
  asked integer[];
  held integer[];
  repeated integer[];
  late integer[];
  exceptions jsonb;
  refused uuid[];
  moment timestamptz;
  lease timestamptz;
begin
  batch := duologue.as_object(batch);
  -- Lists of another form would look empty, and nothing would be committed without a word.
  if batch ->> 'format' is distinct from '1' then
    raise exception 'duologue: commit_steps takes a batch of format 1, not %', coalesce(batch ->> 'format', 'none');
  end if;
  commit_id := batch ->> 'commit_id';

  asked := array(select jsonb_array_elements_text(batch #> '{partitions,partition}')::integer);
  perform from duologue.partitions where partition = any(asked) order by partition for no key update;
  moment := clock_timestamp();
  lease := moment + make_interval(secs => (batch ->> 'lease_ms')::double precision / 1000);

  select
    coalesce(array_agg(stored.partition)
      filter (where stored.last_commit_id is null or stored.last_commit_id < commit_id collate "C"), '{}'),
    coalesce(array_agg(stored.partition) filter (where stored.last_commit_id = commit_id), '{}'),
    coalesce(array_agg(stored.partition) filter (where stored.last_commit_id > commit_id collate "C"), '{}')
  into held, repeated, late
  from duologue.partition_rows(batch -> 'partitions') as named
  join duologue.partitions as stored
    on stored.partition = named.partition and stored.epoch = named.epoch and stored.owner = batch ->> 'node_id'
  where stored.partition = any(asked);

  if batch -> 'sessions' ? 'tenant_id' then
    perform duologue.claim_identities(batch -> 'sessions', held);
  end if;
  exceptions := duologue.find_refusals(batch, held);
  if batch -> 'sessions' ? 'id' then
    exceptions := exceptions || duologue.find_moved(batch -> 'sessions', held);
  end if;
  -- Also the sessions of a partition that the batch does not name: it was not locked.
  refused := array(
    select id::uuid
    from rows from (
      jsonb_array_elements_text(batch #> '{sessions,id}'), jsonb_array_elements_text(batch #> '{sessions,partition}')
    ) as c(id, partition)
    where (partition::integer = any(held)) is not true or exceptions ? id);

  perform duologue.write_steps(batch, held, refused, moment, lease);
  if batch -> 'identities' ? 'user_key' then
    perform duologue.write_identities(batch -> 'identities', refused);
  end if;

  update duologue.partitions as stored
  set lease_until = lease, last_commit_id = commit_id, last_commit_outcome = wrong.outcomes,
    cursor_incarnation = case when moves.it then named.cursor_incarnation else stored.cursor_incarnation end,
    cursor_sequence = case
      when not moves.it then stored.cursor_sequence
      when named.cursor_incarnation = stored.cursor_incarnation
        then greatest(named.cursor_sequence, stored.cursor_sequence)
      else named.cursor_sequence
    end
  from duologue.partition_rows(batch -> 'partitions') as named
  left join (
    select partition, jsonb_object_agg(id, exceptions -> id::text) as outcomes
    from duologue.session_rows(batch -> 'sessions')
    where exceptions <> '{}' and exceptions ? id::text
    group by partition) as wrong on wrong.partition = named.partition
  cross join lateral (select named.cursor_incarnation is not null and wrong.outcomes is null) as moves(it)
  where stored.partition = named.partition and stored.partition = any(held);

  if repeated <> '{}' then
    select exceptions || coalesce(jsonb_object_agg(earlier.session_id, earlier.outcome), '{}') into exceptions
    from duologue.partitions
    cross join lateral jsonb_each(last_commit_outcome) as earlier(session_id, outcome)
    where partition = any(repeated);
  end if;
  if late <> '{}' then
    select exceptions || coalesce(jsonb_object_agg(session.id, '{"kind": "stale"}'::jsonb), '{}') into exceptions
    from duologue.session_rows(batch -> 'sessions') as session
    where session.partition = any(late);
  end if;
  return jsonb_build_object(
    'committed', to_jsonb(held || repeated || late),
    'fenced', to_jsonb(array(select unnest(asked) except select unnest(held || repeated || late))),
    'exceptions', exceptions);
end
$$;

-- ── Loading ──────────────────────────────────────────────────────────────────────────────────────

create or replace function duologue.session_row(session duologue.sessions) returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object('session_key', session.session_key, 'id', session.id, 'tenant_id', session.tenant_id,
    'channel_id', session.channel_id, 'business_address', session.business_address, 'user_key', session.user_key,
    'position_incarnation', session.position_incarnation, 'position_sequence', session.position_sequence,
    'reply_address', session.reply_address, 'last_inbound_at', session.last_inbound_at, 'speaker', session.speaker,
    'speaker_token', session.speaker_token, 'opted_out', session.opted_out,
    'clock_offset_ms', session.clock_offset_ms, 'quarantined_at', session.quarantined_at,
    'redirects', session.redirects, 'identity_version', session.identity_version,
    'parked', case when session.quarantined_at is not null then duologue.parked_queue(session.id) end)
$$;

-- As before; `aliases`: where those of the asked keys lead that have no session and belong to another one.
create or replace function public.load_sessions(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
  set enable_seqscan = off set enable_mergejoin = off set jit = off
as $$
declare
  keys text[];
  absent text[];
  missing text[];
  sessions jsonb;
  channels jsonb;
  aliases jsonb;
  known jsonb;
begin
  request := duologue.as_object(request);
  select array_agg(session_key) into keys from jsonb_to_recordset(request -> 'sessions') as asked(session_key text);

  select coalesce(jsonb_agg(duologue.session_row(session) || jsonb_build_object(
    'settings', tenant.settings || channel.settings, 'conversation', conversation.row, 'effects', effects.rows)), '[]')
  into sessions
  from duologue.sessions as session
  join duologue.channels as channel on channel.id = session.channel_id
  join duologue.tenants as tenant on tenant.id = session.tenant_id
  left join lateral (
    select jsonb_build_object('id', id, 'status', status, 'machine', machine, 'machine_version', machine_version,
      'version', version, 'notable_version', notable_version, 'snapshot', snapshot, 'hash', hash, 'timers', timers, 'updated_at', updated_at) as row
    from duologue.conversations
    where id = session.conversation_id and session_id = session.id offset 0) as conversation on true
  cross join lateral (
    select coalesce(jsonb_agg(duologue.effect_row(effect) order by effect.created_at, effect.conversation_id,
      split_part(effect.id, ':', 2)::bigint, split_part(effect.id, ':', 3)::bigint), '[]') as rows
    from duologue.effects as effect
    where effect.partition = session.partition and effect.session_id = session.id
      and effect.status in ('pending', 'running', 'uncertain')) as effects
  where session.session_key = any(keys);

  absent := array(
    select unnest(keys) except select loaded ->> 'session_key' from jsonb_array_elements(sessions) as loaded);
  missing := array(select distinct split_part(key, '.', 1) from unnest(absent) as unknown(key));
  select coalesce(jsonb_agg(jsonb_build_object('business_address', channel.address,
    'business_token', channel.business_token, 'channel_id', channel.id, 'tenant_id', channel.tenant_id,
    'settings', tenant.settings || channel.settings)), '[]')
  into channels
  from duologue.channels as channel
  join duologue.tenants as tenant on tenant.id = channel.tenant_id
  where channel.business_token = any(missing);

  select coalesce(jsonb_agg(jsonb_build_object('session_key', session_key, 'home', home)), '[]') into aliases
  from duologue.identities
  where session_key = any(absent) and home <> user_key;

  select coalesce(jsonb_agg(asked.session_key || ' ' || waiting.provider_id), '[]') into known
  from jsonb_to_recordset(request -> 'sessions') as asked(session_key text, provider_ids jsonb)
  cross join lateral jsonb_array_elements_text(asked.provider_ids) as waiting(provider_id)
  cross join lateral (
    select id from duologue.channels
    where business_token = split_part(asked.session_key, '.', 1) offset 0) as channel
  where case
    when starts_with(waiting.provider_id, 'command:')
      then exists (select from duologue.commands where id = substr(waiting.provider_id, 9))
    else exists (
      select from duologue.messages where channel_id = channel.id and provider_id = waiting.provider_id)
  end;

  return jsonb_build_object('sessions', sessions, 'channels', channels, 'aliases', aliases,
    'known_provider_ids', known);
end
$$;

select duologue.expose('public.resolve_identities(jsonb)');
select duologue.expose('public.identity_generation(jsonb)');

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
