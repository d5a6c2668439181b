/** What a replay of many conversations on a draft says, line by line, while it runs. Plain JSON. */
import type { Json } from '../../machines/json.ts'
import type { PartingPlaces } from './parting.ts'

export type ReplayMoment = {
  readonly status: string
  /** Innermost states. */
  readonly states: readonly string[]
  /** What it asked for in the world: `{action, params}`, `{child, source, input}`. */
  readonly sends: readonly Json[]
  readonly asks: readonly Json[]
  /** Why nothing was done. */
  readonly note: string | null
}

export type ReplayDifference = {
  readonly kind: 'differs'
  readonly id: string
  readonly openedAt: string
  readonly steps: number
  /** `breaks`, `status`, `sends`, `asks`; `way` alone: the same outcome by another way. */
  readonly differences: readonly string[]
  readonly ends: { readonly was: string; readonly would: string }
  readonly breaks: string | null
  /** The first step that is another one. */
  readonly first: {
    readonly version: number
    readonly event: Json
    readonly at: string
    readonly was: ReplayMoment | null
    readonly would: ReplayMoment
    readonly wasPlaces: PartingPlaces | null
    readonly wouldPlaces: PartingPlaces
  }
}

export type ReplayTotals = {
  readonly done: number
  readonly steps: number
  readonly same: number
  readonly differs: number
  /** Of those that differ: the same end and the same answers by another way. */
  readonly otherWay: number
  readonly unknown: number
  readonly ms: number
}

export type ReplayLine =
  | ReplayDifference
  | { readonly kind: 'unknown'; readonly id: string; readonly reason: string }
  | ({ readonly kind: 'progress' } & ReplayTotals)
  | ({ readonly kind: 'done' } & ReplayTotals)
  /** It ended before its end. */
  | { readonly kind: 'failed'; readonly reason: string }
