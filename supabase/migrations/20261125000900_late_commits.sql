-- A commit that comes too late changes nothing. When an answer is lost the owner sends the very same batch again, and
-- goes on when that one is answered; but the first request may still wait somewhere (a proxy, a pool), and be
-- executed after newer commits of its owner. What has versions is stale then; a change of an effect has none, and a send that
-- runs would be pending once more and be sent twice. The ids of one owner's commits sort in the order of their
-- making (UUIDv7), and a claim forgets the last one: an older id than the partition's last is late.

create or replace function public.schema_version(request jsonb default '{}') returns jsonb
language sql stable set search_path = ''
as $$ select jsonb_build_object('version', '20261125000900', 'format', 1) $$;

-- As before, but for the late ones: all their sessions are answered `stale`, and nothing of them is written.
create or replace function public.commit_steps(batch jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
  set enable_seqscan = off set enable_mergejoin = off set jit = off set plan_cache_mode = force_generic_plan
as $$
declare
  commit_id text;
  asked integer[];
  held integer[];
  repeated integer[];
  late integer[];
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

  select
    coalesce(array_agg(stored.partition)
      filter (where stored.last_commit_id is null or stored.last_commit_id < commit_id collate "C"), '{}'),
    coalesce(array_agg(stored.partition) filter (where stored.last_commit_id = commit_id), '{}'),
    coalesce(array_agg(stored.partition) filter (where stored.last_commit_id > commit_id collate "C"), '{}')
  into held, repeated, late
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
  if late <> '{}' then
    select exceptions || coalesce(jsonb_object_agg(session.id, '{"kind": "stale"}'::jsonb), '{}') into exceptions
    from duologue.session_rows(batch -> 'sessions') as session
    where session.partition = any(late);
  end if;
  return jsonb_build_object(
    'committed', to_jsonb(held || repeated || late),
    'fenced', to_jsonb(array(select unnest(asked) except select unnest(held || repeated || late))),
    'exceptions', exceptions);
end
$$;

select duologue.expose('public.commit_steps(jsonb)');
