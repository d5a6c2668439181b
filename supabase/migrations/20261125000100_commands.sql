-- Commands of operators and programs (DESIGN D10): their outcomes are rows of the commit that passes their position,
-- found again by their id. With them: the last version that an operator must have seen, what an operator did in the
-- history, what became of a send in the list of messages, and the messages that an assistant may remember.

create or replace function public.schema_version(request jsonb default '{}') returns jsonb
language sql stable set search_path = ''
as $$ select jsonb_build_object('version', '20261125000100', 'format', 1) $$;

alter table duologue.conversations add column notable_version bigint not null default 0 check (notable_version >= 0);

create table duologue.commands (
  id text primary key check (octet_length(id) between 1 and 128),
  session_id uuid not null,
  conversation_id uuid not null,
  outcome text not null check (outcome in ('applied', 'refused', 'stale')),
  status text,
  version bigint,
  reason text,
  at timestamptz not null,
  check ((reason is null) = (outcome = 'applied'))
);
create index commands_by_session on duologue.commands (session_id);
alter table duologue.commands enable row level security;
alter table duologue.commands force row level security;
create policy owner on duologue.commands to current_user using (true) with check (true);
revoke all on duologue.commands from public, anon, authenticated, service_role;
create trigger commands_stay before update or delete or truncate on duologue.commands
  for each statement execute function duologue.refuse('an outcome stays what it is');

-- A timer or a result that cannot be applied has no position of its own: many sessions may name the same.
do $$
begin
  execute (
    select format('alter table duologue.quarantine drop constraint %I', conname)
    from pg_constraint where conrelid = 'duologue.quarantine'::regclass and contype = 'u');
end
$$;
alter table duologue.quarantine
  add constraint quarantine_once unique nulls not distinct (partition, position_incarnation, position_sequence, session_id);

-- From a message to its send.
create index effects_by_message on duologue.effects (message_id) where message_id is not null;

-- ── The lists of a batch ────────────────────────────────────────────────────────────────────────

drop function duologue.conversation_rows(jsonb);
create or replace function duologue.conversation_rows(list jsonb) returns table (
  id uuid, session_id uuid, base_version bigint, version bigint, status text, snapshot jsonb, machine text,
  machine_version text, hash text, timers jsonb, next_timer_at timestamptz, previous_id uuid, assigned_operator text,
  opened_at timestamptz, updated_at timestamptz, closed_at timestamptz, notable_version bigint)
language sql stable
as $$
  select c.id::uuid, c.session_id::uuid, c.base_version::bigint, c.version::bigint, c.status, c.snapshot, c.machine,
    c.machine_version, c.hash, c.timers, c.next_timer_at::timestamptz, c.previous_id::uuid, c.assigned_operator,
    c.opened_at::timestamptz, c.updated_at::timestamptz, c.closed_at::timestamptz,
    c.notable_version::bigint
  from rows from (
    jsonb_array_elements_text(list -> 'id'), jsonb_array_elements_text(list -> 'session_id'),
    jsonb_array_elements_text(list -> 'base_version'), jsonb_array_elements_text(list -> 'version'),
    jsonb_array_elements_text(list -> 'status'), jsonb_array_elements(list -> 'snapshot'),
    jsonb_array_elements_text(list -> 'machine'), jsonb_array_elements_text(list -> 'machine_version'),
    jsonb_array_elements_text(list -> 'hash'), jsonb_array_elements(list -> 'timers'),
    jsonb_array_elements_text(list -> 'next_timer_at'), jsonb_array_elements_text(list -> 'previous_id'),
    jsonb_array_elements_text(list -> 'assigned_operator'), jsonb_array_elements_text(list -> 'opened_at'),
    jsonb_array_elements_text(list -> 'updated_at'), jsonb_array_elements_text(list -> 'closed_at'),
    jsonb_array_elements_text(list -> 'notable_version')
  ) as c(id, session_id, base_version, version, status, snapshot, machine, machine_version, hash, timers,
    next_timer_at, previous_id, assigned_operator, opened_at, updated_at, closed_at, notable_version)
$$;

create function duologue.command_rows(list jsonb) returns table (
  session_id uuid, id text, conversation_id uuid, outcome text, status text, version bigint, reason text,
  at timestamptz)
