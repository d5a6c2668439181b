/**
 * Children that outlived the process that started them (it was killed): they still write into the folder. They are ended
 * before anybody opens that data again, and only if pid, start time and command line are all the recorded ones:
 * by now the pid may be somebody else's.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { commandLineOf, isAlive } from '../../../scripts/setup/process-identity.mjs'
import type { RecordedChild } from './owner-lock.ts'

const politeMs = 2_000
const killMs = 5_000
const pollMs = 10

/** Ends those that still run; resolves when they are gone, throws when one cannot be ended. */
export async function endOrphans(children: readonly RecordedChild[]): Promise<void> {
  await Promise.all(children.filter(isRunning).map(endOrphan))
}

export function isRunning(child: RecordedChild): boolean {
  return child.commandLine !== null && isAlive(child) && commandLineOf(child.pid) === child.commandLine
}

async function endOrphan(child: RecordedChild): Promise<void> {
  if (await isGoneAfter(child, 'SIGTERM', politeMs)) return
  if (await isGoneAfter(child, 'SIGKILL', killMs)) return
  throw new Error(`could not end ${child.name} (process ${child.pid}), which an earlier start left behind`)
}

async function isGoneAfter(child: RecordedChild, signal: NodeJS.Signals, limitMs: number): Promise<boolean> {
  const limit = performance.now() + limitMs
  send(child.pid, signal)
  while (isAlive(child)) {
    if (performance.now() > limit) return false
    await delay(pollMs)
  }
  return true
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
