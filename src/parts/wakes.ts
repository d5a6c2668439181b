/** Migrations that shall not wait for an event: looked after every few seconds where there are maps, else not at all. */
import { wakeMapped } from '../actors/wake-mapped.ts'
import type { Told } from '../actors/wake-mapped.ts'
import { processClock } from '../infra/process/clock.ts'
import type { MigrationMap } from '../machines/migration-map.ts'
import type { Parts } from './parts.ts'

const everyMs = 3_000

/** Answers how it is stopped. */
export function openWakes(
  { database, log, telemetry }: Pick<Parts, 'database' | 'log' | 'telemetry'>,
  maps: readonly MigrationMap[],
): () => void {
  const told: Told = new Map()
  const ports = { live: database.live, publisher: log.publisher, clock: processClock }
  let cancel = (): void => {}
  let isStopped = false
  const look = async (): Promise<void> => {
    try {
      for (const map of maps) await wakeMapped(ports, map, told)
    } catch (error) {
      telemetry.log('warn', 'conversations of an older version could not be woken', { error: String(error) })
    }
    if (!isStopped) cancel = processClock.schedule(everyMs, () => void look())
  }
  if (maps.length > 0) cancel = processClock.schedule(everyMs, () => void look())
  return () => {
    isStopped = true
    cancel()
  }
}
