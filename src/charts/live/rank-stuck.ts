/** States by how much of the time that they give is used up: who should have been moved, and is not, stands first. */
import { roundLimit } from './find-limits.ts'
import type { StateLimit } from './find-limits.ts'
import type { StuckItem } from './live-answer.ts'

export type MeasuredState = Omit<StuckItem, 'limitMs'>

export function rankStuck(limits: readonly StateLimit[], measured: readonly MeasuredState[]): readonly StuckItem[] {
  const limitOf = new Map(limits.map(({ id, limitMs }) => [id, limitMs]))
  return measured
    .map(({ ownLimitsMs, ...state }): StuckItem => {
      const limitMs = limitOf.get(state.id) ?? null
      const [least, most] = (ownLimitsMs ?? []).map((ms) => roundLimit(ms, limitMs))
      return { ...state, limitMs, ownLimitsMs: least === undefined || most === undefined ? null : [least, most] }
    })
    .toSorted((one, other) => toShare(other) - toShare(one) || (other.p95Ms ?? -1) - (one.p95Ms ?? -1))
}

/** 1: the slowest twentieth has used up all of it. Where nothing says how long it is they come last. */
function toShare({ p95Ms, limitMs, ownLimitsMs }: StuckItem): number {
  const given = ownLimitsMs?.[1] ?? limitMs
  return p95Ms === null || given === null ? -1 : p95Ms / given
}
