-- The database defends itself: what follows holds for every writer, `commit_steps` or anybody's SQL.
--
-- 1. A journal row's statuses are a pair of `status_transitions`; a closed conversation takes no user's
--    message and no operator's word.
-- 2. The journal is only added to, and every row of it belongs to a conversation that has that version.
-- 3. A conversation's version rises by exactly the journal rows above the old one; they lead without a break
--    from its old status to its new one, and the last carries the conversation's hash.
-- 4. Without a new version nothing of a conversation changes but its timers.
-- 5. A settled effect, a delivery's rank, an epoch and a cursor never go back.
--
-- Rules over many rows are checked once per statement, with transition tables; rules over one row stand in
-- WHEN, where they cost next to nothing. Rule 2 needs a look at the end of the transaction for each row;
-- `commit_steps` counts its rows instead, and says so by a setting of its transaction.

create function duologue.refuse() returns trigger
language plpgsql set search_path = ''
as $$
begin
  raise exception 'duologue: % on % refused: %', lower(tg_op), tg_table_name, tg_argv[0];
end
$$;

create function duologue.check_journal_rows() returns trigger
language plpgsql set search_path = ''
as $$
declare
  wrong record;
begin
  select from_status, to_status into wrong
  from (select from_status, to_status from added except select from_status, to_status from duologue.status_transitions)
    as forbidden
  limit 1;
  if found then
    raise exception 'duologue: a conversation may not go from % to %',
      coalesce(wrong.from_status, 'nothing'), wrong.to_status;
  end if;

  select conversation_id, event ->> 'type' as type into wrong
  from added
  where from_status = to_status and duologue.closed_rank(to_status) > 0
    and (event ->> 'type' = 'message.received' or starts_with(event ->> 'type', 'operator.'))
  limit 1;
  if found then
    raise exception 'duologue: conversation % is closed and takes no %', wrong.conversation_id, wrong.type;
  end if;
  return null;
end
$$;

-- Deferred to the end of the transaction, when the function that wrote is left and its rights with it.
create function duologue.check_journal_belongs() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  if not exists (
    select from duologue.conversations
    where id = new.conversation_id and version >= new.version)
  then
    raise exception 'duologue: conversation % has no version %', new.conversation_id, new.version;
  end if;
  return null;
end
$$;

create trigger journal_statuses after insert on duologue.conversation_events
  referencing new table as added for each statement execute function duologue.check_journal_rows();
create constraint trigger journal_belongs after insert on duologue.conversation_events
  deferrable initially deferred for each row
  when (current_setting('duologue.journal_is_counted', true) is distinct from 'yes')
  execute function duologue.check_journal_belongs();
create trigger journal_stays before update or delete or truncate on duologue.conversation_events
  for each statement execute function duologue.refuse('the journal is only added to');

-- The first of these conversations whose journal does not lead from the given version and status to what its row
-- says now, with the reason; null when all do. One call per statement, however many conversations.
create function duologue.find_break(ids uuid[], old_versions bigint[], old_statuses text[]) returns text
language plpgsql volatile set search_path = ''
as $$
begin
  return (
    with chain as (
      select now.id, now.version, now.status, now.hash, old.version as old_version,
        journal.version as step, journal.to_status, journal.hash as step_hash,
        journal.from_status is not distinct from lag(journal.to_status, 1, old.status)
          over (partition by now.id order by journal.version) as follows
      from unnest(ids, old_versions, old_statuses) as old(id, version, status)
      cross join lateral (
        select id, version, status, hash from duologue.conversations
        where conversations.id = old.id and conversations.version > old.version offset 0) as now
      left join lateral (
        select version, from_status, to_status, hash from duologue.conversation_events
        where conversation_id = old.id and conversation_events.version > old.version offset 0) as journal on true
    )
    select format('%s: %s journal rows lead from version %s to %s', id, count(step), old_version, version)
      || case when bool_and(follows) then '' else ', with a break in their statuses' end
      || case when bool_or(step = version and to_status = status and step_hash = hash) then ''
        else ', not to the status and hash of the row' end
    from chain
    group by id, version, old_version
    having count(step) <> version - old_version
      or not bool_and(follows)
      or not bool_or(step = version and to_status = status and step_hash = hash)
    limit 1);
end
$$;

create function duologue.check_conversations() returns trigger
language plpgsql set search_path = ''
as $$
declare
  broken text;
begin
  if tg_op = 'INSERT' then
    select duologue.find_break(array_agg(id), array_agg(0::bigint), array_agg(null::text)) into broken from after;
  else
    select duologue.find_break(array_agg(id), array_agg(version), array_agg(status)) into broken from before;
  end if;
  if broken is not null then
    raise exception 'duologue: a conversation does not match its journal: %', broken;
  end if;
  return null;
end
$$;

create trigger conversations_added after insert on duologue.conversations
  referencing new table as after for each statement execute function duologue.check_conversations();
create trigger conversations_changed after update on duologue.conversations
  referencing old table as before for each statement
  execute function duologue.check_conversations();
create trigger conversations_identity before update on duologue.conversations for each row
  when ((old.id, old.tenant_id, old.session_id, old.machine, old.opened_at, old.previous_id)
    is distinct from (new.id, new.tenant_id, new.session_id, new.machine, new.opened_at, new.previous_id))
  execute function duologue.refuse('its identity never changes');
create trigger conversations_version before update on duologue.conversations for each row
  when (new.version < old.version)
  execute function duologue.refuse('its version never goes back');
create trigger conversations_unchanged before update on duologue.conversations for each row
  when (new.version = old.version
    and (new.status <> old.status or new.hash <> old.hash or new.snapshot <> old.snapshot
      or new.machine_version <> old.machine_version or new.closed_at is distinct from old.closed_at))
  execute function duologue.refuse('only timers change without a new version');
create trigger conversations_stay before delete or truncate on duologue.conversations
  for each statement execute function duologue.refuse('a conversation stays');

create trigger effects_settled before update on duologue.effects for each row
  when (old.status in ('done', 'failed', 'cancelled') and new.status <> old.status)
  execute function duologue.refuse('a settled effect never changes');
create trigger deliveries_forward before update on duologue.deliveries for each row
  when (duologue.delivery_rank(new.status) < duologue.delivery_rank(old.status))
  execute function duologue.refuse('a delivery never goes back');
create trigger partitions_forward before update on duologue.partitions for each row
  when (new.epoch < old.epoch
    or (new.cursor_incarnation = old.cursor_incarnation and new.cursor_sequence < old.cursor_sequence))
  execute function duologue.refuse('epoch and cursor never go back');
