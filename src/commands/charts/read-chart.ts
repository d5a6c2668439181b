/** A chart from whatever a caller names: a version that is kept or built, a file, or a git ref. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

import type { AnyStateMachine } from 'xstate'

import type { Chart } from '../../charts/chart.ts'
import { extractChart } from '../../charts/extract-chart.ts'
import type { ChartLibrary } from '../../charts/library.ts'
import { readStoredChart } from '../../parts/charts.ts'
import { WrongUse } from '../command.ts'
import { withMachinesOfRef } from './machines-of-ref.ts'

/** What is simulated and what delays are asked with: a usual WhatsApp conversation. */
const opening = { at: 0, businessAddress: 'whatsapp:+14155238886', settings: {}, previous: null }

/** `name`: `conversation@1`, `chart.json`, `machine.ts`, or a git ref, of which the machine `machineName` is taken. */
export async function readChart(name: string, machineName: string, library: ChartLibrary): Promise<Chart> {
  const known = library.find(name)
  if (known !== null) return known.chart
  if (/\.(?:json|ts)$/u.test(name) || existsSync(name)) return readFile(name, machineName)
  return withMachinesOfRef(name, async (registry) => {
    const registration = registry[machineName]
    if (registration === undefined) throw new Error(`${name} has no machine ${machineName}`)
    const chart = extractChart(registration.machine, registration.toInput(opening))
    return { ...chart, version: `${chart.version} (${name})` }
  })
}

async function readFile(name: string, machineName: string): Promise<Chart> {
  const path = resolve(name)
  if (!existsSync(path)) throw new WrongUse(`there is no file ${name}`)
  if (path.endsWith('.json')) return readStoredChart(path)
  const exported = Object.values((await import(pathToFileURL(path).href)) as object)
  const machines = exported.filter(isMachine)
  const machine = machines.find(({ id }) => id === machineName) ?? machines[0]
  if (machine === undefined) throw new Error(`${name} exports no machine`)
  return extractChart(machine)
}

function isMachine(value: unknown): value is AnyStateMachine {
  return typeof value === 'object' && value !== null && 'root' in value && 'implementations' in value
}
