/**
 * A proposed change of the machines, beside those that run: `DUOLOGUE_DRAFT` names a git ref of this clone, or a module
 * that exports a `registration`. It is shown, compared, and given old journals to run in memory; it hosts nothing.
 */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

import { parseCoverage } from '../charts/coverage/coverage.ts'
import type { Coverage } from '../charts/coverage/coverage.ts'
import { locateChart } from '../charts/locate-chart.ts'
import type { MachineRegistry } from '../machines/registry.ts'
import { hashOwnSources, hashSources } from './machine-sources.ts'
import { readMachinesOfRef } from './machines-of-ref.ts'
import { loadRegistration } from './machines.ts'

export type Draft = {
  /** As it was named. */
  readonly name: string
  readonly machines: MachineRegistry
  /** The hash of its sources. */
  readonly source: string
  readonly places: { readonly [machine: string]: { readonly [id: string]: string } }
  /** What its tests have walked, where it comes with that. */
  readonly coverage: readonly Coverage[]
}

/** Throws with a sentence when there is no such ref, or the module is no machine. */
export async function loadDraft(name: string): Promise<Draft> {
  return /\.[cm]?[jt]s$/u.test(name) ? loadModule(name) : loadRef(name)
}

async function loadModule(name: string): Promise<Draft> {
  const registration = await loadRegistration(name)
  const source = hashOwnSources(readFileSync(resolve(name), 'utf8'))
  return { name, machines: { [registration.machine.id]: registration }, source, places: {}, coverage: [] }
}

async function loadRef(name: string): Promise<Draft> {
  const { registry, sources, readFile } = await readMachinesOfRef(name)
  const places: { [machine: string]: { readonly [id: string]: string } } = {}
  const coverage: Coverage[] = []
  for (const [machineName, { machine }] of Object.entries(registry)) {
    const path = `src/machines/${machineName}/machine.ts`
    places[machineName] = locateChart(machine, path, sources.get(path) ?? '')
    const file = await readFile(`coverage/${machineName}@${machine.version}.json`).catch(() => null)
    if (file !== null) coverage.push(parseCoverage(JSON.parse(file)))
  }
  return { name, machines: registry, source: hashSources(sources), places, coverage }
}
