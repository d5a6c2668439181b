-- What an owner reads: sessions whole, the work that is due, and the answers its effects need.
-- Rows come as they are stored (snake_case, timestamptz as text); the repository makes domain types of them.

create function duologue.effect_row(effect duologue.effects) returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object('id', effect.id, 'conversation_id', effect.conversation_id, 'kind', effect.kind,
    'params', effect.params, 'child_id', effect.child_id, 'speaker_token', effect.speaker_token,
    'status', effect.status, 'attempts', effect.attempts, 'next_attempt_at', effect.next_attempt_at,
    'deadline', effect.deadline, 'started_at', effect.started_at, 'message_id', effect.message_id)
$$;

create function duologue.session_row(session duologue.sessions) returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object('session_key', session.session_key, 'id', session.id, 'tenant_id', session.tenant_id,
    'channel_id', session.channel_id, 'business_address', session.business_address, 'user_key', session.user_key,
    'position_incarnation', session.position_incarnation, 'position_sequence', session.position_sequence,
    'reply_address', session.reply_address, 'last_inbound_at', session.last_inbound_at, 'speaker', session.speaker,
    'speaker_token', session.speaker_token, 'opted_out', session.opted_out,
    'clock_offset_ms', session.clock_offset_ms, 'quarantined_at', session.quarantined_at)
$$;

-- request: {sessions: [{session_key, provider_ids: [text]}]}
-- -> {sessions: [...], channels: [...], known_provider_ids: ['<session key> <provider id>']}
create function public.load_sessions(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
  set enable_seqscan = off set enable_mergejoin = off set jit = off
as $$
declare
  keys text[];
  missing text[];
  sessions jsonb;
  channels jsonb;
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
      'version', version, 'snapshot', snapshot, 'hash', hash, 'timers', timers, 'updated_at', updated_at) as row
    from duologue.conversations where id = session.conversation_id offset 0) as conversation on true
  cross join lateral (
    select coalesce(jsonb_agg(duologue.effect_row(effect) order by effect.created_at, effect.conversation_id,
      split_part(effect.id, ':', 2)::bigint, split_part(effect.id, ':', 3)::bigint), '[]') as rows
    from duologue.effects as effect
    where effect.partition = session.partition and effect.session_id = session.id
      and effect.status in ('pending', 'running', 'uncertain')) as effects
  where session.session_key = any(keys);

  missing := array(
    select distinct split_part(key, '.', 1)
    from (select unnest(keys) except select loaded ->> 'session_key' from jsonb_array_elements(sessions) as loaded)
      as unknown(key));
  select coalesce(jsonb_agg(jsonb_build_object('business_address', channel.address,
    'business_token', channel.business_token, 'channel_id', channel.id, 'tenant_id', channel.tenant_id,
    'settings', tenant.settings || channel.settings)), '[]')
  into channels
  from duologue.channels as channel
  join duologue.tenants as tenant on tenant.id = channel.tenant_id
  where channel.business_token = any(missing);

  select coalesce(jsonb_agg(asked.session_key || ' ' || waiting.provider_id), '[]') into known
  from jsonb_to_recordset(request -> 'sessions') as asked(session_key text, provider_ids jsonb)
  cross join lateral jsonb_array_elements_text(asked.provider_ids) as waiting(provider_id)
  cross join lateral (
    select id from duologue.channels
    where business_token = split_part(asked.session_key, '.', 1) offset 0) as channel
  cross join lateral (
    select from duologue.messages
    where channel_id = channel.id and provider_id = waiting.provider_id offset 0) as message;

  return jsonb_build_object('sessions', sessions, 'channels', channels, 'known_provider_ids', known);
end
$$;

