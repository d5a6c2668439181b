/** What the service says of live conversations, as the page and programs get it. */
import type { Json } from '../../machines/json.ts'
import type { MigrationMap } from '../../machines/migration-map.ts'
import type { LiveCounts } from './count-live.ts'
import type { Impact } from './measure-impact.ts'
import type { PlacedMoves } from './place-moves.ts'

/** A conversation of a list; nothing of it says who the user is. */
export type StandingItem = {
  readonly id: string
  readonly machineVersion: string
  readonly status: string
  readonly value: Json
  /** Masked. */
  readonly address: string
  readonly since: string
  /** How long it has stood there, by its own clock. */
  readonly ageMs: number
  /** Until its next timer; negative when that should have fired already; null when none is pending. */
  readonly nextTimerMs: number | null
  /** Its session waits for somebody to look at an event that could not be applied. */
  readonly quarantined: boolean
}

export type StandingPage = {
  readonly total: number
  readonly items: readonly StandingItem[]
  readonly next: string | null
}

export type StuckItem = {
  readonly id: string
  readonly open: number
  readonly oldestMs: number | null
  readonly p95Ms: number | null
  /** How long somebody should stand there at most, by the chart's own settings; null when they do not say so. */
  readonly limitMs: number | null
  /** The same by the timers that conversations have armed: a tenant's settings may be others. Null when none has. */
  readonly ownLimitsMs: readonly [least: number, most: number] | null
  /** Open conversations that stand there for longer, each by its own limit. */
  readonly older: number
}

export type LiveAnswer = LiveCounts &
  PlacedMoves & {
    readonly at: string
    /** Equal for everything that was read at one moment of the database. */
    readonly snapshotId: string
    readonly window: string
    /** Null when nothing is compared. */
    readonly impact: readonly Impact[] | null
    readonly list: StandingPage | null
  }

export type StuckAnswer = {
  readonly at: string
  readonly snapshotId: string
  /** Where most of the time that is given is used up comes first. */
  readonly states: readonly StuckItem[]
}

/** `from`: the version before the proposed one; null when there is none. */
export type MapAnswer = { readonly from: string | null; readonly map: MigrationMap | null }
