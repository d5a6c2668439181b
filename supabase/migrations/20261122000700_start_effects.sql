-- start_effects: pending effects begin here (DESIGN D4). Fenced like a commit: the same lock, owner and epoch.
-- A send is checked once more against what may have changed since its step: opt-out, the speaker, and WhatsApp's
-- 24-hour window (by the session's own clock; a template, `contentSid`, may be sent outside it).
--
-- request: {node_id, lease_ms, partitions: [{partition, epoch}], effects: [{id, partition, session_id}]}
-- -> {outcomes: {effect id: {kind: started, effect} | {kind: cancelled, reason} | {kind: not-pending | fenced}}}
create function public.start_effects(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
  set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
as $$
declare
  held integer[];
  moment timestamptz;
  lease timestamptz;
  outcomes jsonb;
begin
  request := duologue.as_object(request);
  perform from duologue.partitions
  where partition in (
    select (asked ->> 'partition')::integer from jsonb_array_elements(request -> 'partitions') as asked)
  order by partition for no key update;
  moment := clock_timestamp();
  lease := moment + make_interval(secs => (request ->> 'lease_ms')::double precision / 1000);

  with renewed as (
    update duologue.partitions as stored set lease_until = lease
    from jsonb_to_recordset(request -> 'partitions') as asked(partition integer, epoch bigint)
    where stored.partition = asked.partition and stored.epoch = asked.epoch and stored.owner = request ->> 'node_id'
    returning stored.partition
  )
  select coalesce(array_agg(partition), '{}') into held from renewed;

  with asked as (
    select asked.id, asked.partition = any(held) as is_held, effect.status = 'pending' as is_pending,
      case
        when effect.kind <> 'sendMessage' then null
        when session.opted_out then 'opted-out'
        when effect.speaker_token <> session.speaker_token then 'speaker-changed'
        when starts_with(session.business_address, 'whatsapp:') and effect.params ->> 'contentSid' is null
          and coalesce(session.last_inbound_at, '-infinity')
            < moment + make_interval(secs => session.clock_offset_ms / 1000.0) - interval '24 hours'
          then 'window-closed'
      end as obstacle
    from jsonb_to_recordset(request -> 'effects') as asked(id text, partition integer, session_id uuid)
    left join duologue.effects as effect
      on effect.id = asked.id and effect.session_id = asked.session_id and effect.partition = asked.partition
    left join duologue.sessions as session on session.id = effect.session_id
  ), changed as (
    update duologue.effects as effect
    set status = case when asked.obstacle is null then 'running' else 'cancelled' end,
      attempts = effect.attempts + case when asked.obstacle is null then 1 else 0 end,
      deadline = case when asked.obstacle is null then lease else effect.deadline end,
      started_at = case when asked.obstacle is null then moment else effect.started_at end,
      outcome = case when asked.obstacle is not null
        then jsonb_build_object('kind', 'cancelled', 'reason', asked.obstacle) end
    from asked
    where effect.id = asked.id and asked.is_held and asked.is_pending
    returning effect.id, duologue.effect_row(effect) as row
  )
  select coalesce(jsonb_object_agg(asked.id, case
      when asked.is_held is not true then '{"kind": "fenced"}'
      when asked.is_pending is not true then '{"kind": "not-pending"}'
      when asked.obstacle is not null then jsonb_build_object('kind', 'cancelled', 'reason', asked.obstacle)
      else jsonb_build_object('kind', 'started', 'effect', changed.row)
    end), '{}')
  into outcomes
  from asked left join changed on changed.id = asked.id;
  return jsonb_build_object('outcomes', outcomes);
end
$$;

select duologue.expose('public.start_effects(jsonb)');
