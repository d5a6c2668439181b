/**
 * Named crash points (DESIGN D7). Production has the empty one. For a crash test the process announces the
 * point on stdout and stands still there, wholly, until it is killed from outside.
 */
import { writeSync } from 'node:fs'

import type { CrashPoint, Reached } from '../../actors/ports.ts'

/** A test that forgot to kill must not leave a process behind. */
const standStillMsMax = 30_000

export function createReached(crashPoint: CrashPoint | null): Reached {
  if (crashPoint === null) return () => {}
  return (point) => {
    if (point !== crashPoint) return
    writeSync(1, `${JSON.stringify({ crashPoint: point })}\n`)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, standStillMsMax)
    process.exit(70)
  }
}
