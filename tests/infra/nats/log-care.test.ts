/** A real log and a real database: is it still the same log, and what may leave it. */
import type { NatsConnection } from '@nats-io/transport-node'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import type { LogStateStore } from '../../../src/actors/log-state-store.ts'
import type { EventLog, Telemetry } from '../../../src/actors/ports.ts'
import { openNats } from '../../../src/infra/nats/connection.ts'
import { createEventLog } from '../../../src/infra/nats/event-log.ts'
import { purgeOnce } from '../../../src/infra/nats/janitor.ts'
import { createEventPublisher } from '../../../src/infra/nats/publisher.ts'
import { openStream } from '../../../src/infra/nats/stream.ts'
import type { LogStream } from '../../../src/infra/nats/stream.ts'
import { streamName } from '../../../src/infra/nats/subjects.ts'
import { createWatchedLog } from '../../../src/infra/nats/watched-log.ts'
import { processClock } from '../../../src/infra/process/clock.ts'
import { createLogStateStore } from '../../../src/infra/supabase/log-state.ts'
import { openTestDatabase, resetTestDatabase } from '../../support/database.ts'
import type { TestDatabase } from '../../support/database.ts'
import { toMessage } from '../../support/memory-world.ts'
import { startTestNats } from '../../support/nats.ts'
import type { TestNats } from '../../support/nats.ts'

const partitions = 4
const silent: Telemetry = { count() {}, observe() {}, gauge() {}, log() {} }

let nats: TestNats
let database: TestDatabase
let state: LogStateStore
let connection: NatsConnection
let stream: LogStream
let raw: EventLog
let published = 0

beforeAll(async () => {
  ;[nats, database] = await Promise.all([startTestNats({ syncAlways: false }), openTestDatabase('pglite')])
  state = createLogStateStore(database.client)
  connection = await openNats(nats, 'test')
}, 120_000)

beforeEach(async () => {
  await resetTestDatabase(database)
  await database.store.initializeDeployment({ partitions, businessAddresses: [], providerAccount: null })
  stream = await openStream(connection, { partitions, replicas: 1, bytesMax: 64 * 1_024 * 1_024 })
  await recreate()
})

afterAll(async () => {
  await connection.close()
  await Promise.all([nats.stop(), database.close()])
})

/** Another creation time, no events. */
async function recreate(): Promise<void> {
  await stream.manager.streams.delete(streamName)
  await stream.recreate()
  raw = createEventLog(connection, stream, silent)
}

async function publish(count: number, user?: string): Promise<void> {
  const publisher = createEventPublisher(connection, 5_000)
  for (let index = 0; index < count; index += 1) {
    published += 1
    const from = user ?? `whatsapp:+1500555${1_000 + (published % 50)}`
    await publisher.publish(toMessage(from, 'x', `care-${published}`))
  }
}

/** What a node sees that has just started. */
async function look(log: EventLog = raw): Promise<{ incarnation: string; incidents: number | undefined }> {
  const { incarnation, incidents } = await createWatchedLog({
    log,
    state,
    clock: processClock,
    telemetry: silent,
  }).describe()
  return { incarnation, incidents }
}

async function setCursors(incarnation: string, toSequence: (partition: number) => number): Promise<void> {
  for (let partition = 0; partition < partitions; partition += 1) {
    await database.sql(
      'update duologue.partitions set cursor_incarnation = $1, cursor_sequence = $2 where partition = $3',
      [incarnation, toSequence(partition), partition],
    )
  }
}

const isDue = async () => (await state.claimReconciliation('a', 1)).since !== null
/** The log as it would be with another end. */
const endingAt = (lastSequence: number): EventLog => ({
  ...raw,
  describe: async () => ({ ...(await raw.describe()), lastSequence }),
})

