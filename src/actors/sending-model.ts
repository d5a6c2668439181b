/** What operators and programs read of sending: may this user be written to, what waits and why, who opted out. */
import type { DeliveryAction } from '../machines/delivery-rules.ts'
import type { HoldReason, SessionNotice } from './ports.ts'
import type { Page, PageRequest } from './read-model.ts'

export type SendingItem = {
  readonly conversationId: string
  /** WhatsApp's 24-hour window; null where there is none. Outside it only a template goes at once. */
  readonly window: {
    readonly isOpen: boolean
    readonly lastInboundAt: string | null
    readonly closesAt: string | null
    readonly closedAt: string | null
    /** `provider`: it said so (63016), whatever our clock says. */
    readonly closedBy: 'time' | 'provider' | null
  } | null
  /** The opt-out that stands: nothing is sent. */
  readonly optOut: Pick<OptOutItem, 'id' | 'source' | 'code' | 'at' | 'recordedAt'> | null
  /** The provider refuses this business address: its sends wait. */
  readonly sender: { readonly pausedUntil: string; readonly pausedBecause: string | null } | null
  /** Oldest first. */
  readonly held: readonly {
    readonly effectId: string
    readonly messageId: string | null
    readonly author: string | null
    readonly heldBecause: HoldReason
    readonly heldSince: string
    /** Null: until the user writes. */
    readonly until: string | null
  }[]
  /** The newest fifty messages that were not delivered, oldest first, with what was done about it. */
  readonly failed: readonly {
    readonly messageId: string
    readonly code: string | null
    readonly meaning: string
    readonly action: DeliveryAction['kind']
    readonly at: string
  }[]
}

/** The proof of an opt-out. */
export type OptOutItem = {
  readonly id: string
  readonly tenantId: string
  /** `channel:<id>`, or `service:<sid>`: all numbers of a messaging service. */
  readonly scope: string
  readonly userAddress: string
  readonly sessionId: string | null
  /** `record`: of before there were proofs. */
  readonly source: SessionNotice['source'] | 'record'
  /** The provider's error code, where that caused it. */
  readonly code: string | null
  /** Of the message that said it, or of the one of ours that was refused. */
  readonly providerId: string | null
  readonly effectId: string | null
  /** What the user wrote; null when the provider told. */
  readonly text: string | null
  readonly at: string
  /** Nothing was sent after the commit of this moment. */
  readonly recordedAt: string
  readonly endedAt: string | null
  /** The message that gave the consent again. */
  readonly endedBy: string | null
  readonly blockedCount: number
  /** The first fifty sends that it stopped. */
  readonly blocked: readonly {
    readonly effectId: string
    readonly messageId: string | null
    readonly conversationId: string | null
    readonly at: string
  }[]
}

export interface SendingModel {
  /** Null when there is no such conversation. */
  getSending(conversationId: string, tenantId?: string): Promise<SendingItem | null>
  /** The newest first. */
  listOptOuts(request: PageRequest & { readonly userKey?: string }): Promise<Page<OptOutItem>>
}
