/**
 * A rolling deploy and a rollback with everything real but the machine: nodes of two builds over one NATS server and
 * one PostgreSQL, each with its own registry.
 */
import type { NatsConnection } from '@nats-io/transport-node'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { createNode } from '../../src/actors/node.ts'
import type { Node } from '../../src/actors/node.ts'
import type { EffectPerformer, EventPublisher, Telemetry } from '../../src/actors/ports.ts'
import { replayJournal } from '../../src/actors/replay.ts'
import { openNats } from '../../src/infra/nats/connection.ts'
import { createEventLog } from '../../src/infra/nats/event-log.ts'
import { createEventPublisher } from '../../src/infra/nats/publisher.ts'
import { openStream } from '../../src/infra/nats/stream.ts'
import { processClock } from '../../src/infra/process/clock.ts'
import { processIds } from '../../src/infra/process/ids.ts'
import type { MachineRegistration } from '../../src/machines/registry.ts'
import { openTestDatabase } from '../support/database.ts'
import type { TestDatabase } from '../support/database.ts'
import { surveyOne, surveyTwo } from '../support/machines/survey.ts'
import { businessAddress, toMessage } from '../support/memory-world.ts'
import { startTestNats } from '../support/nats.ts'
import type { TestNats } from '../support/nats.ts'
import { until } from '../support/service.ts'

const partitions = 8
const people = Array.from({ length: 24 }, (_, index) => `whatsapp:+1500559${String(index).padStart(4, '0')}`)
const early = people.slice(0, 12)

let nats: TestNats
let connection: NatsConnection
let database: TestDatabase
let publisher: EventPublisher
let messages = 0
const counts = new Map<string, number>()
const running = new Map<string, Node>()

const telemetry: Telemetry = {
  count: (name, labels = {}) => {
    const key = [name, ...Object.values(labels)].join(':')
    counts.set(key, (counts.get(key) ?? 0) + 1)
  },
  observe() {},
  gauge() {},
  log() {},
}
const silent: EffectPerformer = {
  isVisible: false,
  perform: async () => ({ kind: 'done', output: null, providerId: null }),
}

beforeAll(async () => {
  ;[nats, database] = await Promise.all([startTestNats({ syncAlways: false }), openTestDatabase('postgres')])
  connection = await openNats(nats, 'test')
  publisher = createEventPublisher(connection, 5_000)
  await database.store.initializeDeployment({ partitions, businessAddresses: [businessAddress], providerAccount: null })
}, 120_000)

afterAll(async () => {
  for (const node of running.values()) await node.stop()
  await connection.close()
  await Promise.all([nats.stop(), database.close()])
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
    registry: { survey: registration },
    performers: { draftReply: silent, sendMessage: { ...silent, isVisible: true } },
    settings: {
      nodeId,
      defaultMachine: 'survey',
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

async function sayTo(users: readonly string[]): Promise<void> {
  await Promise.all(
    users.map(async (user) => {
      messages += 1
      await publisher.publish(toMessage(user, `message ${messages}`, `SM${messages}`))
    }),
  )
}

async function stored(users: readonly string[]) {
  const rows = await database.sql(
    `select user_key, machine_version, snapshot -> 'context' as context, conversation.id
    from duologue.conversations as conversation join duologue.sessions as session on session.id = session_id
    where user_key = any($1) order by user_key`,
    [users],
  )
  return rows.map((row) => ({
    id: String(row['id']),
    version: String(row['machine_version']),
    context: row['context'],
  }))
}

async function untilVersions(users: readonly string[], expected: object): Promise<void> {
  const count = async () => {
    const counted: { [version: string]: number } = {}
    for (const { version } of await stored(users)) counted[version] = (counted[version] ?? 0) + 1
    return counted
  }
  let last: object = {}
  await until(
    async () => JSON.stringify((last = await count())) === JSON.stringify(expected),
    15_000,
    () => `the versions are ${JSON.stringify(last)}`,
  )
}

/** Every message that was sent is stored, once. */
async function untilInbound(expected: number): Promise<void> {
  let last = 0
  await until(
    async () => {
      const [row] = await database.sql(
        `select count(*)::int as count from duologue.messages where direction = 'inbound'`,
      )
      last = Number(row?.['count'])
      return last === expected
    },
    15_000,
    () => `${last} messages are stored`,
  )
}

test('deploy, rollback and deploy again: nothing is lost, nothing is quarantined, no older node writes a newer snapshot', async () => {
  await startNode('a', surveyOne)
  await sayTo(early)
  await untilInbound(12)
  await untilVersions(early, { 1: 12 })

  // Both are live: the newer node owns half of the partitions and writes version 1 there.
  const newer = await startNode('b', surveyTwo)
  await until(() => newer.describe().owned === 4, 10_000)
  await sayTo(people)
  await untilInbound(36)
  await untilVersions(people, { 1: 24 })

  // The last older node goes: what happens next to a conversation brings it to version 2.
  await stopNode('a')
  await until(() => newer.describe().active === partitions, 10_000)
  await until(async () => (await database.sql(`select from duologue.nodes`)).length === 1, 10_000)
  await sayTo(early.slice(0, 6))
  await untilVersions(early.slice(0, 6), { 2: 6 })

  // Rolled back: the older build goes on with what is still its own, and leaves the rest alone.
  await stopNode('b')
  const before = await stored(early.slice(0, 6))
  const older = await startNode('c', surveyOne)
  await until(() => older.describe().active === partitions, 10_000)
  await sayTo(early.slice(0, 6))
  await until(() => [...counts].some(([name]) => name === 'sessions_withheld:survey:2'), 10_000)
  expect(await stored(early.slice(0, 6))).toEqual(before)

  // Deployed again while the older node is still there: it hands over what it cannot run.
  await startNode('d', surveyTwo)
  await untilInbound(48)
  await untilVersions(early.slice(0, 6), { 2: 6 })
  const [held] = await database.sql(
    `select count(*) filter (where owner = 'c')::int as older, count(*) filter (where owner = 'd')::int as newer
    from duologue.partitions where needs is not null`,
  )
  expect(held).toEqual({ older: 0, newer: expect.any(Number) as unknown })
  expect(Number(held?.['newer'])).toBeGreaterThan(0)
  await stopNode('c')
  await sayTo(people)
  await untilInbound(72)
  await untilVersions(people, { 2: 24 })

  expect(await database.sql('select kind from duologue.quarantine')).toEqual([])
  for (const { id } of await stored(people)) {
    const page = await database.store.listEvents(id, { limit: 200 })
    expect(replayJournal(surveyTwo, page?.items ?? []).kind).toBe('same')
  }
}, 120_000)
