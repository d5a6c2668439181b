-- What pages and programs read (DESIGN section 10): lists of JSON rows in camelCase. A `tenant_id` in the request
-- keeps every answer inside that tenant. Lists answer {items, next}: `next` is the key of the last row, null at the
-- end; lists of one conversation answer null when there is no such conversation.

create function duologue.page_limit(request jsonb) returns integer
language sql immutable set search_path = ''
as $$ select least(greatest(coalesce((request ->> 'limit')::integer, 50), 1), 200) $$;

create function duologue.conversation_item(conversation duologue.conversations, session duologue.sessions)
returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object('id', conversation.id, 'tenantId', conversation.tenant_id, 'sessionId', session.id,
    'status', conversation.status, 'version', conversation.version, 'machine', conversation.machine,
    'machineVersion', conversation.machine_version, 'businessAddress', session.business_address,
    'userAddress', session.user_key, 'speaker', session.speaker, 'optedOut', session.opted_out,
    'assignedOperator', conversation.assigned_operator, 'openedAt', conversation.opened_at,
    'updatedAt', conversation.updated_at, 'closedAt', conversation.closed_at,
    'nextTimerAt', conversation.next_timer_at, 'previousId', conversation.previous_id,
    'quarantinedAt', session.quarantined_at)
$$;

-- The conversation of a request, if it exists and is the tenant's.
create function duologue.find_conversation(request jsonb) returns setof duologue.conversations
language sql stable rows 1 set search_path = ''
as $$
  select * from duologue.conversations
  where id = (request ->> 'conversation_id')::uuid
    and (request ->> 'tenant_id' is null or tenant_id = (request ->> 'tenant_id')::uuid)
$$;

