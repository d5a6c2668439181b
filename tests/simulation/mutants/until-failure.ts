/** Run in a mutated copy: seeds from 1 on until one fails; prints it as one line of JSON. */
import { runSeed } from '../run/seed-runner.ts'

const seedsMax = Number(process.argv[2])
let found: { seed: number; violation: string } | null = null
for (let seed = 1; seed <= seedsMax && found === null; seed += 1) {
  const [violation] = (await runSeed(seed)).violations
  if (violation !== undefined) found = { seed, violation }
}
console.log(JSON.stringify(found))
