/**
 * What the host needs of the world. `src/infra` implements these interfaces; a simulation may too.
 * Nothing in `src/actors` asks for time, randomness, ids, the log, the store or the world except here,
 * and nothing here knows which of its implementations it is.
 *
 * Times are milliseconds since 1970 unless a name says otherwise. Ids are UUIDv7.
 */
import type { ContentPart, Transcripts } from '../machines/content.ts'
import type { DeliveryStatus, Media } from '../machines/events.ts'
import type { Json, JsonObject } from '../machines/json.ts'
import type { Status } from '../machines/status.ts'

// ── Time, randomness, ids ────────────────────────────────────────────────────────────────────────

export interface Clock {
  /** Wall clock, ms since 1970. */
  now(): number
  /** Never goes back; only differences mean anything, ms. */
  monotonic(): number
  /** Runs `task` once after `delayMs`; the returned function cancels it. */
  schedule(delayMs: number, task: () => void): () => void
}

export interface Ids {
  /** A new UUIDv7: ids sort by the moment they were made. */
  next(): string
}

/** A number in [0, 1), for jitter only. */
export type Random = () => number

/** A named moment between two durable steps. Production does nothing here; a crash test ends the process. */
export const crashPoints = [
  // The webhook.
  'before-publish',
  'after-publish-acknowledged',
  'spooled',
  'spool-published',
  // A session on its way to the store.
  'after-load',
  'migrated',
  'before-commit',
  'commit-answer-lost',
  'after-commit',
  'passivated',
  // An effect on its way to the world and back.
  'before-start-effects',
  'effect-claimed',
  'after-effect-running',
  'after-send-returned',
  'result-received',
  'send-uncertain',
  'send-resolved',
  // A partition between two owners.
  'before-claim',
  'after-claim',
  'barrier-passed',
  'taken-over',
  'timer-due',
  'lease-lost',
  'draining',
  'before-release',
  'after-release',
] as const
export type CrashPoint = (typeof crashPoints)[number]
export type Reached = (point: CrashPoint) => void | Promise<void>

// ── The log ──────────────────────────────────────────────────────────────────────────────────────

/** What kind of event a subject carries; the kind in the subject carries the publisher's permission. */
export type EventKind = 'message' | 'status' | 'command'

export type LogEntry = {
  readonly sequence: number
  readonly partition: number
  /** The kind as the subject names it; checked against the event by the owner. */
  readonly kind: string
  /** `<business token>.<user token>`: the last two tokens of the subject. */
  readonly sessionKey: string
  /** When the log stored it. */
  readonly at: number
  readonly data: Uint8Array
}

export interface LogReader {
  /** Ends reading; nothing is delivered after the returned promise resolves. */
  stop(): Promise<void>
}

export interface EventLog {
  /**
   * The incarnation names this very log: a recreated or shortened one has another. `incidents` counts how often events
   * were found missing, where somebody counts.
   */
  describe(): Promise<{
    readonly incarnation: string
    readonly incidents?: number
    readonly firstSequence: number
    readonly lastSequence: number
    readonly partitions: number
  }>
  /** Sequence of the last entry of a partition, 0 when it has none. Never stale. */
  lastSequence(partition: number): Promise<number>
  /**
   * Delivers every entry of one partition after `afterSequence`, in order, each once per reader, across
   * reconnects. A promise returned by `deliver` holds back the entries behind it.
   */
  read(partition: number, afterSequence: number, deliver: (entry: LogEntry) => void | Promise<void>): LogReader
}

/** Hints between the nodes of a deployment. One that is lost costs waiting for the next poll, nothing else. */
export interface Peers {
  /** Partitions became free, or a node has come that wants its share. */
  announce(): void
  /** Calls `task` whenever a node announces something; the returned function ends it. */
  listen(task: () => void): () => void
}

export interface EventPublisher {
  /** Resolves when the log has stored the event (or had it already). Throws when it did not answer in time. */
  publish(event: LoggedEvent): Promise<{ sequence: number; duplicate: boolean }>
}

/** An event on its way to the log, addressed by the session it belongs to. `docs/nats.md` documents its JSON. */
export type LoggedEvent = LoggedMessage | LoggedDelivery | LoggedCommand | LoggedQuarantineRelease | LoggedClockAdvance

