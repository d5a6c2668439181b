/** Writes complete results where they are kept: one JSON per day and kind of machine, and the latest as a page. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Goal } from '../goals.ts'
import type { ResidentSessionsResult } from '../heap/measure-resident-sessions.ts'
import type { RunResult } from '../run-load.ts'
import { toCpuSlug } from './machine.ts'
import type { Machine } from './machine.ts'
import { toGoalsTable, toPartsTable, toResidentTable, toRunsTable, toSpeedTable } from './tables.ts'

export type Results = {
  readonly at: string
  readonly command: string
  readonly machine: Machine
  /** What it ran with. */
  readonly settings: { readonly [name: string]: string }
  readonly runs: readonly RunResult[]
  readonly resident: ResidentSessionsResult | null
  readonly goals: readonly Goal[]
}

export async function publish(results: Results, folder: string): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true })
  const json = `${results.at.slice(0, 10)}-${toCpuSlug(results.machine)}.json`
  await writeFile(join(folder, json), `${JSON.stringify(results, null, 2)}\n`)
  await writeFile(join(folder, 'latest.md'), toPage(results))
  return [json, 'latest.md']
}

export function describeSettings({ machine, settings }: Pick<Results, 'machine' | 'settings'>): string {
  const { cpu, cpus, memoryGib, system, node } = machine
  const lines = [`- machine: ${cpus} × ${cpu}, ${memoryGib} GiB, ${system}, Node ${node}`]
  return [...lines, ...Object.entries(settings).map(([name, value]) => `- ${name}: ${value}`)].join('\n')
}

function toPage(results: Results): string {
  const { at, command, runs, resident, goals } = results
  const sections = [
    '# The benchmark, latest results',
    `\`${command}\`, ${at.slice(0, 10)}. Signed WhatsApp webhooks over 64 connections, closed loop; load generator, service and servers on the one machine. Medians of the runs. In the compared loads a message is one step and one record in both stacks: Duologue's answers are held back by a long quiet moment; "answered" is the same load with the default settings, where turns end, are drafted, sent and called back about during the load. "committed" counts acknowledged messages until the last of them was in the database.`,
    describeSettings(results),
    '## Speed',
    toSpeedTable(runs),
    '## What each part took',
    'CPU per message, CPU in a run, memory at its end. "Other CPUs busy": what everything else on the machine took meanwhile.',
    toPartsTable(runs),
    ...(resident === null ? [] : ['## Memory', toResidentTable(resident)]),
    '## Goals',
    toGoalsTable(goals),
    '## Every run, in order',
    toRunsTable(runs),
  ]
  return `${sections.join('\n\n')}\n`
}
