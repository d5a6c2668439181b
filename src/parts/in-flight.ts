/** The check before a deploy, with what this build knows: its machines, the kept charts, and the maps in `migrations/`. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import type { LiveReadModel } from '../actors/live-read-model.ts'
import { applyMigrations, migrateSnapshot } from '../actors/migrate-snapshot.ts'
import { restoreSnapshot } from '../actors/step.ts'
import { checkInFlight } from '../charts/in-flight/check-in-flight.ts'
import type { Proposal, Sample } from '../charts/in-flight/check-in-flight.ts'
import type { ChartLibrary, LibraryChart } from '../charts/library.ts'
import type { MapAnswer } from '../charts/live/live-answer.ts'
import type { InFlightResult } from '../charts/review/in-flight-result.ts'
import { reviveMachine } from '../charts/simulate/revive-machine.ts'
import { readMigrationMap, withMigrationMaps } from '../machines/migration-map.ts'
import type { MigrationMap } from '../machines/migration-map.ts'
import type { MachineRegistration, MachineRegistry, PersistedSnapshot } from '../machines/registry.ts'

/** `edited`: a map that is not kept yet, and stands in for the kept one of the same versions. Changes nothing. */
export type InFlightCheck = (entry: LibraryChart, edited?: MigrationMap | null) => Promise<InFlightResult>

type Known = {
  readonly library: Pick<ChartLibrary, 'find'>
  readonly machines: MachineRegistry
  /** Machines that are proposed and run nowhere. */
  readonly drafts: MachineRegistry
  readonly live: Pick<LiveReadModel, 'inFlight'>
  readonly maps: readonly MigrationMap[]
}

const ownFolder = fileURLToPath(new URL('../../migrations', import.meta.url))
/** Conversations of each shape that are tried out. */
const samples = 10

export function createInFlightCheck(known: Known): InFlightCheck {
  return async (entry, edited = null) => {
    const kept = known.maps.filter((map) => edited === null || !isSameHop(map, edited))
    const maps = edited === null ? kept : [...kept, edited]
    return checkInFlight(toProposal(entry, { ...known, maps }), await known.live.inFlight(entry.chart.machine, samples))
  }
}

/** Which map an editor begins with: from the last version before the proposed one. */
export function createMapReader(
  known: Pick<Known, 'machines' | 'drafts' | 'maps'>,
): (entry: LibraryChart) => MapAnswer {
  return ({ chart, source }) => {
    const { machines, drafts, maps } = known
    const proposed = (source === 'draft' ? drafts[chart.machine] : undefined) ?? machines[chart.machine]
    const older = (proposed?.versions ?? []).filter(({ version }) => version !== chart.version)
    const from = (source === 'stored' ? proposed?.machine.version : older.at(-1)?.version) ?? null
    const map = maps.find((one) => one.machine === chart.machine && one.from === from && one.to === chart.version)
    return { from: from === chart.version ? null : from, map: map ?? null }
  }
}

function isSameHop(one: MigrationMap, other: MigrationMap): boolean {
  return one.machine === other.machine && one.from === other.from && one.to === other.to
}

/** `<machine>@<from>-<to>.json`; a folder that is not there holds none. Throws when a file is no map. */
export function readMigrationMaps(folder: string = ownFolder): readonly MigrationMap[] {
  let names: readonly string[]
  try {
    names = readdirSync(folder).filter((name) => /^[^.].*@.+-.+\.json$/u.test(name))
  } catch {
    return []
  }
  return names.toSorted().map((name) => {
    try {
      return readMigrationMap(JSON.parse(readFileSync(`${folder}/${name}`, 'utf8')))
    } catch (error) {
      throw new Error(`could not read the migration map ${name}`, { cause: error })
    }
  })
}

function toProposal(entry: LibraryChart, { library, machines, drafts, maps }: Known): Proposal {
  const { chart, hash } = entry
  const today = (entry.source === 'draft' ? drafts[chart.machine] : undefined) ?? machines[chart.machine] ?? null
  const proposed = toRegistration(entry, today)
  const last = proposed?.versions?.at(-1)?.version ?? null
  const listed = (version: string): boolean =>
    version === chart.version || proposed?.versions?.some((one) => one.version === version) === true
  const ofMachine = maps.filter(({ machine, to }) => machine === chart.machine && to === chart.version)
  const mapped = proposed === null ? null : withMigrationMaps(proposed, ofMachine)
  return {
    chart,
    hash,
    machine: proposed?.machine ?? reviveMachine(chart, null),
    mapOf: (version) => ofMachine.find(({ from }) => from === (listed(version) ? last : version)) ?? null,
    chartOf: (version) => library.find(`${chart.machine}@${version}`),
    isKnown: listed,
    bring: (version, snapshot) =>
      proposed === null || version === chart.version || !listed(version)
        ? snapshot
        : applyMigrations(proposed, version, chart.version, snapshot),
    tryOut: (version, sample) => (mapped === null ? null : tryOut(mapped, version, chart.version, sample)),
  }
}

/** The machines as they migrate: with the maps that lie beside them. Whoever replays a journal needs them too. */
export function withKeptMaps(machines: MachineRegistry): MachineRegistry {
  const maps = readMigrationMaps()
  return Object.fromEntries(Object.entries(machines).map(([name, one]) => [name, withMigrationMaps(one, maps)]))
}

/** The machine that a chart would run as: the build's own, or one made of the chart, which follows on the build's. */
function toRegistration(
  { chart, source }: LibraryChart,
  today: MachineRegistration | null,
): MachineRegistration | null {
  if (today === null || source !== 'stored') return today
  const { machine, versions = [] } = today
  const own = {
    version: machine.version ?? '',
    registration: today,
    migrate: (snapshot: PersistedSnapshot) => snapshot,
  }
  const older = [...versions, own].filter(({ version }) => version !== chart.version)
  return { ...today, machine: reviveMachine(chart, machine), versions: older }
}

function tryOut(
  registration: MachineRegistration,
  from: string,
  to: string,
  { snapshot, timers }: Sample,
): string | null {
  try {
    if (from === to) registration.toStatus(restoreSnapshot(registration.machine, snapshot as PersistedSnapshot))
    else migrateSnapshot(registration, { from, to }, JSON.stringify(snapshot), timers as never)
    return null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
