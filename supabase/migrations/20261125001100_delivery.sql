-- Sending within WhatsApp's rules (docs/decisions/2026-11-25-delivery.md): a send that may not go now is held and
-- says why, the provider corrects the 24-hour window, sends to one user are paced, opting out is proved and shared by
-- the numbers of one messaging service, and every order of a message's callbacks ends in the same row.

create or replace function public.schema_version(request jsonb default '{}') returns jsonb
language sql stable set search_path = ''
as $$ select jsonb_build_object('version', '20261125001100', 'format', 1) $$;

-- Why a pending send waits, and since when: `window-closed`, `paced` or `sender-paused`.
alter table duologue.effects
  add column held_because text check (held_because in ('window-closed', 'paced', 'sender-paused')),
  add column held_since timestamptz,
  add check ((held_because is null) = (held_since is null));

-- By the session's own clock: when the provider said that the window was closed. It is, until the user writes after it.
-- By the database's clock: the theoretical moment of the next send at the steady pace (`duologue.find_hold`).
alter table duologue.sessions add column window_closed_at timestamptz, add column pace_at timestamptz;

-- The provider refuses what this address sends: nothing is tried until then.
alter table duologue.channels add column paused_until timestamptz, add column paused_because text;

-- One row for each time that a user took the consent to messages away: the proof of it. `at` is the moment of what
-- caused it, `recorded_at` that of the commit after which nothing is sent.
create table duologue.opt_outs (
  id uuid primary key default duologue.new_id(),
  tenant_id uuid not null references duologue.tenants,
  scope text not null,
  user_key text not null check (octet_length(user_key) between 1 and 256),
  session_id uuid,
  source text not null check (source in ('message', 'response', 'callback', 'record')),
  code text,
  provider_id text,
  effect_id text,
  at timestamptz not null,
  recorded_at timestamptz not null,
  ended_at timestamptz,
  ended_by text,
  check (ended_at is null or ended_by is not null)
);
create unique index opt_outs_standing on duologue.opt_outs (tenant_id, user_key, scope) where ended_at is null;
create index opt_outs_by_user on duologue.opt_outs (user_key, scope, ended_at);
create index opt_outs_by_time on duologue.opt_outs (recorded_at, id);

-- What an opt-out has kept from being sent.
create table duologue.opt_out_blocks (
  effect_id text collate "C" primary key,
  opt_out_id uuid not null references duologue.opt_outs,
  at timestamptz not null
);
create index opt_out_blocks_by_opt_out on duologue.opt_out_blocks (opt_out_id, at);

do $$
declare
  name text;
begin
  foreach name in array array['opt_outs', 'opt_out_blocks']
  loop
    execute format('alter table duologue.%I enable row level security', name);
    execute format('alter table duologue.%I force row level security', name);
    execute format('create policy owner on duologue.%I to current_user using (true) with check (true)', name);
    execute format('revoke all on duologue.%I from public, anon, authenticated, service_role', name);
  end loop;
end
$$;
create trigger opt_outs_stay before delete or truncate on duologue.opt_outs
  for each statement execute function duologue.refuse('a proof stays');
create trigger opt_outs_unchanged before update on duologue.opt_outs for each row
  when (old.ended_at is not null or (old.id, old.tenant_id, old.scope, old.user_key, old.source, old.at)
    is distinct from (new.id, new.tenant_id, new.scope, new.user_key, new.source, new.at))
  execute function duologue.refuse('a proof stays as it is');
create trigger opt_out_blocks_stay before update or delete or truncate on duologue.opt_out_blocks
  for each statement execute function duologue.refuse('a proof stays as it is');

-- ── Opting out ──────────────────────────────────────────────────────────────────────────────────

-- What a user's word to this channel is about: the channel, and where its settings name a messaging service all
-- numbers of that service. The last one is written, each of them is read, so naming a service later loses nothing.
create function duologue.opt_out_scopes(channel uuid) returns text[]
language sql stable set search_path = ''
as $$
  select array['channel:' || channel] || case
    when coalesce(settings ->> 'messagingServiceSid', '') <> ''
      then array['service:' || (settings ->> 'messagingServiceSid')] else '{}' end
  from duologue.channels where id = channel
$$;

-- The keys by which a session's user may have opted out. Aliases of the user belong in here, and nowhere else.
create function duologue.opt_out_keys(session duologue.sessions) returns text[]
language sql stable set search_path = ''
as $$ select array[session.user_key] $$;

