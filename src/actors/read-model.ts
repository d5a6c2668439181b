/**
 * What pages and programs read of the store (DESIGN section 10). Reading never goes through an actor.
 * Rows are JSON as the API answers it: glossary words in camelCase, times in ISO 8601 UTC.
 */
import type { ContentPart } from '../machines/content.ts'
import type { DeliveryStatus, Media } from '../machines/events.ts'
import type { Json, JsonObject } from '../machines/json.ts'
import type { Status } from '../machines/status.ts'
import type { CommandRecord, MessageRecord, ParkedEvent } from './ports.ts'

export type ConversationItem = {
  readonly id: string
  readonly tenantId: string
  readonly sessionId: string
  readonly status: Status
  readonly version: number
  readonly machine: string
  readonly machineVersion: string
  readonly businessAddress: string
  /** The session's user key: scheme and canonical number, else the provider's id of the user. */
  readonly userAddress: string
  readonly speaker: string
  readonly optedOut: boolean
  readonly assignedOperator: string | null
  /** Which line of people a handoff is with; null where the machine keeps none. */
  readonly line: string | null
  readonly openedAt: string
  readonly updatedAt: string
  readonly closedAt: string | null
  readonly nextTimerAt: string | null
  readonly previousId: string | null
  readonly quarantinedAt: string | null
}

export type MessageItem = {
  readonly id: string
  readonly direction: MessageRecord['direction']
  readonly author: MessageRecord['author']
  readonly body: string
  readonly media: readonly Media[]
  /** What it holds, part by part; audio with what was said in it, once that was read. */
  readonly content: readonly (ContentPart & { readonly transcript?: string | null })[]
  /** The user wrote too much, or all users of the tenant did: the assistant was not asked about it. */
  readonly rateLimited: boolean
  readonly providerId: string | null
  /** Null for inbound messages, and until the provider told anything. */
  readonly deliveryStatus: DeliveryStatus | null
  readonly errorCode: string | null
  readonly at: string
}

/** A row of the journal where the status changed or an operator acted. */
export type HistoryItem = {
  readonly version: number
  /** Null: the conversation was opened. */
  readonly fromStatus: Status | null
  readonly toStatus: Status
  readonly reason: string | null
  readonly initiator: string
  /** What happened: `message.received`, `operator.escalated`. */
  readonly eventType: string
  readonly machineVersion: string
  readonly occurredAt: string
}

/** A row of the journal. */
export type EventItem = Omit<HistoryItem, 'eventType'> & {
  readonly eventId: string
  readonly event: Json
  readonly hash: string
}

export type QuarantineItem = {
  readonly id: string
  readonly partition: number
  readonly sessionId: string | null
  readonly incarnation: string
  readonly sequence: number
  readonly kind: ParkedEvent['kind']
  readonly subject: string
  readonly dataBase64: string
  readonly error: string | null
  /** How often it was tried again, and left waiting or not. */
  readonly attempts: number
  /** When the log got it. */
  readonly at: string
}

export type QuarantinedItem = QuarantineItem & {
  /** Null for a foreign event, which has no session. */
  readonly businessAddress: string | null
  readonly userKey: string | null
  /** The first event of its session that waits: the only one that can be released. */
  readonly firstId: string | null
}

/** What became of a command. */
export type CommandItem = {
  readonly id: string
  readonly conversationId: string | null
  readonly outcome: CommandRecord['outcome']
  readonly status: Status | null
  readonly version: number | null
  /** Why it was not applied; null when it was. */
  readonly reason: string | null
  readonly at: string
}

