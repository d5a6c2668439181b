-- Handing over without a pause, and nodes that cannot read the log (docs/decisions/2026-11-25-ownership.md).
-- A node that holds more than its share is told so (`surplus`) and gives it up itself, when what it had begun is
-- finished; a node that cannot read the log claims nothing, and everything it holds is surplus while others can.

create or replace function public.schema_version(request jsonb default '{}') returns jsonb
language sql stable set search_path = ''
as $$ select jsonb_build_object('version', '20261125000600', 'format', 1) $$;

alter table duologue.nodes add column can_read boolean not null default true;

-- Renews what the node holds, takes free partitions up to its fair share, takes away what only others can run.
-- request: {node_id, lease_ms, held: [{partition, epoch, needs}], machines, take_all, renew_only, can_read, hands_over}
-- -> {partitions: [{partition, epoch, cursor_incarnation, cursor_sequence, surplus}], machines: {machine: [version]}}: all
--    that the node owns now, and the versions that all live nodes know.
-- A request without `hands_over` is of a program that knows no surplus: it is taken from it at once.
create or replace function public.claim_partitions(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  asking text;
  take_all boolean;
  renew_only boolean;
  reads boolean;
  hands_over boolean;
  lease interval;
  announced jsonb;
  common jsonb;
  bound integer[];
  misfits integer[];
  held integer[];
  share integer;
  room integer;
  moment timestamptz;
begin
  request := duologue.as_object(request);
  asking := request ->> 'node_id';
  take_all := coalesce((request ->> 'take_all')::boolean, false);
  renew_only := coalesce((request ->> 'renew_only')::boolean, false);
  lease := make_interval(secs => (request ->> 'lease_ms')::double precision / 1000);
  reads := coalesce((request ->> 'can_read')::boolean, true);
  hands_over := coalesce((request ->> 'hands_over')::boolean, false);
  announced := coalesce(request -> 'machines', '{"conversation": ["1"]}');

  -- Every lock is waited for in the order of the partitions, as in commit_steps; what others hold is only tried.
  perform from duologue.partitions
  where take_all or owner = asking
  order by partition for no key update;
  moment := clock_timestamp();

  if take_all then
    delete from duologue.nodes where node_id <> asking;
  end if;
  delete from duologue.nodes where node_id <> asking and seen_at < moment - interval '1 hour';
  common := duologue.common_machines(asking, announced, moment);
  -- Without a version in common it is counted like one that leaves: the others keep what they have.
  renew_only := renew_only or (
    exists (select from jsonb_each(common) where value = '[]')
    and exists (select from duologue.partitions where owner <> asking and lease_until > moment));
  insert into duologue.nodes (node_id, seen_at, lease_ms, is_leaving, machines, can_read)
    values (asking, moment, (request ->> 'lease_ms')::bigint, renew_only, announced, reads)
    on conflict (node_id) do update
      set seen_at = excluded.seen_at, lease_ms = excluded.lease_ms, is_leaving = excluded.is_leaving,
        machines = excluded.machines, can_read = excluded.can_read;

  update duologue.partitions as stored set needs = claimed.needs
  from jsonb_to_recordset(request -> 'held') as claimed(partition integer, epoch bigint, needs jsonb)
  where stored.partition = claimed.partition and stored.epoch = claimed.epoch and stored.owner = asking
    and jsonb_typeof(claimed.needs) = 'object' and stored.needs is distinct from claimed.needs;
  bound := duologue.bound_partitions(asking, announced, moment);
  misfits := duologue.foreign_partitions(asking, announced, moment);

  select coalesce(array_agg(stored.partition order by stored.partition <> all(bound), stored.partition), '{}') into held
  from jsonb_to_recordset(request -> 'held') as claimed(partition integer, epoch bigint)
  join duologue.partitions as stored
    on stored.partition = claimed.partition and stored.epoch = claimed.epoch and stored.owner = asking;
  update duologue.partitions set owner = null, lease_until = null
  where partition = any(held) and partition = any(misfits);
  held := array(select one from unnest(held) with ordinality as each(one, place) where one <> all(misfits) order by place);

  -- A node that leaves keeps what it has until it releases it; what only it can run is never too much.
  share := case
    when renew_only then cardinality(held)
    else greatest(
      (select count(*) from unnest(held) as one where one = any(bound)),
      duologue.fair_share(asking, reads, cardinality(held), moment))
  end;
  if not hands_over and cardinality(held) > share then
    update duologue.partitions set owner = null, lease_until = null
    where partition = any(held[share + 1:]);
    held := held[:share];
  end if;
  update duologue.partitions set lease_until = moment + lease where partition = any(held);

  -- What this node owns without knowing it (an answer was lost) is taken anew, like a free one.
  if reads and not renew_only then
    room := greatest(share - cardinality(held), (
      select count(*) from duologue.partitions
      where partition = any(bound) and partition <> all(held)
        and (take_all or owner is null or owner = asking or lease_until < moment)));
    with free as (
      select partition from duologue.partitions
      where partition <> all(held) and partition <> all(misfits)
        and (take_all or owner is null or owner = asking or lease_until < moment)
      order by partition <> all(bound), partition
      limit room
      for no key update skip locked
    ), taken as (
      update duologue.partitions as stored
      set owner = asking, epoch = stored.epoch + 1, lease_until = moment + lease,
        last_commit_id = null, last_commit_outcome = null
      from free where free.partition = stored.partition
      returning stored.partition
    )
    select held || coalesce(array_agg(partition), '{}') into held from taken;
  end if;

  return jsonb_build_object('machines', common, 'partitions', coalesce((
    select jsonb_agg(jsonb_build_object('partition', partition, 'epoch', epoch,
      'cursor_incarnation', cursor_incarnation, 'cursor_sequence', cursor_sequence,
      'surplus', array_position(held, partition) > share) order by partition)
    from duologue.partitions where partition = any(held)), '[]'));
end
$$;

-- How many partitions the node should hold: the same number for all, and one more for the first of them where it
-- does not come out even, so that no share is further than one from the mean. Only nodes that can read count.
create or replace function duologue.fair_share(asking text, reads boolean, holds integer, moment timestamptz)
returns integer
language sql stable set search_path = ''
as $$
  with counted as (
    select node_id, row_number() over (order by node_id) as place, count(*) over () as nodes
    from duologue.nodes
    where not is_leaving and can_read and seen_at > moment - make_interval(secs => lease_ms / 1000.0)
  ), all_partitions as (
    select count(*)::integer as number from duologue.partitions
  )
  select case
    when reads then (
      select number / nodes + case when place <= number % nodes then 1 else 0 end
      from counted, all_partitions where node_id = asking)
    -- Nobody reads: whoever holds a partition may at least finish what it has begun.
    when not exists (select from counted) then holds
    else 0
  end::integer
$$;

select duologue.expose('public.claim_partitions(jsonb)');
select duologue.expose('public.schema_version(jsonb)');

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
