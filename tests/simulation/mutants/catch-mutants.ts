/** Runs mutants, a few at a time, each in a copy of its own, and tells what has caught them. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import type { SimulatedMutant } from './mutant.ts'
import { createMutatedCopy } from './mutated-copy.ts'

export type Caught = {
  readonly name: string
  /** Null: it survived. */
  readonly by: string | null
  readonly seconds: number
}

/** A mutant that makes the simulation run in circles is caught as well. */
const timeoutMs = 240_000

export async function catchMutants(
  mutants: readonly SimulatedMutant[],
  atOnce: number,
  onCaught: (caught: Caught) => void = () => {},
): Promise<Caught[]> {
  const left = [...mutants]
  const all: Caught[] = []
  const work = async (): Promise<void> => {
    for (let mutant = left.shift(); mutant !== undefined; mutant = left.shift()) {
      const caught = await catchMutant(mutant)
      all.push(caught)
      onCaught(caught)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  return all
}

async function catchMutant(mutant: SimulatedMutant): Promise<Caught> {
  const began = performance.now()
  const copy = await createMutatedCopy()
  try {
    await copy.apply(mutant)
    const by = await runUntilFailure(copy.folder, mutant.seedsMax)
    return { name: mutant.name, by, seconds: (performance.now() - began) / 1_000 }
  } finally {
    await copy.remove()
  }
}

function runUntilFailure(folder: string, seedsMax: number): Promise<string | null> {
  const program = join(folder, 'tests/simulation/mutants/until-failure.ts')
  return new Promise((resolve) => {
    execFile(process.execPath, [program, String(seedsMax)], { cwd: folder, timeout: timeoutMs }, (error, output) => {
      if (error !== null) return resolve(`it does not run: ${error.message.split('\n').slice(0, 3).join(' ')}`)
      const found = JSON.parse(output) as { seed: number; violation: string } | null
      resolve(found === null ? null : `seed ${found.seed}, ${found.violation.slice(0, 140)}`)
    })
  })
}
