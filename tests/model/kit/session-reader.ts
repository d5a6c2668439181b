/**
 * What the database has of the walkers' sessions. All walkers that wait are read by one statement, over and over:
 * hundreds of walks that each asked for themselves would be most of the load.
 */
import { setTimeout } from 'node:timers/promises'

import type { Sql } from '../../support/database.ts'
import { nothingSeen } from './world.ts'
import type { Receipt, Seen } from './world.ts'

type Waiting = {
  readonly user: string
  readonly receipt: Receipt
  readonly until: number
  readonly resolve: (seen: Seen) => void
  readonly reject: (error: Error) => void
}

const readEveryMs = 60

export function createSessionReader(sql: Sql, patienceMs: number) {
  const waiting = new Set<Waiting>()
  let reading: Promise<void> | null = null

  async function readAll(): Promise<void> {
    while (waiting.size > 0) {
      try {
        const seen = await readSessions(sql, [...new Set([...waiting].map(({ user }) => user))])
        for (const each of waiting) settle(each, seen.get(each.user) ?? nothingSeen)
      } catch (error) {
        for (const each of waiting) each.reject(new Error('could not read the sessions', { cause: error }))
        waiting.clear()
      }
      if (waiting.size > 0) await setTimeout(readEveryMs)
    }
  }

  function settle(each: Waiting, seen: Seen): void {
    const { user, receipt, until, resolve, reject } = each
    if (receipt(seen)) resolve(seen)
    else if (performance.now() > until) {
      const { status, version } = seen.conversations.at(-1) ?? { status: 'nothing', version: 0 }
      reject(
        new Error(
          `what was done to ${user} was not taken within ${patienceMs} ms; it is in ${status}, version ${version}`,
        ),
      )
    } else return
    waiting.delete(each)
  }

  return {
    /** Resolves with what is seen when the receipt holds. */
    async read(user: string, receipt: Receipt): Promise<Seen> {
      return new Promise((resolve, reject) => {
        waiting.add({ user, receipt, until: performance.now() + patienceMs, resolve, reject })
        reading ??= readAll().finally(() => {
          reading = null
        })
      })
    },
  }
}

/** A list of parts, each an array of one session's rows in their order. */
const statement = `
  select session.user_key as "user", session.clock_offset_ms as "clockOffsetMs", session.speaker,
    session.opted_out as "optedOut", session.quarantined_at is not null as "isQuarantined",
    (select coalesce(json_agg(json_build_object(
        'id', c.id, 'status', c.status, 'version', c.version, 'timers', c.timers,
        'nextTimerAt', (extract(epoch from c.next_timer_at) * 1000)::bigint,
        'assignedOperator', c.assigned_operator, 'isClosed', c.closed_at is not null,
        'previousId', c.previous_id, 'snapshot', c.snapshot, 'hash', c.hash) order by c.id), '[]')
      from duologue.conversations as c where c.session_id = session.id) as conversations,
    (select coalesce(json_agg(json_build_object(
        'conversationId', j.conversation_id, 'version', j.version, 'event', j.event, 'toStatus', j.to_status,
        'reason', j.reason, 'machineVersion', j.machine_version, 'occurredAt', (extract(epoch from j.occurred_at) * 1000)::bigint, 'hash', j.hash)
        order by j.conversation_id, j.version), '[]')
      from duologue.conversations as c join duologue.conversation_events as j on j.conversation_id = c.id
      where c.session_id = session.id) as journal,
    (select coalesce(json_agg(json_build_object('author', m.author, 'body', m.body) order by m.id), '[]')
      from duologue.messages as m where m.session_id = session.id and m.direction = 'outbound') as outbound,
    (select coalesce(json_agg(json_build_object('id', m.id, 'providerId', m.provider_id,
        'at', (extract(epoch from m.at) * 1000)::bigint) order by m.id), '[]')
      from duologue.messages as m where m.session_id = session.id and m.direction = 'inbound') as inbound,
    (select coalesce(json_agg(json_build_object('id', e.id, 'isInvoked', e.child_id is not null, 'status', e.status)
        order by e.created_at, e.id), '[]')
      from duologue.effects as e where e.session_id = session.id) as effects,
    (select coalesce(json_agg(json_build_object('id', k.id, 'outcome', k.outcome, 'reason', k.reason) order by k.at), '[]')
      from duologue.commands as k where k.session_id = session.id) as commands,
    (select coalesce(string_agg(d.raw::text, ' '), '') from duologue.deliveries as d
      where d.session_id = session.id) as deliveries
  from duologue.sessions as session where session.user_key = any($1::text[])`

async function readSessions(sql: Sql, users: readonly string[]): Promise<ReadonlyMap<string, Seen>> {
  const rows = await sql(statement, [users])
  return new Map(rows.map((row) => [String(row['user']), row as unknown as Seen]))
}
