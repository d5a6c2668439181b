/**
 * What walks have walked, as data that a page can show and CI compares: `coverage/<machine>@<version>.json`. Nothing in
 * it depends on when or where it was made.
 */
import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { extractChart } from '../../../src/charts/extract-chart.ts'
import { hashChart } from '../../../src/charts/hash-chart.ts'
import { listMachines } from '../../../src/parts/charts.ts'
import { nameOf } from './model.ts'
import type { Model } from './model.ts'
import { findExcuse, toPair } from './plan.ts'
import { toText } from './to-text.ts'
import type { WalkReport } from './walk.ts'
import { toChartParts } from './walked.ts'

/** Names of the walks that walked it, in order. */
type Walks = readonly string[]

export type Coverage = {
  readonly machine: string
  readonly version: string
  /** sha256 of the machine's definition: another one makes this file out of date. */
  readonly hash: string
  /** The hash of its chart: a page says with it whether the file is of what it shows. */
  readonly chart: string
  readonly walks: number
  readonly steps: number
  readonly states: { readonly [state: string]: Walks }
  readonly transitions: { readonly [transition: string]: Walks }
  readonly guards: { readonly [transition: string]: { readonly true: Walks; readonly false: Walks } }
  /** Consecutive transitions through a risky state. */
  readonly pairs: { readonly [pair: string]: Walks }
  /** What nothing walks, with the reason. */
  readonly unwalked: { readonly [item: string]: string }
}

export function createCoverage(model: Model, reports: readonly WalkReport[]): Coverage {
  const { machine } = model.registration
  const parts = toChartParts(machine)
  const states = new Map<string, string[]>()
  const items = new Map<string, string[]>()
  const pairs = new Map<string, string[]>()
  for (const { walk, steps } of reports) {
    let last: string | undefined
    for (const { from, to, walked } of steps) {
      for (const state of from === '(new)' ? [to] : [from, to]) note(states, `${machine.id}.${state}`, walk.id)
      for (const item of [...walked.transitions, ...walked.outcomes]) note(items, item, walk.id)
      const [next] = walked.transitions
      if (next !== undefined && last !== undefined && model.isRisky(from)) note(pairs, toPair(last, next), walk.id)
      // An ignored event stands between two transitions: they are no pair then.
      last = walked.transitions.at(-1)
    }
  }
  const of = (item: string): Walks => items.get(item) ?? []
  const all = [...parts.transitions, ...parts.guarded.flatMap((id) => [`${id} true`, `${id} false`])]
  const unwalked = all.filter((item) => of(item).length === 0)
  return {
    machine: nameOf(model),
    version: machine.version ?? '',
    hash: hashMachine(model),
    chart: hashModelChart(model),
    walks: reports.length,
    steps: reports.reduce((sum, { steps }) => sum + steps.length, 0),
    states: toObject(parts.states, (state) => states.get(state) ?? []),
    transitions: toObject(parts.transitions, of),
    guards: toObject(parts.guarded, (id) => ({ true: of(`${id} true`), false: of(`${id} false`) })),
    pairs: toObject([...pairs.keys()].toSorted(), (pair) => pairs.get(pair) ?? []),
    unwalked: toObject(unwalked, (item) => findExcuse(model, item) ?? ''),
  }
}

/** What nothing walked although the model gives no reason for it. */
export function findUncovered({ unwalked, states }: Coverage): readonly string[] {
  const items = Object.entries(unwalked).filter(([, reason]) => reason === '')
  const never = Object.entries(states).filter(([, walks]) => walks.length === 0)
  return [...items, ...never].map(([item]) => item)
}

export function summarize({ states, transitions, guards, pairs, unwalked, walks, steps }: Coverage): string {
  const walkedOf = (all: readonly Walks[]): string =>
    `${all.filter(({ length }) => length > 0).length} of ${all.length}`
  const outcomes = Object.values(guards).flatMap((guard) => [guard.true, guard.false])
  return [
    `${walks} walks, ${steps} steps`,
    `states ${walkedOf(Object.values(states))}`,
    `transitions ${walkedOf(Object.values(transitions))}`,
    `guard outcomes ${walkedOf(outcomes)}`,
    `pairs through risky states ${Object.keys(pairs).length}`,
    `excused, with a reason: ${Object.values(unwalked).filter((reason) => reason !== '').length}`,
  ].join('; ')
}

export function hashMachine({ registration }: Model): string {
  return createHash('sha256').update(toText(registration.machine.definition)).digest('hex')
}

function hashModelChart({ registration }: Model): string {
  const { id } = registration.machine
  const listed = listMachines({ [id]: registration })[id]
  return hashChart(extractChart(registration.machine, listed?.input))
}

export function coverageFile(model: Model): string {
  const { machine } = model.registration
  return join(import.meta.dirname, '../../../coverage', `${machine.id}@${machine.version}.json`)
}

export async function readCoverage(model: Model): Promise<Coverage> {
  return JSON.parse(await readFile(coverageFile(model), 'utf8')) as Coverage
}

export async function writeCoverage(model: Model, coverage: Coverage): Promise<void> {
  await writeFile(coverageFile(model), toJson(coverage))
}

/** One line for each thing that is walked, so that a change of the chart is a readable change of the file. */
function toJson(coverage: Coverage): string {
  const parts = Object.entries(coverage).map(([name, value]) => {
    if (typeof value !== 'object') return `  ${JSON.stringify(name)}: ${JSON.stringify(value)}`
    const lines = Object.entries(value as object).map(
      ([key, each]) => `    ${JSON.stringify(key)}: ${JSON.stringify(each)}`,
    )
    return `  ${JSON.stringify(name)}: {\n${lines.join(',\n')}\n  }`
  })
  return `{\n${parts.join(',\n')}\n}\n`
}

function note(found: Map<string, string[]>, item: string, walkId: string): void {
  const walks = found.get(item) ?? []
  if (walks.at(-1) !== walkId) found.set(item, [...walks, walkId])
}

function toObject<T>(keys: readonly string[], valueOf: (key: string) => T): { readonly [key: string]: T } {
  return Object.fromEntries(keys.map((key) => [key, valueOf(key)]))
}
