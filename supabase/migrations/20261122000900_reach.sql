-- Nothing of the schema `duologue` is callable from outside; only the exposed functions of `public` are, and only
-- by the service role. Runs last: it closes what the migrations before it have made.

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
revoke all on schema duologue from public, anon, authenticated, service_role;
