/**
 * The log as the host reads it (`EventLog`): one JetStream stream, one ordered reader per partition.
 *
 * After a reconnect, or when a consumer was lost, the stream may be another one. Until it was looked at, nobody is told
 * a last sequence: a timer would fire over messages of the new stream that have not been read.
 */
import { jetstream } from '@nats-io/jetstream'
import type { StreamInfo } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'

import type { EventLog, LogEntry, LogReader, Telemetry } from '../../actors/ports.ts'
import { PartitionReader } from './partition-reader.ts'
import { findStream } from './stream.ts'
import type { LogStream } from './stream.ts'
import { streamName, toPartitionFilter } from './subjects.ts'

export function createEventLog(connection: NatsConnection, stream: LogStream, telemetry: Telemetry): EventLog {
  const { manager, partitions } = stream
  const consumers = jetstream(connection).consumers
  const readers = new Set<PartitionReader>()
  /** What the readers read, as it was last described; `isDoubtful`: it may be another one by now. */
  let described: Found | null = null
  let isDoubtful = false
  const doubt = (): void => {
    isDoubtful = true
  }
  void reopenOnReconnect(connection, readers, doubt)

  const look = async (): Promise<Found> => {
    const info = (await findStream(manager)) ?? (await recreate(stream, telemetry))
    return { created: info.created, firstSequence: info.state.first_seq, lastSequence: info.state.last_seq }
  }
  const assertSame = async (): Promise<void> => {
    const found = await look()
    if (described !== null && (found.created !== described.created || found.lastSequence < described.lastSequence)) {
      throw new Error('the log is another one than the one that was described')
    }
    isDoubtful = false
  }
  return {
    async describe() {
      const found = await look()
      described = found
      isDoubtful = false
      const { created: incarnation, firstSequence, lastSequence } = found
      return { incarnation, firstSequence, lastSequence, partitions }
    },

    async lastSequence(partition: number): Promise<number> {
      if (isDoubtful) await assertSame()
      // Asked of the stream's leader: a direct get may be stale.
      const message = await manager.streams.getMessage(streamName, { last_by_subj: toPartitionFilter(partition) })
      return message?.seq ?? 0
    },

    read(partition: number, afterSequence: number, deliver: (entry: LogEntry) => void | Promise<void>): LogReader {
      const reader = new PartitionReader({ consumers, partition, afterSequence, deliver, telemetry, onDoubt: doubt })
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

type Found = { readonly created: string; readonly firstSequence: number; readonly lastSequence: number }

async function recreate(stream: LogStream, telemetry: Telemetry): Promise<StreamInfo> {
  telemetry.log('error', 'the stream of the log is gone; making it anew', { stream: streamName })
  return stream.recreate()
}

/**
 * After a server restart the client recreates its consumers by itself, but was measured to stall for up
 * to 46 s. Opening each reader anew at its own position takes milliseconds.
 */
async function reopenOnReconnect(
  connection: NatsConnection,
  readers: ReadonlySet<PartitionReader>,
  doubt: () => void,
): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === 'disconnect' || status.type === 'reconnect') doubt()
    if (status.type === 'reconnect') for (const reader of readers) reader.reopen('the connection was made again')
  }
}
