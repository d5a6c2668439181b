/** Runs mutants, a few at a time, each in a copy of its own, and tells what has caught them. */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { SimulatedMutant, TestedMutant } from './mutant.ts'
import { createMutatedCopy } from './mutated-copy.ts'

export type Caught = {
  readonly name: string
  /** Null: it survived. */
  readonly by: string | null
  readonly seconds: number
}

const timeoutMs = 20 * 60_000

export async function catchMutants(
  mutants: readonly (SimulatedMutant | TestedMutant)[],
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

async function catchMutant(mutant: SimulatedMutant | TestedMutant): Promise<Caught> {
  const began = performance.now()
  const copy = await createMutatedCopy()
  try {
    await copy.apply(mutant)
    const by =
      'seedsMax' in mutant ? await runUntilFailure(copy.folder, mutant.seedsMax) : await runTest(copy.folder, mutant)
    return { name: mutant.name, by, seconds: (performance.now() - began) / 1_000 }
  } finally {
    await copy.remove()
  }
}

/** One that does not even start is no mutant. */
function runUntilFailure(folder: string, seedsMax: number): Promise<string | null> {
  const program = join(folder, 'tests/simulation/mutants/until-failure.ts')
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [program, String(seedsMax)], { cwd: folder, timeout: timeoutMs }, (error, output) => {
      if (error !== null) return reject(new Error('a mutated copy did not run to its end', { cause: error }))
      const found = JSON.parse(output) as { seed: number; violation: string } | null
      resolve(found === null ? null : `seed ${found.seed}, ${found.violation.slice(0, 140)}`)
    })
  })
}

/** The named test must fail: that it ran and found the mistake is read off its report. */
async function runTest(folder: string, { project, test, title }: TestedMutant): Promise<string | null> {
  const program = join(folder, 'node_modules/vitest/vitest.mjs')
  const report = join(folder, 'report.json')
  const options = ['run', '--project', project, test, '-t', title, '--reporter', 'json', '--outputFile', report]
  await new Promise<void>((resolve) => {
    execFile(process.execPath, [program, ...options], { cwd: folder, timeout: timeoutMs }, () => resolve())
  })
  const { numFailedTests, numPassedTests } = JSON.parse(await readFile(report, 'utf8')) as {
    readonly numFailedTests: number
    readonly numPassedTests: number
  }
  if (numFailedTests + numPassedTests === 0) throw new Error(`no test is called '${title}'`)
  return numFailedTests > 0 ? `${numFailedTests} failed of '${title}'` : null
}
