-- The pieces of a message stand where the message stood, before what was wanted after it, whoever loads the session.

create or replace function public.schema_version(request jsonb default '{}') returns jsonb
language sql stable set search_path = ''
as $$ select jsonb_build_object('version', '20261125001700', 'format', 1) $$;

-- As before, and: a piece has the age of the message that it is of. What is sent again is as young as it is.
create or replace function duologue.adopt_resend() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  number integer := split_part(new.id, ':', 4)::integer;
  first_id text := regexp_replace(new.id, ':\d+$', '');
  before duologue.effects;
begin
  select * into before from duologue.effects
  where id = case when number > 1 then first_id || ':' || (number - 1) else first_id end
    and session_id = new.session_id and kind = 'sendMessage';
  if not found or exists (select from duologue.effects where id = new.id) then
    return null;
  end if;
  if new.params is null then
    new.params := before.params;
    new.message_id := before.message_id;
    new.speaker_token := before.speaker_token;
  else
    new.created_at := before.created_at;
  end if;
  if new.message_id is not null then
    update duologue.effects set message_id = null where id = before.id;
    update duologue.messages set provider_id = null where session_id = new.session_id and id = new.message_id;
  end if;
  return new;
end
$$;

-- As before, and: the pieces of one message in their order.
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
      split_part(effect.id, ':', 2)::bigint, split_part(effect.id, ':', 3)::bigint,
      nullif(split_part(effect.id, ':', 4), '')::bigint nulls first), '[]') as rows
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

select duologue.expose('public.schema_version(jsonb)');

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
