-- What the command line reads and sets: a tenant's settings, what a deployment is made of, and a conversation as it
-- is stored, to compare with what its journal gives.

create or replace function public.schema_version(request jsonb default '{}') returns jsonb
language sql stable set search_path = ''
as $$ select jsonb_build_object('version', '20261122001000', 'format', 1) $$;

-- request: {name} -> {tenant: {id, name, settings, channels: [{address, settings}]} | null}
create function public.get_tenant(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
begin
  request := duologue.as_object(request);
  return jsonb_build_object('tenant', (
    select jsonb_build_object('id', tenant.id, 'name', tenant.name, 'settings', tenant.settings, 'channels', (
      select coalesce(jsonb_agg(jsonb_build_object('address', channel.address, 'settings', channel.settings)
        order by channel.address), '[]')
      from duologue.channels as channel
      where channel.tenant_id = tenant.id))
    from duologue.tenants as tenant
    where tenant.name = request ->> 'name'));
end
$$;

-- Writes the named settings and leaves the others; a null takes a setting away. The tenant `default` is made when it
-- is missing, as the first start would make it; no other is.
-- request: {name, settings: {...}} -> {settings: {...} | null}: null when there is no such tenant.
create function public.set_tenant_settings(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  changed jsonb;
  answer jsonb;
begin
  request := duologue.as_object(request);
  changed := request -> 'settings';
  if request ->> 'name' = 'default' then
    insert into duologue.tenants (name) values ('default') on conflict (name) do nothing;
  end if;
  update duologue.tenants
  set settings = (settings || changed) - array(
    select setting.name from jsonb_each(changed) as setting(name, value) where setting.value = 'null')
  where name = request ->> 'name'
  returning settings into answer;
  return jsonb_build_object('settings', answer);
end
$$;

-- -> {partitions, now, channels: [address]}: `partitions` is 0 before the first start.
create function public.describe_deployment(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
begin
  return jsonb_build_object(
    'partitions', (select count(*) from duologue.partitions),
    'channels', (select coalesce(jsonb_agg(address order by address), '[]') from duologue.channels),
    'now', clock_timestamp());
end
$$;

-- request: {conversation_id, tenant_id} -> {stored: {machine, machine_version, version, snapshot, hash} | null}
create function public.get_stored_conversation(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
begin
  request := duologue.as_object(request);
  return jsonb_build_object('stored', (
    select jsonb_build_object('machine', machine, 'machine_version', machine_version, 'version', version,
      'snapshot', snapshot, 'hash', hash)
    from duologue.find_conversation(request)));
end
$$;

select duologue.expose('public.get_tenant(jsonb)');
select duologue.expose('public.set_tenant_settings(jsonb)');
select duologue.expose('public.describe_deployment(jsonb)');
select duologue.expose('public.get_stored_conversation(jsonb)');
