/** The tests that hunt mutants of the charts and of the step: pure, fast, and the same on every run. */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: [
      'tests/machines/{lifecycle,operators,timers,registration,chart,split-text,closing-words,held-out-phrases,totality}.test.ts',
      'tests/actors/{step,effects}.test.ts',
      'tests/model/memory-walks.test.ts',
    ],
    testTimeout: 60_000,
    env: { RANDOM_LIVES: '20', RANDOM_STEPS: '2000' },
  },
})
