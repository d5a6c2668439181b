/**
 * `npm run mutants:machines`: how many mistakes the tests would find. First mistakes in the charts themselves, each walked in
 * memory with the oracle of the right one; then, by Stryker, mistakes in the code of the machines and of the step.
 * Takes long: half an hour on two cores. `-- --charts` makes only the first half, `-- --code` only the second, and
 * `-- --report` tells the last run of the second again. A mutant of the code that survives without a known reason fails it.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

import { hunt } from '../../tests/model/kit/hunt.ts'
import { listMutations } from '../../tests/model/kit/mutations.ts'
import type { Mutation } from '../../tests/model/kit/mutations.ts'
import { createPlan, findExcuse } from '../../tests/model/kit/plan.ts'
import type { Model } from '../../tests/model/kit/model.ts'
import { models } from '../../tests/model/models.ts'
import { readReport, sumUp, toScores, toSurvivors } from './report.ts'
import type { Score } from './report.ts'

const isReport = process.argv.includes('--report')
const repository = join(import.meta.dirname, '../..')
/** Those that pass the mutated place are the first; the others tell hardly ever. */
const walksMax = 30

if (!isReport && !process.argv.includes('--code')) for (const model of Object.values(models)) await huntAll(model)
if (!process.argv.includes('--charts')) {
  if (!isReport) runStryker()
  tellReport()
}

function runStryker(): void {
  const stryker = join(repository, 'node_modules/@stryker-mutator/core/bin/stryker.js')
  const { status } = spawnSync(process.execPath, [stryker, 'run'], { cwd: repository, stdio: 'inherit' })
  if (status !== 0) throw new Error(`Stryker ended with ${status}`)
}

function tellReport(): void {
  const report = readReport(join(repository, 'reports/mutants.json'))
  for (const score of toScores(report)) console.log(toLine(score))
  console.log(toLine(sumUp(toScores(report))))
  const survivors = toSurvivors(report)
  for (const [reason, known] of Map.groupBy(survivors, (survivor) => survivor.reason ?? '')) {
    if (reason !== '') console.log(`${known.length} survive: ${reason}`)
  }
  const unknown = survivors.filter(({ reason }) => reason === null)
  for (const { path, line, change } of unknown) console.log(`survives without a reason: ${path}:${line}: ${change}`)
  if (unknown.length > 0) process.exitCode = 1
}

function toLine({ path, caught, survived, uncovered, unloadable }: Score): string {
  const of = caught + survived + uncovered
  const share = of === 0 ? '' : `, ${((100 * caught) / of).toFixed(1)} %`
  return `${path}: ${caught} of ${of} are caught${share} (${survived} survive, ${uncovered} unreached, ${unloadable} unloadable)`
}

async function huntAll(model: Model): Promise<void> {
  const plan = createPlan(model)
  const mutations = listMutations(model.registration.machine)
  const survivors: Mutation[] = []
  for (const mutation of mutations) {
    const caught = await hunt(model, plan, mutation, walksMax)
    if (caught === null) survivors.push(mutation)
  }
  const { id } = model.registration.machine
  console.log(`${id}: ${mutations.length - survivors.length} of ${mutations.length} mutants of the chart are caught`)
  for (const mutation of survivors) console.log(`  survives: ${mutation.name}${explain(model, mutation)}`)
}

/** What nothing can walk cannot be told from a mistake either. */
function explain(model: Model, { transition, kind }: Mutation): string {
  if (transition === null) return ''
  const reason =
    findExcuse(model, transition) ?? (kind === 'missing guard' ? findExcuse(model, `${transition} false`) : null)
  return reason === null ? '' : ` (${reason})`
}
