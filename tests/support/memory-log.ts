/** The log in memory: the order and the positions of JetStream, without its partitions' hash (one partition). */
import { toKind, toPublicationId } from '../../src/actors/logged-event.ts'
import type { Clock, EventLog, EventPublisher, LogEntry, LoggedEvent } from '../../src/actors/ports.ts'
import { toSessionKey } from '../../src/actors/session-key.ts'

export type MemoryLog = EventLog &
  EventPublisher & {
    /** Puts anything on the log, as a foreign program could. */
    append(kind: string, sessionKey: string, data: Uint8Array): number
    /** Until released, readers are given nothing: what is appended meanwhile is in the log all the same. */
    hold(): void
    release(): void
    forgetPublications(): void
  }

export function createMemoryLog(clock: Clock): MemoryLog {
  const entries: LogEntry[] = []
  const readers = new Set<() => void>()
  const published = new Map<string, number>()
  let isHeld = false
  const wakeReaders = (): void => {
    if (!isHeld) for (const wake of readers) wake()
  }

  return {
    describe: async () => ({ incarnation: 'memory-1', firstSequence: 1, lastSequence: entries.length, partitions: 1 }),
    lastSequence: async () => entries.length,
    read(_partition, afterSequence, deliver) {
      let next = afterSequence
      let isDelivering = false
      let isStopped = false
      const pump = async (): Promise<void> => {
        if (isDelivering) return
        isDelivering = true
        for (let entry = entries[next]; entry !== undefined && !isStopped && !isHeld; entry = entries[next]) {
          next += 1
          await deliver(entry)
        }
        isDelivering = false
      }
      const wake = (): void => void pump()
      readers.add(wake)
      wake()
      return {
        async stop() {
          isStopped = true
          readers.delete(wake)
        },
      }
    },
    async publish(event: LoggedEvent) {
      const id = toPublicationId(event)
      const known = published.get(id)
      if (known !== undefined) return { sequence: known, duplicate: true }
      const data = new TextEncoder().encode(JSON.stringify(event))
      const sequence = this.append(toKind(event), toSessionKey(event.businessAddress, event.userKey), data)
      published.set(id, sequence)
      return { sequence, duplicate: false }
    },
    append(kind, sessionKey, data) {
      entries.push({ sequence: entries.length + 1, partition: 0, kind, sessionKey, at: clock.now(), data })
      wakeReaders()
      return entries.length
    },
    hold() {
      isHeld = true
    },
    release() {
      isHeld = false
      wakeReaders()
    },
    forgetPublications: () => published.clear(),
  }
}
