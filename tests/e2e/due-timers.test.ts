/** 6. Ten thousand timers that are due at once, some of which can never fire, in the running service. */
import { afterAll, beforeAll, expect, test } from 'vitest'

import { createConversationClient } from '../support/conversation-client.ts'
import { createProduction } from '../support/production.ts'
import type { Production } from '../support/production.ts'
import { until } from '../support/service.ts'
import type { ServiceProcess } from '../support/service.ts'

const timers = 10_000
const failing = 150

let production: Production
let service: ServiceProcess
const client = createConversationClient(() => service)

beforeAll(async () => {
  production = await createProduction()
  await production.set({ quietMs: 100 })
  service = await production.start()
}, 120_000)

afterAll(async () => {
  await production.remove()
})

/**
 * Copies of one conversation that the service made itself, whose idle timers were due an hour ago. Every 66th has a
 * snapshot of a state that does not exist: its timer can never fire.
 */
async function copyConversation(template: string): Promise<void> {
  await production.sql(
    `with copies as (
       select number, gen_random_uuid() as session_id, gen_random_uuid() as id,
         number % ${Math.floor(timers / failing)} = 0 and number <= ${failing * Math.floor(timers / failing)} as is_broken
       from generate_series(1, ${timers}) as number),
     original as (
       select conversation, session from duologue.conversations as conversation
       join duologue.sessions as session on session.id = conversation.session_id where conversation.id = $1),
     sessions as (
       insert into duologue.sessions (id, tenant_id, channel_id, partition, business_address, user_key, conversation_id,
         reply_address, last_inbound_at, speaker, speaker_token)
       select copies.session_id, (session).tenant_id, (session).channel_id, copies.number % 8,
         (session).business_address, 'whatsapp:+1503' || lpad(copies.number::text, 7, '0'), copies.id,
         'whatsapp:+1503' || lpad(copies.number::text, 7, '0'), now(), 'assistant', 1
       from copies cross join original),
     journal as (
       insert into duologue.conversation_events (conversation_id, version, event_id, event, from_status, to_status,
         reason, initiator, machine_version, occurred_at, hash)
       select copies.id, event.version, event.event_id, event.event, event.from_status, event.to_status, event.reason,
         event.initiator, event.machine_version, event.occurred_at, event.hash
       from copies cross join duologue.conversation_events as event where event.conversation_id = $1)
     insert into duologue.conversations (id, tenant_id, session_id, partition, status, snapshot, machine,
       machine_version, version, hash, timers, next_timer_at, opened_at, updated_at, notable_version)
     select copies.id, (conversation).tenant_id, copies.session_id, copies.number % 8, (conversation).status,
       case when copies.is_broken then jsonb_set((conversation).snapshot, '{value}', '"GONE"')
         else (conversation).snapshot end,
       (conversation).machine, (conversation).machine_version, (conversation).version, (conversation).hash,
       (conversation).timers, now() - interval '1 hour', (conversation).opened_at, (conversation).updated_at,
       (conversation).notable_version
     from copies cross join original`,
    [template],
  )
}

test(
  `6. ${timers} due timers with ${failing} permanently failing ones among them: all others fire`,
  { timeout: 180_000 },
  async () => {
    const user = 'whatsapp:+15005590001'
    await client.say(user, 'hello')
    const { id } = await client.reaches(user, 'PROGRESS')
    await until(async () => (await client.messages(id)).at(-1)?.deliveryStatus === 'read', 10_000)
    await service.stop()
    // The copies take the moments of its timers: an hour ago. Its own row still says when it is to be looked at.
    const aged = `update duologue.conversations set timers = (
        select jsonb_object_agg(key, value || jsonb_build_object('dueAt',
          floor(extract(epoch from now() - interval '1 hour') * 1000))) from jsonb_each(timers))
      where id = $1`
    await production.sql(aged, [id])
    await copyConversation(id)
    service = await production.start()
    const startedAt = performance.now()
    let row: Record<string, unknown> | undefined
    await until(
      async () => {
        ;[row] = await production.sql(
          `select count(*) filter (where status = 'IDLE_TIMEOUT')::int as fired,
             (select count(*)::int from duologue.sessions where quarantined_at is not null) as quarantined
           from duologue.conversations`,
        )
        return row?.['fired'] === timers - failing && row['quarantined'] === failing
      },
      120_000,
      () => `fired and quarantined: ${JSON.stringify(row)}`,
    )
    console.log(`${timers - failing} timers fired in ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`)
    const parked = await production.sql(
      `select kind, count(*)::int as count, bool_and(error like '%GONE%') as named from duologue.quarantine group by kind`,
    )
    expect(parked).toEqual([{ kind: 'poison', count: failing, named: true }])
    expect((await service.get('/readyz')).status).toBe(200)
    await client.say('whatsapp:+15005590002', 'hello')
    await client.reaches('whatsapp:+15005590002', 'PROGRESS')
  },
)
