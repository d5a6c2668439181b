-- Tenants: made by the operator of the deployment, each with its own channels, provider accounts and API tokens. Secrets are
-- named (`env:NAME`, `file:/path`), never stored; of an API token only the SHA-256 is.

create or replace function public.schema_version(request jsonb default '{}') returns jsonb
language sql stable set search_path = ''
as $$ select jsonb_build_object('version', '20261125001020', 'format', 1) $$;

create table duologue.api_tokens (
  id uuid primary key default duologue.new_id(),
  tenant_id uuid not null references duologue.tenants,
  name text not null check (octet_length(name) between 1 and 128),
  token_hash text not null unique check (token_hash ~ '^[0-9a-f]{64}$'),
  created_at timestamptz not null default clock_timestamp(),
  revoked_at timestamptz
);
create unique index api_tokens_name on duologue.api_tokens (tenant_id, name) where revoked_at is null;
alter table duologue.api_tokens enable row level security;
alter table duologue.api_tokens force row level security;
create policy owner on duologue.api_tokens to current_user using (true) with check (true);
revoke all on duologue.api_tokens from public, anon, authenticated, service_role;
create trigger api_tokens_revoked before update on duologue.api_tokens for each row
  when (old.revoked_at is not null and new.revoked_at is distinct from old.revoked_at)
  execute function duologue.refuse('a token that was revoked stays revoked');

-- As before, but a business address that was given to another tenant is that one's: the settings of the environment are
-- the tenant `default`'s.
create or replace function public.initialize_deployment(request jsonb) returns jsonb
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
      set provider_account = coalesce(excluded.provider_account, channels.provider_account)
      where channels.tenant_id = excluded.tenant_id and channels.token_secret_name is null;
  return jsonb_build_object('partitions', (select count(*) from duologue.partitions));
end
$$;

-- request: {name} -> {tenant: {id, name} | null}: null when there is one of that name.
create function public.create_tenant(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  made duologue.tenants;
begin
  request := duologue.as_object(request);
  insert into duologue.tenants (name) values (request ->> 'name') on conflict (name) do nothing returning * into made;
  return jsonb_build_object('tenant', case when made.id is not null then
    jsonb_build_object('id', made.id, 'name', made.name) end);
end
$$;

-- -> {tenants: [{id, name, channels: [{address, provider_account, token_secret_name}]}]}
create function public.list_tenants(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
begin
  return jsonb_build_object('tenants', (
    select coalesce(jsonb_agg(jsonb_build_object('id', tenant.id, 'name', tenant.name, 'channels', (
      select coalesce(jsonb_agg(jsonb_build_object('address', channel.address,
        'provider_account', channel.provider_account, 'token_secret_name', channel.token_secret_name)
        order by channel.address), '[]')
      from duologue.channels as channel
      where channel.tenant_id = tenant.id)) order by tenant.name), '[]')
    from duologue.tenants as tenant));
end
$$;

-- Adds a business address to a tenant, or changes what is set for it. One that is another tenant's is refused.
-- request: {tenant, address, provider_account, token_secret_name}: null leaves what is set
-- -> {outcome: 'added' | 'changed' | 'missing' | 'refused'}: missing: there is no such tenant
create function public.set_channel(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  owner_id uuid;
  is_new boolean;
begin
  request := duologue.as_object(request);
  select id into owner_id from duologue.tenants where name = request ->> 'tenant';
  if owner_id is null then
    return '{"outcome": "missing"}';
  end if;
  insert into duologue.channels as channel (tenant_id, address, provider_account, token_secret_name)
    values (owner_id, request ->> 'address', request ->> 'provider_account', request ->> 'token_secret_name')
    on conflict (address) do update
      set provider_account = coalesce(excluded.provider_account, channel.provider_account),
        token_secret_name = coalesce(excluded.token_secret_name, channel.token_secret_name)
      where channel.tenant_id = owner_id
    returning xmax = 0 into is_new;
  return jsonb_build_object('outcome', case is_new when true then 'added' when false then 'changed' else 'refused' end);
end
$$;

-- request: {tenant, name, token_hash} -> {outcome: 'added' | 'missing' | 'refused', id?}
create function public.add_api_token(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  owner_id uuid;
  made uuid;
begin
  request := duologue.as_object(request);
  select id into owner_id from duologue.tenants where name = request ->> 'tenant';
  if owner_id is null then
    return '{"outcome": "missing"}';
  end if;
  insert into duologue.api_tokens (tenant_id, name, token_hash)
    values (owner_id, request ->> 'name', request ->> 'token_hash')
    on conflict do nothing
    returning id into made;
  return jsonb_build_object('outcome', case when made is null then 'refused' else 'added' end, 'id', made);
end
$$;

-- request: {tenant, name} -> {revoked}
create function public.revoke_api_token(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  revoked boolean;
begin
  request := duologue.as_object(request);
  update duologue.api_tokens as token set revoked_at = clock_timestamp()
  from duologue.tenants as tenant
  where tenant.id = token.tenant_id and tenant.name = request ->> 'tenant' and token.name = request ->> 'name'
    and token.revoked_at is null
  returning true into revoked;
  return jsonb_build_object('revoked', coalesce(revoked, false));
end
$$;

-- request: {tenant} -> {tokens: [{id, name, created_at, revoked_at}] | null}
create function public.list_api_tokens(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
begin
  request := duologue.as_object(request);
  return jsonb_build_object('tokens', (
    select coalesce((
      select jsonb_agg(jsonb_build_object('id', id, 'name', name, 'created_at', created_at, 'revoked_at', revoked_at)
        order by created_at)
      from duologue.api_tokens where tenant_id = tenant.id), '[]')
    from duologue.tenants as tenant where tenant.name = request ->> 'tenant'));
end
$$;

-- request: {token_hash} -> {tenant_id: the tenant whose token it is | null}
create function public.find_api_token(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
begin
  request := duologue.as_object(request);
  return jsonb_build_object('tenant_id', (
    select tenant_id from duologue.api_tokens
    where token_hash = request ->> 'token_hash' and revoked_at is null));
end
$$;

select duologue.expose('public.create_tenant(jsonb)');
select duologue.expose('public.list_tenants(jsonb)');
select duologue.expose('public.set_channel(jsonb)');
select duologue.expose('public.add_api_token(jsonb)');
select duologue.expose('public.revoke_api_token(jsonb)');
select duologue.expose('public.list_api_tokens(jsonb)');
select duologue.expose('public.find_api_token(jsonb)');

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
