/**
 * A batch as `commit_steps` takes it: the sessions' parts taken apart into one flat list per table, and each list
 * turned into columns, since names in every row would be a third of the bytes.
 */
import type { CommitBatch, ConversationCommit, EffectUpdate, ParkedEvent, SessionCommit } from '../../actors/ports.ts'
import { toIso, toIsoOrNull } from './rows.ts'
import type { Json } from '../../machines/json.ts'
import type {
  Columns,
  CommandPayload,
  CommitPayload,
  ConversationPayload,
  DeliveryPayload,
  EffectPayload,
  EffectUpdatePayload,
  IdentityPayload,
  JournalPayload,
  MessagePayload,
  NoticePayload,
  PartitionPayload,
  QuarantinePayload,
  SessionPayload,
} from './rows.ts'

export function toCommitPayload(batch: CommitBatch): CommitPayload {
  const { sessions } = batch
  return {
    format: 1,
    commit_id: batch.commitId,
    node_id: batch.nodeId,
    lease_ms: batch.leaseMs,
    partitions: toColumns(batch.partitions.map(toPartition)),
    sessions: toColumns(sessions.map(toSession)),
    conversations: toColumns(sessions.flatMap(toConversations)),
    journal: toColumns(sessions.flatMap(toJournal)),
    messages: toColumns(sessions.flatMap(toMessages)),
    effects: toColumns(sessions.flatMap(toEffects)),
    effect_updates: toColumns(sessions.flatMap(toEffectUpdates)),
    deliveries: toColumns(sessions.flatMap(toDeliveries)),
    commands: toColumns(sessions.flatMap(toCommands)),
    identities: toColumns(sessions.flatMap(toIdentities)),
    quarantine: toColumns([...batch.partitions.flatMap(toForeign), ...sessions.flatMap(toParked)]),
    notices: toColumns(sessions.flatMap(toNotices)),
  }
}

function toColumns<Row extends object>(rows: readonly Row[]): Columns<Row> {
  const columns: { [name: string]: unknown } = {}
  for (const [index, row] of rows.entries()) {
    for (const name in row) {
      const value = row[name]
      if (value === null) continue
      const column = (columns[name] ??= Array.from({ length: rows.length }, () => null)) as unknown[]
      column[index] = value
    }
  }
  return columns as Columns<Row>
}

function toPartition({ partition, epoch, cursor }: CommitBatch['partitions'][number]): PartitionPayload {
  return {
    partition,
    epoch,
    cursor_incarnation: cursor?.incarnation ?? null,
    cursor_sequence: cursor?.sequence ?? null,
  }
}

function toSession(session: SessionCommit): SessionPayload {
  const state = {
    id: session.sessionId,
    partition: session.partition,
    position_incarnation: session.position?.incarnation ?? null,
    position_sequence: session.position?.sequence ?? null,
    conversation_id: session.conversationId,
    reply_address: session.replyAddress,
    last_inbound_at: toIsoOrNull(session.lastInboundAt),
    speaker: session.speaker,
    speaker_token: session.speakerToken,
    opted_out: session.optedOut,
    clock_offset_ms: session.clockOffsetMs,
    is_quarantined: session.quarantined,
    identity_version: session.identityVersion ?? null,
  }
  if (session.created === null) return { ...state, is_new: false }
  const { tenantId, channelId, businessAddress, userKey } = session.created
  return {
    ...state,
    is_new: true,
    tenant_id: tenantId,
    channel_id: channelId,
    business_address: businessAddress,
    user_key: userKey,
  }
}

function toConversations(session: SessionCommit): ConversationPayload[] {
  return session.conversations.map((conversation) => {
    const state = {
      id: conversation.conversationId,
      session_id: session.sessionId,
      base_version: conversation.baseVersion,
      version: conversation.version,
      notable_version: conversation.notableVersion,
      status: conversation.status,
      snapshot: conversation.snapshot,
      machine_version: conversation.machineVersion,
      hash: conversation.hash,
      timers: conversation.timers as unknown as Json,
      next_timer_at: toIsoOrNull(conversation.nextTimerAt),
      assigned_operator: toAssignedOperator(session, conversation),
      updated_at: toIso(conversation.updatedAt),
      closed_at: toIsoOrNull(conversation.closedAt),
    }
    if (conversation.opened === null) return state
    const { previousId, openedAt } = conversation.opened
    return { ...state, machine: conversation.machine, previous_id: previousId, opened_at: toIso(openedAt) }
  })
}

const operatorPrefix = 'operator:'

