/**
 * The versions of the chart before the newest one, oldest first: what of them may still be stored, and how each
 * snapshot becomes one of the next version. A version without its chart is retired: no build runs it any more.
 */
import type { JsonObject } from '../json.ts'
import type { OlderVersion, PersistedSnapshot } from '../registry.ts'
import { addMediaAndRates } from './add-media-and-rates.ts'

export const olderVersions: readonly OlderVersion[] = [
  { version: '1', registration: null, migrate: fromFirst },
  { version: '2', registration: null, migrate: addMediaAndRates },
]

/**
 * Version 2 added operators' acts, a second line of people, phrases of tenants, and tells the assistant why a
 * conversation failed. Every state of version 1 is one of version 2.
 */
function fromFirst(snapshot: PersistedSnapshot): PersistedSnapshot {
  const { recovery, ...context } = snapshot.context
  const reason: JsonObject | null = recovery === true ? { reason: 'it is not known' } : null
  return { ...snapshot, context: { ...context, recovery: reason, phrases: null, line: 'agent' } }
}
