-- Which status may follow which, read off the chart by scripts/status-transitions.ts: do not edit.

create or replace function public.schema_version(request jsonb default '{}') returns jsonb
language sql stable set search_path = ''
as $$ select jsonb_build_object('version', '20261125000200', 'format', 1) $$;

delete from duologue.status_transitions;
insert into duologue.status_transitions (from_status, to_status)
  select allowed.from_status, next.to_status
  from (values
    (null, array['PENDING']),
    ('PENDING', array['PENDING', 'PROGRESS', 'HUMAN_HANDOFF', 'AGENT_CLOSED', 'SUPPORT_CLOSED', 'USER_CLOSED', 'EXPIRED', 'FAILED']),
    ('PROGRESS', array['PROGRESS', 'HUMAN_HANDOFF', 'IDLE_TIMEOUT', 'AGENT_CLOSED', 'SUPPORT_CLOSED', 'USER_CLOSED', 'EXPIRED', 'FAILED']),
    ('HUMAN_HANDOFF', array['PROGRESS', 'HUMAN_HANDOFF', 'AGENT_CLOSED', 'SUPPORT_CLOSED', 'USER_CLOSED', 'EXPIRED', 'FAILED']),
    ('IDLE_TIMEOUT', array['PROGRESS', 'HUMAN_HANDOFF', 'IDLE_TIMEOUT', 'AGENT_CLOSED', 'SUPPORT_CLOSED', 'USER_CLOSED', 'EXPIRED', 'FAILED']),
    ('AGENT_CLOSED', array['AGENT_CLOSED', 'SUPPORT_CLOSED', 'USER_CLOSED', 'FAILED']),
    ('SUPPORT_CLOSED', array['SUPPORT_CLOSED', 'USER_CLOSED', 'FAILED']),
    ('USER_CLOSED', array['USER_CLOSED', 'FAILED']),
    ('EXPIRED', array['AGENT_CLOSED', 'SUPPORT_CLOSED', 'USER_CLOSED', 'EXPIRED', 'FAILED']),
    ('FAILED', array['FAILED'])
  ) as allowed(from_status, next)
  cross join lateral unnest(allowed.next) as next(to_status);
