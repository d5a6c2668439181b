-- Opting out where sessions are linked: a STOP under any address of a person holds for all that lead to the same session,
-- also one of before the link; when the link is undone it stays with both, until each says START.

create or replace function public.schema_version(request jsonb default '{}') returns jsonb
language sql stable set search_path = ''
as $$ select jsonb_build_object('version', '20261125001500', 'format', 1) $$;

-- The session's own key, and every other one that leads to it.
create or replace function duologue.opt_out_keys(session duologue.sessions) returns text[]
language sql stable set search_path = ''
as $$
  select array[session.user_key] || array(
    select known.user_key from duologue.identities as known
    where known.business_address = session.business_address and known.home = session.user_key
      and known.user_key <> session.user_key)
$$;

alter function public.unlink_identities(jsonb) set schema duologue;
alter function duologue.unlink_identities(jsonb) rename to part_identities;

-- As `duologue.part_identities`, whose request and answer these are. The opt-outs that stood for the session that was
-- one stand for both of them afterwards, each with the proof that it had.
create function public.unlink_identities(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  whole duologue.sessions;
  standing duologue.opt_outs[];
  answer jsonb;
begin
  request := duologue.as_object(request);
  select * into whole from duologue.sessions where id = (request ->> 'session_id')::uuid;
  select coalesce(array_agg(proof), '{}') into standing
  from duologue.opt_outs as proof
  where proof.tenant_id = whole.tenant_id and proof.user_key = any(duologue.opt_out_keys(whole))
    and proof.scope = any(duologue.opt_out_scopes(whole.channel_id)) and proof.ended_at is null;
  answer := duologue.part_identities(request);
  if answer ->> 'outcome' = 'applied' then
    insert into duologue.opt_outs (tenant_id, scope, user_key, session_id, source, code, provider_id, effect_id, at,
      recorded_at)
    select proof.tenant_id, proof.scope, person.user_key, person.session_id, proof.source, proof.code,
      proof.provider_id, proof.effect_id, proof.at, clock_timestamp()
    from unnest(standing) as proof
    cross join (values
      (whole.user_key, whole.id), (request ->> 'from_key', (answer ->> 'session_id')::uuid)) as person(user_key, session_id)
    on conflict (tenant_id, user_key, scope) where ended_at is null do nothing;
  end if;
  return answer;
end
$$;

create or replace function duologue.conversation_item(conversation duologue.conversations, session duologue.sessions)
returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object('id', conversation.id, 'tenantId', conversation.tenant_id, 'sessionId', session.id,
    'status', conversation.status, 'version', conversation.version, 'machine', conversation.machine,
    'machineVersion', conversation.machine_version, 'businessAddress', session.business_address,
    'userAddress', session.user_key, 'speaker', session.speaker,
    'optedOut', duologue.opt_out_of(session) is not null,
    'assignedOperator', conversation.assigned_operator,
    'line', conversation.snapshot #>> '{context,line}', 'openedAt', conversation.opened_at,
    'updatedAt', conversation.updated_at, 'closedAt', conversation.closed_at,
    'nextTimerAt', conversation.next_timer_at, 'previousId', conversation.previous_id,
    'quarantinedAt', session.quarantined_at)
$$;

select duologue.expose('public.schema_version(jsonb)');
select duologue.expose('public.unlink_identities(jsonb)');

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
