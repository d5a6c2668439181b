/** `npm test`: first what `npm run check` does, then the tests with real processes. The last line counts both. */
import { runChecks } from './check/checks.mjs'
import { runTests } from './check/run-tests.mjs'

// `npm run check` walks fewer random lives, to stay fast.
process.env.RANDOM_LIVES ??= '1500'
process.env.RANDOM_STEPS ??= '1000000'
const checks = await runChecks()
const slow = await runTests('slow', { isLive: true })

const wrong = [...checks.wrong, ...(slow.isRight ? [] : ['slow tests'])]
if (wrong.length > 0) {
  console.log(`wrong: ${wrong.join(', ')}`)
  process.exitCode = 1
}
// A wrong format, lint or type is a failure as well: nobody shall read "0 failed" of a run that failed.
const otherFailures = checks.wrong.filter((name) => name !== 'fast tests').length
console.log(`${checks.passed + slow.passed} passed, ${checks.failed + slow.failed + otherFailures} failed`)
