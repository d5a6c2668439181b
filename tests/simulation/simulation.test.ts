/**
 * The real host in a simulated world: two thousand seeds, each another order of everything that is ready and another
 * set of faults. `npm run simulate -- --seed N` replays one of them, decision by decision.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { runGuarded } from './run/seed-runner.ts'
import { runSeeds } from './run/run-seeds.ts'
import { findMissing, toLines } from './run/summary.ts'
import type { Scenario } from './world/scenario.ts'

const seeds = Number(process.env['SIMULATION_SEEDS'] ?? 2_000)
const stepsMin = 1_000_000 * Math.min(1, seeds / 2_000)
const withinMs = 20 * 60_000

test(
  `${seeds} seeds keep every promise, whatever fails`,
  async () => {
    const began = performance.now()
    const summary = await runSeeds({ first: 1, last: seeds, threads: 2, failuresMax: 3 })
    for (const line of toLines(summary, (performance.now() - began) / 1_000)) console.log(line)
    expect(summary.failures).toEqual([])
    expect(summary.seeds).toBe(seeds)
    expect(summary.steps).toBeGreaterThanOrEqual(stepsMin)
    // A fault that never came has shown nothing; nor has a world in which nobody was ever too late.
    expect(findMissing(summary)).toEqual([])
    expect(summary.counts['outcome stale session']).toBeGreaterThan(0)
    expect(summary.counts['outcome fenced']).toBeGreaterThan(0)
    expect(summary.counts['outcome duplicate session']).toBeGreaterThan(0)
    expect(summary.counts['seeds run twice']).toBeGreaterThanOrEqual(Math.floor(seeds / 100))
  },
  withinMs,
)

describe('what failed once', async () => {
  const folder = join(import.meta.dirname, 'fixtures')
  const files = (await readdir(folder)).filter((file) => file.endsWith('.json'))
  const fixtures = await Promise.all(
    files.map(
      async (file) => JSON.parse(await readFile(join(folder, file), 'utf8')) as { what: string; scenario: Scenario },
    ),
  )

  test.each(fixtures)('does not fail again: $what', async ({ scenario }) => {
    const { violations, steps } = await runGuarded(scenario)
    expect(violations).toEqual([])
    expect(steps).toBeGreaterThan(0)
  })
})