describe('the log', () => {
  test('that only grows keeps its name, which is that of its creation', async () => {
    const first = await look()
    await publish(5)
    expect(await look()).toEqual(first)
    expect(first).toEqual({ incarnation: (await stream.manager.streams.info(streamName)).created, incidents: 0 })
    expect(await isDue()).toBe(false)
  })

  test('that was recreated has another name for all nodes, is one incident, and makes reconciliation due', async () => {
    const before = await look()
    await publish(5)
    await recreate()
    const after = await look()
    expect(after.incarnation).not.toBe(before.incarnation)
    expect(after.incidents).toBe(1)
    expect(await look()).toEqual(after)
    expect(await isDue()).toBe(true)
  })

  test('that ends before what a node saw was shortened: it is read under a new name', async () => {
    await publish(10)
    const before = await look()
    const after = await look(endingAt(7))
    expect(after.incarnation).toBe(`${before.incarnation}#2`)
    // It grows from there, under that name.
    expect(await look(endingAt(9))).toEqual(after)
  })

  test('that ends before a cursor was shortened, whoever saw what', async () => {
    await publish(10)
    const before = await look(endingAt(3))
    await setCursors(before.incarnation, (partition) => (partition === 2 ? 8 : 1))
    expect((await look(endingAt(5))).incidents).toBe(1)
  })

  test('that lost events in front of a cursor has a gap: the same name, an incident', async () => {
    await publish(10)
    const before = await look()
    await setCursors(before.incarnation, (partition) => (partition === 2 ? 3 : 10))
    await stream.manager.streams.purge(streamName, { seq: 7 })
    expect(await look()).toEqual({ ...before, incidents: 1 })
    expect(await look()).toEqual({ ...before, incidents: 1 })
    expect(await isDue()).toBe(true)
  })

  test('a name is never used again, even when an old log comes back', async () => {
    const names = [(await look()).incarnation]
    for (let time = 0; time < 3; time += 1) {
      await publish(3)
      await look()
      names.push((await look(endingAt(1))).incarnation)
    }
    expect(new Set(names).size).toBe(names.length)
  })

  test('reconciliation is done by one node at a time, and is due again after an incident meanwhile', async () => {
    await look()
    await publish(3)
    await recreate()
    await look()
    const claimed = await state.claimReconciliation('a', 60_000)
    expect(claimed.isMine).toBe(true)
    expect((await state.claimReconciliation('b', 60_000)).isMine).toBe(false)
    await publish(3)
    await look()
    await look(endingAt(1))
    expect(await state.finishReconciliation('a', claimed.incidents)).toEqual({ isDone: false })
    const again = await state.claimReconciliation('b', 60_000)
    expect(again).toMatchObject({ isMine: true, incidents: 2 })
    expect(await state.finishReconciliation('b', again.incidents)).toEqual({ isDone: true })
    expect((await state.claimReconciliation('b', 60_000)).since).toBeNull()
  })
})

describe('the janitor', () => {
  const purge = async (nodeId = 'a', keepMs = 0) => {
    const log = createWatchedLog({ log: raw, state, clock: processClock, telemetry: silent })
    return purgeOnce({ stream, log, state, clock: processClock, telemetry: silent, nodeId, keepMs })
  }
  const firstSequence = async () => (await stream.manager.streams.info(streamName)).state.first_seq

  test('purges behind the smallest cursor, and nobody takes that for a gap', async () => {
    await publish(20)
    const { incarnation } = await look()
    await setCursors(incarnation, (partition) => (partition === 1 ? 12 : 20))
    const ends = await Promise.all([0, 1, 2, 3].map(async (partition) => raw.lastSequence(partition)))
    expect(ends[1]).toBeGreaterThan(12)
    expect(await purge()).toEqual({ kind: 'purged', through: 12, count: 12 })
    expect(await firstSequence()).toBe(13)
    expect(await look()).toEqual({ incarnation, incidents: 0 })
    expect(await purge()).toEqual({ kind: 'kept', reason: 'nothing' })
  })

  test('a partition to which nothing ever came holds nothing back', async () => {
    await publish(5, 'whatsapp:+15005550006')
    const { incarnation } = await look()
    const ends = await Promise.all([0, 1, 2, 3].map(async (partition) => raw.lastSequence(partition)))
    await setCursors(incarnation, (partition) => ends[partition] ?? 0)
    expect(await purge()).toEqual({ kind: 'purged', through: 5, count: 5 })
    expect(await look()).toEqual({ incarnation, incidents: 0 })
  })

  test('keeps what is younger than a day', async () => {
    await publish(5)
    const { incarnation } = await look()
    await setCursors(incarnation, () => 5)
    expect(await purge('a', 24 * 3_600_000)).toEqual({ kind: 'kept', reason: 'nothing' })
    await new Promise((resolve) => {
      setTimeout(resolve, 300)
    })
    await publish(5)
    await setCursors(incarnation, () => 10)
    expect(await purge('a', 250)).toEqual({ kind: 'purged', through: 5, count: 5 })
  })

  test('purges nothing while a cursor is of another log, or events may be missing', async () => {
    await publish(5)
    const { incarnation } = await look()
    await setCursors(incarnation, () => 5)
    await database.sql(`update duologue.partitions set cursor_incarnation = 'another' where partition = 3`)
    expect(await purge()).toEqual({ kind: 'kept', reason: 'other-incarnation' })
    await database.sql('update duologue.partitions set cursor_incarnation = $1 where partition = 3', [incarnation])
    await publish(5)
    await stream.manager.streams.purge(streamName, { seq: 8 })
    expect((await look()).incidents).toBe(1)
    await setCursors(incarnation, () => 10)
    expect(await purge()).toEqual({ kind: 'kept', reason: 'not-mine' })
  })

  test('may purge, and may not delete: the stream is made so', async () => {
    const { config } = await stream.manager.streams.info(streamName)
    expect([config.deny_purge ?? false, config.deny_delete]).toEqual([false, true])
  })

  test('is one node at a time', async () => {
    await publish(5)
    const { incarnation } = await look()
    await setCursors(incarnation, () => 5)
    expect((await state.planPurge('a', 60_000)).isMine).toBe(true)
    expect(await purge('b')).toEqual({ kind: 'kept', reason: 'not-mine' })
    expect(await firstSequence()).toBe(1)
  })
})
