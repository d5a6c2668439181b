/**
 * What processes cost, from `/proc`: CPU seconds and resident memory of single processes or of trees,
 * and how busy everything else on the machine was meanwhile. Where there is no `/proc` all of it is null.
 */
import { readdirSync, readFileSync } from 'node:fs'

export type Part = {
  readonly name: string
  readonly pid: number
  /** With all of its children: PostgreSQL serves every connection with a process of its own. */
  readonly isTree?: boolean
}

export type Usage = {
  readonly cpuSeconds: { readonly [part: string]: number }
  readonly residentMib: { readonly [part: string]: number }
  /** Busy time of all of the machine's CPUs, stolen time included. */
  readonly machineCpuSeconds: number
}

/** USER_HZ: what the kernel counts CPU time in towards programs; 100 wherever Node runs. */
const ticksPerSecond = 100
const pageBytes = 4_096

export function readUsage(parts: readonly Part[]): Usage | null {
  const machineCpuSeconds = readMachineCpuSeconds()
  if (machineCpuSeconds === null) return null
  const processes = parts.some(({ isTree }) => isTree === true) ? readAllProcesses() : []
  const usages = parts.map((part) => [part.name, readPart(part, processes)] as const)
  return {
    cpuSeconds: Object.fromEntries(usages.map(([name, { cpuSeconds }]) => [name, cpuSeconds])),
    residentMib: Object.fromEntries(usages.map(([name, { residentMib }]) => [name, residentMib])),
    machineCpuSeconds,
  }
}

/** CPU seconds from `before` to `after`, by part, and of everything that is not a part. */
export function toCpuSeconds(before: Usage, after: Usage): { parts: { [part: string]: number }; others: number } {
  const parts: { [part: string]: number } = {}
  let sum = 0
  for (const [name, seconds] of Object.entries(after.cpuSeconds)) {
    const used = seconds - (before.cpuSeconds[name] ?? 0)
    parts[name] = used
    sum += used
  }
  return { parts, others: Math.max(0, after.machineCpuSeconds - before.machineCpuSeconds - sum) }
}

type ProcessUsage = {
  readonly pid: number
  readonly parentPid: number
  readonly cpuSeconds: number
  /** Of its children that have ended. */
  readonly endedCpuSeconds: number
  readonly residentMib: number
}

function readPart(
  { pid, isTree }: Part,
  processes: readonly ProcessUsage[],
): { cpuSeconds: number; residentMib: number } {
  const main = readProcess(pid)
  if (main === null) return { cpuSeconds: 0, residentMib: 0 }
  const { cpuSeconds, residentMib } = main
  if (isTree !== true) return { cpuSeconds, residentMib }
  const children = processes.filter(({ parentPid }) => parentPid === pid)
  return {
    cpuSeconds: children.reduce((sum, child) => sum + child.cpuSeconds, cpuSeconds + main.endedCpuSeconds),
    residentMib: children.reduce((sum, child) => sum + child.residentMib, residentMib),
  }
}

function readAllProcesses(): readonly ProcessUsage[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/u.test(name))
    .map((name) => readProcess(Number(name)))
    .filter((usage) => usage !== null)
}

/** Null when there is no such process. */
export function readProcess(pid: number): ProcessUsage | null {
  const stat = readText(`/proc/${pid}/stat`)
  if (stat === null) return null
  // The name stands in parentheses and may contain anything; after it come fields 3, 4, …
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const field = (number: number): number => Number(fields[number - 3])
  return {
    pid,
    parentPid: field(4),
    cpuSeconds: (field(14) + field(15)) / ticksPerSecond,
    endedCpuSeconds: (field(16) + field(17)) / ticksPerSecond,
    residentMib: readResidentMib(pid) ?? (field(24) * pageBytes) / 2 ** 20,
  }
}

/** The proportional size where the kernel tells it: PostgreSQL's processes share most of their memory. */
function readResidentMib(pid: number): number | null {
  const kibibytes = /^Pss:\s+(\d+) kB$/mu.exec(readText(`/proc/${pid}/smaps_rollup`) ?? '')?.[1]
  return kibibytes === undefined ? null : Number(kibibytes) / 1_024
}

/** user, nice, system, irq, softirq and steal; not idle and iowait; guest time is in user already. */
function readMachineCpuSeconds(): number | null {
  const line = /^cpu +([\d ]+)$/mu.exec(readText('/proc/stat') ?? '')?.[1]
  if (line === undefined) return null
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = line.split(' ').map(Number)
  return (user + nice + system + irq + softirq + steal) / ticksPerSecond
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}
