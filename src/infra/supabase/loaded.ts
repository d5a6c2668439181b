/** Domain types made of the rows that the loading functions answer. */
import type {
  ClaimedPartition,
  Effect,
  EffectStatus,
  LoadedConversation,
  LoadedSession,
  MessageRecord,
  ParkedEvent,
  ParkedQueue,
  Timers,
} from '../../actors/ports.ts'
import type { ContentPart, Transcripts } from '../../machines/content.ts'
import type { Media } from '../../machines/events.ts'
import type { Status } from '../../machines/status.ts'
import type { ClaimedRow, EffectRow, LoadedConversationRow, LoadedSessionRow, MessageRow } from './rows.ts'
import { fromIso, fromIsoOrNull } from './rows.ts'

export function toClaimedPartition(row: ClaimedRow): ClaimedPartition {
  return {
    partition: row.partition,
    epoch: row.epoch,
    cursor: { incarnation: row.cursor_incarnation, sequence: row.cursor_sequence },
    isSurplus: row.surplus,
  }
}

export function toLoadedSession(row: LoadedSessionRow): LoadedSession {
  return {
    sessionKey: row.session_key,
    sessionId: row.id,
    tenantId: row.tenant_id,
    channelId: row.channel_id,
    businessAddress: row.business_address,
    userKey: row.user_key,
    position:
      row.position_incarnation === null || row.position_sequence === null
        ? null
        : { incarnation: row.position_incarnation, sequence: row.position_sequence },
    replyAddress: row.reply_address,
    lastInboundAt: fromIsoOrNull(row.last_inbound_at),
    speaker: row.speaker,
    speakerToken: row.speaker_token,
    optedOut: row.opted_out,
    clockOffsetMs: row.clock_offset_ms,
    redirects: row.redirects,
    identityVersion: row.identity_version,
    quarantined: row.quarantined_at !== null,
    parked: row.parked === null ? null : toParkedQueue(row.parked),
    settings: row.settings,
    conversation: row.conversation === null ? null : toLoadedConversation(row.conversation),
    effects: row.effects.map(toEffect),
  }
}

function toParkedQueue({ events, count }: NonNullable<LoadedSessionRow['parked']>): ParkedQueue {
  return {
    count,
    events: events.map((row) => ({
      quarantineId: row.id,
      position: { incarnation: row.position_incarnation, sequence: row.position_sequence },
      kind: row.kind as ParkedEvent['kind'],
      subject: row.subject,
      dataBase64: row.data_base64,
      error: row.error,
      at: fromIso(row.at),
    })),
  }
}

function toLoadedConversation(row: LoadedConversationRow): LoadedConversation {
  return {
    conversationId: row.id,
    status: row.status as Status,
    machine: row.machine,
    machineVersion: row.machine_version,
    version: row.version,
    notableVersion: row.notable_version,
    snapshot: row.snapshot,
    hash: row.hash,
    timers: row.timers as unknown as Timers,
    updatedAt: fromIso(row.updated_at),
  }
}

export function toEffect(row: EffectRow): Effect {
  return {
    effectId: row.id,
    conversationId: row.conversation_id,
    kind: row.kind,
    params: row.params,
    childId: row.child_id,
    speakerToken: row.speaker_token,
    status: row.status as EffectStatus,
    attempts: row.attempts,
    nextAttemptAt: fromIsoOrNull(row.next_attempt_at),
    deadline: fromIsoOrNull(row.deadline),
    startedAt: fromIsoOrNull(row.started_at),
    messageId: row.message_id,
  }
}

export function toMessageRecord(row: MessageRow): MessageRecord {
  return {
    messageId: row.id,
    conversationId: row.conversation_id,
    direction: row.direction as MessageRecord['direction'],
    author: row.author as MessageRecord['author'],
    body: row.body,
    media: row.media as unknown as readonly Media[],
    providerId: row.provider_id,
    raw: row.raw,
    at: fromIso(row.at),
    ...(row.content !== null && { content: row.content as unknown as readonly ContentPart[] }),
    ...(row.transcripts !== null && { transcripts: row.transcripts as Transcripts }),
    ...(row.rate_limited && { rateLimited: true }),
  }
}