-- One page of the sessions of these partitions that need attention: with a timer due at the horizon, or with an
-- unsettled effect (whatever the horizon). Partition after partition, so that a page costs what it holds.
-- request: {partitions: [int], of: timers | effects, horizon, after: {partition, wake_at?, id} | null, limit}
-- -> {sessions: [{session_key, partition, wake_at}], next: an `after` | null}
create function public.load_due(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
  set enable_seqscan = off set enable_mergejoin = off set jit = off
as $$
declare
  after jsonb;
  room integer;
  asked integer;
  part jsonb;
  due jsonb := '[]';
begin
  request := duologue.as_object(request);
  after := nullif(request -> 'after', 'null');
  room := least(greatest((request ->> 'limit')::integer, 1), 1000);
  for asked in
    select value::integer as partition from jsonb_array_elements_text(request -> 'partitions')
    where after is null or value::integer >= (after ->> 'partition')::integer
    order by partition
  loop
    if (after ->> 'partition')::integer < asked then
      after := null;
    end if;
    if request ->> 'of' = 'timers' then
      part := duologue.due_timers(asked, (request ->> 'horizon')::timestamptz, after, room);
    else
      part := duologue.unsettled_effects(asked, after, room);
    end if;
    due := due || part;
    room := room - jsonb_array_length(part);
    exit when room = 0;
  end loop;
  return jsonb_build_object('sessions', due, 'next', case when room = 0 then due -> -1 end);
end
$$;

create function duologue.due_timers(asked integer, horizon timestamptz, after jsonb, room integer) returns jsonb
language plpgsql volatile set search_path = ''
as $$
begin
  return (
    select coalesce(jsonb_agg(to_jsonb(page) order by page.wake_at, page.id), '[]')
    from (
      select session.session_key, conversation.partition, conversation.next_timer_at as wake_at, conversation.id
      from duologue.conversations as conversation
      cross join lateral (
        select session_key from duologue.sessions
        where id = conversation.session_id and quarantined_at is null offset 0) as session
      where conversation.partition = asked and conversation.next_timer_at <= horizon
        and (after is null or (conversation.next_timer_at, conversation.id)
          > ((after ->> 'wake_at')::timestamptz, (after ->> 'id')::uuid))
      order by conversation.partition, conversation.next_timer_at, conversation.id
      limit room
    ) as page);
end
$$;

-- A running send is touched only after its deadline; an effect without a moment of its own is wanted at once.
create function duologue.unsettled_effects(asked integer, after jsonb, room integer) returns jsonb
language plpgsql volatile set search_path = ''
as $$
begin
  return (
    select coalesce(jsonb_agg(jsonb_build_object('session_key', session.session_key, 'partition', asked,
      'wake_at', page.wake_at, 'id', page.id) order by page.id), '[]')
    from (
      select session_id as id,
        min(coalesce(case when status = 'running' then deadline else next_attempt_at end, created_at)) as wake_at
      from duologue.effects
      where partition = asked and status in ('pending', 'running', 'uncertain')
        and (after is null or session_id > (after ->> 'id')::uuid)
      group by session_id
      order by session_id
      limit room
    ) as page
    cross join lateral (select session_key from duologue.sessions where id = page.id offset 0) as session);
end
$$;

-- request: {effect_id} -> {provider_id: text | null}: the provider's callback named the effect.
create function public.find_delivery(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
begin
  request := duologue.as_object(request);
  return jsonb_build_object('provider_id', (
    select min(provider_id) from duologue.deliveries where effect_id = request ->> 'effect_id'));
end
$$;

-- request: {channel_id, provider_ids} -> {provider_ids}: those that are a message's, or by callback an effect's.
create function public.find_known_provider_ids(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
begin
  request := duologue.as_object(request);
  return jsonb_build_object('provider_ids', coalesce((
    select jsonb_agg(asked.id)
    from jsonb_array_elements_text(request -> 'provider_ids') as asked(id)
    where exists (
        select from duologue.messages
        where channel_id = (request ->> 'channel_id')::uuid and provider_id = asked.id)
      or exists (
        select from duologue.deliveries
        where channel_id = (request ->> 'channel_id')::uuid and provider_id = asked.id
          and effect_id is not null)), '[]'));
end
$$;

-- request: {session_id, limit} -> {messages: rows, oldest first}: the newest ones of the session.
create function public.recent_messages(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
begin
  request := duologue.as_object(request);
  return jsonb_build_object('messages', coalesce((
    select jsonb_agg(to_jsonb(newest) order by newest.id)
    from (
      select id, conversation_id, direction, author, body, media, provider_id, raw, at
      from duologue.messages
      where session_id = (request ->> 'session_id')::uuid
      order by id desc
      limit least(greatest((request ->> 'limit')::integer, 0), 200)
    ) as newest), '[]'));
end
$$;

-- request: {address} -> {channel: {...} | null}: for the webhook, which knows a business address only.
create function public.find_channel(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
begin
  request := duologue.as_object(request);
  return jsonb_build_object('channel', (
    select jsonb_build_object('id', channel.id, 'tenant_id', channel.tenant_id, 'address', channel.address,
      'provider_account', channel.provider_account, 'token_secret_name', channel.token_secret_name,
      'settings', tenant.settings || channel.settings)
    from duologue.channels as channel
    join duologue.tenants as tenant on tenant.id = channel.tenant_id
    where channel.address = request ->> 'address'));
end
$$;

select duologue.expose('public.load_sessions(jsonb)');
select duologue.expose('public.load_due(jsonb)');
select duologue.expose('public.find_delivery(jsonb)');
select duologue.expose('public.find_known_provider_ids(jsonb)');
select duologue.expose('public.recent_messages(jsonb)');
select duologue.expose('public.find_channel(jsonb)');
