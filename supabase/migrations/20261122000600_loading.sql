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

-- request: {sessions: [{session_key, provider_ids: [text]}]}
-- -> {sessions: [...], channels: [...], known_provider_ids: ['<session key> <provider id>']}
create function public.load_sessions(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
  set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
as $$
declare
  sessions jsonb;
  channels jsonb;
  known jsonb;
begin
  request := duologue.as_object(request);

  select coalesce(jsonb_agg(jsonb_build_object(
    'session_key', session.session_key, 'id', session.id, 'tenant_id', session.tenant_id,
    'channel_id', session.channel_id, 'business_address', session.business_address, 'user_key', session.user_key,
    'position_incarnation', session.position_incarnation, 'position_sequence', session.position_sequence,
    'reply_address', session.reply_address, 'last_inbound_at', session.last_inbound_at, 'speaker', session.speaker,
    'speaker_token', session.speaker_token, 'opted_out', session.opted_out,
    'clock_offset_ms', session.clock_offset_ms, 'quarantined_at', session.quarantined_at,
    'settings', tenant.settings || channel.settings,
    'conversation', case when conversation.id is not null then jsonb_build_object(
      'id', conversation.id, 'status', conversation.status, 'machine', conversation.machine,
      'machine_version', conversation.machine_version, 'version', conversation.version,
      'snapshot', conversation.snapshot, 'hash', conversation.hash, 'timers', conversation.timers,
      'updated_at', conversation.updated_at) end,
    'effects', (
      select coalesce(jsonb_agg(duologue.effect_row(effect) order by effect.created_at, effect.conversation_id,
        split_part(effect.id, ':', 2)::bigint, split_part(effect.id, ':', 3)::bigint), '[]')
      from duologue.effects as effect
      where effect.partition = session.partition and effect.session_id = session.id
        and effect.status in ('pending', 'running', 'uncertain')))), '[]')
  into sessions
  from jsonb_to_recordset(request -> 'sessions') as asked(session_key text)
  join duologue.sessions as session on session.session_key = asked.session_key
  join duologue.channels as channel on channel.id = session.channel_id
  join duologue.tenants as tenant on tenant.id = session.tenant_id
  left join duologue.conversations as conversation on conversation.id = session.conversation_id;

  select coalesce(jsonb_agg(jsonb_build_object('business_address', channel.address,
    'business_token', channel.business_token, 'channel_id', channel.id, 'tenant_id', channel.tenant_id,
    'settings', tenant.settings || channel.settings)), '[]')
  into channels
  from (
    select distinct split_part(asked.session_key, '.', 1) as business_token
    from jsonb_to_recordset(request -> 'sessions') as asked(session_key text)
    where not exists (select from duologue.sessions as session where session.session_key = asked.session_key)
  ) as missing
  join duologue.channels as channel on channel.business_token = missing.business_token
  join duologue.tenants as tenant on tenant.id = channel.tenant_id;

  select coalesce(jsonb_agg(asked.session_key || ' ' || message.provider_id), '[]') into known
  from jsonb_to_recordset(request -> 'sessions') as asked(session_key text, provider_ids jsonb)
  cross join lateral jsonb_array_elements_text(asked.provider_ids) as waiting(provider_id)
  join duologue.channels as channel on channel.business_token = split_part(asked.session_key, '.', 1)
  join duologue.messages as message
    on message.channel_id = channel.id and message.provider_id = waiting.provider_id;

  return jsonb_build_object('sessions', sessions, 'channels', channels, 'known_provider_ids', known);
end
$$;

-- One page of the sessions of these partitions that need attention: with a timer due at the horizon, or with an
-- unsettled effect (whatever the horizon).
-- request: {partitions: [int], of: timers | effects, horizon, after: {partition, wake_at?, id} | null, limit}
-- -> {sessions: [{session_key, partition, wake_at}], next: an `after` | null}
create function public.load_due(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
  set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
as $$
declare
  asked integer[];
  after jsonb;
  page_limit integer;
  answer jsonb;
begin
  request := duologue.as_object(request);
  asked := array(select jsonb_array_elements_text(request -> 'partitions')::integer);
  after := nullif(request -> 'after', 'null');
  page_limit := least(greatest((request ->> 'limit')::integer, 1), 1000);

  if request ->> 'of' = 'timers' then
    select jsonb_build_object(
      'sessions', coalesce(jsonb_agg(jsonb_build_object('session_key', page.session_key, 'partition', page.partition,
        'wake_at', page.next_timer_at) order by page.partition, page.next_timer_at, page.id), '[]'),
      'next', case when count(*) = page_limit then (array_agg(jsonb_build_object('partition', page.partition,
        'wake_at', page.next_timer_at, 'id', page.id) order by page.partition desc, page.next_timer_at desc,
        page.id desc))[1] end)
    into answer
    from (
      select session.session_key, conversation.partition, conversation.next_timer_at, conversation.id
      from duologue.conversations as conversation
      join duologue.sessions as session on session.id = conversation.session_id
      where conversation.partition = any(asked) and conversation.next_timer_at <= (request ->> 'horizon')::timestamptz
        and session.quarantined_at is null
        and (after is null or (conversation.partition, conversation.next_timer_at, conversation.id)
          > ((after ->> 'partition')::integer, (after ->> 'wake_at')::timestamptz, (after ->> 'id')::uuid))
      order by conversation.partition, conversation.next_timer_at, conversation.id
      limit page_limit
    ) as page;
    return answer;
  end if;

  select jsonb_build_object(
    'sessions', coalesce(jsonb_agg(jsonb_build_object('session_key', session.session_key,
      'partition', page.partition, 'wake_at', page.wake_at) order by page.partition, page.session_id), '[]'),
    'next', case when count(*) = page_limit then (array_agg(jsonb_build_object('partition', page.partition,
      'id', page.session_id) order by page.partition desc, page.session_id desc))[1] end)
  into answer
  from (
    -- A running send is touched only after its deadline.
    select effect.partition, effect.session_id, min(coalesce(
      case when effect.status = 'running' then effect.deadline else effect.next_attempt_at end,
      effect.created_at)) as wake_at
    from duologue.effects as effect
    where effect.partition = any(asked) and effect.status in ('pending', 'running', 'uncertain')
      and (after is null or (effect.partition, effect.session_id)
        > ((after ->> 'partition')::integer, (after ->> 'id')::uuid))
    group by effect.partition, effect.session_id
    order by effect.partition, effect.session_id
    limit page_limit
  ) as page
  join duologue.sessions as session on session.id = page.session_id;
  return answer;
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
