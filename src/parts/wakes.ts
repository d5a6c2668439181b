/** Migrations that shall not wait for an event: looked after every few seconds where there are maps, else not at all. */
import type { Clock } from '../actors/ports.ts'
import { wakeMapped } from '../actors/wake-mapped.ts'
import type { Told, WakePorts } from '../actors/wake-mapped.ts'
import { processClock } from '../infra/process/clock.ts'
import type { MigrationMap } from '../machines/migration-map.ts'
import type { Parts } from './parts.ts'

const everyMs = 3_000

/** What of the parts it needs. */
export type WakeParts = {
  readonly database: { readonly live: WakePorts['live'] }
  readonly log: Pick<Parts['log'], 'publisher'>
  readonly telemetry: Pick<Parts['telemetry'], 'log'>
}

/** Answers how it is stopped. */
export function openWakes(
  { database, log, telemetry }: WakeParts,
  maps: readonly MigrationMap[],
  clock: Pick<Clock, 'now' | 'schedule'> = processClock,
): () => void {
  const told: Told = new Map()
  const ports = { live: database.live, publisher: log.publisher, clock }
  let cancel = (): void => {}
  let isStopped = false
  const wait = (): void => {
    if (!isStopped && maps.length > 0) cancel = clock.schedule(everyMs, () => void look())
  }
  const look = async (): Promise<void> => {
    for (const map of maps) {
      try {
        if (!isStopped) await wakeMapped(ports, map, told)
      } catch (error) {
        const { machine, from, to } = map
        const fields = { machine, from, to, error: String(error) }
        telemetry.log('warn', 'conversations of an older version could not be woken', fields)
      }
    }
    wait()
  }
  wait()
  return () => {
    isStopped = true
    cancel()
  }
}
