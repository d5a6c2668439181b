/** A real log that is full: it refuses, nothing stored is lost, and the spool takes what comes. */
import { expect, onTestFinished, test } from 'vitest'

import type { Telemetry } from '../../../src/actors/ports.ts'
import { openNats } from '../../../src/infra/nats/connection.ts'
import { createEventPublisher } from '../../../src/infra/nats/publisher.ts'
import { openStream } from '../../../src/infra/nats/stream.ts'
import { streamName } from '../../../src/infra/nats/subjects.ts'
import { processClock } from '../../../src/infra/process/clock.ts'
import { openSpooling } from '../../../src/infra/spool/spooling-publisher.ts'
import { createSpoolStore } from '../../../src/infra/supabase/spool.ts'
import { openTestDatabase } from '../../support/database.ts'
import { toMessage } from '../../support/memory-world.ts'
import { startTestNats } from '../../support/nats.ts'
import { until } from '../../support/service.ts'

const silent: Telemetry = { count() {}, observe() {}, gauge() {}, log() {} }
const user = 'whatsapp:+15005550006'

test('a full log refuses at once, the spool takes over, and drains when there is room', async () => {
  const [nats, database] = await Promise.all([startTestNats({ syncAlways: false }), openTestDatabase('pglite')])
  const connection = await openNats(nats, 'test')
  onTestFinished(async () => {
    await connection.close()
    await Promise.all([nats.stop(), database.close()])
  })
  const { manager } = await openStream(connection, { partitions: 4, replicas: 1, bytesMax: 64 * 1_024 })
  const store = createSpoolStore(database.client)
  const spooling = openSpooling({
    publisher: createEventPublisher(connection, 3_000),
    store,
    log: { isConnected: () => true, onDisconnect() {} },
    clock: processClock,
    telemetry: silent,
    nodeId: 'a',
    isAlone: true,
  })
  onTestFinished(async () => spooling.stop())
  const ways: string[] = []
  for (let number = 0; number < 40; number += 1) {
    const startedAt = performance.now()
    ways.push(await spooling.publish(toMessage(user, `${number} ${'x'.repeat(3_000)}`, `SM${number}`)))
    expect(performance.now() - startedAt).toBeLessThan(2_500)
  }
  const logged = ways.indexOf('spooled')
  expect(logged).toBeGreaterThan(3)
  expect(ways.slice(logged)).toEqual(Array.from({ length: 40 - logged }, () => 'spooled'))
  expect((await manager.streams.info(streamName)).state.messages).toBe(logged)
  expect((await store.spoolStatus()).size).toBe(40 - logged)
  await manager.streams.update(streamName, { max_bytes: 1_024 * 1_024 })
  await until(async () => (await store.spoolStatus()).phase === 'direct', 20_000)
  expect((await manager.streams.info(streamName)).state.messages).toBe(40)
  const numbers: string[] = []
  for (let seq = 1; seq <= 40; seq += 1) {
    const event = (await manager.streams.getMessage(streamName, { seq }))?.json<{ body: string }>()
    numbers.push(event?.body.split(' ')[0] ?? '')
  }
  expect(numbers).toEqual(Array.from({ length: 40 }, (_, number) => String(number)))
})
