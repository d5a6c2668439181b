/** What waits in a session's mailbox: raw causes, in the order in which they are decided. */
import type { Effect, EffectResult, LogEntry, LoggedEvent } from './ports.ts'
import type { TrackedPosition } from './positions.ts'

export type Entry =
  | { readonly kind: 'logged'; readonly log: LogEntry; readonly event: LoggedEvent; readonly position: TrackedPosition }
  /** A timer may be due; which one is read from the newest state. Later ones than `asOf` have no barrier yet. */
  | { readonly kind: 'due'; readonly asOf: number }
  /** `effect` as it was started: its attempts count from there. */
  | { readonly kind: 'result'; readonly effect: Effect; readonly result: EffectResult | Cancelled }
  /** What waits in the session's quarantine goes on being applied. */
  | { readonly kind: 'drain' }

/** What stands in the log. */
export type LoggedEntry = Extract<Entry, { readonly kind: 'logged' }>

/** It never reached the world, and must not any more. */
export type Cancelled = { readonly kind: 'cancelled'; readonly reason: string }

/** Messages and commands are applied once, under this name; other events may come again. */
export function toDuplicateKey(event: LoggedEvent): string | null {
  if (event.type === 'message.received') return event.providerId
  const isCommand = event.type === 'command.issued' || event.type === 'quarantine.released'
  return isCommand ? toCommandKey(event.commandId) : null
}

/** No provider's id looks like this. */
export function toCommandKey(commandId: string): string {
  return `command:${commandId}`
}

/** It is decided on what waits in the session's quarantine. */
export function isRelease(entry: Entry): boolean {
  return entry.kind === 'drain' || (entry.kind === 'logged' && entry.event.type === 'quarantine.released')
}

/** Only logged entries stand in the log. */
export function setPositions(entries: readonly Entry[], state: TrackedPosition['state']): void {
  for (const entry of entries) if (entry.kind === 'logged') entry.position.state = state
}
