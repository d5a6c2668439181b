import { afterAll, beforeAll, expect, test } from 'vitest'
import { openNats } from '../../../src/infra/nats/connection.ts'
import { fileStoreBytesMax } from '../../../src/infra/nats/nats-server.ts'
import { openStream } from '../../../src/infra/nats/stream.ts'
import { startTestNats, type TestNats } from '../../support/nats.ts'

let nats: TestNats

beforeAll(async () => {
  nats = await startTestNats({ syncAlways: false })
})

afterAll(() => nats.stop())

test('nodes that start at once share one stream, though there is room for one only', async () => {
  const connections = await Promise.all(Array.from({ length: 6 }, (_, index) => openNats(nats, `node ${index}`)))
  const bytesMax = Math.floor(fileStoreBytesMax * 0.8)
  const streams = await Promise.all(
    connections.map(async (connection) => openStream(connection, { partitions: 8, replicas: 1, bytesMax })),
  )
  expect(new Set(streams.map(({ info }) => info.created)).size).toBe(1)
  expect(streams.map(({ partitions }) => partitions)).toEqual(Array.from({ length: 6 }, () => 8))
  await Promise.all(connections.map(async (connection) => connection.close()))
})