/** Who somebody is: a session with all its addresses, and what operators said of it. */
export type SessionItem = {
  readonly id: string
  readonly tenantId: string
  readonly businessAddress: string
  readonly userAddress: string
  /** The address that is answered: that of the newest message, as it came. */
  readonly replyAddress: string
  readonly optedOut: boolean
  readonly conversationId: string | null
  /** The session that this one's messages go to. */
  readonly linkedTo: string | null
  readonly addresses: readonly {
    readonly address: string
    /** The address that came in one message with it; null: it is the first one, or an operator's word. */
    readonly learnedFrom: string | null
    readonly knownAt: string
  }[]
  /** Of this session and of those that are linked to it, the newest first, 200 at most. */
  readonly conversations: readonly {
    readonly id: string
    readonly sessionId: string
    readonly status: Status
    readonly version: number
    readonly openedAt: string
    readonly closedAt: string | null
  }[]
  readonly links: readonly LinkItem[]
}

export type LinkItem = {
  readonly id: string
  readonly intoSessionId: string
  readonly fromSessionId: string | null
  readonly address: string
  readonly addresses: readonly string[]
  readonly operatorId: string
  readonly reason: string
  readonly closedConversationId: string | null
  readonly intoConversationId: string | null
  readonly linkedAt: string
  readonly unlinkedAt: string | null
  readonly unlinkedBy: string | null
  readonly unlinkReason: string | null
  readonly movedMessages: number
}

export type SessionMessageItem = Omit<MessageItem, 'deliveryStatus' | 'errorCode'> & {
  readonly sessionId: string
  readonly conversationId: string | null
  /** Under which address a user's message came; null for ours. */
  readonly address: string | null
}

/** What the webhook must know of a business address. */
export type Channel = {
  readonly channelId: string
  readonly tenantId: string
  readonly address: string
  readonly providerAccount: string | null
  /** Names the secret that holds the account's token, never the token. */
  readonly tokenSecretName: string | null
  /** The tenant's settings, with the channel's own over them. */
  readonly settings: JsonObject
}

export type Page<T> = { readonly items: readonly T[]; readonly next: string | null }

export type PageRequest = {
  /** `next` of the page before; null or absent: the first page. */
  readonly cursor?: string | null
  /** 50 unless told, 200 at most. */
  readonly limit?: number
  /** Keeps the answer inside one tenant. */
  readonly tenantId?: string
}

/** A cursor that this read model did not make. */
export class MalformedCursor extends Error {}

export interface ReadModel {
  /** The last changed first. `address` is a business address or a user's. */
  listConversations(
    request: PageRequest & { readonly address?: string; readonly status?: Status },
  ): Promise<Page<ConversationItem>>
  /** Null when there is no such conversation; so answer the lists of one conversation below. */
  getConversation(id: string, tenantId?: string): Promise<ConversationItem | null>
  /** Oldest first. */
  listMessages(id: string, request: PageRequest): Promise<Page<MessageItem> | null>
  /** The attachment of a message of this conversation; null when there is none at that place. */
  findMedia(id: string, messageId: string, index: number, tenantId?: string): Promise<Media | null>
  /** Where the status changed or an operator acted, oldest first; the first row is the opening. */
  listHistory(id: string, request: PageRequest): Promise<Page<HistoryItem> | null>
  /** The journal, oldest first. */
  listEvents(id: string, request: PageRequest): Promise<Page<EventItem> | null>
  /** Null while the command waits in the log, and for one that never was. */
  getCommand(id: string, tenantId?: string): Promise<CommandItem | null>
  /** Events that wait, oldest first. */
  listQuarantine(request: PageRequest): Promise<Page<QuarantineItem>>
  /** One event of any kind; null when there is none. */
  getQuarantined(id: string, tenantId?: string): Promise<QuarantinedItem | null>
  /** Null when there is no such session. */
  getSession(id: string, tenantId?: string): Promise<SessionItem | null>
  /** What was said in a session and in those linked to it, oldest first; null when there is no such session. */
  listSessionMessages(id: string, request: PageRequest): Promise<Page<SessionMessageItem> | null>
  /** The user keys of the sessions that a key leads to, by business address. */
  findHomes(userKey: string, tenantId?: string): Promise<readonly string[]>
  /** The channel of a business address, or null. */
  findChannel(address: string): Promise<Channel | null>
}
