/**
 * Where walks take place: a Duologue with doors, and what an outsider can see of it. The running service is one
 * (`service-world.ts`), a host over memory ports another (`memory-world.ts`); a walk does not know which.
 */
import type { Json, JsonObject } from '../../../src/machines/json.ts'
import type { Status } from '../../../src/machines/status.ts'
import type { Act, Profile } from './model.ts'

/** A user who walks one path. */
export type Walker = {
  readonly profile: Profile
  /** Session's user key. */
  readonly user: string
  /** Stands in what the user writes in place of `{walk}`: the assistant's endpoint knows the walk by it. */
  readonly word: string
  /** Where a voice message of the user's is. */
  readonly voiceUrl: string
}

export type SeenConversation = {
  readonly id: string
  readonly status: Status
  readonly version: number
  readonly timers: { readonly [timerId: string]: { readonly dueAt: number } }
  /** By the wall clock. */
  readonly nextTimerAt: number | null
  readonly assignedOperator: string | null
  readonly isClosed: boolean
  readonly previousId: string | null
  readonly snapshot: JsonObject
  readonly hash: string
}

export type SeenEvent = {
  readonly conversationId: string
  readonly version: number
  readonly event: JsonObject
  readonly toStatus: Status
  readonly reason: string | null
  readonly machineVersion: string
  readonly occurredAt: number
  readonly hash: string
}

export type Seen = {
  readonly clockOffsetMs: number
  readonly speaker: string
  readonly optedOut: boolean
  readonly isQuarantined: boolean
  /** Oldest first. */
  readonly conversations: readonly SeenConversation[]
  /** Of all conversations, in order. */
  readonly journal: readonly SeenEvent[]
  readonly outbound: readonly { readonly author: string; readonly body: string }[]
  readonly inbound: readonly { readonly id: string; readonly providerId: string; readonly at: number }[]
  readonly effects: readonly { readonly id: string; readonly isInvoked: boolean; readonly status: string }[]
  readonly commands: readonly { readonly id: string; readonly outcome: string; readonly reason: string | null }[]
  /** Raw callbacks, as text. */
  readonly deliveries: string
}

export const nothingSeen: Seen = {
  clockOffsetMs: 0,
  speaker: 'none',
  optedOut: false,
  isQuarantined: false,
  conversations: [],
  journal: [],
  outbound: [],
  inbound: [],
  effects: [],
  commands: [],
  deliveries: '',
}

/** What the API says of a conversation. */
export type ApiView = {
  readonly status: string
  readonly version: number
  readonly speaker: string
  readonly assignedOperator: string | null
  readonly nextTimerAt: number | null
  readonly isClosed: boolean
  readonly optedOut: boolean
}

/** Tells whether the act has been taken, by what only then is seen. */
export type Receipt = (seen: Seen) => boolean

export type Received = { readonly body: string; readonly mediaUrls: readonly string[] }

export type Situation = {
  readonly walker: Walker
  readonly act: Act
  readonly before: Seen
  /** Of the conversation's next timer, in the session's own time. */
  readonly nextDueAt: number
  /** The input of the effect that the chart waits for. */
  readonly openEffect: Json
}

export interface World {
  newWalker(profile: Profile): Walker
  /** Does it at the door where it belongs; resolves with what will be seen when it was taken. */
  act(situation: Situation): Promise<Receipt>
  /** What is seen of the walker's session as soon as the receipt says that the act was taken. */
  observe(walker: Walker, receipt: Receipt): Promise<Seen>
  /** What the user got, once it is at least so many messages. */
  received(walker: Walker, count: number): Promise<readonly Received[]>
  api(conversationId: string): Promise<ApiView | null>
}
