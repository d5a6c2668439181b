/**
 * What the store knows of users' keys (docs/decisions/2026-11-25-identity.md): which session each leads to, and the links
 * that operators made and undid. `userKey` is always of one business address.
 */

/** The keys that an event carried, the one that it came under first. */
export type IdentityAsk = {
  readonly businessAddress: string
  readonly userKeys: readonly string[]
  /** They are written down, so that what comes under one of them alone finds the same session. */
  readonly claims: boolean
}

export type Home = {
  /** The user key of the session. */
  readonly home: string
  /** The keys are being moved: what came has to wait. */
  readonly isHeld: boolean
  /** The keys lead to different sessions; the first one that leads anywhere has decided. */
  readonly isSplit: boolean
}

export interface IdentityStore {
  /** In the order of the asks. `generation` was read before them: they are at least as new. */
  resolveIdentities(
    asks: readonly IdentityAsk[],
  ): Promise<{ readonly generation: number; readonly homes: readonly Home[] }>
  /** Another number: what was answered before may be wrong by now. */
  identityGeneration(): Promise<number>
}

export type LinkRequest = {
  /** Null: any tenant's. */
  readonly tenantId: string | null
  readonly sessionId: string
  readonly userKey: string
}

export type LinkSide = {
  /** Null: nothing ever came under the key. */
  readonly sessionId: string | null
  readonly userKey: string
  readonly businessAddress: string
  readonly conversationId: string | null
  readonly status: string | null
}

export type LinkRefusal = { readonly outcome: 'missing' } | { readonly outcome: 'refused'; readonly reason: string }

export type HeldLink = {
  readonly outcome: 'held'
  readonly keys: readonly string[]
  readonly into: LinkSide
  readonly from: LinkSide
}

export interface LinkStore {
  /** From here on webhooks of the keys wait, `holdMs` at most. */
  holdIdentities(
    request: LinkRequest & { readonly isUndoing: boolean; readonly holdMs: number },
  ): Promise<HeldLink | LinkRefusal>
  /** Nothing moves; whoever waits goes on. */
  releaseIdentities(request: {
    readonly tenantId: string | null
    readonly sessionId: string
    readonly keys: readonly string[]
  }): Promise<void>
  linkIdentities(
    request: LinkRequest & {
      readonly linkId: string
      readonly operatorId: string
      readonly reason: string
      readonly closedConversationId: string | null
      /** As it was held: if the key leads elsewhere by now, nothing moves. */
      readonly fromKey: string
    },
  ): Promise<{ readonly outcome: 'applied'; readonly linkId: string } | LinkRefusal>
  /** `newSessionId`: of the session that is made when the messages that go back have none yet. */
  unlinkIdentities(
    request: LinkRequest & {
      readonly newSessionId: string
      readonly operatorId: string
      readonly reason: string
      readonly fromKey: string
    },
  ): Promise<
    /** The assistant is about to answer what the other person wrote last: ask again. */
    | { readonly outcome: 'busy' }
    | {
        readonly outcome: 'applied'
        readonly linkId: string
        readonly sessionId: string | null
        readonly moved: number
      }
    | LinkRefusal
  >
}
