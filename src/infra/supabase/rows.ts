/**
 * Rows as JSON carries them, made of the tables' own types, and the moments in them. A time is milliseconds in the
 * domain and ISO 8601 in a row.
 */
import type { JsonObject } from '../../machines/json.ts'
import type { Insert, Tables } from './database-types.ts'

type Row<Name extends keyof Tables> = Tables[Name]['Row']

/** Part of the payload for every session of a batch. */
type SessionState = Omit<
  Insert<'sessions'>,
  | 'quarantined_at'
  | 'created_at'
  | 'tenant_id'
  | 'channel_id'
  | 'business_address'
  | 'user_key'
  | 'window_closed_at'
  | 'pace_at'
  | 'redirects'
  | 'identity_version'
> & { readonly is_quarantined: boolean; readonly identity_version: number | null }
type SessionIdentity = Pick<Insert<'sessions'>, 'tenant_id' | 'channel_id' | 'business_address' | 'user_key'>

export type SessionPayload =
  | (SessionState & SessionIdentity & { readonly is_new: true })
  | (SessionState & { readonly is_new: false })

/** Tenant and partition are the session's, `state_since` is a trigger's. Identity is named when it is opened, and stays. */
type ConversationState = Omit<
  Insert<'conversations'>,
  'tenant_id' | 'partition' | 'machine' | 'opened_at' | 'previous_id' | 'state_since'
> & { readonly base_version: number }
type ConversationIdentity = Pick<Insert<'conversations'>, 'machine' | 'opened_at' | 'previous_id'>

export type ConversationPayload = ConversationState | (ConversationState & ConversationIdentity)

export type JournalPayload = Insert<'conversation_events'>

/**
 * The channel is the session's; it is named only with a new session, to find duplicates before writing. What was said
 * in a message comes with the effect that heard it.
 */
export type MessagePayload = Omit<Insert<'messages'>, 'channel_id' | 'transcripts' | 'rate_limited'> & {
  readonly channel_id: string | null
  readonly rate_limited: true | null
}

/** The database's clock fills the rest. */
export type EffectPayload = Omit<
  Insert<'effects'>,
  'deadline' | 'started_at' | 'created_at' | 'outcome' | 'held_because' | 'held_since'
>

export type EffectUpdatePayload = Pick<
  Insert<'effects'>,
  'id' | 'session_id' | 'status' | 'attempts' | 'next_attempt_at' | 'outcome'
> & { readonly provider_id: string | null }

export type DeliveryPayload = Pick<
  Insert<'deliveries'>,
  'session_id' | 'provider_id' | 'effect_id' | 'status' | 'error_code' | 'raw'
> & { readonly at: string }

export type CommandPayload = Insert<'commands'>

export type NoticePayload = Pick<Row<'opt_outs'>, 'code' | 'provider_id' | 'effect_id' | 'at' | 'source'> & {
  readonly session_id: string
  readonly kind: string
  readonly pause_ms: number | null
}

/** Without a message it says what was learned beside one. */
export type IdentityPayload = Omit<Insert<'message_keys'>, 'message_id'> & { readonly message_id: string | null }

export type QuarantinePayload = Omit<Insert<'quarantine'>, 'id' | 'attempts'>

export type PartitionPayload = Pick<Row<'partitions'>, 'partition' | 'epoch'> & {
  readonly cursor_incarnation: string | null
  readonly cursor_sequence: number | null
}

/** Rows as columns: a list of values by name, null where a row has none. A column of nulls alone is left out. */
export type Columns<Listed> = { readonly [Name in KeysOfAny<Listed>]?: readonly (ValueOfAny<Listed, Name> | null)[] }

type KeysOfAny<Listed> = Listed extends unknown ? keyof Listed : never
type ValueOfAny<Listed, Name> = Listed extends { readonly [Key in Name & PropertyKey]: infer Value } ? Value : never

/** The argument of `commit_steps`: one flat list per table, so that each is one statement. */
export type CommitPayload = {
  readonly format: 1
  readonly commit_id: string
  readonly node_id: string
  readonly lease_ms: number
  readonly partitions: Columns<PartitionPayload>
  readonly sessions: Columns<SessionPayload>
  readonly conversations: Columns<ConversationPayload>
  readonly journal: Columns<JournalPayload>
  readonly messages: Columns<MessagePayload>
  readonly effects: Columns<EffectPayload>
  readonly effect_updates: Columns<EffectUpdatePayload>
  readonly deliveries: Columns<DeliveryPayload>
  readonly commands: Columns<CommandPayload>
  readonly identities: Columns<IdentityPayload>
  readonly quarantine: Columns<QuarantinePayload>
  readonly notices: Columns<NoticePayload>
}

// ── Answers ──────────────────────────────────────────────────────────────────────────────────────

export type ClaimedRow = Pick<Row<'partitions'>, 'partition' | 'epoch' | 'cursor_incarnation' | 'cursor_sequence'> & {
  readonly surplus: boolean
}

export type EffectRow = Omit<
  Row<'effects'>,
  'session_id' | 'partition' | 'outcome' | 'created_at' | 'held_because' | 'held_since'
>

export type LoadedConversationRow = Pick<
  Row<'conversations'>,
  'id' | 'status' | 'machine' | 'machine_version' | 'version' | 'notable_version' | 'snapshot' | 'hash' | 'updated_at'
> & { readonly timers: JsonObject }

type ParkedRow = Omit<Row<'quarantine'>, 'partition' | 'session_id' | 'attempts'>

export type LoadedSessionRow = Omit<
  Row<'sessions'>,
  'partition' | 'conversation_id' | 'created_at' | 'redirects' | 'window_closed_at' | 'pace_at'
> & {
  readonly redirects: { readonly [userKey: string]: string }
  readonly settings: JsonObject
  readonly parked: { readonly events: readonly ParkedRow[]; readonly count: number } | null
  readonly conversation: LoadedConversationRow | null
  readonly effects: readonly EffectRow[]
}

export type MessageRow = Omit<Row<'messages'>, 'session_id' | 'channel_id'>

export type ChannelRow = Pick<
  Row<'channels'>,
  'id' | 'tenant_id' | 'address' | 'provider_account' | 'token_secret_name'
> & {
  readonly settings: JsonObject
}

/** ISO 8601 of milliseconds since 1970. */
export function toIso(at: number): string {
  return new Date(at).toISOString()
}

export function toIsoOrNull(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString()
}

export function fromIso(text: string): number {
  return Date.parse(text)
}

export function fromIsoOrNull(text: string | null): number | null {
  return text === null ? null : Date.parse(text)
}
