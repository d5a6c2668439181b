/** A chart from whatever a caller names: a version that is kept or built, a file, or a git ref. */
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

import type { AnyStateMachine } from 'xstate'

import type { Chart } from '../../charts/chart.ts'
import { extractChart } from '../../charts/extract-chart.ts'
import { hashChart } from '../../charts/hash-chart.ts'
import type { MachineRegistration } from '../../machines/registry.ts'
import type { ChartLibrary } from '../../charts/library.ts'
import type { ReviewSide } from '../../charts/review/review.ts'
import { readStoredChart } from '../../parts/charts.ts'
import { hashOwnSources, hashSources } from '../../parts/machine-sources.ts'
import { readMachinesOfRef } from '../../parts/machines-of-ref.ts'
import { WrongUse } from '../command.ts'

/** What is simulated and what delays are asked with: a usual WhatsApp conversation. */
const opening = { at: 0, businessAddress: 'whatsapp:+14155238886', settings: {}, previous: null }

/** A chart as it is shown, and what it is made of, by which a review names it. */
export type ReadChart = { readonly chart: Chart; readonly side: ReviewSide }

/** `name`: `conversation@1`, `chart.json`, `machine.ts`, or a git ref, of which the machine `machineName` is taken. */
export async function readChart(name: string, machineName: string, library: ChartLibrary): Promise<ReadChart> {
  const known = library.find(name)
  if (known !== null) return toRead(known.chart, known.source === 'build' ? hashOwnSources() : null)
  if (/\.(?:json|ts)$/u.test(name) || existsSync(name)) return readFile(name, machineName)
  const { registry, sources } = await readMachinesOfRef(name)
  const registration = registry[machineName]
  if (registration === undefined) throw new Error(`${name} has no machine ${machineName}`)
  const chart = extractChart(registration.machine, registration.toInput(opening))
  const { side } = toRead(chart, hashSources(sources))
  return { chart: { ...chart, version: `${chart.version} (${name})` }, side }
}

function toRead(chart: Chart, source: string | null): ReadChart {
  const { machine, version } = chart
  return { chart, side: { machine, version, chart: hashChart(chart), source } }
}

async function readFile(name: string, machineName: string): Promise<ReadChart> {
  const path = resolve(name)
  if (!existsSync(path)) throw new WrongUse(`there is no file ${name}`)
  if (path.endsWith('.json')) return toRead(readStoredChart(path), null)
  const source = hashOwnSources(readFileSync(path, 'utf8'))
  const module = (await import(pathToFileURL(path).href)) as { readonly registration?: MachineRegistration }
  const { registration } = module
  // What a service loads as a draft is the same chart here.
  if (registration !== undefined)
    return toRead(extractChart(registration.machine, registration.toInput(opening)), source)
  const exported: readonly unknown[] = Object.values(module)
  const machines = exported.filter(isMachine)
  const machine = machines.find(({ id }) => id === machineName) ?? machines[0]
  if (machine === undefined) throw new Error(`${name} exports no machine`)
  return toRead(extractChart(machine), source)
}

function isMachine(value: unknown): value is AnyStateMachine {
  return typeof value === 'object' && value !== null && 'root' in value && 'implementations' in value
}
