/** Where a process spent its time: the functions of a V8 CPU profile by their own time. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { toTable } from './tables.ts'

type Profile = {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
  }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

const shownMax = 30

/** A table of the newest profile in the folder. */
export function toProfileTable(folder: string): string {
  const newest = readdirSync(folder)
    .filter((name) => name.endsWith('.cpuprofile'))
    .toSorted()
    .at(-1)
  if (newest === undefined) throw new Error(`no CPU profile was written into ${folder}`)
  const profile = JSON.parse(readFileSync(join(folder, newest), 'utf8')) as Profile
  const ownUs = toOwnTimes(profile)
  const busyUs = [...ownUs].reduce((sum, [name, us]) => (isIdle(name) ? sum : sum + us), 0)
  const rows = [...ownUs]
    .filter(([name]) => !isIdle(name))
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, shownMax)
    .map(([name, us]) => [name, (us / 1_000).toFixed(0), `${((us / busyUs) * 100).toFixed(1)} %`])
  return toTable(['function', 'own ms', 'of busy time'], rows)
}

function toOwnTimes({ nodes, samples, timeDeltas }: Profile): ReadonlyMap<string, number> {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, toName(callFrame)]))
  const own = new Map<string, number>()
  for (const [index, id] of samples.entries()) {
    const name = names.get(id) ?? '?'
    own.set(name, (own.get(name) ?? 0) + (timeDeltas[index] ?? 0))
  }
  return own
}

function toName({ functionName, url, lineNumber }: Profile['nodes'][number]['callFrame']): string {
  const name = functionName === '' ? '(anonymous)' : functionName
  if (url === '') return name
  const place = url.replace(/^.*\/(?=node_modules\/|src\/)/u, '')
  return `${name} ${place}:${lineNumber + 1}`
}

function isIdle(name: string): boolean {
  return name === '(idle)' || name === '(program)'
}