language sql stable
as $$
  select c.session_id::uuid, c.id, c.conversation_id::uuid, c.outcome, c.status, c.version::bigint, c.reason,
    c.at::timestamptz
  from rows from (
    jsonb_array_elements_text(list -> 'session_id'), jsonb_array_elements_text(list -> 'id'),
    jsonb_array_elements_text(list -> 'conversation_id'), jsonb_array_elements_text(list -> 'outcome'),
    jsonb_array_elements_text(list -> 'status'), jsonb_array_elements_text(list -> 'version'),
    jsonb_array_elements_text(list -> 'reason'), jsonb_array_elements_text(list -> 'at')
  ) as c(session_id, id, conversation_id, outcome, status, version, reason, at)
$$;

-- ── Committing ──────────────────────────────────────────────────────────────────────────────────

-- As before; a command that is stored already is a duplicate, too: its key is `command:` and its id.
create or replace function duologue.find_refusals(batch jsonb, held integer[]) returns jsonb
language plpgsql volatile set search_path = ''
as $$
declare
  sessions jsonb := batch -> 'sessions';
  conversations jsonb := batch -> 'conversations';
  messages jsonb := batch -> 'messages';
  commands jsonb := batch -> 'commands';
  stale jsonb;
  duplicate jsonb;
  exceptions jsonb;
begin
  select jsonb_object_agg(wrong.session_id, '{"kind": "stale"}'::jsonb) into stale
  from (
    select session.id as session_id
    from (
      select id::uuid, is_new::boolean, partition::integer, business_address, user_key, position_incarnation,
        position_sequence::bigint
      from rows from (
        jsonb_array_elements_text(sessions -> 'id'), jsonb_array_elements_text(sessions -> 'is_new'),
        jsonb_array_elements_text(sessions -> 'partition'), jsonb_array_elements_text(sessions -> 'business_address'),
        jsonb_array_elements_text(sessions -> 'user_key'),
        jsonb_array_elements_text(sessions -> 'position_incarnation'),
        jsonb_array_elements_text(sessions -> 'position_sequence')
      ) as c(id, is_new, partition, business_address, user_key, position_incarnation, position_sequence)
    ) as session
    left join lateral (
      select partition, position_incarnation, position_sequence
      from duologue.sessions where id = session.id offset 0) as stored on true
    where case
      when session.is_new then stored.partition is not null or (
        select id from duologue.sessions
        where session_key = duologue.session_key(session.business_address, session.user_key)) is not null
      else stored.partition is distinct from session.partition
        or (stored.position_incarnation = session.position_incarnation
          and stored.position_sequence > session.position_sequence)
    end
    union all
    select changed.session_id
    from (
      select id::uuid, session_id::uuid, base_version::bigint, closed_at
      from rows from (
        jsonb_array_elements_text(conversations -> 'id'), jsonb_array_elements_text(conversations -> 'session_id'),
        jsonb_array_elements_text(conversations -> 'base_version'),
        jsonb_array_elements_text(conversations -> 'closed_at')
      ) as c(id, session_id, base_version, closed_at)
    ) as changed
    left join lateral (
      select session_id, version from duologue.conversations where id = changed.id offset 0) as stored on true
    where changed.base_version <> coalesce(stored.version, 0)
      or stored.session_id <> changed.session_id
      or (changed.base_version = 0 and changed.closed_at is null
        and duologue.has_other_open(changed.session_id, conversations))
  ) as wrong;

  if messages ? 'id' or commands ? 'id' then
    select jsonb_object_agg(known.session_id, jsonb_build_object('kind', 'duplicate', 'provider_ids', known.keys))
    into duplicate
    from (
      select stored.session_id, jsonb_agg(stored.key) as keys
      from (
        select message.session_id, message.provider_id as key
        from (
          select session_id::uuid, channel_id::uuid, provider_id
          from rows from (
            jsonb_array_elements_text(messages -> 'session_id'), jsonb_array_elements_text(messages -> 'channel_id'),
            jsonb_array_elements_text(messages -> 'direction'), jsonb_array_elements_text(messages -> 'provider_id')
          ) as c(session_id, channel_id, direction, provider_id)
          where direction = 'inbound' and provider_id is not null
        ) as message
        left join lateral (
          select channel_id from duologue.sessions where id = message.session_id offset 0) as session on true
        cross join lateral (
          select from duologue.messages
          where channel_id = coalesce(session.channel_id, message.channel_id) and provider_id = message.provider_id
          offset 0) as known_message
        union all
        select command.session_id, 'command:' || command.id
        from (
          select session_id::uuid, id
          from rows from (
            jsonb_array_elements_text(commands -> 'session_id'), jsonb_array_elements_text(commands -> 'id')
          ) as c(session_id, id)
        ) as command
        cross join lateral (select from duologue.commands where id = command.id offset 0) as known_command
      ) as stored
      group by stored.session_id
    ) as known;
  end if;

  -- A stale session is loaded anew, and that tells its known provider ids too.
  exceptions := coalesce(duplicate, '{}') || coalesce(stale, '{}');
  if exceptions = '{}' then
    return exceptions;
  end if;
  -- What belongs to a fenced or a repeated partition is not judged.
  return (
    select coalesce(jsonb_object_agg(session.id, exceptions -> session.id::text), '{}')
    from duologue.session_rows(sessions) as session
    where session.partition = any(held) and exceptions ? session.id::text);
