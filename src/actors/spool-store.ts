/**
 * What the store keeps while the log is away (DESIGN section 8): the webhooks' events in their order, and which phase
 * all nodes are in. `spooling`: nobody publishes but the drainer. `closing`: the last events are being drained, and
 * new ones are held for that moment. Only after `direct` was answered may anything be published past the spool.
 */
import type { LoggedEvent } from './ports.ts'

export type SpoolPhase = 'direct' | 'spooling' | 'closing'

export type SpooledEvent = { readonly id: number; readonly sessionKey: string; readonly event: LoggedEvent }

export type SpoolState = {
  readonly phase: SpoolPhase
  /** How often the spooling began: a node that slept through an end of it sees another number. */
  readonly era: number
}

export type SpoolPage = SpoolState & {
  /** False: another node drains, or nobody has to. */
  readonly isMine: boolean
  /** How many events are spooled. */
  readonly size: number
  /** Oldest first. */
  readonly events: readonly SpooledEvent[]
}

/** `hold`: the spool is being closed, ask again; `publish`: the spooling is over. */
export type SpoolAnswer = { readonly outcome: 'spooled' | 'hold' | 'publish'; readonly era: number }

export interface SpoolStore {
  /** `isLogDown`: this node cannot reach the log; while a node cannot, the spool is not closed. */
  watchSpool(isLogDown: boolean): Promise<SpoolState & { readonly size: number }>
  /** In the order of the list, durably; an event that is there already stays where it is. */
  spoolEvents(events: readonly LoggedEvent[], isLogDown: boolean): Promise<SpoolAnswer>
  /** Takes the published ones away and answers the next page; `giveUp`: the log failed. */
  drainSpool(request: {
    readonly nodeId: string
    readonly leaseMs: number
    readonly published: readonly number[]
    readonly giveUp: boolean
  }): Promise<SpoolPage>
  spoolStatus(): Promise<{
    readonly phase: SpoolPhase
    readonly size: number
    readonly oldestAt: number | null
    readonly drainer: string | null
  }>
}
