/** Three servers with the very file that docker-compose.cluster.yml mounts: the end of the leader loses nothing. */
import { connect } from '@nats-io/transport-node'
import type { NatsConnection } from '@nats-io/transport-node'
import { afterAll, beforeAll, expect, test } from 'vitest'

import type { LogEntry, Telemetry } from '../../../src/actors/ports.ts'
import { createEventLog } from '../../../src/infra/nats/event-log.ts'
import { createEventPublisher } from '../../../src/infra/nats/publisher.ts'
import { openStream } from '../../../src/infra/nats/stream.ts'
import type { LogStream } from '../../../src/infra/nats/stream.ts'
import type { LogServers } from '../../support/cluster.ts'
import { toMessage } from '../../support/memory-world.ts'
import { startNatsCluster } from '../../support/nats-cluster.ts'
import { until } from '../../support/service.ts'

const partitions = 4
const silent: Telemetry = { count() {}, observe() {}, gauge() {}, log() {} }

let servers: LogServers
let connection: NatsConnection
let stream: LogStream

beforeAll(async () => {
  servers = await startNatsCluster()
  const [, user = '', pass = ''] = /^nats:\/\/([^:]+):([^@]+)@/u.exec(servers.url) ?? []
  const addresses = servers.url.split(',').map((url) => url.replace(/^.*@/u, ''))
  connection = await connect({ servers: addresses, user, pass, maxReconnectAttempts: -1, reconnectTimeWait: 100 })
  stream = await openStream(connection, { partitions, replicas: 3, bytesMax: 64 * 1_024 * 1_024 })
}, 60_000)

afterAll(async () => {
  await connection.close()
  await servers.stop()
})

test(
  'the stream has three copies; when its leader is killed the others go on with all that was acknowledged, in order',
  { timeout: 120_000 },
  async () => {
    const info = await stream.manager.streams.info('DUOLOGUE')
    expect(info.config.num_replicas).toBe(3)
    expect(info.cluster?.replicas).toHaveLength(2)
    const leader = info.cluster?.leader

    const entries: LogEntry[] = []
    const log = createEventLog(connection, stream, silent)
    await log.describe()
    const readers = Array.from({ length: partitions }, (_, partition) =>
      log.read(partition, 0, (entry) => void entries.push(entry)),
    )
    const publisher = createEventPublisher(connection, 1_000)
    const acknowledged: string[] = []
    const publish = async (count: number): Promise<void> => {
      for (const end = acknowledged.length + count; acknowledged.length < end;) {
        const id = `SM${acknowledged.length}`
        const user = `whatsapp:+1500555${String(acknowledged.length % 8).padStart(4, '0')}`
        // As Twilio does: what is not acknowledged is sent again under its own id.
        await publisher.publish(toMessage(user, id, id)).then(
          () => acknowledged.push(id),
          () => {},
        )
      }
    }
    await publish(40)
    await servers.kill()
    await publish(40)
    const after = await stream.manager.streams.info('DUOLOGUE')
    expect(after.cluster?.leader).not.toBe(leader)
    await servers.restart()
    await publish(20)

    await until(() => new Set(entries.map(toId)).size === 100, 30_000)
    await Promise.all(readers.map(async (reader) => reader.stop()))
    expect(new Set(entries.map(toId))).toEqual(new Set(acknowledged))
    for (const own of Map.groupBy(entries, ({ sessionKey }) => sessionKey).values()) {
      const numbers = [...new Set(own.map(toId))].map((id) => Number(id.slice(2)))
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
    }
  },
)

function toId({ data }: LogEntry): string {
  return (JSON.parse(new TextDecoder().decode(data)) as { readonly providerId: string }).providerId
}
