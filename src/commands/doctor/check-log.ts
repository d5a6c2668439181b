/** NATS: can it be reached, is it new enough, has it JetStream, and is the stream the one that Duologue makes. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'

import { DiscardPolicy, jetstreamManager, RetentionPolicy, StorageType } from '@nats-io/jetstream'
import type { JetStreamManager, StreamInfo } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'

import { isNewEnough, oldestNatsServer, readNatsServerVersion } from '../../../scripts/setup/nats-server-version.mjs'
import type { Config } from '../../config.ts'
import type { DataFolder } from '../../infra/data-folder/data-folder.ts'
import { openNats, withoutPassword } from '../../infra/nats/connection.ts'
import { findNatsServer, startNatsServer } from '../../infra/nats/nats-server.ts'
import { publishedSubjects, streamName, toSubjectTransform } from '../../infra/nats/subjects.ts'
import type { CommandCall } from '../command.ts'
import { bad, examine, ok, warn } from './finding.ts'
import type { Finding } from './finding.ts'

const fullShare = 0.8

export async function checkLog(
  config: Config,
  folder: DataFolder | null,
  env: CommandCall['env'],
): Promise<readonly Finding[]> {
  const advice = 'correct NATS_URL and NATS_CREDENTIALS_FILE, or unset both for an embedded nats-server'
  if (config.nats !== null) return examine('NATS', advice, async () => checkRemote(config))
  return examine('NATS', 'run `npm run setup`, which brings a nats-server', async () =>
    checkEmbedded(config, folder, env),
  )
}

async function checkRemote({ nats, partitions }: Config): Promise<readonly Finding[]> {
  const url = nats?.servers.join(',') ?? ''
  const { credentialsFile = null, inboxPrefix = null } = nats ?? {}
  const connection = await openNats({ url, credentialsFile, inboxPrefix }, 'duologue doctor')
  try {
    const { version } = connection.info ?? { version: '0' }
    return [
      checkVersion(
        version,
        `${version} at ${withoutPassword(url)}; its sync_interval (wanted: always) cannot be read from here`,
      ),
      ...(await checkJetStream(connection, partitions)),
    ]
  } finally {
    await connection.close()
  }
}

async function checkEmbedded(
  { partitions }: Config,
  folder: DataFolder | null,
  env: CommandCall['env'],
): Promise<readonly Finding[]> {
  const binary = findNatsServer(env)
  const version = readNatsServerVersion(binary)
  const server = checkVersion(version, `an embedded nats-server ${version}, synced on every write`)
  const storeDir = folder === null ? null : join(folder.path, 'nats')
  if (server.state === 'bad' || folder === null || storeDir === null || !existsSync(storeDir)) return [server]
  const running = await startNatsServer({
    binary,
    storeDir,
    onExit: () => {},
    recordChild: (child) => folder.recordChild(child),
  })
  try {
    const connection = await openNats(running, 'duologue doctor')
    const stream = await checkJetStream(connection, partitions)
    await connection.close()
    return [server, ...stream]
  } finally {
    await running.stop()
  }
}

function checkVersion(version: string | null, text: string): Finding {
  if (isNewEnough(version)) return ok('NATS', text)
  const sentence = `nats-server ${version ?? 'of unknown version'} may lose acknowledged messages`
  return bad('NATS', sentence, `run nats-server ${oldestNatsServer} or later`)
}

async function checkJetStream(connection: NatsConnection, partitions: number): Promise<readonly Finding[]> {
  return examine('JetStream', 'enable JetStream on the server, and allow this user $JS.API.>', async () => {
    // Without a check of its own: the manager would otherwise ask the same question.
    const manager = await jetstreamManager(connection, { checkAPI: false })
    await manager.getAccountInfo()
    const info = await findStream(manager)
    if (info === null) return [ok('JetStream', `enabled; the first start makes the stream ${streamName}`)]
    return [ok('JetStream', 'enabled'), ...checkStream(info, partitions), checkFill(info)]
  })
}

async function findStream(manager: JetStreamManager): Promise<StreamInfo | null> {
  try {
    return await manager.streams.info(streamName)
  } catch (error) {
    if (error instanceof Error && error.message.includes('stream not found')) return null
    throw error
  }
}

/** What the promise rests on; a stream that was changed by hand shows here. */
function checkStream({ config }: StreamInfo, partitions: number): readonly Finding[] {
  const transform = toSubjectTransform(partitions)
  const isPartitioned =
    config.subject_transform?.src === transform.src && config.subject_transform.dest === transform.dest
  const wrong = [
    isPartitioned ? [] : [`its subject transform is not that of ${partitions} partitions (DUOLOGUE_PARTITIONS)`],
    config.subjects?.join() === publishedSubjects ? [] : [`it does not take ${publishedSubjects} alone`],
    config.discard === DiscardPolicy.New ? [] : ['it discards old messages when it is full'],
    config.max_age === 0 ? [] : ['it forgets messages after a time'],
    config.max_msgs <= 0 && config.max_msgs_per_subject <= 0 ? [] : ['it limits the number of messages'],
    config.deny_delete ? [] : ['messages in it may be deleted'],
    config.storage === StorageType.File ? [] : ['it is in memory'],
    config.retention === RetentionPolicy.Limits ? [] : ['it drops messages that were read'],
  ].flat()
  if (wrong.length === 0) return [ok('stream', `${streamName}, ${partitions} partitions, as Duologue makes it`)]
  const advice =
    'the number of partitions is fixed at the first start; restore the other settings as docs/nats.md lists them'
  return [bad('stream', `${streamName}: ${wrong.join('; ')}`, advice)]
}

function checkFill({ state, config }: StreamInfo): Finding {
  const share = config.max_bytes > 0 ? state.bytes / config.max_bytes : 0
  const text = `${state.messages} messages, ${(share * 100).toFixed(0)} % of its bytes`
  if (share < fullShare) return ok('stream', text)
  return warn('stream', text, 'purge what is behind the cursors, or raise max_bytes: a full stream refuses messages')
}
