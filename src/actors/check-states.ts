/**
 * What a build would do to the conversations that are stored (DESIGN D8): for every machine, version and state value
 * that somebody stands in, whether this build goes on with it, migrates it, or would leave it waiting for ever. Asked
 * of one snapshot for each, by the very functions that restore and migrate it in production; nothing is changed.
 */
import type { Json } from '../machines/json.ts'
import type { MachineRegistration, MachineRegistry, PersistedSnapshot } from '../machines/registry.ts'
import { toHostedVersions } from './machine-versions.ts'
import { migrateSnapshot } from './migrate-snapshot.ts'
import { restoreSnapshot } from './step.ts'

export type StandingState = {
  readonly machine: string
  readonly machineVersion: string
  readonly value: Json
  readonly count: number
  readonly open: number
  readonly snapshot: Json
}

export type CheckedState = Omit<StandingState, 'snapshot'> & {
  readonly outcome: 'ok' | 'migrated' | 'blocked'
  /** Why it is blocked, else null. */
  readonly reason: string | null
  /** The version that it goes on with; null when it does not. */
  readonly to: string | null
}

export function checkStates(registry: MachineRegistry, states: readonly StandingState[]): readonly CheckedState[] {
  return states.map(({ snapshot, ...state }) => ({ ...state, ...judge(registry, state, snapshot) }))
}

type Judgement = Pick<CheckedState, 'outcome' | 'reason' | 'to'>

function judge(
  registry: MachineRegistry,
  { machine, machineVersion }: Pick<StandingState, 'machine' | 'machineVersion'>,
  snapshot: Json,
): Judgement {
  const registration = registry[machine]
  if (registration === undefined) return block(`this build has no machine '${machine}'`)
  const known = toHostedVersions(registration).some(({ version }) => version === machineVersion)
  if (!known) return block(`this build does not know version ${machineVersion} of '${machine}'`)
  try {
    return goOn(registration, machineVersion, snapshot)
  } catch (error) {
    return block(error instanceof Error ? error.message : String(error))
  }
}

function goOn(registration: MachineRegistration, from: string, snapshot: Json): Judgement {
  const to = registration.machine.version ?? ''
  if (from === to) {
    const restored = restoreSnapshot(registration.machine, snapshot as PersistedSnapshot)
    // A snapshot that restores may still say nothing that an outsider knows.
    registration.toStatus(restored)
    return { outcome: 'ok', reason: null, to }
  }
  migrateSnapshot(registration, { from, to }, JSON.stringify(snapshot), {})
  return { outcome: 'migrated', reason: null, to }
}

function block(reason: string): Judgement {
  return { outcome: 'blocked', reason, to: null }
}
