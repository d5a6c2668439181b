-- What a message holds (its parts, what was said in its audio), which messages the assistant was not asked about, and
-- how often a tenant's assistant may be asked in a minute and in an hour.

create or replace function public.schema_version(request jsonb default '{}') returns jsonb
language sql stable set search_path = ''
as $$ select jsonb_build_object('version', '20261125001200', 'format', 1) $$;

-- `content` is null when a message is its body and media alone, as all were that were stored before.
alter table duologue.messages
  add column content jsonb check (jsonb_typeof(content) = 'array'),
  add column transcripts jsonb check (jsonb_typeof(transcripts) = 'object'),
  add column rate_limited boolean not null default false;

-- ── Writing ──────────────────────────────────────────────────────────────────────────────────────

-- The two columns come in a batch beside the others. They travel inside `raw` to the one statement that inserts
-- messages, and a trigger takes them out again; a message of plain text has neither and costs nothing.
create or replace function duologue.message_rows(list jsonb) returns table (
  session_id uuid, id uuid, channel_id uuid, conversation_id uuid, direction text, author text, body text,
  media jsonb, provider_id text, raw jsonb, at timestamptz)
language sql stable
as $$
  select c.session_id::uuid, c.id::uuid, c.channel_id::uuid, c.conversation_id::uuid, c.direction, c.author, c.body,
    c.media, c.provider_id,
    case when nullif(c.content, 'null') is null and c.rate_limited is null then nullif(c.raw, 'null')
      else coalesce(nullif(c.raw, 'null'), '{}') || jsonb_build_object('duologue.message',
        jsonb_build_object('content', c.content, 'rate_limited', c.rate_limited::boolean)) end,
    c.at::timestamptz
  from rows from (
    jsonb_array_elements_text(list -> 'session_id'), jsonb_array_elements_text(list -> 'id'),
    jsonb_array_elements_text(list -> 'channel_id'), jsonb_array_elements_text(list -> 'conversation_id'),
    jsonb_array_elements_text(list -> 'direction'), jsonb_array_elements_text(list -> 'author'),
    jsonb_array_elements_text(list -> 'body'), jsonb_array_elements(list -> 'media'),
    jsonb_array_elements_text(list -> 'provider_id'), jsonb_array_elements(list -> 'raw'),
    jsonb_array_elements_text(list -> 'at'), jsonb_array_elements(list -> 'content'),
    jsonb_array_elements_text(list -> 'rate_limited')
  ) as c(session_id, id, channel_id, conversation_id, direction, author, body, media, provider_id, raw, at, content,
    rate_limited)
$$;

-- A form's own field of that name is a text or a list of texts, never an object.
create function duologue.unpack_message() returns trigger
language plpgsql set search_path = ''
as $$
declare
  packed jsonb := new.raw -> 'duologue.message';
begin
  new.content := nullif(packed -> 'content', 'null');
  new.rate_limited := coalesce((packed ->> 'rate_limited')::boolean, false);
  new.raw := new.raw - 'duologue.message';
  return new;
end
$$;
create trigger unpack_message before insert on duologue.messages
  for each row when (jsonb_typeof(new.raw -> 'duologue.message') = 'object')
  execute function duologue.unpack_message();

-- What an effect's outcome says about the messages of its turn, in the transaction that settles it: what was said in
-- their audio, and that the tenant's budget did not allow to ask about them.
create function duologue.note_outcome() returns trigger
language plpgsql set search_path = ''
as $$
begin
  if new.status = 'failed' then
    update duologue.messages as message set rate_limited = true
    from jsonb_array_elements(coalesce(nullif(new.params -> 'messages', 'null'), new.params -> 'notes')) as asked
    where message.session_id = new.session_id and message.id = (asked ->> 'messageId')::uuid;
  else
    update duologue.messages as message set transcripts = coalesce(message.transcripts, '{}') || heard.texts
    from (
      select (transcript ->> 'messageId')::uuid as id,
        jsonb_object_agg(transcript ->> 'media', transcript -> 'text') as texts
      from jsonb_array_elements(new.outcome -> 'transcripts') as transcript
      where jsonb_typeof(transcript -> 'text') = 'string'
      group by 1
    ) as heard
    where message.session_id = new.session_id and message.id = heard.id;
  end if;
  return null;
end
$$;
create trigger note_outcome after update on duologue.effects
  for each row when (new.status is distinct from old.status and (
    (new.status = 'done' and new.kind = 'transcribe' and jsonb_typeof(new.outcome -> 'transcripts') = 'array')
    or (new.status = 'failed' and new.child_id is not null
      and new.outcome ->> 'code' in ('tenant-minute', 'tenant-hour'))))
  execute function duologue.note_outcome();

-- ── Reading ──────────────────────────────────────────────────────────────────────────────────────

