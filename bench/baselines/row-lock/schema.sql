-- The row-lock baseline: what an experienced team would write first.
create table conversations (
  conversation text primary key,
  version bigint not null,
  snapshot jsonb not null,
  updated_at timestamptz not null default now()
);

-- The provider's id is the key: Twilio's own repetitions are found by it.
create table messages (
  provider_id text primary key,
  conversation text not null,
  form jsonb not null,
  at timestamptz not null default now()
);

create table journal (
  conversation text not null,
  version bigint not null,
  event jsonb not null,
  at timestamptz not null default now(),
  primary key (conversation, version)
);