-- The opt-out that stands for a session, or null.
create function duologue.opt_out_of(session duologue.sessions) returns uuid
language sql stable set search_path = ''
as $$
  select id from duologue.opt_outs
  where tenant_id = session.tenant_id and user_key = any(duologue.opt_out_keys(session))
    and scope = any(duologue.opt_out_scopes(session.channel_id)) and ended_at is null
  order by recorded_at, id
  limit 1
$$;

insert into duologue.opt_outs (tenant_id, scope, user_key, session_id, source, at, recorded_at)
select tenant_id, 'channel:' || channel_id, user_key, id, 'record', coalesce(last_inbound_at, created_at), now()
from duologue.sessions where opted_out;

-- ── What a commit tells of a session beside its rows ────────────────────────────────────────────

create function duologue.notice_rows(list jsonb) returns table (
  session_id uuid, kind text, source text, code text, provider_id text, effect_id text, pause_ms bigint,
  at timestamptz, place bigint)
language sql stable
as $$
  select c.session_id::uuid, c.kind, c.source, c.code, c.provider_id, c.effect_id, c.pause_ms::bigint,
    c.at::timestamptz, c.place
  from rows from (
    jsonb_array_elements_text(list -> 'session_id'), jsonb_array_elements_text(list -> 'kind'),
    jsonb_array_elements_text(list -> 'source'), jsonb_array_elements_text(list -> 'code'),
    jsonb_array_elements_text(list -> 'provider_id'), jsonb_array_elements_text(list -> 'effect_id'),
    jsonb_array_elements_text(list -> 'pause_ms'), jsonb_array_elements_text(list -> 'at')
  ) with ordinality as c(session_id, kind, source, code, provider_id, effect_id, pause_ms, at, place)
$$;

-- In the order in which they were told: a STOP and a START of one commit are one opt-out that has ended.
create function duologue.write_notices(notices jsonb, refused uuid[], moment timestamptz) returns void
language plpgsql volatile set search_path = ''
as $$
declare
  notice record;
begin
  for notice in
    select told.*, session as session, effect.started_at + make_interval(secs => session.clock_offset_ms / 1000.0)
      as attempted_at
    from duologue.notice_rows(notices) as told
    join duologue.sessions as session on session.id = told.session_id
    left join duologue.effects as effect on effect.id = told.effect_id and effect.session_id = told.session_id
    where not (told.session_id = any(refused))
    order by told.place
  loop
    case notice.kind
      when 'opted-out' then
        perform duologue.opt_out(notice.session, notice.source, notice.code, notice.provider_id, notice.effect_id,
          notice.at, notice.attempted_at, moment);
      when 'opted-in' then
        update duologue.opt_outs set ended_at = moment, ended_by = coalesce(notice.provider_id, notice.source)
        where tenant_id = (notice.session).tenant_id and user_key = any(duologue.opt_out_keys(notice.session))
          and scope = any(duologue.opt_out_scopes((notice.session).channel_id)) and ended_at is null;
      when 'window-closed' then
        -- As of the attempt: a callback may be late, and the user may have written meanwhile.
        update duologue.sessions
        set window_closed_at = greatest(window_closed_at, coalesce(notice.attempted_at, notice.at))
        where id = notice.session_id;
      when 'sender-paused' then
        update duologue.channels
        set paused_until = greatest(paused_until, moment + make_interval(secs => notice.pause_ms / 1000.0)),
          paused_because = notice.code
        where id = (notice.session).channel_id;
    end case;
  end loop;
end
$$;

-- The first proof stays. What the provider says of an attempt of before the user came back is history.
create function duologue.opt_out(session duologue.sessions, source text, code text, provider_id text, effect_id text,
  at timestamptz, attempted_at timestamptz, moment timestamptz) returns void
language plpgsql volatile set search_path = ''
as $$
declare
  scopes text[] := duologue.opt_out_scopes(session.channel_id);
begin
  if duologue.opt_out_of(session) is not null or (source <> 'message' and exists (
    select from duologue.opt_outs as earlier
    where earlier.tenant_id = session.tenant_id and earlier.user_key = any(duologue.opt_out_keys(session))
      and earlier.scope = any(scopes)
      and earlier.ended_at + make_interval(secs => session.clock_offset_ms / 1000.0) > attempted_at))
  then
    return;
  end if;
  insert into duologue.opt_outs (tenant_id, scope, user_key, session_id, source, code, provider_id, effect_id, at,
    recorded_at)
  values (session.tenant_id, scopes[cardinality(scopes)], session.user_key, session.id, source, code, provider_id,
    effect_id, at, moment)
  on conflict (tenant_id, user_key, scope) where ended_at is null do nothing;
