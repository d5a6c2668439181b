/**
 * The log, and whether it is still the one that it was (DESIGN D2). What one node finds is compared in the database
 * with what any node ever knew, so that all agree on the log's name (its incarnation) and an incident is told once.
 *
 * The order is what makes it certain: what the log had is recalled first, then the log is asked. Other nodes may
 * publish in between; it can only have become longer.
 */
import type { LogStateStore } from '../../actors/log-state-store.ts'
import type { Clock, EventLog, Telemetry } from '../../actors/ports.ts'

type Description = Awaited<ReturnType<EventLog['describe']>>
type Observed = { readonly found: Description; readonly answer: Description; readonly at: number }

/** A log that looks as it did needs the database only so often. */
const observeEveryMs = 5_000
/** How far back the provider is asked after an incident: WhatsApp lets nobody answer what is older. */
const reconcileBackMs = 24 * 3_600_000

const sentences = {
  recreated: 'the log is another one than before; it is read from its first event',
  shortened: 'the log has lost its newest events; it is read from its first event',
  gap: 'the log has lost events that were not read yet',
} as const

export type WatchedLogOptions = {
  readonly log: EventLog
  readonly state: Pick<LogStateStore, 'recallLog' | 'observeLog'>
  readonly clock: Clock
  readonly telemetry: Telemetry
}

/** Its `describe` needs the store too, and rejects without it. */
export function createWatchedLog({ log, state, clock, telemetry }: WatchedLogOptions): EventLog {
  let last: Observed | null = null
  return {
    ...log,
    async describe() {
      if (last !== null && clock.monotonic() - last.at < observeEveryMs) {
        const found = await log.describe()
        const { incarnation, incidents } = last.answer
        if (isAsBefore(last.found, found))
          return { ...found, incarnation, ...(incidents !== undefined && { incidents }) }
      }
      const recalled = await state.recallLog()
      const found = await log.describe()
      const { firstSequence, lastSequence } = found
      const { incarnation, incidents, incident } = await state.observeLog({
        found: { created: found.incarnation, firstSequence, lastSequence },
        recalled,
        incidentSince: clock.now() - reconcileBackMs,
      })
      if (incident !== null) {
        telemetry.count('log_incidents', { kind: incident })
        telemetry.log('error', sentences[incident], { incident, firstSequence, lastSequence, recalled: recalled.high })
      }
      const answer = { ...found, incarnation, incidents }
      last = { found, answer, at: clock.monotonic() }
      return answer
    },
  }
}

function isAsBefore(before: Description, now: Description): boolean {
  return (
    before.incarnation === now.incarnation &&
    before.firstSequence === now.firstSequence &&
    before.lastSequence <= now.lastSequence
  )
}