function toAssignedOperator(session: SessionCommit, conversation: ConversationCommit): string | null {
  if (conversation.conversationId !== session.conversationId) return null
  return session.speaker.startsWith(operatorPrefix) ? session.speaker.slice(operatorPrefix.length) : null
}

function toJournal(session: SessionCommit): JournalPayload[] {
  return session.conversations.flatMap((conversation) =>
    conversation.journal.map((entry) => ({
      conversation_id: conversation.conversationId,
      version: entry.version,
      event_id: entry.eventId,
      event: entry.event,
      from_status: entry.fromStatus,
      to_status: entry.toStatus,
      reason: entry.reason,
      initiator: entry.initiator,
      machine_version: entry.machineVersion,
      occurred_at: toIso(entry.occurredAt),
      hash: entry.hash,
    })),
  )
}

function toMessages(session: SessionCommit): MessagePayload[] {
  return session.messages.map((message) => ({
    session_id: session.sessionId,
    id: message.messageId,
    channel_id: session.created?.channelId ?? null,
    conversation_id: message.conversationId,
    direction: message.direction,
    author: message.author,
    body: message.body,
    media: message.media as unknown as Json,
    provider_id: message.providerId,
    raw: message.raw,
    at: toIso(message.at),
    content: (message.content ?? null) as unknown as Json,
    rate_limited: message.rateLimited === true ? true : null,
  }))
}

function toEffects(session: SessionCommit): EffectPayload[] {
  return session.effects.map((effect) => ({
    id: effect.effectId,
    session_id: session.sessionId,
    partition: session.partition,
    conversation_id: effect.conversationId,
    kind: effect.kind,
    params: effect.params,
    child_id: effect.childId,
    speaker_token: effect.speakerToken,
    status: effect.status,
    attempts: effect.attempts,
    next_attempt_at: toIsoOrNull(effect.nextAttemptAt),
    message_id: effect.messageId,
  }))
}

/** Of several updates of one effect only the last is sent: one statement changes a row once. */
function toEffectUpdates(session: SessionCommit): EffectUpdatePayload[] {
  const last = new Map<string, EffectUpdate>()
  for (const update of session.effectUpdates) {
    const providerId = update.providerId ?? last.get(update.effectId)?.providerId ?? null
    last.set(update.effectId, { ...update, providerId })
  }
  return [...last.values()].map((update) => ({
    id: update.effectId,
    session_id: session.sessionId,
    status: update.status,
    attempts: update.attempts,
    next_attempt_at: toIsoOrNull(update.nextAttemptAt),
    outcome: update.outcome,
    provider_id: update.providerId,
  }))
}

function toDeliveries(session: SessionCommit): DeliveryPayload[] {
  return session.deliveries.map((delivery) => ({
    session_id: session.sessionId,
    provider_id: delivery.providerId,
    effect_id: delivery.effectId,
    status: delivery.status,
    error_code: delivery.errorCode,
    raw: delivery.raw,
    at: toIso(delivery.at),
  }))
}

function toCommands(session: SessionCommit): CommandPayload[] {
  return session.commands.map((command) => ({
    id: command.commandId,
    session_id: session.sessionId,
    conversation_id: command.conversationId,
    outcome: command.outcome,
    status: command.status,
    version: command.version,
    reason: command.reason,
    at: toIso(command.at),
  }))
}

function toNotices({ sessionId, notices }: SessionCommit): NoticePayload[] {
  return notices.map((notice) => ({
    session_id: sessionId,
    kind: notice.kind,
    source: notice.source,
    code: notice.code,
    provider_id: notice.providerId,
    effect_id: notice.effectId,
    pause_ms: notice.pauseMs,
    at: toIso(notice.at),
  }))
}

function toIdentities({ sessionId, identities = [] }: SessionCommit): IdentityPayload[] {
  return identities.map(({ userKey, messageId }) => ({
    session_id: sessionId,
    user_key: userKey,
    message_id: messageId,
  }))
}

function toForeign({ partition, parked }: CommitBatch['partitions'][number]): QuarantinePayload[] {
  return parked.map((event) => toQuarantine(event, partition, null))
}

function toParked({ partition, sessionId, parked }: SessionCommit): QuarantinePayload[] {
  return parked.map((event) => toQuarantine(event, partition, sessionId))
}

function toQuarantine(event: ParkedEvent, partition: number, sessionId: string | null): QuarantinePayload {
  return {
    partition,
    session_id: sessionId,
    position_incarnation: event.position.incarnation,
    position_sequence: event.position.sequence,
    kind: event.kind,
    subject: event.subject,
    data_base64: event.dataBase64,
    error: event.error,
    at: toIso(event.at),
  }
}
