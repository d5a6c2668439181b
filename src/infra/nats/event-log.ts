/** The log as the host reads it (`EventLog`): one JetStream stream, one ordered reader per partition. */
import { jetstream } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'

import type { EventLog, LogEntry, LogReader, Telemetry } from '../../actors/ports.ts'
import { PartitionReader } from './partition-reader.ts'
import type { LogStream } from './stream.ts'
import { streamName, toPartitionFilter } from './subjects.ts'

export function createEventLog(connection: NatsConnection, stream: LogStream, telemetry: Telemetry): EventLog {
  const { manager, partitions } = stream
  const consumers = jetstream(connection).consumers
  const readers = new Set<PartitionReader>()
  void reopenOnReconnect(connection, readers)

  return {
    async describe() {
      const info = await manager.streams.info(streamName)
      const { first_seq, last_seq } = info.state
      return { incarnation: info.created, firstSequence: first_seq, lastSequence: last_seq, partitions }
    },

    async lastSequence(partition: number): Promise<number> {
      // Asked of the stream's leader: a direct get may be stale.
      const message = await manager.streams.getMessage(streamName, { last_by_subj: toPartitionFilter(partition) })
      return message?.seq ?? 0
    },

    read(partition: number, afterSequence: number, deliver: (entry: LogEntry) => void | Promise<void>): LogReader {
      const reader = new PartitionReader({ consumers, partition, afterSequence, deliver, telemetry })
      readers.add(reader)
      reader.start()
      return {
        async stop() {
          readers.delete(reader)
          await reader.stop()
        },
      }
    },
  }
}

/**
 * After a server restart the client recreates its consumers by itself, but was measured to stall for up
 * to 46 s. Opening each reader anew at its own position takes milliseconds.
 */
async function reopenOnReconnect(connection: NatsConnection, readers: ReadonlySet<PartitionReader>): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === 'reconnect') for (const reader of readers) reader.reopen('the connection was made again')
  }
}
