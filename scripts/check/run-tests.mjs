/** Runs one project of vitest.config.ts and counts its tests. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runTool } from './tool.mjs'

/** `{ isRight, output, seconds, passed, failed }`. A run that went wrong has at least one failure. */
export async function runTests(project, { isLive = false } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'duologue-test-count-'))
  const countFile = join(folder, 'count.json')
  try {
    const args = ['run', '--project', project, '--reporter=default', '--reporter=./scripts/check/count-reporter.mjs']
    const run = await runTool('vitest/vitest.mjs', args, { isLive, env: { TEST_COUNT_FILE: countFile } })
    const { passed, failed } = await readCount(countFile)
    return { ...run, passed, failed: run.isRight ? failed : Math.max(failed, 1) }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Nothing is counted when vitest ended before it could tell. */
async function readCount(path) {
  try {
    return JSON.parse(await readFile(path, 'utf8'))
  } catch {
    return { passed: 0, failed: 0 }
  }
}
