/**
 * Takes out of the log what every partition has behind it, less a day. One node does it at a time (the database says
 * which), and only while all cursors are of this very log.
 *
 * Cursors stand still where nothing comes: a partition whose last event is not beyond its cursor counts as being at the
 * end of the log as it was before that was asked.
 */
import type { LogStateStore } from '../../actors/log-state-store.ts'
import type { Clock, EventLog, Telemetry } from '../../actors/ports.ts'
import type { LogStream } from './stream.ts'
import { streamName } from './subjects.ts'

const everyMs = 10 * 60_000
const leaseMs = 60_000
const keepMs = 24 * 3_600_000

export type JanitorOptions = {
  readonly stream: Pick<LogStream, 'manager'>
  /** As it is watched: its incarnation is the cursors' one. */
  readonly log: Pick<EventLog, 'describe' | 'lastSequence'>
  readonly state: Pick<LogStateStore, 'planPurge' | 'recordPurge'>
  readonly clock: Clock
  readonly telemetry: Telemetry
  readonly nodeId: string
  /** What is younger stays, whoever has read it. A day unless a test says otherwise. */
  readonly keepMs?: number
}

export type PurgeResult =
  | { readonly kind: 'purged'; readonly through: number; readonly count: number }
  | { readonly kind: 'kept'; readonly reason: 'not-mine' | 'other-incarnation' | 'nothing' }

export function openJanitor(options: JanitorOptions): { stop(): void } {
  const { clock, telemetry } = options
  let isStopped = false
  let cancel = (): void => {}
  const again = (): void => {
    if (isStopped) return
    cancel = clock.schedule(everyMs, () => {
      purgeOnce(options)
        .catch((error: unknown) => telemetry.log('warn', 'could not purge the log', { error: String(error) }))
        .finally(again)
    })
  }
  again()
  return {
    stop() {
      isStopped = true
      cancel()
    },
  }
}

export async function purgeOnce(options: JanitorOptions): Promise<PurgeResult> {
  const { stream, log, state, telemetry, nodeId, clock } = options
  const { isMine, incarnation, cursors } = await state.planPurge(nodeId, leaseMs)
  if (!isMine || cursors.length === 0) return { kind: 'kept', reason: 'not-mine' }
  const { incarnation: found, firstSequence, lastSequence } = await log.describe()
  const isForeign = cursors.some((cursor) => cursor.sequence > 0 && cursor.incarnation !== found)
  if (incarnation !== found || isForeign) return { kind: 'kept', reason: 'other-incarnation' }
  const read: number[] = []
  for (const { partition, sequence } of cursors) {
    const isAtItsEnd = (await log.lastSequence(partition)) <= sequence
    read.push(isAtItsEnd ? Math.max(sequence, lastSequence) : sequence)
  }
  const oldestKept = await findFirstSince(
    options,
    firstSequence,
    clock.now() - (options.keepMs ?? keepMs),
    lastSequence,
  )
  const through = Math.min(...read, oldestKept - 1)
  if (through < firstSequence) return { kind: 'kept', reason: 'nothing' }
  if (!(await state.recordPurge(nodeId, found, through))) return { kind: 'kept', reason: 'not-mine' }
  const { purged } = await stream.manager.streams.purge(streamName, { seq: through + 1 })
  telemetry.count('log_purged', {}, purged)
  telemetry.log('info', 'purged the log behind all cursors', { through, count: purged })
  return { kind: 'purged', through, count: purged }
}

/** The first sequence whose event was stored at or after `since`; one beyond the last when there is none. */
async function findFirstSince({ stream }: JanitorOptions, first: number, since: number, last: number): Promise<number> {
  let [low, high] = [Math.max(first, 1), last + 1]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const asked = { seq: middle, next_by_subj: '>' }
    const message = await stream.manager.streams.getMessage(streamName, asked)
    if (message === null || message.time.getTime() >= since) high = middle
    else low = message.seq + 1
  }
  return low
}
