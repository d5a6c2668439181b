-- Who owns which partition (DESIGN D3). An owner is a node and an epoch; every new claim raises the epoch.
-- A claim takes the same row locks as `commit_steps`, so once a new owner has its answer, no commit of the old
-- one can land any more. Only released, expired or never owned partitions are taken; only the database's clock counts.

-- Makes what a deployment needs before its first message, once; later calls only add business addresses.
-- request: {partitions, business_addresses: [text], provider_account, token_secret_name} -> {partitions}: the
-- number stored at the first start, whatever was asked now.
create function public.initialize_deployment(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
begin
  request := duologue.as_object(request);
  -- Two nodes may start at once.
  perform pg_advisory_xact_lock(hashtext('duologue.initialize_deployment'));
  if not exists (select from duologue.partitions) then
    insert into duologue.partitions (partition)
      select generate_series(0, (request ->> 'partitions')::integer - 1);
  end if;
  insert into duologue.tenants (name) values ('default') on conflict (name) do nothing;
  insert into duologue.channels (tenant_id, address, provider_account, token_secret_name)
    select tenants.id, addresses.address, request ->> 'provider_account', request ->> 'token_secret_name'
    from duologue.tenants
    cross join jsonb_array_elements_text(request -> 'business_addresses') as addresses(address)
    where tenants.name = 'default'
    on conflict (address) do update
      set provider_account = coalesce(excluded.provider_account, channels.provider_account),
        token_secret_name = coalesce(excluded.token_secret_name, channels.token_secret_name);
  return jsonb_build_object('partitions', (select count(*) from duologue.partitions));
end
$$;

-- Renews what the node holds, gives back more than its fair share, takes free partitions up to it.
-- request: {node_id, lease_ms, held: [{partition, epoch}], take_all, renew_only}
-- -> {partitions: [{partition, epoch, cursor_incarnation, cursor_sequence}]}: all that the node owns now.
create function public.claim_partitions(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  asking text;
  take_all boolean;
  renew_only boolean;
  lease interval;
  held integer[];
  share integer;
  moment timestamptz;
begin
  request := duologue.as_object(request);
  asking := request ->> 'node_id';
  take_all := coalesce((request ->> 'take_all')::boolean, false);
  renew_only := coalesce((request ->> 'renew_only')::boolean, false);
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
  insert into duologue.nodes (node_id, seen_at, lease_ms, is_leaving)
    values (asking, moment, (request ->> 'lease_ms')::bigint, renew_only)
    on conflict (node_id) do update
      set seen_at = excluded.seen_at, lease_ms = excluded.lease_ms, is_leaving = excluded.is_leaving;

  select coalesce(array_agg(stored.partition order by stored.partition), '{}') into held
  from jsonb_to_recordset(request -> 'held') as claimed(partition integer, epoch bigint)
  join duologue.partitions as stored
    on stored.partition = claimed.partition and stored.epoch = claimed.epoch and stored.owner = asking;

  -- A node that leaves keeps what it has until it releases it.
  share := case
    when renew_only then cardinality(held)
    else (
      select ceil((select count(*) from duologue.partitions)::numeric / greatest(count(*), 1))
      from duologue.nodes
      where not is_leaving and seen_at > moment - make_interval(secs => lease_ms / 1000.0))
  end;
  if cardinality(held) > share then
    update duologue.partitions set owner = null, lease_until = null
    where partition = any(held[share + 1:]);
    held := held[:share];
  end if;
  update duologue.partitions set lease_until = moment + lease where partition = any(held);

  -- What this node owns without knowing it (an answer was lost) is taken anew, like a free one.
  if not renew_only then
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
      'cursor_incarnation', cursor_incarnation, 'cursor_sequence', cursor_sequence) order by partition)
    from duologue.partitions where partition = any(held)), '[]'));
end
$$;

-- Gives partitions back at once; a node that keeps none is no longer counted.
-- request: {node_id, partitions: [{partition, epoch}]} -> {released: [partition]}
create function public.release_partitions(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  asking text;
  released jsonb;
begin
  request := duologue.as_object(request);
  asking := request ->> 'node_id';
  perform from duologue.partitions where owner = asking order by partition for no key update;
  with given as (
    update duologue.partitions as stored set owner = null, lease_until = null
    from jsonb_to_recordset(request -> 'partitions') as asked(partition integer, epoch bigint)
    where stored.partition = asked.partition and stored.epoch = asked.epoch and stored.owner = asking
    returning stored.partition
  )
  select coalesce(jsonb_agg(partition order by partition), '[]') into released from given;
  delete from duologue.nodes
  where node_id = asking and not exists (select from duologue.partitions where owner = asking);
  return jsonb_build_object('released', released);
end
$$;

select duologue.expose('public.initialize_deployment(jsonb)');
select duologue.expose('public.claim_partitions(jsonb)');
select duologue.expose('public.release_partitions(jsonb)');
