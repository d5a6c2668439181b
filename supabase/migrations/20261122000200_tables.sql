-- The tables. Times are timestamptz, ids are UUIDv7 made by the service.
--
-- Rows that one step writes carry no foreign keys to each other: a check per row would cost as much as the
-- row, and the only writer of a session's rows holds its partition's lock. What must agree is checked per
-- statement by the triggers of the next migration.

create table duologue.tenants (
  id uuid primary key default duologue.new_id(),
  name text not null unique,
  settings jsonb not null default '{}' check (jsonb_typeof(settings) = 'object'),
  created_at timestamptz not null default now()
);

create table duologue.channels (
  id uuid primary key default duologue.new_id(),
  tenant_id uuid not null references duologue.tenants,
  address text not null unique check (octet_length(address) between 1 and 256),
  business_token text not null unique generated always as (duologue.token(address)) stored,
  provider_account text,
  token_secret_name text,
  settings jsonb not null default '{}' check (jsonb_typeof(settings) = 'object'),
  created_at timestamptz not null default now(),
  unique (id, tenant_id)
);

create table duologue.sessions (
  id uuid primary key,
  tenant_id uuid not null,
  channel_id uuid not null,
  partition integer not null,
  business_address text not null check (octet_length(business_address) between 1 and 256),
  user_key text not null check (octet_length(user_key) between 1 and 256),
  session_key text not null unique generated always as (duologue.session_key(business_address, user_key)) stored,
  position_incarnation text,
  position_sequence bigint check (position_sequence >= 0),
  conversation_id uuid,
  reply_address text not null,
  last_inbound_at timestamptz,
  speaker text not null,
  speaker_token bigint not null,
  opted_out boolean not null default false,
  clock_offset_ms bigint not null default 0 check (clock_offset_ms >= 0),
  quarantined_at timestamptz,
  created_at timestamptz not null default now(),
  foreign key (channel_id, tenant_id) references duologue.channels (id, tenant_id),
  check ((position_incarnation is null) = (position_sequence is null))
) with (fillfactor = 70);
create index sessions_by_user on duologue.sessions (user_key);

create table duologue.conversations (
  id uuid primary key,
  tenant_id uuid not null,
  session_id uuid not null references duologue.sessions,
  partition integer not null,
  status text not null check (status in ('PENDING', 'PROGRESS', 'HUMAN_HANDOFF', 'IDLE_TIMEOUT', 'AGENT_CLOSED',
    'SUPPORT_CLOSED', 'USER_CLOSED', 'EXPIRED', 'FAILED')),
  snapshot jsonb not null check (jsonb_typeof(snapshot) = 'object'),
  machine text not null,
  machine_version text not null,
  version bigint not null check (version > 0),
  hash text not null,
  timers jsonb not null default '{}' check (jsonb_typeof(timers) = 'object'),
  next_timer_at timestamptz,
  previous_id uuid,
  assigned_operator text,
  opened_at timestamptz not null,
  updated_at timestamptz not null,
  closed_at timestamptz,
  check ((closed_at is not null) = (duologue.closed_rank(status) > 0))
);
create unique index conversations_open on duologue.conversations (session_id) where closed_at is null;
create index conversations_by_session on duologue.conversations (session_id, id);
create index conversations_by_update on duologue.conversations (updated_at, id);
create index conversations_due on duologue.conversations (partition, next_timer_at, id) where next_timer_at is not null;

create table duologue.conversation_events (
  conversation_id uuid not null,
  version bigint not null check (version > 0),
  event_id text not null,
  event jsonb not null check (jsonb_typeof(event) = 'object'),
  from_status text,
  to_status text not null,
  reason text,
  initiator text not null,
  machine_version text not null,
  occurred_at timestamptz not null,
  hash text not null,
  primary key (conversation_id, version)
);

create view duologue.conversation_state_history with (security_invoker = true) as
  select conversation_id, version, from_status, to_status, reason, initiator, machine_version, occurred_at
  from duologue.conversation_events
  where from_status is distinct from to_status;

-- The primary key is the reading order too: ids are made in the order of the steps.
create table duologue.messages (
  session_id uuid not null,
  id uuid not null,
  channel_id uuid not null,
  conversation_id uuid,
  direction text not null check (direction in ('inbound', 'outbound')),
  author text not null check (author in ('user', 'assistant', 'operator', 'system')),
  body text not null,
  media jsonb not null default '[]' check (jsonb_typeof(media) = 'array'),
  provider_id text,
  raw jsonb,
  at timestamptz not null,
  primary key (session_id, id)
) with (fillfactor = 90);
create unique index messages_provider_id on duologue.messages (channel_id, provider_id) where provider_id is not null;