end
$$;

create or replace function duologue.write_steps(
  batch jsonb, held integer[], refused uuid[], moment timestamptz, lease timestamptz) returns void
language plpgsql volatile set search_path = ''
as $$
begin
  if batch -> 'sessions' ? 'id' then
    perform duologue.write_sessions(batch -> 'sessions', refused, moment);
  end if;
  if batch -> 'conversations' ? 'id' then
    perform duologue.write_conversations(batch -> 'journal', batch -> 'conversations', refused);
  end if;
  if batch -> 'messages' ? 'id' then
    insert into duologue.messages (session_id, id, channel_id, conversation_id, direction, author, body, media,
      provider_id, raw, at)
    select message.session_id, message.id, session.channel_id, message.conversation_id, message.direction,
      message.author, message.body, message.media, message.provider_id, message.raw, message.at
    from duologue.message_rows(batch -> 'messages') as message
    cross join lateral (
      select channel_id from duologue.sessions where id = message.session_id offset 0) as session
    where not (message.session_id = any(refused));
  end if;
  if batch -> 'effects' ? 'id' then
    insert into duologue.effects (id, session_id, partition, conversation_id, kind, params, child_id, speaker_token,
      status, attempts, next_attempt_at, deadline, started_at, message_id, created_at)
    select id, session_id, partition, conversation_id, kind, params, child_id, speaker_token,
      status, attempts, next_attempt_at, case when status = 'running' then lease end,
      case when status = 'running' then moment end, message_id, moment
    from duologue.effect_rows(batch -> 'effects')
    where not (session_id = any(refused));
  end if;
  if batch -> 'effect_updates' ? 'id' then
    perform duologue.write_effect_updates(batch -> 'effect_updates', refused, moment, lease);
  end if;
  if batch -> 'deliveries' ? 'provider_id' then
    perform duologue.write_deliveries(batch -> 'deliveries', refused);
  end if;
  if batch -> 'commands' ? 'id' then
    insert into duologue.commands (id, session_id, conversation_id, outcome, status, version, reason, at)
    select id, session_id, conversation_id, outcome, status, version, reason, at
    from duologue.command_rows(batch -> 'commands')
    where not (session_id = any(refused))
    -- Two conversations were asked under one id: the first is the command.
    on conflict (id) do nothing;
  end if;
  if batch -> 'quarantine' ? 'partition' then
    -- The same position may come again while its partition's cursor waits for another session.
    insert into duologue.quarantine (partition, session_id, position_incarnation, position_sequence, kind, subject,
      data_base64, error, at)
    select partition, session_id, position_incarnation, position_sequence, kind, subject, data_base64, error, at
    from duologue.quarantine_rows(batch -> 'quarantine')
    where partition = any(held) and (session_id is null or not (session_id = any(refused)))
    on conflict (partition, position_incarnation, position_sequence, session_id) do nothing;
  end if;
end
$$;

-- A node of before this migration names no notable version: everything is notable then.
create or replace function duologue.write_conversations(journal jsonb, conversations jsonb, refused uuid[]) returns void
language plpgsql volatile set search_path = ''
as $$
declare
  opened uuid[];
  changed uuid[];
  steps bigint;
  added bigint;
