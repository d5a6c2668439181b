-- The schema's version, the roles, and the small rules that tables and functions share.
--
-- Everything of Duologue lives in the schema `duologue`, which no API exposes. The functions that the
-- service calls stand in `public`, take one jsonb and answer one jsonb, and are made reachable for the
-- service role alone by `duologue.expose`.

create schema if not exists duologue;
revoke all on schema duologue from public;

-- Compared with the newest migration file at every start of the service. Each later migration replaces it.
create or replace function public.schema_version(request jsonb default '{}') returns jsonb
language sql stable set search_path = ''
as $$ select jsonb_build_object('version', '20261122000900', 'format', 1) $$;

-- Supabase has these roles; a plain PostgreSQL gets them, so that the same grants hold everywhere.
do $$
declare
  missing text;
begin
  for missing in
    select name from unnest(array['anon', 'authenticated', 'service_role']) as name
    where not exists (select from pg_roles where rolname = name)
  loop
    execute format('create role %I nologin', missing);
  end loop;
end
$$;

-- Supabase grants new functions to `anon` and `authenticated` by name: taking them from public is not enough.
create function duologue.expose(function regprocedure) returns void
language plpgsql set search_path = ''
as $$
begin
  execute format('revoke all on function %s from public, anon, authenticated', function);
  execute format('grant execute on function %s to service_role', function);
end
$$;

-- Supabase Lite on PostgreSQL hands a jsonb argument over as a JSON string; PostgREST as the object itself.
create function duologue.as_object(argument jsonb) returns jsonb
language sql immutable parallel safe
as $$ select case when jsonb_typeof(argument) = 'string' then (argument #>> '{}')::jsonb else argument end $$;

-- The subject token of an address, by the rule of src/actors/session-key.ts: [A-Za-z0-9-] stay, every other
-- character becomes `_` and two upper-case hex digits for each of its UTF-8 bytes.
create function duologue.token(address text) returns text
language plpgsql immutable strict parallel safe set search_path = ''
as $$
declare
  -- Nearly every address is a scheme and a phone number; the general rule costs twenty times as much.
  quick text := replace(replace(replace(address, '_', '_5F'), ':', '_3A'), '+', '_2B');
begin
  if quick ~ '^[A-Za-z0-9_-]+$' then
    return quick;
  end if;
  return (
    select string_agg(
      case
        when part.letter collate "C" ~ '^[A-Za-z0-9-]$' then part.letter
        else regexp_replace(upper(encode(convert_to(part.letter, 'UTF8'), 'hex')), '(..)', '_\1', 'g')
      end,
      '' order by part.place)
    from string_to_table(address, null) with ordinality as part(letter, place));
end
$$;

create function duologue.session_key(business_address text, user_key text) returns text
language sql immutable strict parallel safe set search_path = ''
as $$ select duologue.token(business_address) || '.' || duologue.token(user_key) $$;

-- 0 for the open statuses; of two closings that race the higher rank stays.
create function duologue.closed_rank(status text) returns integer
language sql immutable parallel safe
as $$
  select case status
    when 'EXPIRED' then 1 when 'AGENT_CLOSED' then 2 when 'SUPPORT_CLOSED' then 3
    when 'USER_CLOSED' then 4 when 'FAILED' then 5 else 0
  end
$$;

-- The last three are final. Their order among themselves only makes every order of arrival end the same.
create function duologue.delivery_rank(status text) returns integer
language sql immutable parallel safe
as $$
  select case status
    when 'accepted' then 1 when 'queued' then 2 when 'sending' then 3 when 'sent' then 4
    when 'delivered' then 5 when 'read' then 6
    when 'canceled' then 7 when 'undelivered' then 8 when 'failed' then 9 else 0
  end
$$;

-- A UUIDv7: 48 bits of milliseconds, then the version, then randomness.
create function duologue.new_id() returns uuid
language sql volatile set search_path = ''
as $$
  select encode(
    set_bit(set_bit(
      overlay(uuid_send(gen_random_uuid())
        placing substring(int8send(floor(extract(epoch from clock_timestamp()) * 1000)::bigint) from 3)
        from 1 for 6),
      52, 1), 53, 1),
    'hex')::uuid
$$;

select duologue.expose('public.schema_version(jsonb)');