end
$$;

-- Around whatever writes the other rows of a batch.
alter function duologue.write_steps(jsonb, integer[], uuid[], timestamptz, timestamptz) rename to write_step_rows;
create function duologue.write_steps(
  batch jsonb, held integer[], refused uuid[], moment timestamptz, lease timestamptz) returns void
language plpgsql volatile set search_path = ''
as $$
begin
  perform duologue.write_step_rows(batch, held, refused, moment, lease);
  if batch -> 'notices' ? 'kind' then
    perform duologue.write_notices(batch -> 'notices', refused, moment);
  end if;
end
$$;

-- A message that the provider took and did not deliver is sent again as an effect of its own, named after the first
-- one: `<effect>:<number>`. Its owner may not know any more what the first one was: that is filled in here. The
-- message is from then on the new effect's. A number that is there already, or without a send before it, is nobody's.
create function duologue.adopt_resend() returns trigger
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
  end if;
  if new.message_id is not null then
    update duologue.effects set message_id = null where id = before.id;
    update duologue.messages set provider_id = null where session_id = new.session_id and id = new.message_id;
  end if;
  return new;
end
$$;
create trigger effects_resent before insert on duologue.effects for each row
  when (split_part(new.id, ':', 4) <> '')
  execute function duologue.adopt_resend();

-- ── Starting effects ────────────────────────────────────────────────────────────────────────────

-- When the window was closed that a free-form message needs; null while it is open, and where there is none.
create function duologue.window_closed_since(session duologue.sessions, moment timestamptz) returns timestamptz
language sql stable set search_path = ''
as $$
  select case
    when not starts_with(session.business_address, 'whatsapp:') then null
    when session.last_inbound_at is null then session.created_at
    when session.window_closed_at >= session.last_inbound_at then session.window_closed_at
    when session.last_inbound_at
        < moment + make_interval(secs => session.clock_offset_ms / 1000.0) - interval '24 hours'
      then session.last_inbound_at + interval '24 hours'
  end
$$;

-- Why a send may not begin any more, or null. What a person wrote and the chart took is sent, also when that person
-- has left since; but what is held does not wait for another conversation.
create or replace function duologue.find_obstacle(effect duologue.effects, session duologue.sessions, moment timestamptz)
returns text
language sql stable set search_path = ''
as $$
  select case
    when effect.kind is distinct from 'sendMessage' then null
    when duologue.opt_out_of(session) is not null then 'opted-out'
    when effect.speaker_token <> session.speaker_token and (
        effect.params ->> 'author' is distinct from 'operator'
        or ((effect.held_because is not null
            or (effect.params ->> 'contentSid' is null and duologue.window_closed_since(session, moment) is not null))
          and not exists (
            select from duologue.conversations
            where id = effect.conversation_id and id = session.conversation_id and closed_at is null)))
      then 'speaker-changed'
  end
$$;

-- A whole number of the settings within its bounds, or what stands for it.
create function duologue.setting(settings jsonb, name text, least_value integer, most_value integer, otherwise integer)
returns integer
language sql immutable set search_path = ''
as $$
  select case
    when jsonb_typeof(settings -> name) = 'number' and (settings ->> name)::numeric % 1 = 0
      and (settings ->> name)::numeric between least_value and most_value then (settings ->> name)::integer
    else otherwise
  end
$$;

-- Whether a send has to wait: {"reason", "until": null for as long as the user is silent}, or {"pace_at"} with what
-- the session's pace is when it begins now (null: it is not paced). To one WhatsApp user go `paceBurst` messages at
-- once, and then one in `paceIntervalMs`: the moments of the last sends are all in `pace_at` (GCRA).
create function duologue.find_hold(effect duologue.effects, session duologue.sessions, moment timestamptz)
returns jsonb
language plpgsql stable set search_path = ''
as $$
declare
  settings jsonb;
  paused timestamptz;
  step interval;
  free_at timestamptz;
