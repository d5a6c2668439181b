/**
 * Which version of a machine this node may write (DESIGN D8). A build hosts several versions of a chart at once: the
 * newest, and older ones while nodes that know nothing newer are live, or snapshots of theirs are stored.
 *
 * 1. New conversations open, and old ones are migrated, at the newest version that every live node has announced.
 * 2. A conversation never goes back to an older version: after a rollback it goes on where it is.
 * 3. A snapshot of a version that this build does not know is not touched.
 */
import type { MachineRegistration, MachineRegistry } from '../machines/registry.ts'
import { assert } from './assert.ts'
import type { MachineNeed, MachineVersions } from './ports.ts'

/** One version of a machine in this build. `registration` is null when its snapshots are only migrated. */
export type HostedVersion = { readonly version: string; readonly registration: MachineRegistration | null }

/** All versions of a machine, oldest first; the newest is the registration's own. */
export function toHostedVersions(registration: MachineRegistration): readonly HostedVersion[] {
  const newest = { version: registration.machine.version ?? '', registration }
  return [...(registration.versions ?? []), newest]
}

/** What a node announces: the versions of each machine that it can run. */
export function toKnownVersions(registry: MachineRegistry): MachineVersions {
  return Object.fromEntries(
    Object.entries(registry).map(([machine, registration]) => [
      machine,
      toHostedVersions(registration).flatMap((hosted) => (hosted.registration === null ? [] : [hosted.version])),
    ]),
  )
}

/** Whether this build can go on with a conversation of this version, by its chart or by migrating it. */
export function knowsVersion(registry: MachineRegistry, { machine, version }: MachineNeed): boolean {
  const registration = registry[machine]
  return registration !== undefined && toHostedVersions(registration).some((hosted) => hosted.version === version)
}

/**
 * The newest version that every live node knows. While there is none (a deploy has skipped a version) it is the
 * oldest that this build runs: whoever does not know it hands its partitions over.
 */
export function toCurrentVersion(registration: MachineRegistration, common: MachineVersions): MachineRegistration {
  if (registration.versions === undefined) return registration
  const runnable = toHostedVersions(registration).flatMap((hosted) => hosted.registration ?? [])
  const known = common[registration.machine.id] ?? []
  const current = runnable.findLast(({ machine }) => known.includes(machine.version ?? '')) ?? runnable[0]
  assert(current !== undefined, `no version of the machine '${registration.machine.id}' runs in this build`)
  return current
}

/** The chart with which a conversation of `version` takes its next event: its own, or the one it is migrated to. */
export function toNextVersion(
  registration: MachineRegistration,
  version: string,
  common: MachineVersions,
): MachineRegistration {
  // Most machines have one version, and every event comes by here.
  if (registration.versions === undefined && registration.machine.version === version) return registration
  const hosted = toHostedVersions(registration)
  const index = hosted.findIndex((each) => each.version === version)
  assert(index >= 0, `this build does not know version ${version} of the machine '${registration.machine.id}'`)
  const current = toCurrentVersion(registration, common)
  const currentIndex = hosted.findIndex((each) => each.registration === current)
  return index < currentIndex ? current : (hosted[index]?.registration ?? current)
}