create or replace function public.recent_messages(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
begin
  request := duologue.as_object(request);
  return jsonb_build_object('messages', coalesce((
    select jsonb_agg(to_jsonb(newest) order by newest.id)
    from (
      select id, conversation_id, direction, author, body, media, provider_id, raw, at, content, transcripts,
        rate_limited
      from duologue.messages
      where session_id = (request ->> 'session_id')::uuid
        and not exists (
          select from duologue.effects as effect
          where effect.message_id = messages.id and effect.status in ('cancelled', 'failed'))
      order by id desc
      limit least(greatest((request ->> 'limit')::integer, 0), 200)
    ) as newest), '[]'));
end
$$;

create or replace function public.list_messages(request jsonb) returns jsonb
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
      'author', page.author, 'body', page.body, 'media', page.media, 'content', page.content,
      'transcripts', page.transcripts, 'rateLimited', page.rate_limited, 'providerId', page.provider_id,
      'deliveryStatus', coalesce(delivery.status, send.status),
      'errorCode', coalesce(delivery.error_code, send.error_code), 'at', page.at) order by page.id), '[]'),
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
  left join lateral (
    select effect.id,
      case effect.status when 'failed' then 'failed' when 'cancelled' then 'canceled' end as status,
      case when effect.status in ('failed', 'cancelled')
        then coalesce(effect.outcome ->> 'code', effect.outcome ->> 'reason') end as error_code
    from duologue.effects as effect
    where page.direction = 'outbound' and effect.message_id = page.id
    limit 1
  ) as send on true
  -- A callback may come before the send's own result: then only its effect leads to the message.
  left join lateral (
    select told.status, told.error_code
    from duologue.deliveries as told
    where page.direction = 'outbound' and told.channel_id = page.channel_id
      and told.provider_id = coalesce(page.provider_id, (
        select named.provider_id from duologue.deliveries as named where named.effect_id = send.id limit 1))
  ) as delivery on true;
  return answer;
end
$$;

-- request: {conversation_id, message_id, index, tenant_id} -> {media: {url, contentType} | null}
create function public.message_media(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
begin
  request := duologue.as_object(request);
  return jsonb_build_object('media', (
    select message.media -> (request ->> 'index')::integer
    from duologue.find_conversation(request) as conversation
    join duologue.messages as message
      on message.session_id = conversation.session_id and message.id = (request ->> 'message_id')::uuid
    where message.conversation_id = conversation.id and (request ->> 'index')::integer >= 0));
end
$$;

-- ── How often the assistant may be asked ─────────────────────────────────────────────────────────

-- One row a tenant, for all nodes: the minute and the hour that it was last asked in, and how often.
create table duologue.assistant_rates (
  tenant_id uuid primary key references duologue.tenants,
  minute_at timestamptz not null,
  minute_calls integer not null default 0,
  hour_at timestamptz not null,
  hour_calls integer not null default 0
) with (fillfactor = 50);

alter table duologue.assistant_rates enable row level security;
alter table duologue.assistant_rates force row level security;
create policy owner on duologue.assistant_rates to current_user using (true) with check (true);
revoke all on duologue.assistant_rates from public, anon, authenticated, service_role;

-- request: {tenant_id, minute_max, hour_max} -> {exceeded: null | 'minute' | 'hour'}. What is refused is not counted.
-- The row's lock makes the comparison and the addition one; the clock is read once it is held.
create function public.reserve_assistant_call(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  asking uuid;
  minute_max integer;
  hour_max integer;
  rate duologue.assistant_rates;
  this_minute timestamptz;
  this_hour timestamptz;
begin
  request := duologue.as_object(request);
  asking := (request ->> 'tenant_id')::uuid;
  minute_max := (request ->> 'minute_max')::integer;
  hour_max := (request ->> 'hour_max')::integer;
  if asking is null or minute_max is null or hour_max is null then
    raise exception 'a call needs tenant_id, minute_max and hour_max' using errcode = '22023';
  end if;
  insert into duologue.assistant_rates (tenant_id, minute_at, hour_at) values (asking, '-infinity', '-infinity')
  on conflict (tenant_id) do nothing;
  select * into rate from duologue.assistant_rates where tenant_id = asking for update;
  this_minute := date_trunc('minute', clock_timestamp());
  this_hour := date_trunc('hour', clock_timestamp());
  rate.minute_calls := case when rate.minute_at = this_minute then rate.minute_calls else 0 end;
  rate.hour_calls := case when rate.hour_at = this_hour then rate.hour_calls else 0 end;
  if rate.hour_calls >= hour_max then
    return jsonb_build_object('exceeded', 'hour');
  end if;
  if rate.minute_calls >= minute_max then
    return jsonb_build_object('exceeded', 'minute');
  end if;
  update duologue.assistant_rates
  set minute_at = this_minute, minute_calls = rate.minute_calls + 1, hour_at = this_hour,
    hour_calls = rate.hour_calls + 1
  where tenant_id = asking;
  return jsonb_build_object('exceeded', null);
end
$$;

select duologue.expose('public.message_media(jsonb)');
select duologue.expose('public.reserve_assistant_call(jsonb)');

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