begin
  if effect.kind is distinct from 'sendMessage' then
    return '{}';
  end if;
  if effect.params ->> 'contentSid' is null and duologue.window_closed_since(session, moment) is not null then
    return '{"reason": "window-closed"}';
  end if;
  select tenant.settings || channel.settings, channel.paused_until into settings, paused
  from duologue.channels as channel join duologue.tenants as tenant on tenant.id = channel.tenant_id
  where channel.id = session.channel_id;
  if paused > moment then
    return jsonb_build_object('reason', 'sender-paused', 'until', paused);
  end if;
  step := make_interval(secs => duologue.setting(settings, 'paceIntervalMs', 0, 600000,
    case when starts_with(session.business_address, 'whatsapp:') then 6000 else 0 end) / 1000.0);
  if step = interval '0' then
    return '{}';
  end if;
  free_at := session.pace_at - step * (duologue.setting(settings, 'paceBurst', 1, 1000, 10) - 1);
  if free_at > moment then
    return jsonb_build_object('reason', 'paced', 'until', free_at);
  end if;
  return jsonb_build_object('pace_at', greatest(session.pace_at, moment) + step);
end
$$;

-- start_effects: pending effects begin here (DESIGN D4). Fenced like a commit: the same lock, owner and epoch.
-- A send is checked once more against what may have changed since its step: opt-out and the speaker cancel it; the
-- 24-hour window, a paused sender and the pace hold it: it stays pending, and says why and until when.
--
-- request: {node_id, lease_ms, partitions: [{partition, epoch}], effects: [{id, partition, session_id}]}
-- -> {outcomes: {effect id: {kind: started, effect} | {kind: cancelled, reason} | {kind: held, reason, until}
--      | {kind: not-pending | fenced}}}
create or replace function public.start_effects(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
  set enable_seqscan = off set enable_mergejoin = off set jit = off
as $$
declare
  asked integer[];
  named text[];
  named_sessions uuid[];
  held integer[];
  moment timestamptz;
  lease timestamptz;
  outcomes jsonb;
begin
  request := duologue.as_object(request);
  select array_agg(partition) into asked from jsonb_to_recordset(request -> 'partitions') as one(partition integer);
  select array_agg(id), array_agg(session_id) into named, named_sessions
  from jsonb_to_recordset(request -> 'effects') as one(id text, session_id uuid);
  perform from duologue.partitions where partition = any(asked) order by partition for no key update;
  moment := clock_timestamp();
  lease := moment + make_interval(secs => (request ->> 'lease_ms')::double precision / 1000);

  with renewed as (
    update duologue.partitions as stored set lease_until = lease
    from jsonb_to_recordset(request -> 'partitions') as claimed(partition integer, epoch bigint)
    where stored.partition = claimed.partition and stored.epoch = claimed.epoch
      and stored.partition = any(asked) and stored.owner = request ->> 'node_id'
    returning stored.partition
  )
  select coalesce(array_agg(partition), '{}') into held from renewed;

  with looked_up as (
    select wanted.id, wanted.partition = any(held) as is_held, (effect.row).status = 'pending' as is_pending,
      effect.row as effect, session.row as session
    from jsonb_to_recordset(request -> 'effects') as wanted(id text, partition integer, session_id uuid)
    left join lateral (
      select stored from duologue.effects as stored
      where id = wanted.id and session_id = wanted.session_id and partition = wanted.partition
      offset 0) as effect(row) on true
    left join lateral (
      select stored from duologue.sessions as stored where id = (effect.row).session_id offset 0) as session(row) on true
  ), judged as materialized (
    select id, is_held, is_pending, (session).id as session_id, session,
      case when is_held and is_pending then duologue.find_obstacle(effect, session, moment) end as obstacle,
      case when is_held and is_pending then duologue.find_hold(effect, session, moment) end as hold
    from looked_up
  ), checked as (
    select *, obstacle is null and not hold ? 'reason' as starts from judged
  ), changed as (
    update duologue.effects as effect
    set status = case when checked.starts then 'running' when checked.obstacle is null then 'pending'
        else 'cancelled' end,
      attempts = effect.attempts + case when checked.starts then 1 else 0 end,
      deadline = case when checked.starts then lease else effect.deadline end,
      started_at = case when checked.starts then moment else effect.started_at end,
      outcome = case when checked.obstacle is not null
        then jsonb_build_object('kind', 'cancelled', 'reason', checked.obstacle) end,
      held_because = case when checked.obstacle is null then checked.hold ->> 'reason' end,
      held_since = case when checked.obstacle is null and checked.hold ? 'reason' then case
        when effect.held_because = checked.hold ->> 'reason' then effect.held_since else moment end end,
      next_attempt_at = case when checked.obstacle is null then (checked.hold ->> 'until')::timestamptz end
    from checked
    where effect.id = checked.id and effect.id = any(named) and checked.is_held and checked.is_pending
    returning effect.id, duologue.effect_row(effect) as row
  ), paced as (
    update duologue.sessions as session
    set pace_at = (checked.hold ->> 'pace_at')::timestamptz
    from checked
    where session.id = checked.session_id and session.id = any(named_sessions) and checked.starts
      and checked.hold ? 'pace_at'
  ), blocked as (
    insert into duologue.opt_out_blocks (effect_id, opt_out_id, at)
    select id, duologue.opt_out_of(session), moment from checked where obstacle = 'opted-out'
    on conflict do nothing
  )
  select coalesce(jsonb_object_agg(checked.id, case
      when checked.is_held is not true then '{"kind": "fenced"}'
      when checked.is_pending is not true then '{"kind": "not-pending"}'
      when checked.obstacle is not null then jsonb_build_object('kind', 'cancelled', 'reason', checked.obstacle)
      when checked.starts then jsonb_build_object('kind', 'started', 'effect', changed.row)
      else jsonb_build_object('kind', 'held', 'reason', checked.hold ->> 'reason', 'until', checked.hold -> 'until')
    end), '{}')
  into outcomes
  from checked left join changed on changed.id = checked.id;
  return jsonb_build_object('outcomes', outcomes);
end
$$;

-- ── Deliveries ──────────────────────────────────────────────────────────────────────────────────

-- The raw callbacks of one message as a set in one order, so that no order of arrival shows: of more than 200 different
-- ones (a message has seven at most) the same 200 stay whatever came first.
create function duologue.callback_set(callbacks jsonb) returns jsonb
language sql immutable set search_path = ''
as $$
  select coalesce(jsonb_agg(one order by one), '[]')
  from (select distinct value as one from jsonb_array_elements(callbacks) order by value limit 200) as kept
$$;

-- The highest status stays, with its own error code; every order of arrival ends the same.
create or replace function duologue.write_deliveries(deliveries jsonb, refused uuid[]) returns void
language plpgsql volatile set search_path = ''
as $$
begin
  insert into duologue.deliveries as stored (channel_id, provider_id, session_id, effect_id, status, error_code, raw,
    updated_at)
  select session.channel_id, told.provider_id, (array_agg(told.session_id))[1], max(told.effect_id),
    (array_agg(told.status order by duologue.delivery_rank(told.status) desc))[1],
    (array_agg(told.error_code order by duologue.delivery_rank(told.status) desc, told.error_code desc nulls last))[1],
    duologue.callback_set(jsonb_agg(told.raw)), max(told.at)
  from duologue.delivery_rows(deliveries) as told
  cross join lateral (select channel_id from duologue.sessions where id = told.session_id offset 0) as session
  where not (told.session_id = any(refused))
  group by session.channel_id, told.provider_id
  on conflict (channel_id, provider_id) do update
  set effect_id = greatest(stored.effect_id, excluded.effect_id),
    status = case when duologue.delivery_rank(excluded.status) > duologue.delivery_rank(stored.status)
      then excluded.status else stored.status end,
    error_code = case sign(duologue.delivery_rank(excluded.status) - duologue.delivery_rank(stored.status))
      when 1 then excluded.error_code
      when 0 then greatest(stored.error_code, excluded.error_code)
      else stored.error_code end,
    raw = duologue.callback_set(stored.raw || excluded.raw),
    updated_at = greatest(stored.updated_at, excluded.updated_at);
end
$$;

-- ── Reading ─────────────────────────────────────────────────────────────────────────────────────

-- What an operator must know before writing: may a free-form message go, what waits and why, what failed.
-- request: {conversation_id, tenant_id} -> {sending: {...} | null}
create function public.get_sending(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  asked duologue.conversations;
  session duologue.sessions;
  moment timestamptz := clock_timestamp();
  own_clock interval;
  closed_at timestamptz;
begin
  request := duologue.as_object(request);
  select * into asked from duologue.find_conversation(request);
  if not found then
    return '{"sending": null}';
  end if;
  select * into session from duologue.sessions where id = asked.session_id;
  own_clock := make_interval(secs => session.clock_offset_ms / 1000.0);
  closed_at := duologue.window_closed_since(session, moment);
  return jsonb_build_object('sending', jsonb_build_object(
    'conversationId', asked.id,
    'window', case when starts_with(session.business_address, 'whatsapp:') then jsonb_build_object(
      'isOpen', closed_at is null, 'lastInboundAt', session.last_inbound_at,
      'closesAt', case when closed_at is null then session.last_inbound_at + interval '24 hours' - own_clock end,
      'closedAt', closed_at - own_clock,
      'closedBy', case when closed_at is null then null when closed_at = session.window_closed_at then 'provider'
        else 'time' end) end,
    'optOut', (
      select jsonb_build_object('id', id, 'source', source, 'code', code, 'at', at, 'recordedAt', recorded_at)
      from duologue.opt_outs where id = duologue.opt_out_of(session)),
    'sender', (
      select jsonb_build_object('pausedUntil', paused_until, 'pausedBecause', paused_because)
      from duologue.channels where id = session.channel_id and paused_until > moment),
    'held', coalesce((
      select jsonb_agg(jsonb_build_object('effectId', effect.id, 'messageId', effect.message_id,
        'author', effect.params ->> 'author', 'heldBecause', effect.held_because, 'heldSince', effect.held_since,
        'until', effect.next_attempt_at) order by effect.created_at, effect.id)
      from duologue.effects as effect
      where effect.partition = session.partition and effect.session_id = session.id
        and effect.conversation_id = asked.id and effect.status = 'pending' and effect.held_because is not null), '[]'),
    'failed', coalesce((
      select jsonb_agg(jsonb_build_object('messageId', failed.id, 'code', failed.code, 'at', failed.at)
        order by failed.id)
      from (
        select message.id, message.at, coalesce(delivery.error_code, send.outcome ->> 'code') as code
        from duologue.messages as message
        left join duologue.effects as send on send.message_id = message.id
        left join duologue.deliveries as delivery
          on delivery.channel_id = message.channel_id and delivery.provider_id = message.provider_id
        where message.session_id = session.id and message.conversation_id = asked.id
          and message.direction = 'outbound'
          and (send.status = 'failed' or delivery.status in ('failed', 'undelivered'))
        order by message.id desc
        limit 50) as failed), '[]')));
end
$$;

-- Opt-outs, the newest first, each with what it has blocked.
-- request: {user_key, after: {recorded_at, id}, limit, tenant_id} -> {items, next}
create function public.list_opt_outs(request jsonb) returns jsonb
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
    'items', coalesce(jsonb_agg(jsonb_build_object('id', page.id, 'tenantId', page.tenant_id, 'scope', page.scope,
      'userAddress', page.user_key, 'sessionId', page.session_id, 'source', page.source, 'code', page.code,
      'providerId', page.provider_id, 'effectId', page.effect_id, 'text', page.text, 'at', page.at,
      'recordedAt', page.recorded_at, 'endedAt', page.ended_at, 'endedBy', page.ended_by,
      'blockedCount', (select count(*) from duologue.opt_out_blocks where opt_out_id = page.id),
      'blocked', coalesce((
        select jsonb_agg(jsonb_build_object('effectId', block.effect_id, 'messageId', block.message_id,
          'conversationId', block.conversation_id, 'at', block.at) order by block.at, block.effect_id)
        from (
          select stopped.effect_id, stopped.at, effect.message_id, effect.conversation_id
          from duologue.opt_out_blocks as stopped
          left join duologue.effects as effect on effect.id = stopped.effect_id
          where stopped.opt_out_id = page.id
          order by stopped.at, stopped.effect_id
          limit 50) as block), '[]'))
      order by page.recorded_at desc, page.id desc), '[]'),
    'next', case when count(*) = page_limit then (array_agg(jsonb_build_object('recorded_at', page.recorded_at,
      'id', page.id) order by page.recorded_at, page.id))[1] end)
  into answer
  from (
    select proof.*, (
      select message.body
      from duologue.sessions as session join duologue.messages as message
        on message.channel_id = session.channel_id and message.provider_id = proof.provider_id
      where session.id = proof.session_id and message.direction = 'inbound') as text
    from duologue.opt_outs as proof
    where (after is null or (proof.recorded_at, proof.id)
        < ((after ->> 'recorded_at')::timestamptz, (after ->> 'id')::uuid))
      and (request ->> 'user_key' is null or proof.user_key = request ->> 'user_key')
      and (request ->> 'tenant_id' is null or proof.tenant_id = (request ->> 'tenant_id')::uuid)
    order by proof.recorded_at desc, proof.id desc
    limit page_limit
  ) as page;
  return answer;
end
$$;

select duologue.expose('public.schema_version(jsonb)');
select duologue.expose('public.start_effects(jsonb)');
select duologue.expose('public.get_sending(jsonb)');
select duologue.expose('public.list_opt_outs(jsonb)');

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
