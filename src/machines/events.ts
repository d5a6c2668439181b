/**
 * The events that reach a conversation's chart. They are facts and plain JSON: the journal keeps
 * exactly these objects, and replaying them gives the snapshot again. `at` is the moment of the
 * event in the session's own time, in milliseconds since 1970; a chart never asks a clock.
 */
import type { ContentPart } from './content.ts'

/** One attachment as the provider described it; nothing is fetched here. */
export type Media = { readonly url: string; readonly contentType: string }

/** The user wrote. `messageId` names the stored message. */
export type MessageReceived = {
  readonly type: 'message.received'
  readonly messageId: string
  /** The user's own words, never the name of a file. */
  readonly body: string
  readonly media: readonly Media[]
  /** What the provider itself took the message for, where it keeps a list of words of its own. */
  readonly consent?: 'withdrawn' | 'given'
  /** What it holds, part by part; absent when it is its words alone, and in journals of before there were parts. */
  readonly content?: readonly ContentPart[]
  readonly at: number
}

/** The provider told what became of a message that this conversation sent. */
export type DeliveryUpdated = {
  readonly type: 'delivery.updated'
  /** The effect that sent the message; null when the provider's callback did not name one. */
  readonly effectId: string | null
  readonly status: DeliveryStatus
  readonly errorCode: string | null
  readonly at: number
}

export type ConversationEvent = MessageReceived | DeliveryUpdated

export const deliveryStatuses = [
  'accepted',
  'queued',
  'sending',
  'sent',
  'delivered',
  'read',
  'failed',
  'undelivered',
  'canceled',
] as const

export type DeliveryStatus = (typeof deliveryStatuses)[number]
