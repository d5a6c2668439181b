-- Users who are seen for the first time cost less. Their keys are written down for all of a request at once; only keys
-- that several asks of the request share, or that somebody else is claiming, are still settled one ask after the other.

create or replace function public.schema_version(request jsonb default '{}') returns jsonb
language sql stable set search_path = ''
as $$ select jsonb_build_object('version', '20261125001900', 'format', 1) $$;

-- As before; a provider's id of a user has a dot in it, and takes the quick way too.
create or replace function duologue.token(address text) returns text
language plpgsql immutable strict parallel safe set search_path = ''
as $$
declare
  -- Nearly every address is a scheme and a number or an id; the general rule costs twenty times as much.
  quick text := replace(replace(replace(replace(address, '_', '_5F'), ':', '_3A'), '+', '_2B'), '.', '_2E');
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

-- The asks at these places, under the lock: {place: {home, is_held, is_split}}.
create function duologue.claim_asks(asks jsonb, places bigint[]) returns jsonb
language plpgsql volatile set search_path = ''
as $$
declare
  fresh jsonb := (select jsonb_agg(asks -> (place - 1)::integer order by place) from unnest(places) as place);
  written jsonb;
  ask record;
  claimed record;
begin
  -- Nobody has any of their keys, and no other ask has one of them either.
  with looked_up as (
    select places[asked.place] as place, asked.address, asked.keys, asked.home
    from duologue.look_up_homes(fresh) as asked
  ), carried as (
    select place, address, keys, home, key, count(*) over (partition by address, key) as times
    from looked_up cross join unnest(keys) as key
  ), alone as (
    select place, address, keys from carried group by place, address, keys
    having max(times) = 1 and max(home) is null
  ), added as (
    insert into duologue.identities (business_address, user_key, home, learned_from)
    select address, key, keys[1], nullif(keys[1], key)
    from alone cross join unnest(keys) as key
    where exists (select from duologue.channels where channels.address = alone.address)
    order by address, key
    on conflict (session_key) do nothing
    returning business_address, user_key
  )
  select coalesce(jsonb_object_agg(place, jsonb_build_object('home', keys[1], 'is_held', false, 'is_split', false)), '{}')
  into written
  from (
    select place, keys from alone cross join unnest(keys) as key
    join added on added.business_address = address and added.user_key = key
    group by place, keys
    having count(*) = cardinality(keys)) as whole;

  for ask in
    select place, asks -> (place - 1)::integer as asked from unnest(places) as place
    where not written ? place::text order by place
  loop
    select * into claimed from duologue.claim_keys(
      ask.asked ->> 'business_address', array(select jsonb_array_elements_text(ask.asked -> 'user_keys')));
    written := written || jsonb_build_object(ask.place,
      jsonb_build_object('home', claimed.home, 'is_held', claimed.is_held, 'is_split', claimed.is_split));
  end loop;
  return written;
end
$$;

-- As before.
create or replace function public.resolve_identities(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
  set enable_seqscan = off set jit = off
as $$
declare
  homes jsonb;
  unwritten bigint[];
  written jsonb := '{}';
  seen bigint;
begin
  request := duologue.as_object(request);
  -- Read first: what is read after it is at least as new.
  select generation into seen from duologue.identity_state;
  select coalesce(jsonb_agg(jsonb_build_object('home', coalesce(asked.home, asked.keys[1]), 'is_held', asked.is_held,
      'is_split', asked.is_split) order by asked.place), '[]'),
    array_agg(asked.place order by asked.place) filter (where not asked.is_known and asked.claims)
  into homes, unwritten
  from duologue.look_up_homes(request -> 'asks') as asked;
  if unwritten is not null then
    -- One request at a time, and so in no order that two could wait for each other in.
    perform pg_advisory_xact_lock(hashtext('duologue.identities'));
    written := duologue.claim_asks(request -> 'asks', unwritten);
    homes := (
      select jsonb_agg(coalesce(written -> place::text, home) order by place)
      from jsonb_array_elements(homes) with ordinality as found(home, place));
  end if;
  return jsonb_build_object('generation', coalesce(seen, 0), 'homes', homes);
end
$$;

select duologue.expose('public.schema_version(jsonb)');
select duologue.expose('public.resolve_identities(jsonb)');

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
