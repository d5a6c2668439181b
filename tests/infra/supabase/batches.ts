/** Builders of what a host would commit: a session with one conversation, one journal row and one message per step. */
import { createHash, randomBytes } from 'node:crypto'
import type {
  CommandRecord,
  CommitBatch,
  ConversationCommit,
  Effect,
  JournalEntry,
  MessageRecord,
  OwnedPartition,
  ParkedEvent,
  SessionCommit,
  SessionNotice,
  Store,
} from '../../../src/actors/ports.ts'
import type { Status } from '../../../src/machines/status.ts'
import { isClosed } from '../../../src/machines/status.ts'
import type { ReadModel } from '../../../src/actors/read-model.ts'
import type { Repository } from '../../../src/infra/supabase/repository.ts'

export const businessAddress = 'whatsapp:+14155238886'
export const secondAddress = 'sms:+14155238887'
export const at = Date.UTC(2026, 10, 22, 12)
export const leaseMs = 3_000
export const incarnation = 'log-1'

let lastMillisecond = 0
let inMillisecond = 0

/** A UUIDv7; ids of one process sort in the order of their making. */
export function nextId(): string {
  const now = Date.now()
  inMillisecond = now === lastMillisecond ? inMillisecond + 1 : 0
  lastMillisecond = now
  const hex = now.toString(16).padStart(12, '0')
  const counter = inMillisecond.toString(16).padStart(3, '0')
  const random = randomBytes(8).toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7${counter}-a${random.slice(0, 3)}-${random.slice(4, 16)}`
}

export type TestSession = {
  readonly sessionId: string
  readonly partition: number
  readonly created: NonNullable<SessionCommit['created']>
  readonly conversationId: string
}

export type Deployment = { readonly tenantId: string; readonly channelId: string; readonly secondChannelId: string }

export async function initialize(
  { store }: { readonly store: Repository & ReadModel },
  partitions = 8,
): Promise<Deployment> {
  await store.initializeDeployment({
    partitions,
    businessAddresses: [businessAddress, secondAddress],
    providerAccount: 'AC0',
  })
  const first = await store.findChannel(businessAddress)
  const second = await store.findChannel(secondAddress)
  if (first === null || second === null) throw new Error('the channels are missing')
  return { tenantId: first.tenantId, channelId: first.channelId, secondChannelId: second.channelId }
}

let users = 0

export function newSession(deployment: Deployment, partition = 0): TestSession {
  users += 1
  return {
    sessionId: nextId(),
    partition,
    created: {
      tenantId: deployment.tenantId,
      channelId: deployment.channelId,
      businessAddress,
      userKey: `whatsapp:+1500${String(users).padStart(7, '0')}`,
    },
    conversationId: nextId(),
  }
}

export function toHash(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

export function journalEntry(
  version: number,
  from: Status | null,
  to: Status,
  part: Partial<JournalEntry> = {},
): JournalEntry {
  return {
    version,
    eventId: nextId(),
    event: { type: version === 1 ? 'conversation.opened' : 'message.received', body: `step ${version}` },
    fromStatus: from,
    toStatus: to,
    reason: from === to ? null : `to ${to}`,
    initiator: 'user',
    machineVersion: '1.0.0',
    occurredAt: at + version,
    hash: toHash(`${version} ${to}`),
    ...part,
  }
}

/** The steps through these statuses after `baseVersion`; `from` is null for an opening. */
export function conversationSteps(
  session: Pick<TestSession, 'conversationId'>,
  baseVersion: number,
  from: Status | null,
  through: readonly Status[],
  part: Partial<ConversationCommit> = {},
): ConversationCommit {
  const journal = through.map((to, index) =>
    journalEntry(baseVersion + index + 1, index === 0 ? from : (through[index - 1] ?? null), to),
  )
  const status = through.at(-1) ?? from ?? 'PENDING'
  const version = baseVersion + through.length
  return {
    conversationId: session.conversationId,
    machine: 'conversation',
    machineVersion: '1.0.0',
    opened: from === null ? { previousId: null, openedAt: at } : null,
    baseVersion,
    version,
    notableVersion: version,
    status,
    snapshot: { value: status, context: { turns: version } },
    hash: journal.at(-1)?.hash ?? '',
    timers: { idle: { dueAt: at + 60_000, token: 't', event: { type: 'xstate.after.idle' } } },
    nextTimerAt: at + 60_000,
    updatedAt: at + version,
    closedAt: isClosed(status) ? at + version : null,
    journal,
    ...part,
  }
}

export function commandOf(
  session: TestSession,
  outcome: CommandRecord['outcome'],
  part: Partial<CommandRecord> = {},
): CommandRecord {
  return {
    commandId: nextId(),
    conversationId: session.conversationId,
    outcome,
    status: 'PENDING',
    version: 1,
    reason: outcome === 'applied' ? null : 'it was not to be',
    at,
    ...part,
  }
}

export function inbound(session: TestSession, providerId: string, part: Partial<MessageRecord> = {}): MessageRecord {
  return {
    messageId: nextId(),
    conversationId: session.conversationId,
    direction: 'inbound',
    author: 'user',
    body: 'olá 👋',
    media: [],
    providerId,
    raw: { Body: 'olá 👋' },
    at,
    ...part,
  }
}

export function outbound(session: TestSession, part: Partial<MessageRecord> = {}): MessageRecord {
  return { ...inbound(session, ''), direction: 'outbound', author: 'assistant', providerId: null, raw: null, ...part }
}

export function newEffect(session: TestSession, version: number, index: number, part: Partial<Effect> = {}): Effect {
  return {
    effectId: `${session.conversationId}:${version}:${index}`,
    conversationId: session.conversationId,
    kind: 'sendMessage',
    params: { body: 'Hi' },
    childId: null,
    speakerToken: 1,
    status: 'pending',
    attempts: 0,
    nextAttemptAt: null,
    deadline: null,
    startedAt: null,
    messageId: null,
    ...part,
  }
}

export function noticeOf(kind: SessionNotice['kind'], part: Partial<SessionNotice> = {}): SessionNotice {
  return { kind, source: 'message', code: null, providerId: null, effectId: null, pauseMs: null, at, ...part }
}

export function parkedEvent(sequence: number, part: Partial<ParkedEvent> = {}): ParkedEvent {
  return {
    position: { incarnation, sequence },
    kind: 'poison',
    subject: 'duologue.log.0.message.a.b',
    dataBase64: 'AAECAw==',
    error: 'could not parse',
    at,
    ...part,
  }
}

/** A session's share of a batch: without `part` it changes nothing but the position. */
export function commitOf(session: TestSession, sequence: number, part: Partial<SessionCommit> = {}): SessionCommit {
  return {
    sessionId: session.sessionId,
    partition: session.partition,
    created: null,
    position: { incarnation, sequence },
    replyAddress: session.created.userKey,
    lastInboundAt: at,
    speaker: 'assistant',
    speakerToken: 1,
    optedOut: false,
    clockOffsetMs: 0,
    quarantined: false,
    conversationId: session.conversationId,
    conversations: [],
    messages: [],
    effects: [],
    effectUpdates: [],
    deliveries: [],
    commands: [],
    parked: [],
    notices: [],
    ...part,
  }
}

/** The commit that creates the session with its first conversation, one step, and one message. */
export function opening(session: TestSession, sequence: number, part: Partial<SessionCommit> = {}): SessionCommit {
  return commitOf(session, sequence, {
    created: session.created,
    conversations: [conversationSteps(session, 0, null, ['PENDING'])],
    messages: [inbound(session, `SM-${session.sessionId}`)],
    ...part,
  })
}

/** The commit of one more step with one more message. */
export function nextStep(
  session: TestSession,
  baseVersion: number,
  sequence: number,
  part: Partial<SessionCommit> = {},
): SessionCommit {
  return commitOf(session, sequence, {
    conversations: [conversationSteps(session, baseVersion, 'PENDING', ['PENDING'])],
    messages: [inbound(session, `SM-${nextId()}`)],
    ...part,
  })
}

/** A batch in which every partition's cursor goes to the highest position of its sessions. */
export function batchOf(
  nodeId: string,
  owned: readonly OwnedPartition[],
  sessions: readonly SessionCommit[],
  part: Partial<CommitBatch> = {},
): CommitBatch {
  const named = owned.filter(({ partition }) => sessions.some((session) => session.partition === partition))
  return {
    commitId: nextId(),
    nodeId,
    leaseMs,
    partitions: (named.length > 0 ? named : owned).map(({ partition, epoch }) => {
      const sequences = sessions
        .filter((session) => session.partition === partition)
        .map(({ position }) => position?.sequence ?? 0)
      return {
        partition,
        epoch,
        cursor: sequences.length === 0 ? null : { incarnation, sequence: Math.max(...sequences) },
        parked: [],
      }
    }),
    sessions,
    ...part,
  }
}

export async function claimAll(
  { store }: { readonly store: Pick<Store, 'claimPartitions'> },
  nodeId: string,
): Promise<readonly OwnedPartition[]> {
  const request = { nodeId, leaseMs, held: [], machines: {}, takeAll: true, renewOnly: false }
  const { partitions } = await store.claimPartitions(request)
  return partitions.map(({ partition, epoch }) => ({ partition, epoch }))
}
