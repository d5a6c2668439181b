/**
 * Makes a failing scenario small: it drops faults, messages, nodes and chances as long as the same invariant still
 * fails. What remains is printed as a fixture, `tests/simulation/fixtures`.
 */
import type { Scenario } from '../world/scenario.ts'
import { runGuarded } from './seed-runner.ts'

const attemptsMax = 1_500

export async function shrink(
  scenario: Scenario,
): Promise<{ readonly scenario: Scenario; readonly violations: readonly string[] }> {
  const first = await runGuarded(scenario)
  const invariant = toInvariant(first.violations)
  let best = scenario
  let violations = first.violations
  let attempts = 0
  const fails = async (candidate: Scenario): Promise<boolean> => {
    attempts += 1
    const result = await runGuarded(candidate)
    if (attempts > attemptsMax || toInvariant(result.violations) !== invariant) return false
    best = candidate
    violations = result.violations
    return true
  }
  for (let before = ''; before !== JSON.stringify(best) && attempts < attemptsMax;) {
    before = JSON.stringify(best)
    await dropActions(() => best, fails)
    for (const smaller of toSmaller(best)) await fails(smaller)
    for (const fault of Object.keys(best.rates)) {
      const { [fault as keyof typeof best.rates]: _dropped, ...rates } = best.rates
      await fails({ ...best, rates })
    }
  }
  return { scenario: best, violations }
}

/** Halves first, then ever smaller pieces. */
async function dropActions(best: () => Scenario, fails: (candidate: Scenario) => Promise<boolean>): Promise<void> {
  for (let size = Math.ceil(best().actions.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let index = 0; index < best().actions.length;) {
      const actions = best().actions.toSpliced(index, size)
      if (!(await fails({ ...best(), actions }))) index += size
    }
  }
}

function toSmaller(scenario: Scenario): Scenario[] {
  const { nodes, partitions, night } = scenario
  return [
    ...(night === null ? [] : [{ ...scenario, night: null }]),
    ...(nodes > 1 ? [{ ...scenario, nodes: nodes - 1 }] : []),
    ...(partitions > 1 ? [{ ...scenario, partitions: 1 }] : []),
  ]
}

function toInvariant(violations: readonly string[]): string {
  return violations[0]?.split(':')[0] ?? ''
}
