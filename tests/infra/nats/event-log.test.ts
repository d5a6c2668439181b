import type { NatsConnection } from '@nats-io/transport-node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import type { LogEntry, LoggedEvent, Telemetry } from '../../../src/actors/ports.ts'
import { openNats } from '../../../src/infra/nats/connection.ts'
import { createEventLog } from '../../../src/infra/nats/event-log.ts'
import { createEventPublisher } from '../../../src/infra/nats/publisher.ts'
import { openStream } from '../../../src/infra/nats/stream.ts'
import type { LogStream } from '../../../src/infra/nats/stream.ts'
import { streamName } from '../../../src/infra/nats/subjects.ts'
import { toMessage } from '../../support/memory-world.ts'
import { startTestNats } from '../../support/nats.ts'
import type { TestNats } from '../../support/nats.ts'
import { until } from '../../support/service.ts'

const partitions = 4
const streamOptions = { partitions, replicas: 1, bytesMax: 64 * 1_024 * 1_024 }
const silent: Telemetry = { count() {}, observe() {}, gauge() {}, log() {} }

let nats: TestNats
let connection: NatsConnection
let stream: LogStream

beforeAll(async () => {
  nats = await startTestNats({ syncAlways: false })
  connection = await openNats(nats, 'test')
  stream = await openStream(connection, streamOptions)
})

afterAll(async () => {
  await connection.close()
  await nats.stop()
})

function readAll(after: number[] = []) {
  const log = createEventLog(connection, stream, silent)
  const entries: LogEntry[] = []
  const readers = Array.from({ length: partitions }, (_, partition) =>
    log.read(partition, after[partition] ?? 0, (entry) => void entries.push(entry)),
  )
  return { log, entries, stop: async () => Promise.all(readers.map(async (reader) => reader.stop())) }
}

async function publish(count: number, prefix: string, users = 16): Promise<void> {
  const publisher = createEventPublisher(connection, 5_000)
  for (let index = 0; index < count; index += 1) {
    const user = `whatsapp:+1500555${String(index % users).padStart(4, '0')}`
    await publisher.publish(toMessage(user, `${prefix} ${index}`, `${prefix}-${index}`))
  }
}

describe('the log', () => {
  test('every event of a session is in one partition, in the order of its publication', async () => {
    await publish(200, 'order')
    const { entries, stop } = readAll()
    await until(() => entries.length === 200, 5_000)
    await stop()
    const bySession = Map.groupBy(entries, ({ sessionKey }) => sessionKey)
    expect(bySession.size).toBe(16)
    for (const group of bySession.values()) {
      expect(new Set(group.map(({ partition }) => partition)).size).toBe(1)
      expect(group.map(({ sequence }) => sequence)).toEqual(
        group.map(({ sequence }) => sequence).toSorted((a, b) => a - b),
      )
    }
    expect(new Set(entries.map(({ partition }) => partition)).size).toBe(partitions)
  })

  test('the same publication twice is stored once, also when both are in flight', async () => {
    const publisher = createEventPublisher(connection, 5_000)
    const event = toMessage('whatsapp:+15005559999', 'twice', 'twice-1')
    const acknowledged = await Promise.all(Array.from({ length: 10 }, async () => publisher.publish(event)))
    expect(new Set(acknowledged.map(({ sequence }) => sequence)).size).toBe(1)
    expect(acknowledged.filter(({ duplicate }) => !duplicate)).toHaveLength(1)
  })

  test('the last sequence of a partition is that of its last event', async () => {
    const { log, entries, stop } = readAll()
    const total = (await stream.manager.streams.info(streamName)).state.messages
    await until(() => entries.length === total, 5_000)
    for (let partition = 0; partition < partitions; partition += 1) {
      const last = entries.filter((entry) => entry.partition === partition).at(-1)?.sequence ?? 0
      expect(await log.lastSequence(partition)).toBe(last)
    }
    await stop()
  })

  test('reading begins after the given sequence', async () => {
    const first = readAll()
    const total = (await stream.manager.streams.info(streamName)).state.messages
    await until(() => first.entries.length === total, 5_000)
    await first.stop()
    const middle = Math.floor(total / 2)
    const second = readAll(Array.from({ length: partitions }, () => middle))
    const rest = first.entries.filter(({ sequence }) => sequence > middle).length
    await until(() => second.entries.length === rest, 5_000)
    await second.stop()
    expect(second.entries.every(({ sequence }) => sequence > middle)).toBe(true)
  })

  test('an owner that holds back is given nothing more, and misses nothing', async () => {
    const log = createEventLog(connection, stream, silent)
    await publish(3_000, 'flood', 1)
    const total = (await stream.manager.streams.info(streamName)).state.messages
    const sequences: number[] = []
    let release = (): void => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const readers = Array.from({ length: partitions }, (_, partition) =>
      log.read(partition, 0, (entry) => {
        sequences.push(entry.sequence)
        if (entry.data.length > 0 && sequences.length <= partitions) return held
        return undefined
      }),
    )
    await until(() => sequences.length === partitions, 5_000)
    release()
    await until(() => sequences.length === total, 10_000)
    expect(new Set(sequences).size).toBe(total)
    await Promise.all(readers.map(async (reader) => reader.stop()))
  })

  test('another number of partitions is refused', async () => {
    await expect(openStream(connection, { ...streamOptions, partitions: 5 })).rejects.toThrow(/made with 4/u)
  })

  test('a log that does not answer rejects a publication in time', async () => {
    const other = await startTestNats({ syncAlways: false })
    const cut = await openNats(other, 'cut')
    await openStream(cut, streamOptions)
    const publisher = createEventPublisher(cut, 300)
    await other.kill()
    const startedAt = performance.now()
    const event: LoggedEvent = toMessage('whatsapp:+15005550006', 'lost', 'lost-1')
    await expect(publisher.publish(event)).rejects.toThrow(/did not acknowledge/u)
    expect(performance.now() - startedAt).toBeLessThan(2_000)
    await cut.close()
    await other.stop()
  })
})

describe('a restart of the server', () => {
  test.each(['stop', 'kill'] as const)(
    'reading goes on within 2 s after a %s, in order and without a gap',
    async (way) => {
      const total = (await stream.manager.streams.info(streamName)).state.messages
      const { entries, stop } = readAll()
      await until(() => entries.length === total, 10_000)
      if (way === 'kill') await nats.kill()
      await nats.restart()
      const restartedAt = performance.now()
      await publish(20, `after ${way}`)
      await until(() => entries.length === total + 20, 5_000)
      expect(performance.now() - restartedAt).toBeLessThan(2_000)
      expect(new Set(entries.map(({ sequence }) => sequence)).size).toBe(total + 20)
      await stop()
    },
  )
})