create table duologue.deliveries (
  channel_id uuid not null,
  provider_id text not null,
  session_id uuid not null,
  effect_id text collate "C",
  status text not null check (duologue.delivery_rank(status) > 0),
  error_code text,
  raw jsonb not null default '[]' check (jsonb_typeof(raw) = 'array'),
  updated_at timestamptz not null,
  primary key (channel_id, provider_id)
) with (fillfactor = 70);
create index deliveries_by_effect on duologue.deliveries (effect_id) where effect_id is not null;

-- The id is `<conversation>:<version>:<index>`; by the C collation a conversation's effects are one range.
create table duologue.effects (
  id text collate "C" primary key,
  session_id uuid not null,
  partition integer not null,
  conversation_id uuid not null,
  kind text not null,
  params jsonb,
  child_id text,
  speaker_token bigint not null,
  status text not null check (status in ('pending', 'running', 'done', 'failed', 'cancelled', 'uncertain')),
  attempts integer not null default 0 check (attempts >= 0),
  next_attempt_at timestamptz,
  deadline timestamptz,
  started_at timestamptz,
  outcome jsonb,
  message_id uuid,
  created_at timestamptz not null default now(),
  check (status <> 'running' or (deadline is not null and started_at is not null))
) with (fillfactor = 80);
create index effects_unsettled on duologue.effects (partition, session_id)
  where status in ('pending', 'running', 'uncertain');

-- One row per partition, written by every commit: room for many versions of it on its page.
create table duologue.partitions (
  partition integer primary key check (partition >= 0),
  owner text,
  epoch bigint not null default 0,
  lease_until timestamptz,
  cursor_incarnation text not null default '',
  cursor_sequence bigint not null default 0 check (cursor_sequence >= 0),
  last_commit_id text,
  last_commit_outcome jsonb
) with (fillfactor = 20);

create table duologue.nodes (
  node_id text primary key,
  seen_at timestamptz not null,
  lease_ms bigint not null check (lease_ms > 0),
  is_leaving boolean not null default false
) with (fillfactor = 50);

create table duologue.quarantine (
  id uuid primary key default duologue.new_id(),
  partition integer not null,
  session_id uuid,
  position_incarnation text not null,
  position_sequence bigint not null,
  kind text not null check (kind in ('poison', 'waiting', 'foreign')),
  subject text not null,
  data_base64 text not null,
  error text,
  at timestamptz not null,
  unique (partition, position_incarnation, position_sequence)
);
create index quarantine_by_session on duologue.quarantine (session_id, id) where session_id is not null;

-- Which status may follow which (null: a new conversation). The triggers read it, and so may anybody.
create table duologue.status_transitions (
  from_status text,
  to_status text not null,
  unique nulls not distinct (from_status, to_status)
);
insert into duologue.status_transitions (from_status, to_status)
  select null, 'PENDING'
  union all
  select open.status, next.status
  from (values
    ('PENDING', array['PENDING', 'PROGRESS', 'HUMAN_HANDOFF']),
    ('PROGRESS', array['PROGRESS', 'HUMAN_HANDOFF', 'IDLE_TIMEOUT']),
    ('HUMAN_HANDOFF', array['HUMAN_HANDOFF', 'PROGRESS']),
    ('IDLE_TIMEOUT', array['IDLE_TIMEOUT', 'PROGRESS', 'HUMAN_HANDOFF'])) as open(status, next)
  cross join lateral unnest(
    open.next || array['AGENT_CLOSED', 'SUPPORT_CLOSED', 'USER_CLOSED', 'EXPIRED', 'FAILED']) as next(status)
  union all
  select weaker, stronger
  from unnest(array['EXPIRED', 'AGENT_CLOSED', 'SUPPORT_CLOSED', 'USER_CLOSED', 'FAILED']) as weaker
  cross join unnest(array['EXPIRED', 'AGENT_CLOSED', 'SUPPORT_CLOSED', 'USER_CLOSED', 'FAILED']) as stronger
  where duologue.closed_rank(weaker) <= duologue.closed_rank(stronger);

-- Row-level security is for everybody but the owner of the tables, whose functions are the only way in. It
-- is forced, so the owner needs a policy where it is neither a superuser nor free of row-level security.
do $$
declare
  name text;
begin
  for name in select tablename from pg_tables where schemaname = 'duologue'
  loop
    execute format('alter table duologue.%I enable row level security', name);
    execute format('alter table duologue.%I force row level security', name);
    execute format('create policy owner on duologue.%I to current_user using (true) with check (true)', name);
    execute format('revoke all on duologue.%I from public, anon, authenticated, service_role', name);
  end loop;
end
$$;
revoke all on duologue.conversation_state_history from public, anon, authenticated, service_role;
