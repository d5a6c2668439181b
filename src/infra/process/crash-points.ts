/**
 * Named crash points (DESIGN D7). Production has the empty one. For a crash test the process announces the
 * point on stdout and stands still there, wholly, until it is killed from outside: at the first time, or at the
 * first time after a SIGUSR2, so that a test can bring many conversations to where it wants them before.
 */
import { writeSync } from 'node:fs'

import type { CrashPoint, Reached } from '../../actors/ports.ts'

/** A test that forgot to kill must not leave a process behind. */
const standStillMsMax = 30_000

export function createReached(crashPoint: CrashPoint | null, isOnSignal: boolean): Reached {
  if (crashPoint === null) return () => {}
  let isArmed = !isOnSignal
  if (isOnSignal) process.on('SIGUSR2', () => (isArmed = true))
  return (point) => {
    if (point !== crashPoint || !isArmed) return
    writeSync(1, `${JSON.stringify({ crashPoint: point })}\n`)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, standStillMsMax)
    process.exit(70)
  }
}
