/**
 * A million conversations in 50 states on PostgreSQL: what a look, the check, and who stands too long cost. The rows are
 * made by SQL; each has a timer, and one of a thousand should have fired.
 */
import { expect, test } from 'vitest'
import { createMachine } from 'xstate'

import { extractChart } from '../../src/charts/extract-chart.ts'
import { hashChart } from '../../src/charts/hash-chart.ts'
import type { LibraryChart } from '../../src/charts/library.ts'
import { createCall } from '../../src/infra/supabase/call.ts'
import { createLiveReadModel } from '../../src/infra/supabase/live-read-model.ts'
import type { MachineRegistration } from '../../src/machines/registry.ts'
import { createInFlightCheck } from '../../src/parts/in-flight.ts'
import { openTestDatabase } from '../support/database.ts'
import { parcelOne } from '../support/machines/parcel.ts'

const rows = 1_000_000
const states = 50

/** Fifty states, without those that are named. */
function register(version: string, gone: readonly string[]): MachineRegistration {
  const names = Array.from({ length: states }, (_, place) => `S${place}`).filter((name) => !gone.includes(name))
  const config = {
    id: 'conversation',
    version,
    initial: names[0] ?? '',
    states: Object.fromEntries(names.map((name) => [name, { initial: 'waiting', states: { waiting: {} } }])),
  }
  return { ...parcelOne, machine: createMachine(config as never) }
}

const written = register('2', [])
const proposed: MachineRegistration = {
  ...register('3', ['S7']),
  versions: [{ version: '2', registration: written, migrate: (snapshot) => snapshot }],
}
const entries = [written, proposed].map(({ machine }): LibraryChart => {
  const chart = extractChart(machine)
  return { ref: `conversation@${chart.version}`, chart, hash: hashChart(chart), source: 'build' }
})

test('a million conversations in 50 states are checked against a proposed machine within a second', async () => {
  const database = await openTestDatabase('postgres')
  try {
    const { store, sql, client } = database
    await store.initializeDeployment({ partitions: 8, businessAddresses: ['sms:+14155238887'], providerAccount: null })
    const channel = await store.findChannel('sms:+14155238887')
    const session = '0198c0de-0000-7000-8000-0000000000bb'
    await sql(
      `insert into duologue.sessions (id, tenant_id, channel_id, partition, business_address, user_key, reply_address,
        speaker, speaker_token) values ($1, $2, $3, 0, 'sms:+14155238887', 'sms:+15005550006', 'sms:+15005550006', 'none', 0)`,
      [session, channel?.tenantId, channel?.channelId],
    )
    // The guards want a journal for each row, and one open conversation in a session: these are rows to count.
    await sql(`drop index duologue.conversations_open`)
    await sql(`do $$ begin
      alter table duologue.conversations disable trigger user;
      alter table duologue.conversations enable trigger conversations_since_added;
      alter table duologue.conversations enable trigger conversations_counted_added;
    end $$`)
    const made = performance.now()
    await sql(
      `insert into duologue.conversations (id, tenant_id, session_id, partition, status, snapshot, machine,
        machine_version, version, hash, timers, next_timer_at, opened_at, updated_at)
      select gen_random_uuid(), $1, $2, 0, 'PENDING', jsonb_build_object('status', 'active', 'value',
        jsonb_build_object('S' || n % 50, 'waiting'), 'context', jsonb_build_object('n', n), 'children', '{}'::jsonb,
        'historyValue', '{}'::jsonb), 'conversation', '2', 1, '', jsonb_build_object('t', jsonb_build_object('dueAt',
          floor(extract(epoch from due.at) * 1000), 'token', 't', 'event', jsonb_build_object('type', 't'))),
        due.at, now(), now() - make_interval(secs => n % 1000)
      from generate_series(1, ${rows}) as n
      cross join lateral (
        select now() + make_interval(mins => case when n % 1000 = 0 then -1 else 600 end) as at) as due`,
      [channel?.tenantId, session],
    )
    await sql('analyze duologue.conversations')
    const live = createLiveReadModel(createCall(client))
    const time = async (ask: () => Promise<unknown>): Promise<number> => {
      const began = performance.now()
      await ask()
      return Math.round(performance.now() - began)
    }
    const library = { find: (ref: string) => entries.find((entry) => entry.ref === ref) ?? null }
    const ask = createInFlightCheck({ library, machines: { conversation: proposed }, drafts: {}, live, maps: [] })
    const entry = entries[1]
    if (entry === undefined) throw new Error('there is no proposed machine')
    const first = await time(async () => ask(entry))
    const check = await time(async () => ask(entry))
    const look = await time(async () =>
      live.liveView({ machine: 'conversation', windowSeconds: 3_600, list: { path: ['S7'] } }),
    )
    const stuckStates = Array.from({ length: states }, (_, place) => `S${place}`).map((id) => ({
      id,
      path: [id],
      timers: ['t'],
      limitMs: 1,
    }))
    const findLate = async () => live.stuckView({ machine: 'conversation', states: stuckStates })
    const late = await time(findLate)
    const lateList = await time(async () =>
      live.liveView({ machine: 'conversation', list: { path: ['S0'], over: { timers: ['t'], limitMs: 1 } } }),
    )
    const result = await ask(entry)
    process.stdout.write(
      `${rows} rows in ${Math.round(performance.now() - made)} ms; check ${first} ms, again ${check} ms; a look with its list ${look} ms; who is late ${late} ms, the list of those in one state ${lateList} ms\n`,
    )
    expect(result.states).toHaveLength(states)
    expect(result.counts).toEqual({ ok: rows - rows / states, mapped: 0, blocked: rows / states })
    expect(result.dryRun).toEqual({ tried: 490, restored: 490, failures: [] })
    expect(first).toBeLessThan(1_000)
    expect(check).toBeLessThan(1_000)
    expect(look).toBeLessThan(1_000)
    const older = (await findLate()).states.map((state) => state.older)
    expect(older.reduce((sum, count) => sum + count, 0)).toBe(rows / 1_000)
    expect(late).toBeLessThan(1_000)
    expect(lateList).toBeLessThan(1_000)
  } finally {
    await database.close()
  }
}, 300_000)
