/**
 * A deploy that would wedge conversations, from the check to the people who wait: everything real but the machine. Two
 * nodes over one NATS server and one PostgreSQL, and a map that is kept as a file.
 */
import { writeFile } from 'node:fs/promises'

import type { NatsConnection } from '@nats-io/transport-node'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { createNode } from '../../src/actors/node.ts'
import type { Node } from '../../src/actors/node.ts'
import type { LiveReadModel } from '../../src/actors/live-read-model.ts'
import type { EffectPerformer, EventPublisher, Telemetry } from '../../src/actors/ports.ts'
import { replayJournal } from '../../src/actors/replay.ts'
import { wakeMapped } from '../../src/actors/wake-mapped.ts'
import type { Told } from '../../src/actors/wake-mapped.ts'
import { extractChart } from '../../src/charts/extract-chart.ts'
import { hashChart } from '../../src/charts/hash-chart.ts'
import type { LibraryChart } from '../../src/charts/library.ts'
import { openNats } from '../../src/infra/nats/connection.ts'
import { createEventLog } from '../../src/infra/nats/event-log.ts'
import { createEventPublisher } from '../../src/infra/nats/publisher.ts'
import { openStream } from '../../src/infra/nats/stream.ts'
import { processClock } from '../../src/infra/process/clock.ts'
import { processIds } from '../../src/infra/process/ids.ts'
import { createCall } from '../../src/infra/supabase/call.ts'
import { createLiveReadModel } from '../../src/infra/supabase/live-read-model.ts'
import { emptyMigrationMap, withMigrationMaps } from '../../src/machines/migration-map.ts'
import type { MigrationMap } from '../../src/machines/migration-map.ts'
import type { MachineRegistration } from '../../src/machines/registry.ts'
import { createInFlightCheck, readMigrationMaps } from '../../src/parts/in-flight.ts'
import { createTimelines } from '../../src/parts/timelines.ts'
import { openTestDatabase } from '../support/database.ts'
import type { TestDatabase } from '../support/database.ts'
import { parcelOne, parcelTwo } from '../support/machines/parcel.ts'
import { businessAddress, toMessage } from '../support/memory-world.ts'
import { startTestNats } from '../support/nats.ts'
import type { TestNats } from '../support/nats.ts'
import { makeTemporaryFolder, until } from '../support/service.ts'

const partitions = 8
const words = ['work', 'old', 'rest'] as const
const perWord = 4
const people = Array.from({ length: perWord * words.length }, (_, index) => ({
  user: `whatsapp:+1500558${String(index).padStart(4, '0')}`,
  word: words[index % words.length] ?? 'rest',
}))

let nats: TestNats
let connection: NatsConnection
let database: TestDatabase
let publisher: EventPublisher
let live: LiveReadModel
let folder: Awaited<ReturnType<typeof makeTemporaryFolder>>
const running = new Map<string, Node>()

const telemetry: Telemetry = { count() {}, observe() {}, gauge() {}, log() {} }
const done: EffectPerformer = {
  isVisible: false,
  perform: async () => ({ kind: 'done', output: null, providerId: null }),
}
/** A draft that is never finished: whoever waits for it stands there until something else happens. */
const endless: EffectPerformer = { isVisible: false, perform: () => new Promise(() => {}) }

beforeAll(async () => {
  ;[nats, database, folder] = await Promise.all([
    startTestNats({ syncAlways: false }),
    openTestDatabase('postgres'),
    makeTemporaryFolder(),
  ])
  connection = await openNats(nats, 'test')
  publisher = createEventPublisher(connection, 5_000)
  live = createLiveReadModel(createCall(database.client))
  await database.store.initializeDeployment({ partitions, businessAddresses: [businessAddress], providerAccount: null })
}, 120_000)

afterAll(async () => {
  for (const node of running.values()) await node.stop()
  await connection.close()
  await Promise.all([nats.stop(), database.close(), folder.remove()])
})

async function startNode(nodeId: string, registration: MachineRegistration): Promise<Node> {
  const stream = await openStream(connection, { partitions, replicas: 1, bytesMax: 64 * 1_024 * 1_024 })
  const node = createNode({
    clock: processClock,
    ids: processIds,
    random: () => 0.5,
    log: createEventLog(connection, stream, telemetry),
    store: database.store,
    telemetry,
    reached: () => {},
    emitted: () => {},
    commandSettled: () => {},
    registry: { parcel: registration },
    performers: { draftReply: endless, composeReply: done, sendMessage: { ...done, isVisible: true } },
    settings: {
      nodeId,
      defaultMachine: 'parcel',
      leaseMs: 900,
      isSoleOwner: false,
      mayAdvanceClock: false,
      resolveAfterMs: [100],
    },
  })
  await node.start()
  running.set(nodeId, node)
  return node
}

async function stopNode(nodeId: string): Promise<void> {
  await running.get(nodeId)?.stop()
  running.delete(nodeId)
}

/** `1 old: 4`: who stands where, by version. */
async function standing(): Promise<readonly string[]> {
  const rows = await database.sql(
    `select machine_version || ' ' || (snapshot -> 'value' ->> 'PENDING') || ': ' || count(*) as text
    from duologue.conversations group by machine_version, snapshot -> 'value' ->> 'PENDING' order by 1`,
  )
  return rows.map((row) => String(row['text']))
}

async function untilStanding(expected: readonly string[], look: () => Promise<unknown> = async () => {}) {
  let last: readonly string[] = []
  await until(
    async () => {
      await look()
      last = await standing()
      return JSON.stringify(last) === JSON.stringify(expected)
    },
    // Who was told too early is told again after half a minute.
    60_000,
    () => `they stand in ${JSON.stringify(last)}`,
  )
}

