/**
 * `npm run mutants:machines`: how many mistakes the tests would find. First mistakes in the charts themselves, each walked in
 * memory with the oracle of the right one; then, by Stryker, mistakes in the code of the machines and of the step.
 * Takes long: half an hour on two cores. `-- --charts` makes only the first half, `-- --code` only the second.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

import { hunt } from '../../tests/model/kit/hunt.ts'
import { listMutations } from '../../tests/model/kit/mutations.ts'
import type { Mutation } from '../../tests/model/kit/mutations.ts'
import { createPlan, findExcuse } from '../../tests/model/kit/plan.ts'
import type { Model } from '../../tests/model/kit/model.ts'
import { models } from '../../tests/model/models.ts'

const repository = join(import.meta.dirname, '../..')
/** Those that pass the mutated place are the first; the others tell hardly ever. */
const walksMax = 30

if (!process.argv.includes('--code')) for (const model of Object.values(models)) await huntAll(model)
if (!process.argv.includes('--charts')) {
  const stryker = join(repository, 'node_modules/@stryker-mutator/core/bin/stryker.js')
  const { status } = spawnSync(process.execPath, [stryker, 'run'], { cwd: repository, stdio: 'inherit' })
  process.exitCode = status ?? 1
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