export type LoggedMessage = {
  readonly v: 1
  readonly type: 'message.received'
  /** The business address as the provider names it: `whatsapp:+14155238886`, `sms:+14155238886`. */
  readonly businessAddress: string
  /** The session's own key: scheme and canonical phone number, else the BSUID: `whatsapp:+15005550006`. */
  readonly userKey: string
  /** The keys that it carried, the one that it came under first; absent: `userKey` alone. */
  readonly identities?: readonly string[] | undefined
  /** Nobody could be asked whose session the keys lead to: the owner notes what it learns by them. */
  readonly unresolved?: true | undefined
  /** How often an owner has sent it on, because it belonged to another session; absent: never. */
  readonly forwarded?: number | undefined
  /** The address to answer, as it came. */
  readonly replyAddress: string
  /** The provider's id of the message (MessageSid). */
  readonly providerId: string
  /** The user's own words; the name of a document stands in `content`. */
  readonly body: string
  readonly media: readonly Media[]
  /** What it holds, part by part; absent when it is its words alone. */
  readonly content?: readonly ContentPart[] | undefined
  readonly profileName: string | null
  /** When the webhook received it. */
  readonly receivedAt: number
  /** The provider's form, every field as it came, with NUL and lone surrogates replaced. */
  readonly raw: { readonly [field: string]: string | readonly string[] }
}

export type LoggedDelivery = {
  readonly v: 1
  readonly type: 'delivery.updated'
  readonly businessAddress: string
  readonly userKey: string
  readonly identities?: readonly string[] | undefined
  readonly forwarded?: number | undefined
  readonly providerId: string
  /** The effect that sent it, from the callback's URL; null when the URL did not say. */
  readonly effectId: string | null
  readonly status: DeliveryStatus
  readonly errorCode: string | null
  readonly receivedAt: number
  readonly raw: { readonly [field: string]: string | readonly string[] }
}

/** What an operator, or a program, asks of a conversation (DESIGN D10). */
export type LoggedCommand = {
  readonly v: 1
  readonly type: 'command.issued'
  readonly businessAddress: string
  readonly userKey: string
  readonly forwarded?: number | undefined
  /** Names the command for ever: issued again under the same id it is not applied again. */
  readonly commandId: string
  readonly conversationId: string
  /** The version that its author saw; null: whatever it is by now. */
  readonly seenVersion: number | null
  /** What the chart shall be told, without its moment; read by the machine's registration. */
  readonly event: JsonObject
  readonly issuedAt: number
}

/** Lets a quarantined session go on: its first waiting event is applied again, left out, or applied as changed. */
export type LoggedQuarantineRelease = {
  readonly v: 1
  readonly type: 'quarantine.released'
  readonly businessAddress: string
  readonly userKey: string
  readonly forwarded?: number | undefined
  readonly commandId: string
  /** The waiting event; anything but the first one of its session is ignored. */
  readonly quarantineId: string
  readonly action: 'retry' | 'skip' | 'edit'
  /** What `edit` applies instead; else null. */
  readonly event: LoggedMessage | LoggedDelivery | null
}

/** Moves a session's own clock forward. Only test and phone builds accept it. */
export type LoggedClockAdvance = {
  readonly v: 1
  readonly type: 'clock.advanced'
  readonly businessAddress: string
  readonly userKey: string
  readonly forwarded?: number | undefined
  readonly commandId: string
  readonly byMs: number
}

// ── The store ────────────────────────────────────────────────────────────────────────────────────

export type Position = { readonly incarnation: string; readonly sequence: number }

export type OwnedPartition = { readonly partition: number; readonly epoch: number }

export type ClaimedPartition = OwnedPartition & {
  /** Everything up to here is finished; sequence 0 of an empty incarnation when nothing ever was. */
  readonly cursor: Position
  /** More than the node's share: it is renewed, and the node is to hand it over. */
  readonly isSurplus?: boolean
}

