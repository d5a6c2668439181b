/**
 * `npm run mutants`: mistakes are put into a copy of the code, one after the other, and each must be seen.
 *
 *   npm run mutants                      all of them
 *   npm run mutants -- --only barrier    those with this in their name
 */
import { parseArgs } from 'node:util'
import { catchMutants } from '../tests/simulation/mutants/catch-mutants.ts'
import type { Caught } from '../tests/simulation/mutants/catch-mutants.ts'
import { catchSqlMutants } from '../tests/simulation/mutants/catch-sql-mutants.ts'
import { simulatedMutants } from '../tests/simulation/mutants/simulated-mutants.ts'
import { testedMutants } from '../tests/simulation/mutants/tested-mutants.ts'
import { sqlMutants } from '../tests/simulation/mutants/sql-mutants.ts'

const { values } = parseArgs({
  options: { only: { type: 'string', default: '' }, atOnce: { type: 'string', default: '2' } },
})
const tell = ({ name, by, seconds }: Caught): void => {
  console.log(`${by === null ? 'SURVIVED' : 'caught'} ${name} (${seconds.toFixed(1)} s)${by === null ? '' : `: ${by}`}`)
}
const isChosen = ({ name }: { readonly name: string }): boolean => name.includes(values.only)
const simulated = await catchMutants(simulatedMutants.filter(isChosen), Number(values.atOnce), tell)
const tested = await catchMutants(testedMutants.filter(isChosen), 1, tell)
const sql = sqlMutants.some(isChosen) ? await catchSqlMutants(sqlMutants.filter(isChosen), tell) : []
const toCount = (caught: readonly Caught[]): string =>
  `${caught.filter(({ by }) => by !== null).length} of ${caught.length}`
console.log(
  `caught ${toCount(simulated)} by the simulation, ${toCount(sql)} by the comparison of the stores, ${toCount(tested)} by tests on PostgreSQL`,
)
if ([...simulated, ...tested, ...sql].some(({ by }) => by === null)) process.exitCode = 1
