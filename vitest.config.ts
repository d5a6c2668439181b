/**
 * Two projects; the folder of a test decides. `slow` holds those that start real processes (servers,
 * databases, browsers, other Nodes) or read in the whole program, `fast` all others.
 */
import { defineConfig } from 'vitest/config'

const foldersWithProcesses =
  'tests/{infra,e2e,crash,cluster,browser,scripts,commands,bench,simulation,model/service}/**/*.test.ts'

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'fast',
          include: ['tests/**/*.test.ts'],
          exclude: [foldersWithProcesses],
          // Pure code leaves nothing behind in a worker; loading it once saves seconds.
          isolate: false,
          testTimeout: 5_000,
        },
      },
      {
        test: {
          name: 'slow',
          include: [foldersWithProcesses],
          pool: 'forks',
          maxWorkers: 2,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
})
