/** A process is its pid and the moment it started: a pid alone may belong to another one by now. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** A text that is the same as long as the same process has this pid; null when there is none, or nothing to ask. */
export function startTimeOf(pid) {
  try {
    if (process.platform === 'linux') {
      // The program's name, in brackets, may hold spaces; the 22nd field is the start in clock ticks since boot.
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null
    }
    if (process.platform === 'win32') return null
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', timeout: 5_000 }).trim() || null
  } catch {
    return null
  }
}

/** Whether the process `{ pid, startTime }` still runs. */
export function isAlive({ pid, startTime }) {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (error.code !== 'EPERM') return false
  }
  return startTimeOf(pid) === startTime
}