begin
  select array_agg(id) filter (where base_version = 0), array_agg(id) filter (where base_version > 0),
    sum(version - base_version)
  into opened, changed, steps
  from (
    select id::uuid, session_id::uuid, base_version::bigint, version::bigint
    from rows from (
      jsonb_array_elements_text(conversations -> 'id'), jsonb_array_elements_text(conversations -> 'session_id'),
      jsonb_array_elements_text(conversations -> 'base_version'), jsonb_array_elements_text(conversations -> 'version')
    ) as c(id, session_id, base_version, version)
  ) as conversation
  where not (session_id = any(refused));
  if steps is null then
    return;
  end if;

  -- Counted here once for all rows, instead of looked up for each of them at the end of the transaction.
  perform set_config('duologue.journal_is_counted', 'yes', true);
  insert into duologue.conversation_events (conversation_id, version, event_id, event, from_status, to_status,
    reason, initiator, machine_version, occurred_at, hash)
  select conversation_id, version, event_id, event, from_status, to_status, reason, initiator, machine_version,
    occurred_at, hash
  from duologue.journal_rows(journal)
  where refused = '{}' or conversation_id = any(opened || changed);
  get diagnostics added = row_count;
  perform set_config('duologue.journal_is_counted', 'no', true);
  if added <> steps then
    raise exception 'duologue: % journal rows for % steps', added, steps;
  end if;

  if changed is not null then
    update duologue.conversations as stored
    set status = conversation.status, snapshot = conversation.snapshot,
      machine_version = conversation.machine_version, version = conversation.version, hash = conversation.hash,
      timers = conversation.timers, next_timer_at = conversation.next_timer_at,
      assigned_operator = conversation.assigned_operator, updated_at = conversation.updated_at,
      closed_at = conversation.closed_at,
      notable_version = coalesce(conversation.notable_version, conversation.version)
    from duologue.conversation_rows(conversations) as conversation
    where stored.id = conversation.id and stored.id = any(changed);
  end if;
  if opened is not null then
    insert into duologue.conversations (id, tenant_id, session_id, partition, status, snapshot, machine,
      machine_version, version, hash, timers, next_timer_at, previous_id, assigned_operator, opened_at, updated_at,
      closed_at, notable_version)
    select id, session.tenant_id, conversation.session_id, session.partition, status, snapshot, machine,
      machine_version, version, hash, timers, next_timer_at, previous_id, assigned_operator, opened_at, updated_at,
      closed_at, coalesce(notable_version, version)
    from duologue.conversation_rows(conversations) as conversation
    cross join lateral (
      select tenant_id, partition from duologue.sessions
      where sessions.id = conversation.session_id offset 0) as session
    where id = any(opened);
  end if;
end
$$;

-- ── Loading ─────────────────────────────────────────────────────────────────────────────────────

-- As before; `provider_ids` may name commands too, as `command:<id>`.
create or replace function public.load_sessions(request jsonb) returns jsonb
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
      'version', version, 'notable_version', notable_version, 'snapshot', snapshot, 'hash', hash, 'timers', timers, 'updated_at', updated_at) as row
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
  where case
    when starts_with(waiting.provider_id, 'command:')
      then exists (select from duologue.commands where id = substr(waiting.provider_id, 9))
    else exists (
      select from duologue.messages where channel_id = channel.id and provider_id = waiting.provider_id)
  end;

  return jsonb_build_object('sessions', sessions, 'channels', channels, 'known_provider_ids', known);
end
$$;

-- What may be remembered of a session: not what was never sent. Oldest first.
-- request: {session_id, limit} -> {messages: rows}
create or replace function public.recent_messages(request jsonb) returns jsonb
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
        and not exists (
          select from duologue.effects as effect
          where effect.message_id = messages.id and effect.status in ('cancelled', 'failed'))
      order by id desc
      limit least(greatest((request ->> 'limit')::integer, 0), 200)
    ) as newest), '[]'));
end
$$;

-- ── Starting effects ────────────────────────────────────────────────────────────────────────────

