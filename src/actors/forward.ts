/** Sends an event on to the log of the session that it belongs to, again and again until the log has it. */
import { assert } from './assert.ts'
import { pause, toRetryDelay } from './committer.ts'
import type { LoggedEntry } from './entry.ts'
import type { Host } from './host.ts'
import { toForwarded } from './identities.ts'

/** Whoever owns partitions may not give commands, and a command names a session that exists. */
export function mayForward({ event }: LoggedEntry): boolean {
  return event.type !== 'command.issued' && event.type !== 'quarantine.released'
}

/** False: the partition was lost meanwhile, and its next owner does it. */
export async function forwardEvent(
  host: Host,
  { event, log }: LoggedEntry,
  home: string,
  isLost: () => boolean,
): Promise<boolean> {
  for (let attempt = 0; ; attempt += 1) {
    if (isLost()) return false
    try {
      assert(host.forward !== undefined, 'nothing can be sent on here')
      await host.forward.publish(toForwarded(event, home))
      break
    } catch (error) {
      const fields = { partition: log.partition, error: String(error) }
      host.telemetry.log('warn', 'could not send an event on to its session', fields)
      await pause(host, toRetryDelay(attempt, host.random()))
    }
  }
  host.telemetry.count('events_forwarded')
  return !isLost()
}
