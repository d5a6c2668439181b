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
import type { Step } from './step.ts'
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

/** One entry that the machine made again just as it was committed. */
export type ReplayedStep = { readonly entry: ReplayedEvent; readonly step: Step; readonly hash: string }
type Broken = Replay & { readonly kind: 'differs' }

/** `journal`: all entries of one conversation, in version order. */
export function replayJournal(registration: MachineRegistration, journal: readonly ReplayedEvent[]): Replay {
  const fold = foldJournal(registration, journal)
  let last: ReplayedStep | null = null
  for (;;) {
    const { done, value } = fold.next()
    if (done !== true) {
      last = value
      continue
    }
    if (value !== null) return value
    if (last === null) return { kind: 'differs', version: 0, reason: 'the journal is empty' }
    const { entry, step, hash } = last
    return { kind: 'same', version: entry.version, snapshot: JSON.parse(step.snapshot) as Json, hash }
  }
}

/** The same, step by step; ends with the first entry that is not what was committed, or null. */
export function* foldJournal<Entry extends ReplayedEvent>(
  registration: MachineRegistration,
  journal: readonly Entry[],
): Generator<ReplayedStep & { readonly entry: Entry }, Broken | null> {
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
    const step = replayOne(registration, writer, snapshot, entry)
    if (step === null) return { kind: 'differs', version, reason: 'the machine ignores the event' }
    hash = toLinkHash(hash, entry.event, step.snapshot)
    if (hash !== entry.hash) return { kind: 'differs', version, reason: 'the hash is another one' }
    snapshot = step.snapshot
    yield { entry, step, hash }
  }
  return null
}

function findWriter(registration: MachineRegistration, { machineVersion }: ReplayedEvent): MachineRegistration | null {
  return toHostedVersions(registration).find(({ version }) => version === machineVersion)?.registration ?? null
}

function replayOne(
  registration: MachineRegistration,
  writer: MachineRegistration,
  snapshot: string,
  { event }: ReplayedEvent,
): Step | null {
  const plain = event as JsonObject
  const migration = readMigration(plain)
  if (migration !== null) return migrateSnapshot(registration, migration, snapshot, {})
  if (plain['type'] === 'conversation.opened') return openConversation(writer, plain['input'] ?? null)
  return applyEvent(writer, snapshot, plain)
}