export type ClaimRequest = {
  readonly nodeId: string
  readonly leaseMs: number
  /**
   * What the node owns already and wants renewed. A partition that is missing in the answer was lost. One that `needs`
   * what this node does not know is given to a live node that does.
   */
  readonly held: readonly (OwnedPartition & { readonly needs?: MachineNeed | null })[]
  /** The versions that this node can run, oldest first. */
  readonly machines: MachineVersions
  /** True only for the holder of the embedded data folder's lock: every former owner is dead. */
  readonly takeAll: boolean
  /** No new claims, renewals only (a node that is about to stop). */
  readonly renewOnly: boolean
  /** False: the log does not answer this node. It claims nothing, and what it holds is surplus while others can read. */
  readonly canRead?: boolean
}

export type ClaimAnswer = {
  readonly partitions: readonly ClaimedPartition[]
  /** Of the versions that this node has announced, those that every live node knows. */
  readonly machines: MachineVersions
}

/** Versions by machine. */
export type MachineVersions = { readonly [machine: string]: readonly string[] }

/** A version without which a session cannot go on. */
export type MachineNeed = { readonly machine: string; readonly version: string }

/** A due moment of a conversation. `event` is what the chart gets; the token names one arming of it. */
export type Timer = { readonly dueAt: number; readonly token: string; readonly event: JsonObject }
export type Timers = { readonly [timerId: string]: Timer }

export type EffectStatus = 'pending' | 'running' | 'done' | 'failed' | 'cancelled' | 'uncertain'

export type Effect = {
  /** `<conversation id>:<version>:<index>`. */
  readonly effectId: string
  readonly conversationId: string
  readonly kind: string
  readonly params: Json
  /** The actor id inside the chart when it was invoked (its result goes back there); null for an action's effect. */
  readonly childId: string | null
  /** The speaker's token at the step that wanted it. A send whose token is no longer the session's is cancelled. */
  readonly speakerToken: number
  readonly status: EffectStatus
  readonly attempts: number
  /** Not to be started before; null: at once. */
  readonly nextAttemptAt: number | null
  /** A running effect's owner writes nothing to the world after this moment (the database's clock). */
  readonly deadline: number | null
  /** When the running attempt began (the database's clock); the resolver looks for sends since then. */
  readonly startedAt: number | null
  /** The message row that a send fills, else null. */
  readonly messageId: string | null
}

export type LoadedConversation = {
  readonly conversationId: string
  readonly status: Status
  readonly machine: string
  readonly machineVersion: string
  readonly version: number
  readonly notableVersion: number
  readonly snapshot: Json
  /** The hash chain's last link. */
  readonly hash: string
  readonly timers: Timers
  readonly updatedAt: number
}

export type LoadedSession = {
  readonly sessionKey: string
  readonly sessionId: string
  readonly tenantId: string
  readonly channelId: string
  readonly businessAddress: string
  readonly userKey: string
  readonly position: Position | null
  readonly replyAddress: string
  readonly lastInboundAt: number | null
  readonly speaker: string
  readonly speakerToken: number
  readonly optedOut: boolean
  readonly clockOffsetMs: number
  /** Keys that the session has given away, and to which session's key. */
  readonly redirects?: Redirects
  /** Rises whenever an owner has to know more of the session's identity than before. */
  readonly identityVersion?: number
  readonly quarantined: boolean
  /** What waits in its quarantine; null when it is not quarantined. */
  readonly parked: ParkedQueue | null
  readonly settings: JsonObject
  /** The newest conversation, open or closed; null when there never was one. */
  readonly conversation: LoadedConversation | null
  /** Effects that are not settled: pending, running or uncertain, oldest first, of all its conversations. */
  readonly effects: readonly Effect[]
}

/** `userKey` of another session by the key that leads to it. */
export type Redirects = { readonly [userKey: string]: string }

export type SessionRequest = {
  readonly sessionKey: string
  readonly partition: number
  /** Of messages and commands that wait to be stepped (`toDuplicateKey`); the answer says which are stored already. */
  readonly duplicateKeys: readonly string[]
}

export type LoadedSessions = {
  readonly sessions: readonly LoadedSession[]
  /** For requested keys without a session: the channel of their business address, where there is one. */
  readonly channels: readonly {
    readonly businessAddress: string
    readonly businessToken: string
    readonly channelId: string
    readonly tenantId: string
    readonly settings: JsonObject
  }[]
  /** Of the requested keys without a session: which session's user key they lead to. */
  readonly aliases?: readonly { readonly sessionKey: string; readonly home: string }[]
  /** Which of the asked keys are stored already, as `<session key> <duplicate key>`. */
  readonly knownKeys: readonly string[]
}

