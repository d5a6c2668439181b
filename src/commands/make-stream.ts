/**
 * `duologue stream`: makes the stream that is the log, or says that it is there. Whoever may do this need not be
 * able to do anything else, and the nodes need not be able to do this.
 */
import { readConfig } from '../config.ts'
import { openNats } from '../infra/nats/connection.ts'
import { openStream, streamBytesMax } from '../infra/nats/stream.ts'
import { streamName } from '../infra/nats/subjects.ts'
import { WrongUse } from './command.ts'
import type { CommandCall, CommandResult } from './command.ts'

export async function runStream({ words, env }: CommandCall): Promise<CommandResult> {
  if (words.length > 0) throw new WrongUse('stream takes no arguments: NATS_URL names the server')
  const { nats, partitions } = readConfig(env)
  if (nats === null) {
    const text = 'nothing to do: the embedded nats-server gets its stream at the first start'
    return { exitCode: 0, value: { stream: null }, text }
  }
  const { servers, replicas, credentialsFile, inboxPrefix } = nats
  const connection = await openNats({ url: servers.join(','), credentialsFile, inboxPrefix }, 'duologue stream')
  try {
    const { info } = await openStream(connection, { partitions, replicas, bytesMax: streamBytesMax })
    const { num_replicas: stored, max_bytes: bytesMax } = info.config
    return {
      exitCode: 0,
      value: { stream: streamName, partitions, replicas: stored, bytesMax },
      text: `the stream ${streamName} has ${partitions} partitions and ${stored} ${stored === 1 ? 'copy' : 'copies'}`,
    }
  } finally {
    await connection.close()
  }
}
