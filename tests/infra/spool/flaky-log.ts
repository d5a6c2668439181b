/** A log in memory as one node sees it: several nodes share its entries, and each can be cut off from it. */
import { toPublicationId } from '../../../src/actors/logged-event.ts'
import type { EventPublisher, LoggedEvent } from '../../../src/actors/ports.ts'
import { toSessionKey } from '../../../src/actors/session-key.ts'

export type SharedLog = {
  /** In the order of storing, each publication once. */
  readonly entries: LoggedEvent[]
  attempts: number
}

export type FlakyLog = EventPublisher & {
  /** `cut`: no connection. `silent`: connected, and no acknowledgement. `deaf`: it stores, and does not acknowledge. */
  state: 'up' | 'cut' | 'silent' | 'deaf'
  isConnected(): boolean
  onDisconnect(listener: () => void): void
  cut(): void
}

const silenceMs = 150

export function createSharedLog(): SharedLog {
  return { entries: [], attempts: 0 }
}

export function openFlakyLog(shared: SharedLog, latencyMs = 1): FlakyLog {
  const stored = new Set(shared.entries.map(toPublicationId))
  const listeners: (() => void)[] = []
  const keep = (event: LoggedEvent): void => {
    for (const entry of shared.entries) stored.add(toPublicationId(entry))
    if (!stored.has(toPublicationId(event))) shared.entries.push(event)
  }
  const log: FlakyLog = {
    state: 'up',
    isConnected: () => log.state !== 'cut',
    onDisconnect: (listener) => void listeners.push(listener),
    cut() {
      log.state = 'cut'
      for (const listener of listeners) listener()
    },
    async publish(event) {
      shared.attempts += 1
      await pause(latencyMs)
      if (log.state === 'up' || log.state === 'deaf') keep(event)
      if (log.state === 'up') return { sequence: shared.entries.length, duplicate: false }
      await pause(silenceMs)
      throw new Error('no acknowledgement in time')
    },
  }
  return log
}

/** The bodies of one session's messages, in the order of the log. */
export function bodiesOf(shared: SharedLog, userKey: string): string[] {
  return shared.entries.flatMap((event) =>
    event.type === 'message.received' &&
    toSessionKey(event.businessAddress, event.userKey) === toSessionKey(event.businessAddress, userKey)
      ? [event.body]
      : [],
  )
}

export async function pause(delayMs: number): Promise<void> {
  await new Promise((resolve) => {
    setTimeout(resolve, delayMs)
  })
}
