/** What many seeds together have shown. */
import { faultKinds } from '../world/faults.ts'
import type { Result } from '../world/run-scenario.ts'

export type Failure = { readonly seed: number; readonly violations: readonly string[] }

export type Summary = {
  seeds: number
  steps: number
  chartSteps: number
  virtualHours: number
  slowestSettledMs: number
  counts: { [kind: string]: number }
  failures: Failure[]
}

export function createSummary(): Summary {
  return { seeds: 0, steps: 0, chartSteps: 0, virtualHours: 0, slowestSettledMs: 0, counts: {}, failures: [] }
}

export function addResult(summary: Summary, seed: number, result: Result): void {
  summary.seeds += 1
  summary.steps += result.steps
  summary.chartSteps += result.chartSteps
  summary.virtualHours += result.virtualMs / 3_600_000
  summary.slowestSettledMs = Math.max(summary.slowestSettledMs, result.settledAfterMs)
  for (const [kind, count] of Object.entries(result.counts)) summary.counts[kind] = (summary.counts[kind] ?? 0) + count
  if (result.violations.length > 0) summary.failures.push({ seed, violations: result.violations })
}

export function addSummary(summary: Summary, other: Summary): void {
  summary.seeds += other.seeds
  summary.steps += other.steps
  summary.chartSteps += other.chartSteps
  summary.virtualHours += other.virtualHours
  summary.slowestSettledMs = Math.max(summary.slowestSettledMs, other.slowestSettledMs)
  for (const [kind, count] of Object.entries(other.counts)) summary.counts[kind] = (summary.counts[kind] ?? 0) + count
  summary.failures.push(...other.failures)
}

/** Faults that never happened: a run without them has shown nothing about them. */
export function findMissing({ counts }: Summary): string[] {
  return faultKinds.filter((kind) => (counts[kind] ?? 0) === 0)
}

export function toLines(summary: Summary, seconds: number): string[] {
  const { seeds, steps, chartSteps, virtualHours, slowestSettledMs, counts, failures } = summary
  const number = (value: number): string => Math.round(value).toLocaleString('en')
  const list = (prefix: RegExp): string =>
    Object.entries(counts)
      .filter(([kind]) => prefix.test(kind))
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([kind, count]) => `${kind.replace(prefix, '')} ${number(count)}`)
      .join(', ')
  return [
    `${number(seeds)} seeds, ${number(steps)} steps, ${number(chartSteps)} committed chart steps, ${number(virtualHours)} virtual hours in ${seconds.toFixed(1)} s`,
    `failing seeds: ${failures.length}; run twice with the same end: ${counts['seeds run twice'] ?? 0}; slowest settling: ${(slowestSettledMs / 1_000).toFixed(0)} virtual seconds`,
    `faults: ${faultKinds.map((kind) => `${kind} ${number(counts[kind] ?? 0)}`).join(', ')}`,
    `outcomes: ${list(/^outcome /u)}`,
    `statuses entered: ${list(/^status /u)}`,
  ]
}
