/**
 * Conversations on a chart: how many stand in each state, those of every version whose place the chart has. A state
 * that is around others counts what stands inside. What stands nowhere on this chart is counted beside it, so that the
 * numbers add up to all there are.
 */
import type { Json } from '../../machines/json.ts'
import type { ChartIndex } from '../chart-index.ts'
import { toActive, toKnown } from './value-states.ts'

export type Standing = {
  readonly machineVersion: string
  readonly value: Json
  readonly count: number
  readonly open: number
  readonly oldestAt: string | null
}

export type LiveCount = {
  readonly count: number
  readonly open: number
  /** Open ones, by the version that wrote them. */
  readonly byVersion: { readonly [version: string]: number }
  /** Since when the longest of the open ones stands there. */
  readonly oldestAt: string | null
}

export type LiveCounts = {
  readonly total: number
  readonly open: number
  /** They stand in innermost states that this chart does not have; around those it may have some. */
  readonly elsewhere: number
  /** Every state of the chart, zero included. */
  readonly states: { readonly [id: string]: LiveCount }
}

export const nobody: LiveCount = { count: 0, open: 0, byVersion: {}, oldestAt: null }

export function countLive(index: ChartIndex, standing: readonly Standing[]): LiveCounts {
  const states: { [id: string]: LiveCount } = Object.fromEntries(index.chart.states.map(({ id }) => [id, nobody]))
  let elsewhere = 0
  for (const one of standing) {
    if (toActive(index, one.value) === null) elsewhere += one.count
    for (const id of [index.chart.root, ...toKnown(index, one.value)]) states[id] = add(states[id] ?? nobody, one)
  }
  const sum = (field: 'count' | 'open'): number => standing.reduce((total, one) => total + one[field], 0)
  return { total: sum('count'), open: sum('open'), elsewhere, states }
}

export function add(before: LiveCount, { machineVersion, count, open, oldestAt }: Omit<Standing, 'value'>): LiveCount {
  const known = before.byVersion[machineVersion] ?? 0
  return {
    count: before.count + count,
    open: before.open + open,
    byVersion: open === 0 ? before.byVersion : { ...before.byVersion, [machineVersion]: known + open },
    oldestAt: toEarlier(before.oldestAt, oldestAt),
  }
}

/** Both come from the same database in one form, so they compare as text. */
function toEarlier(one: string | null, other: string | null): string | null {
  if (one === null || other === null) return one ?? other
  return one < other ? one : other
}
