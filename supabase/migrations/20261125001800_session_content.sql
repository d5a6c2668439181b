-- What was said in a session has its parts, as in a conversation.

create or replace function public.schema_version(request jsonb default '{}') returns jsonb
language sql stable set search_path = ''
as $$ select jsonb_build_object('version', '20261125001800', 'format', 1) $$;

-- Of a session and of those that are linked to it, oldest first.
-- request: {session_id, tenant_id, limit, after: {id} | null} -> {items, next: {id} | null} | null
create or replace function public.list_session_messages(request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  linked uuid[];
  page_limit integer;
  answer jsonb;
begin
  request := duologue.as_object(request);
  page_limit := duologue.page_limit(request);
  if not exists (
    select from duologue.sessions
    where id = (request ->> 'session_id')::uuid
      and (request ->> 'tenant_id' is null or tenant_id = (request ->> 'tenant_id')::uuid)) then
    return null;
  end if;
  linked := array(select duologue.linked_sessions((request ->> 'session_id')::uuid));
  select jsonb_build_object(
    'items', coalesce(jsonb_agg(jsonb_build_object('id', page.id, 'sessionId', page.session_id,
      'conversationId', page.conversation_id, 'direction', page.direction, 'author', page.author, 'body', page.body,
      'media', page.media, 'content', page.content, 'transcripts', page.transcripts, 'rateLimited', page.rate_limited,
      'providerId', page.provider_id, 'address', page.user_key, 'at', page.at)
      order by page.id), '[]'),
    'next', case when count(*) = page_limit then
      (array_agg(jsonb_build_object('id', page.id) order by page.id desc))[1] end)
  into answer
  from (
    select message.*, coalesce(came.user_key, case when message.direction = 'inbound' then session.user_key end) as user_key
    from duologue.messages as message
    join duologue.sessions as session on session.id = message.session_id
    left join duologue.message_keys as came on came.message_id = message.id
    where message.session_id = any(linked)
      and (request -> 'after' ->> 'id' is null or message.id > (request -> 'after' ->> 'id')::uuid)
    order by message.id
    limit page_limit
  ) as page;
  return answer;
end
$$;

select duologue.expose('public.schema_version(jsonb)');
select duologue.expose('public.list_session_messages(jsonb)');

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
