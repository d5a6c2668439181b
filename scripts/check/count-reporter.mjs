/** A vitest reporter that writes how many tests passed and failed into the file that TEST_COUNT_FILE names. */
import { writeFileSync } from 'node:fs'

export default class CountReporter {
  onTestRunEnd(modules, errorsOutsideTests) {
    const count = { passed: 0, failed: errorsOutsideTests.length }
    for (const module of modules) {
      // An error of the file itself: it could not be loaded, or a hook failed.
      count.failed += module.errors().length
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        if (state === 'passed' || state === 'failed') count[state] += 1
      }
    }
    writeFileSync(process.env.TEST_COUNT_FILE, JSON.stringify(count))
  }
}