export type JournalEntry = {
  readonly version: number
  readonly eventId: string
  readonly event: Json
  readonly fromStatus: Status | null
  readonly toStatus: Status
  readonly reason: string | null
  /** user, assistant, operator:<id>, timer, system. */
  readonly initiator: string
  readonly machineVersion: string
  readonly occurredAt: number
  /** sha256 hex over the previous hash, the canonical event and the canonical resulting snapshot. */
  readonly hash: string
}

export type ConversationCommit = {
  readonly conversationId: string
  readonly machine: string
  readonly machineVersion: string
  /** Present on the commit that opens it (then `baseVersion` is 0). */
  readonly opened: { readonly previousId: string | null; readonly openedAt: number } | null
  readonly baseVersion: number
  readonly version: number
  /** Of the last step that an operator must have seen: it changed the status or the speaker, or the user wrote. */
  readonly notableVersion: number
  readonly status: Status
  readonly snapshot: Json
  readonly hash: string
  readonly timers: Timers
  /** The earliest timer by the wall clock (session offset subtracted); null without timers. */
  readonly nextTimerAt: number | null
  readonly updatedAt: number
  readonly closedAt: number | null
  /** One entry per version in (baseVersion, version]; empty when only timers moved (clock.advanced). */
  readonly journal: readonly JournalEntry[]
}

export type MessageRecord = {
  readonly messageId: string
  readonly conversationId: string | null
  readonly direction: 'inbound' | 'outbound'
  readonly author: 'user' | 'assistant' | 'operator' | 'system'
  readonly body: string
  readonly media: readonly Media[]
  /** What it holds, part by part; absent when it is its words and media alone. */
  readonly content?: readonly ContentPart[] | null
  /** What was said in its audio, once somebody has read it. */
  readonly transcripts?: Transcripts | null
  /** True: the user, or all users of the tenant, wrote too much, and the assistant was not asked about it. */
  readonly rateLimited?: boolean
  /** Null for an outbound message until its send returned. */
  readonly providerId: string | null
  readonly raw: Json
  readonly at: number
}

/** What became of an effect; `providerId` fills the message of a send. */
export type EffectUpdate = {
  readonly effectId: string
  readonly status: EffectStatus
  readonly attempts: number
  readonly nextAttemptAt: number | null
  readonly outcome: Json
  readonly providerId: string | null
}

export type DeliveryRecord = {
  readonly providerId: string
  readonly effectId: string | null
  readonly status: DeliveryStatus
  readonly errorCode: string | null
  readonly raw: Json
  readonly at: number
}

/** What became of a command; the row that its caller is answered from. */
export type CommandRecord = {
  readonly commandId: string
  /** Null when its session has none yet. */
  readonly conversationId: string | null
  /** `stale`: something happened that its author had not seen. */
  readonly outcome: 'applied' | 'refused' | 'stale'
  /** Of the conversation afterwards; null when it is not the current one of its session. */
  readonly status: Status | null
  readonly version: number | null
  /** Why it was not applied. */
  readonly reason: string | null
  readonly at: number
}

/** What a step learnt of a session beside its rows: the store keeps it as a proof, or for what comes next. */
export type SessionNotice = {
  /** `window-closed`: as of the attempt of the effect, where one is named. */
  readonly kind: 'opted-out' | 'opted-in' | 'window-closed' | 'sender-paused'
  /** Who said so: the user's message, or the provider, answering a send or in a callback. */
  readonly source: 'message' | 'response' | 'callback'
  /** The provider's error code. */
  readonly code: string | null
  /** Of the message that is meant: the user's own, or the one of ours that failed. */
  readonly providerId: string | null
  readonly effectId: string | null
  /** How long the sender is paused; null for other kinds. */
  readonly pauseMs: number | null
  readonly at: number
}

/** The first events that wait in a session's quarantine, oldest first, as many as one commit may apply. */
export type ParkedQueue = {
  readonly events: readonly (ParkedEvent & { readonly quarantineId: string })[]
  /** How many wait in all. */
  readonly count: number
}

/**
 * An event that could not be applied, or waits behind one. Its position names it: written again with another kind it
 * is the same row, and a row that is `applied` or `skipped` never changes again.
 */
