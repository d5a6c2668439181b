/**
 * The stream that is the log: created at the first start, checked at every later one, never changed.
 *
 * No age limit and `discard: new`: when it is full, publishers are refused and nothing stored is lost.
 * Deleting single messages is denied; purging behind the cursors is not.
 */
import { jetstreamManager, DiscardPolicy, RetentionPolicy, StorageType } from '@nats-io/jetstream'
import type { JetStreamManager, StreamInfo } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'

import { fileStoreBytesMax } from './nats-server.ts'
import { publishedSubjects, streamName, toSubjectTransform } from './subjects.ts'

const duplicateWindowNanos = 10 * 60 * 1_000_000_000
const makeAttemptsMax = 10
const makePauseMs = 200
const oneMebibyte = 1_024 * 1_024
/** Below the embedded server's own limit, so that the stream refuses before the disk does. */
export const streamBytesMax = Math.floor(fileStoreBytesMax * 0.8)

export type LogStream = {
  readonly manager: JetStreamManager
  readonly info: StreamInfo
  readonly partitions: number
  /** Makes it anew where somebody has taken it away; changes nothing where it is there. */
  recreate(): Promise<StreamInfo>
}

type StreamOptions = { readonly partitions: number; readonly replicas: number; readonly bytesMax: number }

/** `bytesMax` bounds a new stream. Throws when the existing stream has another number of partitions. */
export async function openStream(connection: NatsConnection, options: StreamOptions): Promise<LogStream> {
  const manager = await jetstreamManager(connection)
  const info = (await findStream(manager)) ?? (await makeStream(manager, options))
  const partitions = readPartitions(info)
  if (partitions !== options.partitions) {
    throw new Error(
      `DUOLOGUE_PARTITIONS is ${options.partitions}, but the stream ${streamName} was made with ${partitions}: the number is fixed at the first start`,
    )
  }
  return { manager, info, partitions, recreate: async () => makeStream(manager, options) }
}

/** Null when the server has no such stream. */
export async function findStream(manager: JetStreamManager): Promise<StreamInfo | null> {
  try {
    return await manager.streams.info(streamName)
  } catch (error) {
    if (error instanceof Error && error.message.includes('stream not found')) return null
    throw new Error(`could not look for the stream ${streamName}`, { cause: error })
  }
}

/**
 * Nodes that start at the same time all make it. While one is being made the server reserves its room, and so finds
 * too little for the next ("insufficient storage resources"), which then finds the stream made.
 */
async function makeStream(manager: JetStreamManager, options: StreamOptions): Promise<StreamInfo> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await addStream(manager, options)
    } catch (error) {
      const made = await findStream(manager)
      if (made !== null) return made
      if (attempt >= makeAttemptsMax) throw error
      await new Promise((resolve) => {
        setTimeout(resolve, makePauseMs)
      })
    }
  }
}

async function addStream(
  manager: JetStreamManager,
  { partitions, replicas, bytesMax }: StreamOptions,
): Promise<StreamInfo> {
  return manager.streams.add({
    name: streamName,
    subjects: [publishedSubjects],
    subject_transform: toSubjectTransform(partitions),
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.New,
    max_age: 0,
    max_bytes: bytesMax,
    max_msg_size: oneMebibyte,
    num_replicas: replicas,
    duplicate_window: duplicateWindowNanos,
    deny_delete: true,
    allow_direct: false,
    allow_atomic: true,
  })
}

function readPartitions(info: StreamInfo): number {
  const partitions = /\{\{partition\((\d+),2,3\)\}\}/u.exec(info.config.subject_transform?.dest ?? '')?.[1]
  if (partitions === undefined) throw new Error(`the stream ${streamName} exists but is not one that Duologue made`)
  return Number(partitions)
}
