/**
 * The charts of this deployment: those of its machines, the kept ones in `charts/`, the thread that lays out
 * and the renderer of pictures. Nothing of it needs the database or the log.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'

import { parseChart } from '../charts/chart.ts'
import type { Chart } from '../charts/chart.ts'
import { createChartLibrary } from '../charts/library.ts'
import type { ChartLibrary, LibraryMachine } from '../charts/library.ts'
import { allowances } from '../charts/lint/allowances.ts'
import { locateChart } from '../charts/locate-chart.ts'
import type { LayoutEngine } from '../charts/layout/lay-out-chart.ts'
import type { Picture } from '../charts/picture.ts'
import { openLayoutThread } from '../infra/drawing/layout-thread.ts'
import { openPngRenderer } from '../infra/drawing/png-renderer.ts'
import { toEventExample } from '../machines/conversation/event-examples.ts'
import { registeredMachines } from '../machines/registered.ts'
import type { MachineRegistry } from '../machines/registry.ts'
import type { Draft } from './draft.ts'

export type ChartsPart = {
  readonly library: ChartLibrary
  readonly engine: LayoutEngine
  renderPng(svg: string, scale: number): Promise<Buffer>
  /** Starts the layout thread before anybody waits for it. */
  warm(): void
  close(): Promise<void>
}

export type ChartsOptions = {
  /** Those of the build unless told. */
  readonly machines?: MachineRegistry
  readonly draft?: Draft | null
  readonly onFailure: (error: unknown) => void
  /** How long one layout may take; 2 s unless told, since somebody waits for it. */
  readonly layoutTimeoutMs?: number
  /** Where kept charts are; the one of this clone unless told. */
  readonly folder?: string
}

const ownFolder = fileURLToPath(new URL('../../charts', import.meta.url))
const examples: { readonly [machine: string]: LibraryMachine['toExample'] } = { conversation: toEventExample }

export function openCharts(options: ChartsOptions): ChartsPart {
  const { machines, draft = null, onFailure, layoutTimeoutMs, folder = ownFolder } = options
  const thread = openLayoutThread(layoutTimeoutMs === undefined ? {} : { timeoutMs: layoutTimeoutMs })
  const renderer = openPngRenderer()
  const library = createChartLibrary({
    machines: listMachines(machines),
    drafts: draft === null ? {} : listDrafts(draft),
    stored: readStoredCharts(folder),
    pictures: readPictures(folder),
    engine: thread.engine,
    onFailure,
  })
  return {
    library,
    engine: thread.engine,
    renderPng: async (svg, scale) => renderer.render(svg, scale),
    warm: () => thread.warm(),
    async close() {
      renderer.close()
      await thread.close()
    },
  }
}

/** What is simulated opens as a usual WhatsApp conversation with the default settings. */
const opening = { at: 0, businessAddress: 'whatsapp:+14155238886', settings: {}, previous: null }

export function listMachines(machines: MachineRegistry = registeredMachines): {
  readonly [name: string]: LibraryMachine
} {
  return Object.fromEntries(
    Object.entries(machines).map(([name, registration]): [string, LibraryMachine] => {
      const { machine } = registration
      const path = `src/machines/${name}/machine.ts`
      return [
        name,
        {
          machine,
          input: registration.toInput(opening),
          toExample: examples[name] ?? (() => ({})),
          allowances: allowances[name] ?? [],
          places: locateChart(machine, path, readSource(path)),
        },
      ]
    }),
  )
}

function listDrafts({ machines, places }: Draft): { readonly [name: string]: LibraryMachine } {
  const listed = Object.entries(listMachines(machines))
  return Object.fromEntries(listed.map(([name, machine]) => [name, { ...machine, places: places[name] ?? {} }]))
}

/** Where a build carries no sources, nothing is said about them. */
function readSource(path: string): string {
  try {
    return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
  } catch {
    return ''
  }
}

const chartFile = /^[^.].*@.+\.json$/u

export function readStoredCharts(folder: string): readonly Chart[] {
  return list(folder)
    .filter((name) => chartFile.test(name))
    .toSorted()
    .map((name) => readStoredChart(`${folder}/${name}`))
}

export function readStoredChart(path: string): Chart {
  try {
    return parseChart(JSON.parse(readFileSync(path, 'utf8')))
  } catch (error) {
    throw new Error(`could not read the chart ${basename(path)}`, { cause: error })
  }
}

/** A picture file is named by the hash of its chart. */
function readPictures(folder: string): { readonly [hash: string]: Picture } {
  const names = list(`${folder}/pictures`).filter((name) => name.endsWith('.json'))
  const read = (name: string): Picture => JSON.parse(readFileSync(`${folder}/pictures/${name}`, 'utf8')) as Picture
  return Object.fromEntries(names.map((name) => [basename(name, '.json'), read(name)]))
}

function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
