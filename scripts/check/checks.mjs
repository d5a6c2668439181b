/** What `npm run check` checks: format, lint, types and the fast tests, at the same time. */
import { runTests } from './run-tests.mjs'
import { runTool } from './tool.mjs'

/** The types of what has not changed are known from the last check. */
const remembering = ['--incremental', '--tsBuildInfoFile', 'node_modules/.cache/duologue.tsbuildinfo']

/** Prints each result as it comes; returns `{ wrong, passed, failed }`: names of wrong checks, and the tests counted. */
export async function runChecks() {
  const tests = runTests('fast')
  const checks = {
    format: runTool('oxfmt/bin/oxfmt', ['--check', '.']),
    lint: runTool('oxlint/bin/oxlint', ['--type-aware', '--deny-warnings', '--format=stylish']),
    types: runTool('typescript/bin/tsc', ['--noEmit', '--project', '.', ...remembering]),
    'types of the pages': runTool('typescript/bin/tsc', ['--noEmit', '--project', 'web']),
    'fast tests': tests,
  }
  const results = await Promise.all(Object.entries(checks).map(([name, running]) => report(name, running)))
  const { passed, failed } = await tests
  return { wrong: results.filter((result) => !result.isRight).map((result) => result.name), passed, failed }
}

async function report(name, running) {
  const { isRight, output, seconds } = await running
  console.log(`${isRight ? '✓' : '✗'} ${name} (${seconds.toFixed(1)} s)`)
  if (!isRight) console.log(output.trimEnd())
  return { name, isRight }
}
