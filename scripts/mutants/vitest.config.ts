/** The tests that hunt mutants of the machines and of the step: pure, fast, and the same on every run. */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['tests/machines/*.test.ts', 'tests/actors/{step,step-orders,effects,migrate-snapshot}.test.ts'],
    // Not the slow ones: thousands of mutants would wait for each of them, and the chart has its own hunt.
    exclude: ['tests/machines/{oracle,totality,kept-vocabularies}.test.ts'],
    // One worker for all files; each mutant's run reads the code in anew.
    isolate: false,
    testTimeout: 60_000,
  },
})
