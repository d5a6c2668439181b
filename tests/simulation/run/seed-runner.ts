/** Runs seeds one after the other in this thread, behind the trap; every hundredth seed runs twice. */
import { closeTrap } from '../engine/trap.ts'
import { makeScenario } from '../world/make-scenario.ts'
import { runScenario } from '../world/run-scenario.ts'
import type { Result } from '../world/run-scenario.ts'
import type { Scenario } from '../world/scenario.ts'
import type { Trace } from '../world/world.ts'

export const repeatEvery = 100

export async function runGuarded(scenario: Scenario, trace: Trace | null = null): Promise<Result> {
  const unhandled: string[] = []
  const onUnhandled = (error: unknown): void => void unhandled.push(String(error))
  process.on('unhandledRejection', onUnhandled)
  const trap = closeTrap()
  try {
    const result = await runScenario(scenario, trace)
    return {
      ...result,
      violations: [
        ...trap.caught.map((name) => `TRAP: ${name}`),
        ...unhandled.map((error) => `UNHANDLED: ${error}`),
        ...result.violations,
      ],
    }
  } catch (error) {
    return { violations: [`THROWN: ${error instanceof Error ? error.stack : String(error)}`], ...nothing }
  } finally {
    trap.open()
    process.off('unhandledRejection', onUnhandled)
  }
}

const nothing = { steps: 0, chartSteps: 0, virtualMs: 0, settledAfterMs: 0, counts: {}, hash: '' }

export async function runSeed(seed: number): Promise<Result> {
  const scenario = makeScenario(seed)
  const result = await runGuarded(scenario)
  if (seed % repeatEvery !== 0) return result
  const again = await runGuarded(scenario)
  const differs =
    again.hash === result.hash ? [] : [`REPLAY: the seed ended with ${result.hash} and with ${again.hash}`]
  return {
    ...result,
    violations: [...result.violations, ...differs],
    counts: { ...result.counts, 'seeds run twice': 1 },
  }
}
