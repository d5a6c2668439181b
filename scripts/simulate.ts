/**
 * `npm run simulate`: the real host over a simulated log, store, Twilio and assistant, with one seeded scheduler.
 *
 *   npm run simulate                         2,000 seeds
 *   npm run simulate -- --seeds 10000        more of them, from --first
 *   npm run simulate -- --seed 61            one seed, exactly as it ran, with every decision
 *   npm run simulate -- --seed 61 --steps 500:900   only these decisions of it
 *   npm run simulate -- --scenario FILE      a scenario as tests/simulation/fixtures keeps them
 *   npm run simulate -- --seed 61 --shrink   what remains of a failing seed when everything else is taken away
 */
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { runSeeds } from '../tests/simulation/run/run-seeds.ts'
import { runGuarded } from '../tests/simulation/run/seed-runner.ts'
import { shrink } from '../tests/simulation/run/shrink.ts'
import { findMissing, toLines } from '../tests/simulation/run/summary.ts'
import { makeScenario } from '../tests/simulation/world/make-scenario.ts'
import type { Scenario } from '../tests/simulation/world/scenario.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '2000' },
    first: { type: 'string', default: '1' },
    scenario: { type: 'string' },
    steps: { type: 'string' },
    shrink: { type: 'boolean', default: false },
    threads: { type: 'string', default: String(Math.min(2, availableParallelism())) },
  },
})

if (values.scenario !== undefined) await replay(JSON.parse(readFileSync(values.scenario, 'utf8')).scenario as Scenario)
else if (values.seed === undefined) await runMany()
else if (values.shrink) await shrinkOne(Number(values.seed))
else await replay(makeScenario(Number(values.seed)))

async function runMany(): Promise<void> {
  const began = performance.now()
  const first = Number(values.first)
  const last = first + Number(values.seeds) - 1
  const summary = await runSeeds({ first, last, threads: Number(values.threads), failuresMax: 10 })
  for (const line of toLines(summary, (performance.now() - began) / 1_000)) console.log(line)
  for (const { seed, violations } of summary.failures) {
    console.log(`seed ${seed} fails: ${violations[0]} (npm run simulate -- --seed ${seed})`)
  }
  const missing = findMissing(summary)
  if (missing.length > 0) console.log(`never happened: ${missing.join(', ')}`)
  if (summary.failures.length > 0) process.exitCode = 1
}

async function replay(scenario: Scenario): Promise<void> {
  const [from = 0, to = Infinity] = (values.steps ?? '').split(':').filter(Boolean).map(Number)
  let lines = 0
  const result = await runGuarded(scenario, (line) => {
    lines += 1
    if (lines >= from && lines <= to) console.log(`${String(lines).padStart(6)} ${line}`)
  })
  const { violations, steps, chartSteps, virtualMs, hash } = result
  console.log(
    `seed ${scenario.seed}: ${steps} steps, ${chartSteps} of charts, ${(virtualMs / 1_000).toFixed(0)} virtual seconds, ends with ${hash}`,
  )
  for (const violation of violations) console.log(`wrong: ${violation}`)
  if (violations.length > 0) process.exitCode = 1
}

async function shrinkOne(seed: number): Promise<void> {
  const { scenario, violations } = await shrink(makeScenario(seed))
  if (violations.length === 0) {
    console.log(`seed ${seed} does not fail`)
    return
  }
  for (const violation of violations) console.log(`wrong: ${violation}`)
  console.log(JSON.stringify({ what: violations[0], scenario }, null, 2))
}