export type ParkedEvent = {
  readonly position: Position
  /**
   * `poison`: it failed; `waiting`: it waits behind a failed one; `foreign`: no session could be named for it;
   * `applied` and `skipped`: it waits no more.
   */
  readonly kind: 'poison' | 'waiting' | 'foreign' | 'applied' | 'skipped'
  readonly subject: string
  /** The log's bytes, base64: they may be anything. */
  readonly dataBase64: string
  readonly error: string | null
  readonly at: number
}

/** A key of the user: what a message came under, or (without a message) what was learned beside it. */
export type IdentityRecord = { readonly userKey: string; readonly messageId: string | null }

/** Everything that one batch writes for one session. */
export type SessionCommit = {
  readonly sessionId: string
  readonly partition: number
  /** Present when the session is new. */
  readonly created: {
    readonly tenantId: string
    readonly channelId: string
    readonly businessAddress: string
    readonly userKey: string
  } | null
  readonly position: Position | null
  readonly replyAddress: string
  readonly lastInboundAt: number | null
  readonly speaker: string
  readonly speakerToken: number
  readonly optedOut: boolean
  readonly clockOffsetMs: number
  readonly quarantined: boolean
  /** As it was loaded: if it is another one by now, the commit is stale. */
  readonly identityVersion?: number
  /** The newest conversation after this commit. */
  readonly conversationId: string | null
  /** Oldest first: a closing is written before an opening. */
  readonly conversations: readonly ConversationCommit[]
  readonly messages: readonly MessageRecord[]
  /** New effects; `running` ones get the lease's end as their deadline and the database's now() as their start. */
  readonly effects: readonly Effect[]
  readonly effectUpdates: readonly EffectUpdate[]
  readonly deliveries: readonly DeliveryRecord[]
  readonly commands: readonly CommandRecord[]
  readonly parked: readonly ParkedEvent[]
  /** In the order in which they were learnt. */
  readonly notices: readonly SessionNotice[]
  readonly identities?: readonly IdentityRecord[]
}

export type CommitBatch = {
  /** Kept with the outcome in the partition row: the same id answers the same, whatever else happened. */
  readonly commitId: string
  readonly nodeId: string
  readonly leaseMs: number
  readonly partitions: readonly (OwnedPartition & {
    /** Where the cursor goes if every session of this partition in this batch is committed; null: it stays. */
    readonly cursor: Position | null
    /** Events of this partition that no session could be named for. */
    readonly parked: readonly ParkedEvent[]
  })[]
  readonly sessions: readonly SessionCommit[]
}

export type SessionOutcome =
  | { readonly kind: 'committed' }
  /** Another version is stored, or the session exists already: nothing of this session was written. */
  | { readonly kind: 'stale' }
  /** What these keys name is stored already: nothing of this session was written. */
  | { readonly kind: 'duplicate'; readonly duplicateKeys: readonly string[] }
  /** The partition has another owner: nothing of this partition was written. */
  | { readonly kind: 'fenced' }

export type CommitOutcome = {
  readonly partitions: ReadonlyMap<number, 'committed' | 'fenced'>
  readonly sessions: ReadonlyMap<string, SessionOutcome>
}

/** Why a send may not go now though it is still wanted. */
export type HoldReason = 'window-closed' | 'paced' | 'sender-paused'

export type StartOutcome =
  | { readonly kind: 'started'; readonly effect: Effect }
  /** It may not be sent any more; it is `cancelled` in the database. */
  | { readonly kind: 'cancelled'; readonly reason: 'opted-out' | 'speaker-changed' }
  /** It stays pending, and says why in its row. `until` is null where only the user's next message changes that. */
  | { readonly kind: 'held'; readonly reason: HoldReason; readonly until: number | null }
  /** It is not pending (or not there). */
  | { readonly kind: 'not-pending' }
  | { readonly kind: 'fenced' }

export type DueWork = {
  /** Sessions with an unsettled effect, or with a timer due before the horizon. */
  readonly sessions: readonly { readonly sessionKey: string; readonly partition: number; readonly wakeAt: number }[]
  /** Where to go on; null when this was the last page. */
  readonly next: string | null
}

