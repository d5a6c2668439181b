/** Runs one project of vitest.config.ts and counts its tests. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runTool } from './tool.mjs'

/** `{ isRight, output, seconds, passed, failed }`. What vitest calls an error without a failed test counts as one failure. */
export async function runTests(project, options = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'duologue-test-report-'))
  const report = join(folder, 'report.json')
  try {
    const args = ['run', '--project', project, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
    const run = await runTool('vitest/vitest.mjs', args, options)
    const { passed, failed } = await count(report)
    return { ...run, passed, failed: run.isRight ? failed : Math.max(failed, 1) }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function count(report) {
  try {
    const { numPassedTests, numFailedTests, testResults } = JSON.parse(await readFile(report, 'utf8'))
    const brokenFiles = testResults.filter(
      (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
    )
    return { passed: numPassedTests, failed: numFailedTests + brokenFiles.length }
  } catch {
    return { passed: 0, failed: 0 }
  }
}
