/**
 * A process is its pid and the moment it started: a pid alone may belong to another one by now. A zombie
 * counts as gone: it holds nothing, and in a container nobody may ever reap it. On Windows there is nothing
 * to ask without another program: start time and command line are null there.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** A text that stays the same as long as the same process has this pid; null when it is gone. */
export function startTimeOf(pid) {
  if (process.platform === 'linux') return startTicksOf(pid)
  const said = ask(pid, 'stat=,lstart=')
  return said === null || said.startsWith('Z') ? null : said.replace(/^\S+\s+/u, '')
}

/** The program and its arguments as the system tells them; null when the process is gone. */
export function commandLineOf(pid) {
  if (process.platform !== 'linux') return ask(pid, 'command=')
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replace(/\0$/u, '').replaceAll('\0', ' ') || null
  } catch {
    return null
  }
}

/** Whether the process with this pid is there and started at this time. */
export function isAlive({ pid, startTime }) {
  if (process.platform !== 'win32') return startTime !== null && startTimeOf(pid) === startTime
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/** Clock ticks since boot: field 22, counted behind the program's name, which may hold spaces and brackets. */
function startTicksOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const isGone = fields[0] === 'Z' || fields[0] === 'X'
    return isGone ? null : (fields[19] ?? null)
  } catch {
    return null
  }
}

function ask(pid, format) {
  if (process.platform === 'win32') return null
  try {
    const options = {
      encoding: 'utf8',
      timeout: 5_000,
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { LC_ALL: 'C', PATH: '/bin:/usr/bin' },
    }
    return execFileSync('ps', ['-o', format, '-p', String(pid)], options).trim() || null
  } catch {
    return null
  }
}