export interface Store {
  claimPartitions(request: ClaimRequest): Promise<ClaimAnswer>
  releasePartitions(nodeId: string, partitions: readonly OwnedPartition[]): Promise<void>
  loadSessions(partitions: readonly OwnedPartition[], requests: readonly SessionRequest[]): Promise<LoadedSessions>
  /** Sessions of these partitions that need attention before `horizon`: `timers`, or unsettled `effects`. */
  loadDue(request: {
    readonly partitions: readonly number[]
    readonly of: 'timers' | 'effects'
    readonly horizon: number
    readonly after: string | null
    readonly limit: number
  }): Promise<DueWork>
  /** Throws `StoreRefused` when the store answered with an error, anything else when the answer is unknown. */
  commitSteps(batch: CommitBatch): Promise<CommitOutcome>
  startEffects(
    nodeId: string,
    leaseMs: number,
    partitions: readonly OwnedPartition[],
    effects: readonly { readonly effectId: string; readonly partition: number; readonly sessionId: string }[],
  ): Promise<ReadonlyMap<string, StartOutcome>>
  /** Proof that the effect was accepted by the provider, by callback: its provider id, or null. */
  findDelivery(effectId: string): Promise<string | null>
  /** Provider ids among these that belong to other effects or messages. */
  findKnownProviderIds(channelId: string, providerIds: readonly string[]): Promise<ReadonlySet<string>>
  /** The newest messages of a session, oldest first, for the assistant's memory. */
  recentMessages(sessionId: string, limit: number): Promise<readonly MessageRecord[]>
  /** A trivial call; resolves when the store answers at all. */
  ping(): Promise<void>
}

/** The store answered, and the answer was an error: nothing was written. */
export class StoreRefused extends Error {}

// ── The world ────────────────────────────────────────────────────────────────────────────────────

export type EffectRequest = {
  readonly effect: Effect
  readonly session: {
    readonly sessionId: string
    readonly tenantId: string
    readonly channelId: string
    readonly businessAddress: string
    readonly replyAddress: string
    readonly settings: JsonObject
  }
  /** Nothing may be written to the world at or after this reading of `Clock.monotonic()`. */
  readonly deadlineMonotonicMs: number
  /** Aborted when the chart no longer wants the effect. Sends do not look at it. */
  readonly signal: AbortSignal
}

export type EffectResult =
  | { readonly kind: 'done'; readonly output: Json; readonly providerId: string | null }
  | { readonly kind: 'failed'; readonly error: { readonly message: string; readonly code: string | null } }
  /**
   * The world certainly did not accept it; try again later. `isAttempt`: false when nothing left this process, so that
   * a busy one does not use up what is granted to sends whose answer was lost.
   */
  | { readonly kind: 'retry'; readonly afterMs: number; readonly reason: string; readonly isAttempt?: false }
  /** Nobody knows whether the world accepted it. */
  | { readonly kind: 'uncertain'; readonly reason: string }

/** Performs one kind of effect. It never throws for what the world does; a throw is our own mistake. */
export interface EffectPerformer {
  /** True when starting it twice can be seen from outside (a send); false when it can just be done again (a draft). */
  readonly isVisible: boolean
  perform(request: EffectRequest): Promise<EffectResult>
  /**
   * For an uncertain effect: what the world says about it now. Only for visible kinds.
   * Rejects when the world did not answer: ask again later, it proves nothing.
   */
  resolve?(request: EffectRequest): Promise<'accepted-none' | 'ambiguous' | { readonly providerId: string }>
}

export type EffectPerformers = { readonly [kind: string]: EffectPerformer }

// ── Telling ──────────────────────────────────────────────────────────────────────────────────────

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export interface Telemetry {
  /** Adds to a counter: `duologue_<name>_total{labels}`. */
  count(name: string, labels?: { readonly [label: string]: string }, by?: number): void
  /** Records a duration or size in a histogram: `duologue_<name>{labels}`. */
  observe(name: string, value: number, labels?: { readonly [label: string]: string }): void
  /** Sets a gauge: `duologue_<name>{labels}`. */
  gauge(name: string, value: number, labels?: { readonly [label: string]: string }): void
  /** One log line. Addresses and bodies never go in; ids do. */
  log(level: LogLevel, message: string, fields?: { readonly [field: string]: unknown }): void
}
