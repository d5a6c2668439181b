-- What the assistant costs each tenant each day. A draft reserves the most that it can cost before it asks the model,
-- in one statement against what all nodes have spent and reserved, and settles afterwards: drafts in parallel cannot
-- pass the limit together. What is never settled stays reserved, and so counted, for that day. Amounts are whole
-- millionths of the unit of the tenant's prices; the day is the database's, in UTC.

create or replace function public.schema_version(request jsonb default '{}') returns jsonb
language sql stable set search_path = ''
as $$ select jsonb_build_object('version', '20261125000300', 'format', 1) $$;

create table duologue.assistant_usage (
  tenant_id uuid not null references duologue.tenants,
  day date not null,
  calls bigint not null default 0,
  input_tokens bigint not null default 0 check (input_tokens >= 0),
  output_tokens bigint not null default 0 check (output_tokens >= 0),
  spent_micros bigint not null default 0 check (spent_micros >= 0),
  reserved_micros bigint not null default 0 check (reserved_micros >= 0),
  primary key (tenant_id, day)
) with (fillfactor = 50);

alter table duologue.assistant_usage enable row level security;
alter table duologue.assistant_usage force row level security;
create policy owner on duologue.assistant_usage to current_user using (true) with check (true);
revoke all on duologue.assistant_usage from public, anon, authenticated, service_role;

-- request: {tenant_id, micros, max_micros} -> {day | null}: null when it would pass the limit, and then nothing is reserved.
-- The row's lock makes the comparison and the addition one: a conflicting reservation waits and sees this one.
create function public.reserve_assistant_spend(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  wanted bigint;
  most bigint;
  today date := (clock_timestamp() at time zone 'UTC')::date;
  reserved boolean;
begin
  request := duologue.as_object(request);
  wanted := (request ->> 'micros')::bigint;
  most := (request ->> 'max_micros')::bigint;
  if wanted is null or most is null or wanted < 0 then
    raise exception 'a reservation needs micros of at least 0 and max_micros' using errcode = '22023';
  end if;
  insert into duologue.assistant_usage (tenant_id, day) values ((request ->> 'tenant_id')::uuid, today)
  on conflict (tenant_id, day) do nothing;
  update duologue.assistant_usage
  set reserved_micros = reserved_micros + wanted, calls = calls + 1
  where tenant_id = (request ->> 'tenant_id')::uuid and day = today
    and spent_micros + reserved_micros + wanted <= most
  returning true into reserved;
  return jsonb_build_object('day', case when reserved then today end);
end
$$;

-- request: {tenant_id, day, reserved_micros, spent_micros, input_tokens, output_tokens} -> {}
create function public.settle_assistant_spend(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
begin
  request := duologue.as_object(request);
  update duologue.assistant_usage
  set reserved_micros = greatest(0, reserved_micros - (request ->> 'reserved_micros')::bigint),
    spent_micros = spent_micros + (request ->> 'spent_micros')::bigint,
    input_tokens = input_tokens + (request ->> 'input_tokens')::bigint,
    output_tokens = output_tokens + (request ->> 'output_tokens')::bigint
  where tenant_id = (request ->> 'tenant_id')::uuid and day = (request ->> 'day')::date;
  return '{}';
end
$$;

select duologue.expose('public.reserve_assistant_spend(jsonb)');
select duologue.expose('public.settle_assistant_spend(jsonb)');
