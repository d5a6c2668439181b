/** A walk for a reviewer: on one version, or on two side by side, with what can happen next. */
import type { AnyStateMachine } from 'xstate'

import type { ChartLibrary, LibraryChart } from '../library.ts'
import { compareWalks } from './compare-walks.ts'
import type { WalkDifference } from './compare-walks.ts'
import { listOptions } from './list-options.ts'
import type { Options } from './list-options.ts'
import { reviveMachine } from './revive-machine.ts'
import type { Step } from './steps.ts'
import { toWalkTest } from './to-walk-test.ts'
import { walk } from './walk.ts'
import type { Point, Walk, WalkOptions } from './walk.ts'

export type ReviewedWalk = Options & {
  readonly points: readonly Point[]
  /** True when the version's code is gone, and its chart runs with the guards and actions of today. */
  readonly isRevived: boolean
  readonly base:
    | (WalkDifference & { readonly ref: string; readonly isRevived: boolean; readonly points: readonly Point[] })
    | null
}

export function walkChart(
  library: ChartLibrary,
  entry: LibraryChart,
  steps: readonly Step[],
  base: LibraryChart | null,
): ReviewedWalk {
  const run = toRun(library, entry)
  const walked = walk({ ...run, steps })
  const options = listOptions(walked.end, entry.chart, run.toExample)
  const both = base === null ? null : walk({ ...toRun(library, base), steps })
  return {
    points: walked.points,
    isRevived: entry.source === 'stored',
    ...options,
    base:
      both === null || base === null
        ? null
        : {
            ref: base.ref,
            isRevived: base.source === 'stored',
            points: both.points,
            ...compareWalks(both.points, walked.points),
          },
  }
}

/** A vitest file; null for a chart whose code is not in this build: it would have nothing to run. */
export function exportWalk(
  library: ChartLibrary,
  entry: LibraryChart,
  steps: readonly Step[],
  registryPath: string,
): string | null {
  if (entry.source !== 'build') return null
  const run = toRun(library, entry)
  const walked: Walk = walk({ ...run, steps })
  const { machine: machineName } = entry.chart
  const title = `a walk of ${steps.length} steps through ${entry.ref} ends in ${walked.points.at(-1)?.active.at(-1) ?? 'nothing'}`
  return toWalkTest(walked, {
    title,
    machineName,
    registryPath,
    input: run.input ?? null,
    steps,
    toExample: run.toExample,
  })
}

function toRun(library: ChartLibrary, entry: LibraryChart): Omit<WalkOptions, 'steps'> {
  const today = library.machineOf(entry)
  const toExample = today?.toExample ?? (() => ({}))
  const machine: AnyStateMachine | undefined = entry.source === 'stored' ? undefined : today?.machine
  return { machine: machine ?? reviveMachine(entry.chart, today?.machine ?? null), input: today?.input, toExample }
}
