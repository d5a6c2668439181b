-- Handing over without a pause, and nodes that cannot read the log (docs/decisions/2026-11-25-ownership.md).
-- A node that holds more than its share is told so (`surplus`) and gives it up itself, when what it had begun is
-- finished; a node that cannot read the log claims nothing, and everything it holds is surplus while others can.

create or replace function public.schema_version(request jsonb default '{}') returns jsonb
language sql stable set search_path = ''
as $$ select jsonb_build_object('version', '20261125000600', 'format', 1) $$;

alter table duologue.nodes add column can_read boolean not null default true;

-- Renews what the node holds, and takes free partitions up to its fair share.
-- request: {node_id, lease_ms, held: [{partition, epoch}], take_all, renew_only, can_read, hands_over}
-- -> {partitions: [{partition, epoch, cursor_incarnation, cursor_sequence, surplus}]}: all that the node owns now.
-- A request without `hands_over` is of a program that knows no surplus: it is taken from it at once.
create or replace function public.claim_partitions(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  asking text;
  take_all boolean;
  renew_only boolean;
  reads boolean;
  lease interval;
  held integer[];
  share integer;
  moment timestamptz;
begin
  request := duologue.as_object(request);
  asking := request ->> 'node_id';
  take_all := coalesce((request ->> 'take_all')::boolean, false);
  renew_only := coalesce((request ->> 'renew_only')::boolean, false);
  reads := coalesce((request ->> 'can_read')::boolean, true);
  lease := make_interval(secs => (request ->> 'lease_ms')::double precision / 1000);

  -- Every lock is waited for in the order of the partitions, as in commit_steps; what others hold is only tried.
  perform from duologue.partitions
  where take_all or owner = asking
  order by partition for no key update;
  moment := clock_timestamp();

  if take_all then
    delete from duologue.nodes where node_id <> asking;
  end if;
  delete from duologue.nodes where node_id <> asking and seen_at < moment - interval '1 hour';
  insert into duologue.nodes (node_id, seen_at, lease_ms, is_leaving, can_read)
    values (asking, moment, (request ->> 'lease_ms')::bigint, renew_only, reads)
    on conflict (node_id) do update
      set seen_at = excluded.seen_at, lease_ms = excluded.lease_ms, is_leaving = excluded.is_leaving,
        can_read = excluded.can_read;

  select coalesce(array_agg(stored.partition order by stored.partition), '{}') into held
  from jsonb_to_recordset(request -> 'held') as claimed(partition integer, epoch bigint)
  join duologue.partitions as stored
    on stored.partition = claimed.partition and stored.epoch = claimed.epoch and stored.owner = asking;

  -- A node that leaves keeps what it has until it releases it.
  share := case when renew_only then cardinality(held) else duologue.fair_share(asking, reads, cardinality(held), moment) end;
  if not coalesce((request ->> 'hands_over')::boolean, false) and cardinality(held) > share then
    update duologue.partitions set owner = null, lease_until = null
    where partition = any(held[share + 1:]);
    held := held[:share];
  end if;
  update duologue.partitions set lease_until = moment + lease where partition = any(held);

  -- What this node owns without knowing it (an answer was lost) is taken anew, like a free one.
  if not renew_only and cardinality(held) < share then
    with free as (
      select partition from duologue.partitions
      where not (partition = any(held))
        and (take_all or owner is null or owner = asking or lease_until < moment)
      order by partition
      limit share - cardinality(held)
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

  return jsonb_build_object('partitions', coalesce((
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
