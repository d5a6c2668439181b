/** What is to be reached now, as ratios within one run of the benchmark: the machine and its noise cancel out. */
import type { ResidentSessionsResult } from './heap/measure-resident-sessions.ts'
import { toMedian } from './measure/statistics.ts'
import type { LoadName, RunResult } from './run-load.ts'
import type { StackName } from './stacks/stack.ts'

export type Goal = {
  readonly title: string
  readonly wanted: string
  readonly reached: string
  readonly isReached: boolean
}

const ratiosMin = { many: 0.65, hot: 2 } as const
const bytesPerSessionMax = 2_048

/** Only of what was measured. */
export function judge(runs: readonly RunResult[], resident: ResidentSessionsResult | null): readonly Goal[] {
  const goals: Goal[] = []
  for (const load of ['many', 'hot'] as const) {
    const ratio = toRatio(runs, load)
    if (ratio === null) continue
    const title = load === 'many' ? 'row lock, 1,000 conversations' : 'row lock, one hot conversation'
    const min = ratiosMin[load]
    goals.push({ title, wanted: `≥ ${min} ×`, reached: `${ratio.toFixed(2)} ×`, isReached: ratio >= min })
  }
  if (resident !== null) {
    const bytes = resident.heapBytesPerSession
    const [wanted, reached] = [`≤ ${bytesPerSessionMax} bytes`, `${Math.round(bytes)} bytes`]
    goals.push({ title: 'heap per resident session', wanted, reached, isReached: bytes <= bytesPerSessionMax })
  }
  return goals
}

/** Of the medians of committed messages per second; null when one of the two was not measured. */
export function toRatio(runs: readonly RunResult[], load: LoadName): number | null {
  const ratio = toCommittedMedian(runs, 'duologue', load) / toCommittedMedian(runs, 'row-lock', load)
  return Number.isNaN(ratio) ? null : ratio
}

function toCommittedMedian(runs: readonly RunResult[], stack: StackName, load: LoadName): number {
  const own = runs.filter((run) => run.stack === stack && run.load === load)
  return toMedian(own.map(({ committedPerSecond }) => committedPerSecond))
}
