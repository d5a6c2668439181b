/**
 * What a proposed machine would do to the conversations that are stored, asked for a review: the shapes of the database,
 * and the machine of the chart that is looked at, a draft's or this build's. Nothing is changed.
 */
import type { LiveReadModel } from '../actors/live-read-model.ts'
import { toHostedVersions } from '../actors/machine-versions.ts'
import { applyMigrations, migrateSnapshot } from '../actors/migrate-snapshot.ts'
import type { Timers } from '../actors/ports.ts'
import { restoreSnapshot } from '../actors/step.ts'
import { checkInFlight } from '../charts/in-flight/check-in-flight.ts'
import type { Proposal, Sample } from '../charts/in-flight/check-in-flight.ts'
import type { ChartLibrary, LibraryChart } from '../charts/library.ts'
import type { InFlightResult } from '../charts/review/in-flight-result.ts'
import type { MachineRegistration, PersistedSnapshot } from '../machines/registry.ts'

/** Conversations of each shape that are really migrated and restored. */
const samples = 5

export async function checkProposal(
  live: Pick<LiveReadModel, 'inFlight'>,
  library: ChartLibrary,
  head: LibraryChart,
  registration: MachineRegistration,
): Promise<InFlightResult> {
  const shapes = await live.inFlight(head.chart.machine, samples)
  return checkInFlight(toProposal(library, head, registration), shapes)
}

function toProposal(library: ChartLibrary, head: LibraryChart, registration: MachineRegistration): Proposal {
  const { machine } = registration
  const own = machine.version ?? ''
  return {
    chart: head.chart,
    hash: head.hash,
    machine,
    mapOf: () => null,
    chartOf: (version) => findWriter(library, head, version),
    isKnown: (version) => toHostedVersions(registration).some((hosted) => hosted.version === version),
    bring: (version, snapshot) => (version === own ? snapshot : applyMigrations(registration, version, own, snapshot)),
    tryOut: (version, sample) => tryOut(registration, version, sample),
  }
}

/** What runs wrote it, if it has that version; else what was kept of it. */
function findWriter(library: ChartLibrary, head: LibraryChart, version: string): LibraryChart | null {
  const ofVersion = library
    .list()
    .filter(
      ({ chart, source }) => chart.machine === head.chart.machine && chart.version === version && source !== 'draft',
    )
  return ofVersion[0] ?? (head.chart.version === version ? head : null)
}

function tryOut(registration: MachineRegistration, from: string, { snapshot, timers }: Sample): string | null {
  const to = registration.machine.version ?? ''
  try {
    if (from === to) registration.toStatus(restoreSnapshot(registration.machine, snapshot as PersistedSnapshot))
    else migrateSnapshot(registration, { from, to }, JSON.stringify(snapshot), timers as Timers)
    return null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