const entries = [parcelOne, parcelTwo].map(({ machine }): LibraryChart => {
  const chart = extractChart(machine)
  return { ref: `parcel@${chart.version}`, chart, hash: hashChart(chart), source: 'build' }
})
const [, proposed] = entries

async function check(map: MigrationMap | null) {
  const library = { find: (ref: string) => entries.find((entry) => entry.ref === ref) ?? null }
  const ask = createInFlightCheck({ library, machines: { parcel: parcelTwo }, drafts: {}, live, maps: [] })
  if (proposed === undefined) throw new Error('there is no second version')
  return ask(proposed, map)
}

test(
  'whom a deploy would wedge is found, mapped, deployed on two nodes, and goes on',
  { timeout: 120_000 },
  async () => {
    await startNode('a', parcelOne)
    for (const [index, { user, word }] of people.entries()) {
      await publisher.publish(toMessage(user, word, `SM${index}`))
    }
    await untilStanding(['1 old: 4', '1 resting: 4', '1 working: 4'])

    const blocked = await check(null)
    expect(blocked).toMatchObject({ verdict: 'blocked', counts: { ok: 0, mapped: 0, blocked: 12 } })
    const reasons = blocked.states.map(({ value, count, reasons: own }) => {
      const { PENDING } = value as { readonly PENDING: string }
      return `${PENDING} ${count} ${own.map(({ kind }) => kind).join()}`
    })
    expect(reasons.toSorted()).toEqual(['old 4 state-removed', 'resting 4 timer-not-armed', 'working 4 source-renamed'])

    // Each answer takes its own away, and only the last one makes it green.
    const map: MigrationMap = {
      ...emptyMigrationMap('parcel', '1', '2'),
      states: { 'PENDING.old': 'PENDING.rested' },
      sources: { draftReply: 'composeReply' },
      arm: ['PENDING.resting', 'PENDING.working'],
    }
    expect((await check({ ...map, arm: [], sources: {} })).counts).toEqual({ ok: 0, mapped: 4, blocked: 8 })
    expect((await check({ ...map, sources: {} })).counts).toEqual({ ok: 0, mapped: 8, blocked: 4 })
    const green = await check(map)
    expect(green).toMatchObject({ verdict: 'green', counts: { ok: 0, mapped: 12, blocked: 0 } })
    expect(green.dryRun).toEqual({ tried: 12, restored: 12, failures: [] })
    // The check has changed nothing.
    expect(await standing()).toEqual(['1 old: 4', '1 resting: 4', '1 working: 4'])

    await writeFile(`${folder.path}/parcel@1-2.json`, JSON.stringify(map))
    const maps = readMigrationMaps(folder.path)
    expect(maps).toEqual([map])
    const mapped = withMigrationMaps(parcelTwo, maps)
    const told: Told = new Map()
    const wake = async (): Promise<number> => wakeMapped({ live, publisher, clock: processClock }, map, told)

    // While an older node is live nobody is told.
    const newer = await startNode('b', mapped)
    await until(() => newer.describe().owned === partitions / 2, 15_000)
    expect(await wake()).toBe(0)
    expect(await standing()).toEqual(['1 old: 4', '1 resting: 4', '1 working: 4'])

    const second = await startNode('c', mapped)
    await stopNode('a')
    await until(() => newer.describe().active + second.describe().active === partitions, 20_000)
    await until(() => newer.describe().owned > 0 && second.describe().owned > 0, 20_000)
    // Nobody writes: they go on because the map says so.
    await untilStanding(['2 rested: 12'], wake)

    for (const [index, { user }] of people.entries()) await publisher.publish(toMessage(user, 'rest', `SN${index}`))
    await until(async () => {
      const [row] = await database.sql(
        `select count(*)::int as count from duologue.messages where direction = 'inbound'`,
      )
      return row?.['count'] === 2 * people.length
    }, 20_000)
    await untilStanding(['2 rested: 12'])

    // One of them, told step by step: each by the chart that took it, and the timers are those that are stored.
    const readTimeline = createTimelines({ readModel: database.store, machines: { parcel: mapped } })
    const withoutMap = createTimelines({ readModel: database.store, machines: { parcel: parcelTwo } })
    for (const row of await database.sql(
      'select id::text, array(select jsonb_object_keys(timers) order by 1) as timers from duologue.conversations',
    )) {
      const timeline = await readTimeline(String(row['id']), false)
      expect(timeline?.replay).toEqual({ kind: 'same' })
      expect([...new Set(timeline?.steps.map(({ chart }) => chart))]).toEqual(['parcel@1', 'parcel@2'])
      expect(timeline?.steps.at(-1)?.to).toEqual(['parcel.PENDING.rested'])
      const timers = timeline?.steps.at(-1)?.timers.map(({ id }) => id)
      expect(timers?.toSorted((one, other) => (one < other ? -1 : 1))).toEqual(row['timers'])
    }
    const moved = await database.sql(
      `select conversation_id::text as id from duologue.conversation_events
    where event ->> 'type' = 'message.received' and event ->> 'body' = 'old' limit 1`,
    )
    // The map is part of the journal's truth: without it the same journal is another one.
    expect((await withoutMap(String(moved[0]?.['id']), false))?.replay.kind).toBe('differs')

    expect(await database.sql('select kind from duologue.quarantine')).toEqual([])
    for (const { id } of await database.sql('select id from duologue.conversations')) {
      const page = await database.store.listEvents(String(id), { limit: 200 })
      expect(replayJournal(mapped, page?.items ?? []).kind).toBe('same')
    }
  },
)
