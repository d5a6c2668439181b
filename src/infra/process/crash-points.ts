/**
 * Named crash points (DESIGN D7). Production has the empty one. For a crash test the process announces the
 * point on stdout and stands still there, wholly, until it is killed from outside.
 */
import { writeSync } from 'node:fs'

import type { CrashPoint, Reached } from '../../actors/ports.ts'

/** A test that forgot to kill must not leave a process behind. */
const standStillMsMax = 30_000

/** `atTime`: the how manieth time that it is reached. */
export function createReached(crashPoint: CrashPoint | null, atTime = 1): Reached {
  if (crashPoint === null) return () => {}
  let times = 0
  return (point) => {
    if (point !== crashPoint) return
    times += 1
    if (times < atTime) return
    writeSync(1, `${JSON.stringify({ crashPoint: point })}\n`)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, standStillMsMax)
    process.exit(70)
  }
}
