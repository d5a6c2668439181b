/**
 * `npm run mutants`: mistakes are put into a copy of the code, one after the other, and each must be seen.
 *
 *   npm run mutants                      all of them
 *   npm run mutants -- --only barrier    those with this in their name
 */
import { parseArgs } from 'node:util'
import { catchMutants } from '../tests/simulation/mutants/catch-mutants.ts'
import { simulatedMutants } from '../tests/simulation/mutants/simulated-mutants.ts'

const { values } = parseArgs({ options: { only: { type: 'string', default: '' }, atOnce: { type: 'string', default: '2' } } })
const chosen = simulatedMutants.filter(({ name }) => name.includes(values.only))
const caught = await catchMutants(chosen, Number(values.atOnce), ({ name, by, seconds }) => {
  console.log(`${by === null ? 'SURVIVED' : 'caught  '} ${name} (${seconds.toFixed(1)} s)${by === null ? '' : `: ${by}`}`)
})
const survivors = caught.filter(({ by }) => by === null).length
console.log(`${caught.length - survivors} of ${caught.length} caught`)
if (survivors > 0) process.exitCode = 1
