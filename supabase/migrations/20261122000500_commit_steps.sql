-- commit_steps: the steps of many conversations in one transaction (DESIGN D2, D3, D6).
--
-- 1. The named partition rows are locked, in order; only then owner and epoch are compared, and the time is read.
-- 2. A commit id that is the partition's last one is answered from the row; nothing is written again.
-- 3. What can be refused is found before anything is written: a stale version, a session that exists already
--    (or does not), a provider id that is stored already. Nothing of such a session is written, all of the others.
-- 4. The writes are a handful of statements, whatever the size of the batch: the journal before the conversations,
--    closings before openings.
-- 5. A partition's cursor moves only if every session of it in this call was committed, and never backwards
--    within an incarnation of the log.
--
-- batch: {commit_id, node_id, lease_ms,
--   partitions: [{partition, epoch, cursor_incarnation, cursor_sequence}],
--   sessions: rows of `sessions` with is_new and is_quarantined; conversations: rows with base_version;
--   journal: rows of `conversation_events` with session_id; messages, effects, quarantine: rows;
--   effect_updates: [{id, session_id, status, attempts, next_attempt_at, outcome, provider_id}];
--   deliveries: [{session_id, provider_id, effect_id, status, error_code, raw, at}]}
-- -> {fenced: [partition], exceptions: {session id: {kind: stale | duplicate, provider_ids?}}}: a session that
--    is not named there, of a partition that is not fenced, is committed.

