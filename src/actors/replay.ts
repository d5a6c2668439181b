/**
 * Folds a journal again: the same events on the same machine give the same snapshots, and the hash chain
 * tells whether any event or snapshot in between is another one than was committed. Needs nothing but the
 * journal and the machine: no clock, no ids, no store. A conversation that was migrated is replayed by the charts
 * and the migrations of all its versions.
 */
import type { Json, JsonObject } from '../machines/json.ts'
import type { MachineRegistration } from '../machines/registry.ts'
import { toHostedVersions } from './machine-versions.ts'
import { migrateSnapshot, readMigration } from './migrate-snapshot.ts'
import { applyEvent, openConversation } from './step.ts'
import { toLinkHash } from './take-step.ts'

export type ReplayedEvent = {
  readonly version: number
  readonly event: Json
  readonly hash: string
  /** The version of the machine that took it. */
  readonly machineVersion: string
}

export type Replay =
  | { readonly kind: 'same'; readonly version: number; readonly snapshot: Json; readonly hash: string }
  /** The first version whose event, or what the machine makes of it, is not what was committed. */
  | { readonly kind: 'differs'; readonly version: number; readonly reason: string }

/** `journal`: all entries of one conversation, in version order. */
export function replayJournal(registration: MachineRegistration, journal: readonly ReplayedEvent[]): Replay {
  let snapshot = ''
  let hash = ''
  let version = 0
  for (const entry of journal) {
    version += 1
    if (entry.version !== version) return { kind: 'differs', version, reason: `the journal has no version ${version}` }
    const writer = findWriter(registration, entry)
    if (writer === null) {
      const reason = `this build has no chart of version ${entry.machineVersion} of '${registration.machine.id}'`
      return { kind: 'differs', version, reason }
    }
    const next = replayOne(registration, writer, snapshot, entry)
    if (next === null) return { kind: 'differs', version, reason: 'the machine ignores the event' }
    hash = toLinkHash(hash, entry.event, next)
    if (hash !== entry.hash) return { kind: 'differs', version, reason: 'the hash is another one' }
    snapshot = next
  }
  if (version === 0) return { kind: 'differs', version, reason: 'the journal is empty' }
  return { kind: 'same', version, snapshot: JSON.parse(snapshot) as Json, hash }
}

function findWriter(registration: MachineRegistration, { machineVersion }: ReplayedEvent): MachineRegistration | null {
  return toHostedVersions(registration).find(({ version }) => version === machineVersion)?.registration ?? null
}

function replayOne(
  registration: MachineRegistration,
  writer: MachineRegistration,
  snapshot: string,
  { event }: ReplayedEvent,
): string | null {
  const plain = event as JsonObject
  const migration = readMigration(plain)
  if (migration !== null) return migrateSnapshot(registration, migration, snapshot, {}).snapshot
  if (plain['type'] === 'conversation.opened') return openConversation(writer, plain['input'] ?? null).snapshot
  return applyEvent(writer, snapshot, plain)?.snapshot ?? null
}
