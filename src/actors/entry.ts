/** What waits in a session's mailbox: raw causes, in the order in which they are decided. */
import type { Effect, EffectResult, LogEntry, LoggedEvent } from './ports.ts'
import type { TrackedPosition } from './positions.ts'

export type Entry =
  | { readonly kind: 'logged'; readonly log: LogEntry; readonly event: LoggedEvent; readonly position: TrackedPosition }
  /** A timer may be due; which one is read from the newest state. Later ones than `asOf` have no barrier yet. */
  | { readonly kind: 'due'; readonly asOf: number }
  /** `effect` as it was started: its attempts count from there. */
  | { readonly kind: 'result'; readonly effect: Effect; readonly result: EffectResult | Cancelled }

/** It never reached the world, and must not any more. */
export type Cancelled = { readonly kind: 'cancelled'; readonly reason: string }

/** Only logged entries stand in the log. */
export function setPositions(entries: readonly Entry[], state: TrackedPosition['state']): void {
  for (const entry of entries) if (entry.kind === 'logged') entry.position.state = state
}
