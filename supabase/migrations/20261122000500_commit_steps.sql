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
-- Plans are cached per connection, often made while the tables are empty, and an embedded database has no
-- statistics at all. So no statement may leave the planner a choice that is wrong for a large table: stored rows are
-- reached by `= any(ids)` or by a `lateral (… offset 0)`, which is evaluated row by row with its index.
--
-- batch: {format: 1, commit_id, node_id, lease_ms} and the lists of the migration before this one (batch_rows): partitions,
--   sessions, conversations, journal, messages, effects, effect_updates, deliveries, quarantine.
-- -> {committed: [partition], fenced: [partition], exceptions: {session id: {kind: stale | duplicate,
--    provider_ids?}}}: a session of a committed partition that is not named there is committed.
create function public.commit_steps(batch jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
  set enable_seqscan = off set enable_mergejoin = off set jit = off set plan_cache_mode = force_generic_plan
as $$
declare
  commit_id text;
  asked integer[];
  held integer[];
  repeated integer[];
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

  select coalesce(array_agg(stored.partition) filter (where stored.last_commit_id is distinct from commit_id), '{}'),
    coalesce(array_agg(stored.partition) filter (where stored.last_commit_id = commit_id), '{}')
  into held, repeated
  from duologue.partition_rows(batch -> 'partitions') as named
  join duologue.partitions as stored
    on stored.partition = named.partition and stored.epoch = named.epoch and stored.owner = batch ->> 'node_id'
  where stored.partition = any(asked);

  exceptions := duologue.find_refusals(batch, held);
  -- Also the sessions of a partition that the batch does not name: it was not locked.
  refused := array(
    select id::uuid
    from rows from (
      jsonb_array_elements_text(batch #> '{sessions,id}'), jsonb_array_elements_text(batch #> '{sessions,partition}')
    ) as c(id, partition)
    where (partition::integer = any(held)) is not true or exceptions ? id);

  perform duologue.write_steps(batch, held, refused, moment, lease);

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
  return jsonb_build_object(
    'committed', to_jsonb(held || repeated),
    'fenced', to_jsonb(array(select unnest(asked) except select unnest(held || repeated))),
    'exceptions', exceptions);
end
$$;

-- The sessions of the held partitions that cannot be committed: {session id: outcome}. It reads only the columns that
-- it needs: taking a list apart costs as much as looking its rows up.
create function duologue.find_refusals(batch jsonb, held integer[]) returns jsonb
language plpgsql volatile set search_path = ''
as $$
declare
  sessions jsonb := batch -> 'sessions';
  conversations jsonb := batch -> 'conversations';
  messages jsonb := batch -> 'messages';
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

  if messages ? 'id' then
    select jsonb_object_agg(known.session_id, jsonb_build_object('kind', 'duplicate', 'provider_ids', known.ids))
    into duplicate
    from (
      select message.session_id, jsonb_agg(message.provider_id) as ids
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
        offset 0) as stored
      group by message.session_id
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

-- Whether the session has an open conversation that these conversations of a batch do not close.
create function duologue.has_other_open(session uuid, conversations jsonb) returns boolean
language sql volatile set search_path = ''
as $$
  select exists (
    select from duologue.conversations as open
    where open.session_id = has_other_open.session and open.closed_at is null
      and not exists (
        select from duologue.conversation_rows(conversations) as closing
        where closing.id = open.id and closing.closed_at is not null))
$$;

-- Writes everything but the refused sessions' rows and the partitions.
create function duologue.write_steps(
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
  if batch -> 'quarantine' ? 'partition' then
    -- The same position may come again while its partition's cursor waits for another session.
    insert into duologue.quarantine (partition, session_id, position_incarnation, position_sequence, kind, subject,
      data_base64, error, at)
    select partition, session_id, position_incarnation, position_sequence, kind, subject, data_base64, error, at
    from duologue.quarantine_rows(batch -> 'quarantine')
    where partition = any(held) and (session_id is null or not (session_id = any(refused)))
    on conflict (partition, position_incarnation, position_sequence) do nothing;
  end if;
end
$$;

create function duologue.write_sessions(sessions jsonb, refused uuid[], moment timestamptz) returns void
language plpgsql volatile set search_path = ''
as $$
declare
  added uuid[];
  changed uuid[];
begin
  select array_agg(id) filter (where is_new), array_agg(id) filter (where not is_new) into added, changed
  from (
    select id::uuid, is_new::boolean
    from rows from (
      jsonb_array_elements_text(sessions -> 'id'), jsonb_array_elements_text(sessions -> 'is_new')
    ) as c(id, is_new)
  ) as session
  where not (id = any(refused));

  if added is not null then
    insert into duologue.sessions (id, tenant_id, channel_id, partition, business_address, user_key,
      position_incarnation, position_sequence, conversation_id, reply_address, last_inbound_at, speaker,
      speaker_token, opted_out, clock_offset_ms, quarantined_at)
    select id, tenant_id, channel_id, partition, business_address, user_key,
      position_incarnation, position_sequence, conversation_id, reply_address, last_inbound_at, speaker,
      speaker_token, opted_out, clock_offset_ms, case when is_quarantined then moment end
    from duologue.session_rows(sessions)
    where id = any(added);
  end if;

  if changed is null then
    return;
  end if;
  update duologue.sessions as stored
  set position_incarnation = session.position_incarnation, position_sequence = session.position_sequence,
    conversation_id = session.conversation_id, reply_address = session.reply_address,
    last_inbound_at = session.last_inbound_at, speaker = session.speaker, speaker_token = session.speaker_token,
    opted_out = session.opted_out, clock_offset_ms = session.clock_offset_ms,
    quarantined_at = case when session.is_quarantined then coalesce(stored.quarantined_at, moment) end
  from duologue.session_rows(sessions) as session
  where stored.id = session.id and stored.id = any(changed);
end
$$;

create function duologue.write_conversations(journal jsonb, conversations jsonb, refused uuid[]) returns void
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
      closed_at = conversation.closed_at
    from duologue.conversation_rows(conversations) as conversation
    where stored.id = conversation.id and stored.id = any(changed);
  end if;
  if opened is not null then
    insert into duologue.conversations (id, tenant_id, session_id, partition, status, snapshot, machine,
      machine_version, version, hash, timers, next_timer_at, previous_id, assigned_operator, opened_at, updated_at,
      closed_at)
    select id, session.tenant_id, conversation.session_id, session.partition, status, snapshot, machine,
      machine_version, version, hash, timers, next_timer_at, previous_id, assigned_operator, opened_at, updated_at,
      closed_at
    from duologue.conversation_rows(conversations) as conversation
    cross join lateral (
      select tenant_id, partition from duologue.sessions
      where sessions.id = conversation.session_id offset 0) as session
    where id = any(opened);
  end if;
end
$$;

-- A settled effect never changes again. A send's provider id fills its message, unless another message has it.
create function duologue.write_effect_updates(
  updates jsonb, refused uuid[], moment timestamptz, lease timestamptz) returns void
language plpgsql volatile set search_path = ''
as $$
declare
  named text[];
begin
  select array_agg(id) into named
  from duologue.effect_update_rows(updates)
  where not (session_id = any(refused));
  if named is null then
    return;
  end if;

  update duologue.messages as message
  set provider_id = sent.provider_id
  from (
    select effect.session_id, effect.message_id, result.provider_id
    from duologue.effect_update_rows(updates) as result
    cross join lateral (
      select session_id, message_id from duologue.effects
      where id = result.id and session_id = result.session_id and message_id is not null offset 0) as effect
    where result.provider_id is not null and result.id = any(named)
    offset 0) as sent
  where message.session_id = sent.session_id and message.id = sent.message_id
    and message.session_id = any(array(
      select session_id from duologue.effect_update_rows(updates)))
    and message.id = any(array(
      select message_id from duologue.effects where id = any(named)))
    and message.provider_id is null
    and (
      select id from duologue.messages as other
      where other.channel_id = message.channel_id and other.provider_id = sent.provider_id) is null;

  update duologue.effects as effect
  set status = result.status, attempts = result.attempts, next_attempt_at = result.next_attempt_at,
    outcome = result.outcome,
    deadline = case when result.status = 'running' then lease else effect.deadline end,
    started_at = case when result.status = 'running' then moment else effect.started_at end
  from duologue.effect_update_rows(updates) as result
  where effect.id = result.id and effect.id = any(named) and effect.session_id = result.session_id
    and effect.status in ('pending', 'running', 'uncertain');
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
  select session.channel_id, told.provider_id, (array_agg(told.session_id))[1], max(told.effect_id),
    (array_agg(told.status order by duologue.delivery_rank(told.status) desc))[1],
    (array_agg(told.error_code order by duologue.delivery_rank(told.status) desc, told.error_code desc nulls last))[1],
    jsonb_agg(told.raw order by told.at), max(told.at)
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
    raw = case when jsonb_array_length(stored.raw) < 50 and not stored.raw @> excluded.raw
      then stored.raw || excluded.raw else stored.raw end,
    updated_at = greatest(stored.updated_at, excluded.updated_at);
end
$$;

select duologue.expose('public.commit_steps(jsonb)');
