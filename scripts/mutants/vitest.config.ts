/** The tests that hunt mutants of the charts and of the step: pure, fast, and the same on every run. */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: [
      // Not the random ones: thousands of mutants would wait for each of them, and the chart has its own hunt.
      'tests/machines/{lifecycle,operators,timers,registration,chart,split-text,closing-words,held-out-phrases}.test.ts',
      'tests/machines/{rates,voice-messages,older-versions,tenant-phrases,role-automaton}.test.ts',
      'tests/actors/{step,step-orders,effects,host}.test.ts',
    ],
    testTimeout: 60_000,
  },
})
