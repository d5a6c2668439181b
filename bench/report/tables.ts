/** The results as Markdown tables, which read well in a terminal too. */
import type { Goal } from '../goals.ts'
import { toRatio } from '../goals.ts'
import type { ResidentSessionsResult } from '../heap/measure-resident-sessions.ts'
import { toMedian } from '../measure/statistics.ts'
import { loads } from '../run-load.ts'
import type { LoadName, RunResult } from '../run-load.ts'
import type { StackName } from '../stacks/stack.ts'

const stacks: readonly StackName[] = ['duologue', 'row-lock']
const loadNames: readonly LoadName[] = ['many', 'hot', 'answered']

export function toTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const toLine = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join(' | ')} |`
  const rule = `|${widths.map((width, column) => (column === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`
  return [toLine(header), rule, ...rows.map(toLine)].join('\n')
}

/** Medians of the runs, one line for each stack and load. */
export function toSpeedTable(runs: readonly RunResult[]): string {
  const header = [
    'load',
    'stack',
    'committed/s',
    'acknowledged/s',
    'p50 ms',
    'p99 ms',
    'drain s',
    'CPU ms/message',
    'WAL B/message',
    '× row lock',
  ]
  const rows = eachGroup(runs, (load, stack, own) => [
    loads[load].title,
    stack,
    median(own, ({ committedPerSecond }) => committedPerSecond).toFixed(0),
    median(own, ({ acknowledgedPerSecond }) => acknowledgedPerSecond).toFixed(0),
    median(own, ({ p50Ms }) => p50Ms).toFixed(1),
    median(own, ({ p99Ms }) => p99Ms).toFixed(1),
    median(own, ({ drainSeconds }) => drainSeconds).toFixed(2),
    toDigits(median(own, toServedCpuMs), 3),
    median(own, ({ walBytesPerMessage }) => walBytesPerMessage).toFixed(0),
    stack === 'duologue' ? (toRatio(runs, load)?.toFixed(2) ?? '–') : '',
  ])
  return toTable(header, rows)
}

/** CPU ms per message and MiB resident, by part. */
export function toPartsTable(runs: readonly RunResult[]): string {
  const parts = [...new Set(runs.flatMap(({ cpuSeconds }) => Object.keys(cpuSeconds ?? {})))]
  const rows = eachGroup(runs, (load, stack, own) => [
    loads[load].title,
    stack,
    ...parts.map((part) => toPartCell(own, part)),
    toDigits(
      median(
        own,
        ({ otherCpuSeconds, loadSeconds, drainSeconds }) =>
          (otherCpuSeconds ?? Number.NaN) / (loadSeconds + drainSeconds),
      ),
      2,
    ),
  ])
  return toTable(['load', 'stack', ...parts, 'other CPUs busy'], rows)
}

function toPartCell(runs: readonly RunResult[], part: string): string {
  if (runs.every(({ cpuSeconds }) => cpuSeconds?.[part] === undefined)) return ''
  const cpuMs = median(runs, (run) => ((run.cpuSeconds?.[part] ?? Number.NaN) / run.acknowledged) * 1_000)
  const seconds = median(runs, (run) => run.cpuSeconds?.[part] ?? Number.NaN)
  const mib = median(runs, (run) => run.residentMib?.[part] ?? Number.NaN)
  return `${toDigits(cpuMs, 3)} ms, ${toDigits(seconds, 1)} s, ${toDigits(mib, 0)} MiB`
}

/** In the order in which they ran. */
export function toRunsTable(runs: readonly RunResult[]): string {
  const header = [
    'run',
    'load',
    'stack',
    'acknowledged',
    'committed/s',
    'p50 ms',
    'p99 ms',
    'drain s',
    'other CPUs busy',
    'led to',
    'check',
  ]
  const rows = runs.map((run, index) => [
    String(index + 1),
    loads[run.load].title,
    run.stack,
    String(run.acknowledged),
    run.committedPerSecond.toFixed(0),
    run.p50Ms.toFixed(1),
    run.p99Ms.toFixed(1),
    run.drainSeconds.toFixed(2),
    toDigits((run.otherCpuSeconds ?? Number.NaN) / (run.loadSeconds + run.drainSeconds), 2),
    Object.entries(run.work)
      .map(([what, count]) => `${count} ${what}`)
      .join(', '),
    run.wrong.length === 0 ? 'all there, once, in order' : 'FAILED',
  ])
  return toTable(header, rows)
}

export function toResidentTable(resident: ResidentSessionsResult): string {
  const header = [
    'resident sessions',
    'heap B/session',
    'external B/session',
    'heap MiB without',
    'heap MiB with',
    'RSS MiB',
  ]
  const { sessions, heapBytesPerSession, externalBytesPerSession, heapMibWithoutSessions, heapMib, residentMib } =
    resident
  const numbers = [heapBytesPerSession, externalBytesPerSession, heapMibWithoutSessions, heapMib, residentMib]
  return toTable(header, [[String(sessions), ...numbers.map((number) => number.toFixed(0))]])
}

export function toGoalsTable(goals: readonly Goal[]): string {
  const rows = goals.map(({ title, wanted, reached, isReached }) => [
    title,
    wanted,
    reached,
    isReached ? 'pass' : 'FAIL',
  ])
  return toTable(['goal', 'wanted', 'reached', ''], rows)
}

/** Without the generator and the fake Twilio: they are Twilio's part. */
function toServedCpuMs({ cpuSeconds, acknowledged }: RunResult): number {
  if (cpuSeconds === null) return Number.NaN
  const served = Object.entries(cpuSeconds).filter(([part]) => part !== 'generator' && part !== 'fake twilio')
  return (served.reduce((sum, [, seconds]) => sum + seconds, 0) / acknowledged) * 1_000
}

function eachGroup(
  runs: readonly RunResult[],
  toRow: (load: LoadName, stack: StackName, own: readonly RunResult[]) => readonly string[],
): readonly (readonly string[])[] {
  return loadNames.flatMap((load) =>
    stacks.flatMap((stack) => {
      const own = runs.filter((run) => run.load === load && run.stack === stack)
      return own.length === 0 ? [] : [toRow(load, stack, own)]
    }),
  )
}

function median(runs: readonly RunResult[], toValue: (run: RunResult) => number): number {
  return toMedian(runs.map(toValue))
}

function toDigits(value: number, digits: number): string {
  return Number.isNaN(value) ? '–' : value.toFixed(digits)
}
