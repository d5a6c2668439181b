-- start_effects: pending effects begin here (DESIGN D4). Fenced like a commit: the same lock, owner and epoch.
-- A send is checked once more against what may have changed since its step: opt-out, the speaker, and WhatsApp's
-- 24-hour window (by the session's own clock; a template, `contentSid`, may be sent outside it).
--
-- request: {node_id, lease_ms, partitions: [{partition, epoch}], effects: [{id, partition, session_id}]}
-- -> {outcomes: {effect id: {kind: started, effect} | {kind: cancelled, reason} | {kind: not-pending | fenced}}}
create function public.start_effects(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
  set enable_seqscan = off set enable_mergejoin = off set jit = off
as $$
declare
  asked integer[];
  named text[];
  held integer[];
  moment timestamptz;
  lease timestamptz;
  outcomes jsonb;
begin
  request := duologue.as_object(request);
  select array_agg(partition) into asked from jsonb_to_recordset(request -> 'partitions') as one(partition integer);
  select array_agg(id) into named from jsonb_to_recordset(request -> 'effects') as one(id text);
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

  with checked as (
    select wanted.id, wanted.partition = any(held) as is_held, (effect.row).status = 'pending' as is_pending,
      duologue.find_obstacle(effect.row, session.row, moment) as obstacle
    from jsonb_to_recordset(request -> 'effects') as wanted(id text, partition integer, session_id uuid)
    left join lateral (
      select stored from duologue.effects as stored
      where id = wanted.id and session_id = wanted.session_id and partition = wanted.partition
      offset 0) as effect(row) on true
    left join lateral (
      select stored from duologue.sessions as stored where id = (effect.row).session_id offset 0) as session(row) on true
  ), changed as (
    update duologue.effects as effect
    set status = case when checked.obstacle is null then 'running' else 'cancelled' end,
      attempts = effect.attempts + case when checked.obstacle is null then 1 else 0 end,
      deadline = case when checked.obstacle is null then lease else effect.deadline end,
      started_at = case when checked.obstacle is null then moment else effect.started_at end,
      outcome = case when checked.obstacle is not null
        then jsonb_build_object('kind', 'cancelled', 'reason', checked.obstacle) end
    from checked
    where effect.id = checked.id and effect.id = any(named) and checked.is_held and checked.is_pending
    returning effect.id, duologue.effect_row(effect) as row
  )
  select coalesce(jsonb_object_agg(checked.id, case
      when checked.is_held is not true then '{"kind": "fenced"}'
      when checked.is_pending is not true then '{"kind": "not-pending"}'
      when checked.obstacle is not null then jsonb_build_object('kind', 'cancelled', 'reason', checked.obstacle)
      else jsonb_build_object('kind', 'started', 'effect', changed.row)
    end), '{}')
  into outcomes
  from checked left join changed on changed.id = checked.id;
  return jsonb_build_object('outcomes', outcomes);
end
$$;

-- Why a send may not begin any more, or null.
create function duologue.find_obstacle(effect duologue.effects, session duologue.sessions, moment timestamptz)
returns text
language sql stable set search_path = ''
as $$
  select case
    when effect.kind is distinct from 'sendMessage' then null
    when session.opted_out then 'opted-out'
    when effect.speaker_token <> session.speaker_token then 'speaker-changed'
    when starts_with(session.business_address, 'whatsapp:') and effect.params ->> 'contentSid' is null
      and coalesce(session.last_inbound_at, '-infinity')
        < moment + make_interval(secs => session.clock_offset_ms / 1000.0) - interval '24 hours'
      then 'window-closed'
  end
$$;

select duologue.expose('public.start_effects(jsonb)');