-- What a person wrote and the chart took is sent, also when that person has left since.
create or replace function duologue.find_obstacle(effect duologue.effects, session duologue.sessions, moment timestamptz)
returns text
language sql stable set search_path = ''
as $$
  select case
    when effect.kind is distinct from 'sendMessage' then null
    when session.opted_out then 'opted-out'
    when effect.speaker_token <> session.speaker_token and effect.params ->> 'author' is distinct from 'operator'
      then 'speaker-changed'
    when starts_with(session.business_address, 'whatsapp:') and effect.params ->> 'contentSid' is null
      and coalesce(session.last_inbound_at, '-infinity')
        < moment + make_interval(secs => session.clock_offset_ms / 1000.0) - interval '24 hours'
      then 'window-closed'
  end
$$;

-- ── Reading ─────────────────────────────────────────────────────────────────────────────────────

-- `line`: which line of people a handoff is with, where the machine keeps one.
create or replace function duologue.conversation_item(conversation duologue.conversations, session duologue.sessions)
returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object('id', conversation.id, 'tenantId', conversation.tenant_id, 'sessionId', session.id,
    'status', conversation.status, 'version', conversation.version, 'machine', conversation.machine,
    'machineVersion', conversation.machine_version, 'businessAddress', session.business_address,
    'userAddress', session.user_key, 'speaker', session.speaker, 'optedOut', session.opted_out,
    'assignedOperator', conversation.assigned_operator,
    'line', conversation.snapshot #>> '{context,line}', 'openedAt', conversation.opened_at,
    'updatedAt', conversation.updated_at, 'closedAt', conversation.closed_at,
    'nextTimerAt', conversation.next_timer_at, 'previousId', conversation.previous_id,
    'quarantinedAt', session.quarantined_at)
$$;

-- What an operator did is history as well, except for what was said.
create or replace view duologue.conversation_state_history with (security_invoker = true) as
  select conversation_id, version, from_status, to_status, reason, initiator, machine_version, occurred_at,
    event ->> 'type' as event_type
  from duologue.conversation_events
  where from_status is distinct from to_status
    or (starts_with(event ->> 'type', 'operator.') and event ->> 'type' <> 'operator.replied');

create or replace function public.list_history(request jsonb) returns jsonb
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
      'toStatus', page.to_status, 'reason', page.reason, 'initiator', page.initiator, 'eventType', page.event_type,
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

-- A send that never reached the provider has no delivery: its effect tells what became of it.
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
      'author', page.author, 'body', page.body, 'media', page.media, 'providerId', page.provider_id,
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

-- request: {command_id, tenant_id} -> {command: {...} | null}: null while it waits in the log, and for what never was.
create function public.get_command(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
begin
  request := duologue.as_object(request);
  return jsonb_build_object('command', (
    select jsonb_build_object('id', command.id, 'conversationId', command.conversation_id, 'outcome', command.outcome,
      'status', coalesce(command.status, conversation.status), 'version', coalesce(command.version, conversation.version),
      'reason', command.reason, 'at', command.at)
    from duologue.commands as command
    join duologue.sessions as session on session.id = command.session_id
    left join duologue.conversations as conversation
      on conversation.id = command.conversation_id and conversation.session_id = session.id
    where command.id = request ->> 'command_id'
      and (request ->> 'tenant_id' is null or session.tenant_id = (request ->> 'tenant_id')::uuid)));
end
$$;

-- ── Guards ──────────────────────────────────────────────────────────────────────────────────────

create or replace function duologue.check_journal_rows() returns trigger
language plpgsql set search_path = ''
as $$
declare
  wrong record;
begin
  select from_status, to_status into wrong
  from (select from_status, to_status from added except select from_status, to_status from duologue.status_transitions)
    as forbidden
  limit 1;
  if found then
    raise exception 'duologue: a conversation may not go from % to %',
      coalesce(wrong.from_status, 'nothing'), wrong.to_status;
  end if;

  select conversation_id, event ->> 'type' as type into wrong
  from added
  where from_status = to_status and duologue.closed_rank(to_status) > 0
    and (event ->> 'type' in ('message.received', 'handoff.requested') or starts_with(event ->> 'type', 'operator.'))
  limit 1;
  if found then
    raise exception 'duologue: conversation % is closed and takes no %', wrong.conversation_id, wrong.type;
  end if;
  return null;
end
$$;

select duologue.expose('public.get_command(jsonb)');

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