-- request: {address, status, after: {updated_at, id}, limit, tenant_id}: the last changed first. The address of a user
-- leads to the few conversations of its sessions; any other list goes along the order of change.
create function public.list_conversations(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  after jsonb;
  page_limit integer;
  users uuid[];
  answer jsonb;
begin
  request := duologue.as_object(request);
  after := nullif(request -> 'after', 'null');
  page_limit := duologue.page_limit(request);
  if request ->> 'address' is not null then
    select array_agg(id) into users from duologue.sessions where user_key = request ->> 'address';
  end if;
  select jsonb_build_object(
    'items', coalesce(jsonb_agg(page.item order by page.updated_at desc, page.id desc), '[]'),
    'next', case when count(*) = page_limit then (array_agg(jsonb_build_object('updated_at', page.updated_at,
      'id', page.id) order by page.updated_at, page.id))[1] end)
  into answer
  from (
    select conversation.updated_at, conversation.id, duologue.conversation_item(conversation, session) as item
    from duologue.conversations as conversation
    join duologue.sessions as session on session.id = conversation.session_id
    where (users is null or conversation.session_id = any(users))
      and (users is not null or request ->> 'address' is null or session.business_address = request ->> 'address')
      and (request ->> 'status' is null or conversation.status = request ->> 'status')
      and (request ->> 'tenant_id' is null or conversation.tenant_id = (request ->> 'tenant_id')::uuid)
      and (after is null or (conversation.updated_at, conversation.id)
        < ((after ->> 'updated_at')::timestamptz, (after ->> 'id')::uuid))
    order by conversation.updated_at desc, conversation.id desc
    limit page_limit
  ) as page;
  return answer;
end
$$;

-- request: {conversation_id, tenant_id} -> {item: {...} | null}
create function public.get_conversation(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
begin
  request := duologue.as_object(request);
  return jsonb_build_object('item', (
    select duologue.conversation_item(conversation, session)
    from duologue.find_conversation(request) as conversation
    join duologue.sessions as session on session.id = conversation.session_id));
end
$$;

-- request: {conversation_id, after: {id}, limit, tenant_id}: oldest first.
create function public.list_messages(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  asked duologue.conversations;
  after uuid;
  page_limit integer;
  answer jsonb;
begin
  request := duologue.as_object(request);
  after := (request -> 'after' ->> 'id')::uuid;
  page_limit := duologue.page_limit(request);
  select * into asked from duologue.find_conversation(request);
  if not found then
    return null;
  end if;
  select jsonb_build_object(
    'items', coalesce(jsonb_agg(jsonb_build_object('id', page.id, 'direction', page.direction,
      'author', page.author, 'body', page.body, 'media', page.media, 'providerId', page.provider_id,
      'deliveryStatus', delivery.status, 'errorCode', delivery.error_code, 'at', page.at) order by page.id), '[]'),
    'next', case when count(*) = page_limit then
      (array_agg(jsonb_build_object('id', page.id) order by page.id desc))[1] end)
  into answer
  from (
    select message.* from duologue.messages as message
    where message.session_id = asked.session_id and message.conversation_id = asked.id
      and (after is null or message.id > after)
    order by message.id
    limit page_limit
  ) as page
  -- A callback may come before the send's own result: then only its effect leads to the message.
  left join lateral (
    select delivery.status, delivery.error_code
    from duologue.deliveries as delivery
    where page.direction = 'outbound' and delivery.channel_id = page.channel_id
      and delivery.provider_id = coalesce(page.provider_id, (
        select told.provider_id
        from duologue.effects as effect
        join duologue.deliveries as told on told.effect_id = effect.id
        where effect.id > asked.id::text || ':' and effect.id < asked.id::text || ';'
          and effect.message_id = page.id
        limit 1))
  ) as delivery on true;
  return answer;
end
$$;

-- request: {conversation_id, after: {version}, limit, tenant_id}: the journal, oldest first.
create function public.list_events(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  page_limit integer;
  answer jsonb;
begin
  request := duologue.as_object(request);
  page_limit := duologue.page_limit(request);
  if not exists (select from duologue.find_conversation(request)) then
    return null;
  end if;
  select jsonb_build_object(
    'items', coalesce(jsonb_agg(jsonb_build_object('version', page.version, 'eventId', page.event_id,
      'event', page.event, 'fromStatus', page.from_status, 'toStatus', page.to_status, 'reason', page.reason,
      'initiator', page.initiator, 'machineVersion', page.machine_version, 'occurredAt', page.occurred_at,
      'hash', page.hash) order by page.version), '[]'),
    'next', case when count(*) = page_limit then jsonb_build_object('version', max(page.version)) end)
  into answer
  from (
    select * from duologue.conversation_events
    where conversation_id = (request ->> 'conversation_id')::uuid
      and version > coalesce((request -> 'after' ->> 'version')::bigint, 0)
    order by version
    limit page_limit
  ) as page;
  return answer;
end
$$;

-- request: {conversation_id, after: {version}, limit, tenant_id}: where the status changed, oldest first.
create function public.list_history(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  page_limit integer;
  answer jsonb;
begin
  request := duologue.as_object(request);
  page_limit := duologue.page_limit(request);
  if not exists (select from duologue.find_conversation(request)) then
    return null;
  end if;
  select jsonb_build_object(
    'items', coalesce(jsonb_agg(jsonb_build_object('version', page.version, 'fromStatus', page.from_status,
      'toStatus', page.to_status, 'reason', page.reason, 'initiator', page.initiator,
      'machineVersion', page.machine_version, 'occurredAt', page.occurred_at) order by page.version), '[]'),
    'next', case when count(*) = page_limit then jsonb_build_object('version', max(page.version)) end)
  into answer
  from (
    select * from duologue.conversation_state_history
    where conversation_id = (request ->> 'conversation_id')::uuid
      and version > coalesce((request -> 'after' ->> 'version')::bigint, 0)
    order by version
    limit page_limit
  ) as page;
  return answer;
end
$$;

-- request: {after: {at, sequence, id}, limit, tenant_id}: parked events, oldest first.
create function public.quarantine_list(request jsonb) returns jsonb
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
    'items', coalesce(jsonb_agg(jsonb_build_object('id', page.id, 'partition', page.partition,
      'sessionId', page.session_id, 'incarnation', page.position_incarnation, 'sequence', page.position_sequence,
      'kind', page.kind, 'subject', page.subject, 'dataBase64', page.data_base64, 'error', page.error,
      'at', page.at) order by page.at, page.position_sequence, page.id), '[]'),
    'next', case when count(*) = page_limit then (array_agg(jsonb_build_object('at', page.at,
      'sequence', page.position_sequence, 'id', page.id)
      order by page.at desc, page.position_sequence desc, page.id desc))[1] end)
  into answer
  from (
    select parked.* from duologue.quarantine as parked
    left join duologue.sessions as session on session.id = parked.session_id
    where (after is null or (parked.at, parked.position_sequence, parked.id)
        > ((after ->> 'at')::timestamptz, (after ->> 'sequence')::bigint, (after ->> 'id')::uuid))
      and (request ->> 'tenant_id' is null or session.tenant_id = (request ->> 'tenant_id')::uuid)
    order by parked.at, parked.position_sequence, parked.id
    limit page_limit
  ) as page;
  return answer;
end
$$;

select duologue.expose('public.list_conversations(jsonb)');
select duologue.expose('public.get_conversation(jsonb)');
select duologue.expose('public.list_messages(jsonb)');
select duologue.expose('public.list_events(jsonb)');
select duologue.expose('public.list_history(jsonb)');
select duologue.expose('public.quarantine_list(jsonb)');