-- The planner settings are part of the promise: the tables of a young or embedded database have no statistics,
-- and a cached plan that scans a table would stay after it has grown.
create function public.commit_steps(batch jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
  set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
  set plan_cache_mode = force_generic_plan
as $$
declare
  commit_id text;
  held integer[];
  repeated integer[];
  exceptions jsonb;
  refused uuid[];
  moment timestamptz;
  lease timestamptz;
begin
  batch := duologue.as_object(batch);
  commit_id := batch ->> 'commit_id';

  perform from duologue.partitions
  where partition in (select (asked ->> 'partition')::integer from jsonb_array_elements(batch -> 'partitions') as asked)
  order by partition for no key update;
  moment := clock_timestamp();
  lease := moment + make_interval(secs => (batch ->> 'lease_ms')::double precision / 1000);

  select coalesce(array_agg(stored.partition) filter (where stored.last_commit_id is distinct from commit_id), '{}'),
    coalesce(array_agg(stored.partition) filter (where stored.last_commit_id = commit_id), '{}')
  into held, repeated
  from jsonb_to_recordset(batch -> 'partitions') as asked(partition integer, epoch bigint)
  join duologue.partitions as stored
    on stored.partition = asked.partition and stored.epoch = asked.epoch and stored.owner = batch ->> 'node_id';

  exceptions := duologue.find_refusals(batch, held);
  select coalesce(array_agg(session.id), '{}') into refused
  from jsonb_to_recordset(batch -> 'sessions') as session(id uuid, partition integer)
  where not (session.partition = any(held)) or exceptions ? session.id::text;

  perform duologue.write_steps(batch, refused, moment, lease);

  update duologue.partitions as stored
  set lease_until = lease, last_commit_id = commit_id, last_commit_outcome = wrong.outcomes,
    cursor_incarnation = case when moves.it then asked.cursor_incarnation else stored.cursor_incarnation end,
    cursor_sequence = case
      when not moves.it then stored.cursor_sequence
      when asked.cursor_incarnation = stored.cursor_incarnation
        then greatest(asked.cursor_sequence, stored.cursor_sequence)
      else asked.cursor_sequence
    end
  from jsonb_to_recordset(batch -> 'partitions') as asked(
    partition integer, cursor_incarnation text, cursor_sequence bigint)
  left join (
    select session.partition, jsonb_object_agg(session.id, exceptions -> session.id::text) as outcomes
    from jsonb_to_recordset(batch -> 'sessions') as session(id uuid, partition integer)
    where exceptions <> '{}' and exceptions ? session.id::text
    group by session.partition) as wrong on wrong.partition = asked.partition
  cross join lateral (select asked.cursor_incarnation is not null and wrong.outcomes is null) as moves(it)
  where stored.partition = asked.partition and stored.partition = any(held);

  if repeated <> '{}' then
    select exceptions || coalesce(jsonb_object_agg(earlier.session_id, earlier.outcome), '{}') into exceptions
    from duologue.partitions
    cross join lateral jsonb_each(last_commit_outcome) as earlier(session_id, outcome)
    where partition = any(repeated);
  end if;
  return jsonb_build_object(
    'fenced', coalesce((
      select jsonb_agg(asked.partition)
      from jsonb_to_recordset(batch -> 'partitions') as asked(partition integer)
      where not (asked.partition = any(held || repeated))), '[]'),
    'exceptions', exceptions);
end
$$;

-- The sessions of the held partitions that cannot be committed: {session id: outcome}.
create function duologue.find_refusals(batch jsonb, held integer[]) returns jsonb
language plpgsql volatile set search_path = ''
as $$
declare
  stale jsonb;
  duplicate jsonb;
begin
  select jsonb_object_agg(wrong.session_id, '{"kind": "stale"}'::jsonb) into stale
  from (
    select session.id as session_id
    from jsonb_to_recordset(batch -> 'sessions') as session(id uuid, partition integer, is_new boolean,
      business_address text, user_key text, position_incarnation text, position_sequence bigint)
    left join duologue.sessions as stored on stored.id = session.id
    where session.partition = any(held) and case
      when session.is_new then stored.id is not null or exists (
        select from duologue.sessions as other
        where other.session_key = duologue.session_key(session.business_address, session.user_key))
      else stored.id is null or stored.partition <> session.partition
        or (stored.position_incarnation = session.position_incarnation
          and stored.position_sequence > session.position_sequence)
    end
    union all
    select changed.session_id
    from jsonb_to_recordset(batch -> 'conversations') as changed(id uuid, session_id uuid, partition integer,
      base_version bigint, closed_at timestamptz)
    left join duologue.conversations as stored on stored.id = changed.id
    where changed.partition = any(held) and (
      changed.base_version <> coalesce(stored.version, 0)
      or stored.session_id <> changed.session_id
      or (changed.base_version = 0 and changed.closed_at is null and exists (
        select from duologue.conversations as open
        where open.session_id = changed.session_id and open.closed_at is null and not exists (
          select from jsonb_to_recordset(batch -> 'conversations') as closing(id uuid, closed_at timestamptz)
          where closing.id = open.id and closing.closed_at is not null))))
  ) as wrong;

  if jsonb_array_length(batch -> 'messages') > 0 then
    select jsonb_object_agg(known.session_id, jsonb_build_object('kind', 'duplicate', 'provider_ids', known.ids))
    into duplicate
    from (
      select message.session_id, jsonb_agg(message.provider_id) as ids
      from jsonb_to_recordset(batch -> 'messages') as message(
        session_id uuid, channel_id uuid, direction text, provider_id text)
      left join duologue.sessions as session on session.id = message.session_id
      join duologue.messages as stored
        on stored.channel_id = coalesce(session.channel_id, message.channel_id)
        and stored.provider_id = message.provider_id
      where message.direction = 'inbound'
      group by message.session_id
    ) as known;
  end if;
  if duplicate is not null then
    -- What a repeated or fenced partition names is not judged anew.
    select jsonb_object_agg(session.id, duplicate -> session.id::text) into duplicate
    from jsonb_to_recordset(batch -> 'sessions') as session(id uuid, partition integer)
    where session.partition = any(held) and duplicate ? session.id::text;
  end if;
  -- A stale session is loaded anew, and that tells its known provider ids too.
  return coalesce(duplicate, '{}') || coalesce(stale, '{}');
end
$$;

-- Writes everything but the refused sessions' rows and the partitions.
create function duologue.write_steps(batch jsonb, refused uuid[], moment timestamptz, lease timestamptz) returns void
language plpgsql volatile set search_path = ''
as $$
begin
  if jsonb_array_length(batch -> 'sessions') > cardinality(refused) then
    perform duologue.write_sessions(batch -> 'sessions', refused, moment);
  end if;
  if jsonb_array_length(batch -> 'conversations') > 0 then
    perform duologue.write_conversations(batch, refused);
  end if;
  if jsonb_array_length(batch -> 'messages') > 0 then
    insert into duologue.messages (session_id, id, channel_id, conversation_id, direction, author, body, media,
      provider_id, raw, at)
    select session.id, message.id, session.channel_id, message.conversation_id, message.direction, message.author,
      message.body, message.media, message.provider_id, message.raw, message.at
    from jsonb_populate_recordset(null::duologue.messages, batch -> 'messages') as message
    join duologue.sessions as session on session.id = message.session_id
    where not (message.session_id = any(refused));
  end if;
  if jsonb_array_length(batch -> 'effects') > 0 then
    insert into duologue.effects (id, session_id, partition, conversation_id, kind, params, child_id, speaker_token,
      status, attempts, next_attempt_at, deadline, started_at, outcome, message_id, created_at)
    select id, session_id, partition, conversation_id, kind, params, child_id, speaker_token,
      status, attempts, next_attempt_at, case when status = 'running' then lease end,
      case when status = 'running' then moment end, outcome, message_id, moment
    from jsonb_populate_recordset(null::duologue.effects, batch -> 'effects')
    where not (session_id = any(refused));
  end if;
  if jsonb_array_length(batch -> 'effect_updates') > 0 then
    perform duologue.write_effect_updates(batch -> 'effect_updates', refused, moment, lease);
  end if;
  if jsonb_array_length(batch -> 'deliveries') > 0 then
    perform duologue.write_deliveries(batch -> 'deliveries', refused);
  end if;
  if jsonb_array_length(batch -> 'quarantine') > 0 then
    -- The same position may come again while its partition's cursor waits for another session.
    insert into duologue.quarantine (partition, session_id, position_incarnation, position_sequence, kind, subject,
      data_base64, error, at)
    select parked.partition, parked.session_id, parked.position_incarnation, parked.position_sequence, parked.kind,
      parked.subject, parked.data_base64, parked.error, parked.at
    from jsonb_populate_recordset(null::duologue.quarantine, batch -> 'quarantine') as parked
    join duologue.partitions as owned on owned.partition = parked.partition
      and owned.owner = batch ->> 'node_id' and owned.last_commit_id is distinct from batch ->> 'commit_id'
    join jsonb_to_recordset(batch -> 'partitions') as asked(partition integer, epoch bigint)
      on asked.partition = owned.partition and asked.epoch = owned.epoch
    where parked.session_id is null or not (parked.session_id = any(refused))
    on conflict (partition, position_incarnation, position_sequence) do nothing;
  end if;
end
$$;

create function duologue.write_sessions(sessions jsonb, refused uuid[], moment timestamptz) returns void
language plpgsql volatile set search_path = ''
as $$
begin
  insert into duologue.sessions (id, tenant_id, channel_id, partition, business_address, user_key,
    position_incarnation, position_sequence, conversation_id, reply_address, last_inbound_at, speaker, speaker_token,
    opted_out, clock_offset_ms, quarantined_at)
  select id, tenant_id, channel_id, partition, business_address, user_key,
    position_incarnation, position_sequence, conversation_id, reply_address, last_inbound_at, speaker, speaker_token,
    opted_out, clock_offset_ms, case when is_quarantined then moment end
  from jsonb_to_recordset(sessions) as session(id uuid, is_new boolean, tenant_id uuid, channel_id uuid,
    partition integer, business_address text, user_key text, position_incarnation text, position_sequence bigint,
    conversation_id uuid, reply_address text, last_inbound_at timestamptz, speaker text, speaker_token bigint,
    opted_out boolean, clock_offset_ms bigint, is_quarantined boolean)
  where is_new and not (id = any(refused));

  update duologue.sessions as stored
  set position_incarnation = session.position_incarnation, position_sequence = session.position_sequence,
    conversation_id = session.conversation_id, reply_address = session.reply_address,
    last_inbound_at = session.last_inbound_at, speaker = session.speaker, speaker_token = session.speaker_token,
    opted_out = session.opted_out, clock_offset_ms = session.clock_offset_ms,
    quarantined_at = case when session.is_quarantined then coalesce(stored.quarantined_at, moment) end
  from jsonb_to_recordset(sessions) as session(id uuid, is_new boolean, position_incarnation text,
    position_sequence bigint, conversation_id uuid, reply_address text, last_inbound_at timestamptz, speaker text,
    speaker_token bigint, opted_out boolean, clock_offset_ms bigint, is_quarantined boolean)
  where stored.id = session.id and not session.is_new and not (session.id = any(refused));
end
$$;

create function duologue.write_conversations(batch jsonb, refused uuid[]) returns void
language plpgsql volatile set search_path = ''
as $$
begin
  insert into duologue.conversation_events (conversation_id, version, event_id, event, from_status, to_status,
    reason, initiator, machine_version, occurred_at, hash)
  select conversation_id, version, event_id, event, from_status, to_status, reason, initiator, machine_version,
    occurred_at, hash
  from jsonb_to_recordset(batch -> 'journal') as step(session_id uuid, conversation_id uuid, version bigint,
    event_id text, event jsonb, from_status text, to_status text, reason text, initiator text, machine_version text,
    occurred_at timestamptz, hash text)
  where not (session_id = any(refused));

  update duologue.conversations as stored
  set status = changed.status, snapshot = changed.snapshot, machine_version = changed.machine_version,
    version = changed.version, hash = changed.hash, timers = changed.timers, next_timer_at = changed.next_timer_at,
    assigned_operator = changed.assigned_operator, updated_at = changed.updated_at, closed_at = changed.closed_at
  from jsonb_to_recordset(batch -> 'conversations') as changed(id uuid, session_id uuid, base_version bigint,
    status text, snapshot jsonb, machine_version text, version bigint, hash text, timers jsonb,
    next_timer_at timestamptz, assigned_operator text, updated_at timestamptz, closed_at timestamptz)
  where stored.id = changed.id and changed.base_version > 0 and not (changed.session_id = any(refused));

  insert into duologue.conversations (id, tenant_id, session_id, partition, status, snapshot, machine,
    machine_version, version, hash, timers, next_timer_at, previous_id, assigned_operator, opened_at, updated_at,
    closed_at)
  select opened.id, session.tenant_id, session.id, session.partition, opened.status, opened.snapshot, opened.machine,
    opened.machine_version, opened.version, opened.hash, opened.timers, opened.next_timer_at, opened.previous_id,
    opened.assigned_operator, opened.opened_at, opened.updated_at, opened.closed_at
  from jsonb_to_recordset(batch -> 'conversations') as opened(id uuid, session_id uuid, base_version bigint,
    status text, snapshot jsonb, machine text, machine_version text, version bigint, hash text, timers jsonb,
    next_timer_at timestamptz, previous_id uuid, assigned_operator text, opened_at timestamptz,
    updated_at timestamptz, closed_at timestamptz)
  join duologue.sessions as session on session.id = opened.session_id
  where opened.base_version = 0 and not (opened.session_id = any(refused));
end
$$;

-- A settled effect never changes again. A send's provider id fills its message, unless another message has it.
create function duologue.write_effect_updates(updates jsonb, refused uuid[], moment timestamptz, lease timestamptz)
returns void
language plpgsql volatile set search_path = ''
as $$
begin
  update duologue.messages as message
  set provider_id = result.provider_id
  from jsonb_to_recordset(updates) as result(id text, session_id uuid, provider_id text)
  join duologue.effects as effect on effect.id = result.id and effect.session_id = result.session_id
  where message.session_id = effect.session_id and message.id = effect.message_id
    and message.provider_id is null and result.provider_id is not null
    and not (result.session_id = any(refused))
    and not exists (
      select from duologue.messages as other
      where other.channel_id = message.channel_id and other.provider_id = result.provider_id);

  update duologue.effects as effect
  set status = result.status, attempts = result.attempts, next_attempt_at = result.next_attempt_at,
    outcome = result.outcome,
    deadline = case when result.status = 'running' then lease else effect.deadline end,
    started_at = case when result.status = 'running' then moment else effect.started_at end
  from jsonb_to_recordset(updates) as result(id text, session_id uuid, status text, attempts integer,
    next_attempt_at timestamptz, outcome jsonb)
  where effect.id = result.id and effect.session_id = result.session_id
    and effect.status in ('pending', 'running', 'uncertain') and not (result.session_id = any(refused));
end
$$;

-- The highest status stays, with its own error code; every order of arrival ends the same. Of one message's
-- callbacks at most 50 different ones are kept.
create function duologue.write_deliveries(deliveries jsonb, refused uuid[]) returns void
language plpgsql volatile set search_path = ''
as $$
begin
  insert into duologue.deliveries as stored (channel_id, provider_id, session_id, effect_id, status, error_code, raw,
    updated_at)
  select session.channel_id, told.provider_id, (array_agg(session.id))[1], max(told.effect_id),
    (array_agg(told.status order by duologue.delivery_rank(told.status) desc))[1],
    (array_agg(told.error_code order by duologue.delivery_rank(told.status) desc, told.error_code desc nulls last))[1],
    jsonb_agg(told.raw order by told.at), max(told.at)
  from jsonb_to_recordset(deliveries) as told(session_id uuid, provider_id text, effect_id text, status text,
    error_code text, raw jsonb, at timestamptz)
  join duologue.sessions as session on session.id = told.session_id
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
    raw = case when jsonb_array_length(stored.raw) < 50 and not stored.raw @> excluded.raw
      then stored.raw || excluded.raw else stored.raw end,
    updated_at = greatest(stored.updated_at, excluded.updated_at);
end
$$;

select duologue.expose('public.commit_steps(jsonb)');
