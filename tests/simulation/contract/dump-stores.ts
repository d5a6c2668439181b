/** All rows of both stores in one form, without the moments that the database's clock made. */
import type { Sql } from '../../support/database.ts'
import type { QuarantineRow, Tables } from '../store/tables.ts'

export type Dump = { readonly [table: string]: readonly unknown[] }

export function dumpSimulated(tables: Tables): Dump {
  return {
    partitions: tables.partitions.map(({ partition, owner, epoch, cursor, lastCommitId }) => ({
      partition,
      owner,
      epoch,
      incarnation: cursor.incarnation,
      sequence: cursor.sequence,
      lastCommitId,
    })),
    sessions: sorted(tables.sessions.values(), ({ sessionId }) => sessionId).map((row) => ({
      sessionId: row.sessionId,
      partition: row.partition,
      sequence: row.position?.sequence ?? null,
      conversationId: row.conversationId,
      speakerToken: row.speakerToken,
      optedOut: row.optedOut,
      isQuarantined: row.isQuarantined,
      isPaced: row.paceAt !== null,
      hasClosedWindow: row.windowClosedAt !== null,
    })),
    conversations: sorted(tables.conversations.values(), ({ conversationId }) => conversationId).map((row) => ({
      conversationId: row.conversationId,
      sessionId: row.sessionId,
      status: row.status,
      version: row.version,
      hash: row.hash,
      snapshot: JSON.parse(row.snapshot) as unknown,
      previousId: row.previousId,
      isClosed: row.closedAt !== null,
    })),
    journal: sorted(
      [...tables.journal].flatMap(([conversationId, rows]) => rows.map((row) => ({ conversationId, ...row }))),
      ({ conversationId, version }) => `${conversationId} ${String(version).padStart(9, '0')}`,
    ).map(({ conversationId, version, eventId, fromStatus, toStatus, hash }) => ({
      conversationId,
      version,
      eventId,
      fromStatus,
      toStatus,
      hash,
    })),
    messages: sorted(tables.messages.values(), ({ messageId }) => messageId).map((row) => ({
      messageId: row.messageId,
      sessionId: row.sessionId,
      direction: row.direction,
      providerId: row.providerId,
    })),
    effects: sorted(tables.effects.values(), ({ effectId }) => effectId).map((row) => ({
      effectId: row.effectId,
      sessionId: row.sessionId,
      status: row.status,
      attempts: row.attempts,
      outcome: row.outcome,
      heldBecause: row.heldBecause,
      messageId: row.messageId,
    })),
    optOuts: sorted(
      tables.optOuts.map(({ userKey, scope, source, endedBy, optOutId }) => {
        const blocked = [...tables.optOutBlocks].filter(([, row]) => row.optOutId === optOutId).map(([id]) => id)
        return { userKey, scope, source, endedBy, blocked: blocked.toSorted() }
      }),
      toOptOutOrder,
    ),
    deliveries: sorted(tables.deliveries.values(), ({ channelId, providerId }) => `${channelId} ${providerId}`).map(
      (row) => ({
        channelId: row.channelId,
        providerId: row.providerId,
        effectId: row.effectId,
        status: row.status,
        errorCode: row.errorCode,
        callbacks: row.raw.length,
      }),
    ),
    commands: sorted(tables.commands.values(), ({ commandId }) => commandId).map(
      ({ commandId, sessionId, conversationId, outcome, reason }) => ({
        commandId,
        sessionId,
        conversationId,
        outcome,
        reason,
      }),
    ),
    quarantine: sorted(tables.quarantine.values(), toQuarantineOrder).map((row) => ({
      partition: row.partition,
      sequence: row.position.sequence,
      sessionId: row.sessionId,
      kind: row.kind,
    })),
  }
}

function toQuarantineOrder({ partition, position, sessionId }: QuarantineRow): string {
  return `${partition} ${String(position.sequence).padStart(9, '0')} ${sessionId ?? ''}`
}

function toOptOutOrder(row: { userKey: string; endedBy: string | null; source: string; blocked: unknown }): string {
  return JSON.stringify([row.userKey, row.endedBy, row.source, row.blocked])
}

function sorted<T>(rows: Iterable<T>, toKey: (row: T) => string): T[] {
  return [...rows].toSorted((a, b) => (toKey(a) < toKey(b) ? -1 : 1))
}

export async function dumpReal(sql: Sql): Promise<Dump> {
  return {
    partitions: await sql(`select partition, owner, epoch, cursor_incarnation as incarnation,
      cursor_sequence as sequence, last_commit_id as "lastCommitId" from duologue.partitions order by partition`),
    sessions: await sql(`select id as "sessionId", partition, position_sequence as sequence,
      conversation_id as "conversationId", speaker_token as "speakerToken", opted_out as "optedOut",
      quarantined_at is not null as "isQuarantined", pace_at is not null as "isPaced",
      window_closed_at is not null as "hasClosedWindow" from duologue.sessions order by id`),
    conversations: await sql(`select id as "conversationId", session_id as "sessionId", status, version, hash, snapshot,
      previous_id as "previousId", closed_at is not null as "isClosed" from duologue.conversations order by id`),
    journal: await sql(`select conversation_id as "conversationId", version, event_id as "eventId",
      from_status as "fromStatus", to_status as "toStatus", hash from duologue.conversation_events
      order by conversation_id, version`),
    messages: await sql(`select id as "messageId", session_id as "sessionId", direction, provider_id as "providerId"
      from duologue.messages order by id`),
    effects: await sql(`select id as "effectId", session_id as "sessionId", status, attempts, outcome,
      held_because as "heldBecause", message_id as "messageId" from duologue.effects order by id`),
    optOuts: sorted(
      (await sql(`select user_key as "userKey", scope, source, ended_by as "endedBy", array(
        select effect_id from duologue.opt_out_blocks where opt_out_id = opt_outs.id order by effect_id) as blocked
        from duologue.opt_outs`)) as unknown as Parameters<typeof toOptOutOrder>[0][],
      toOptOutOrder,
    ),
    deliveries:
      await sql(`select channel_id as "channelId", provider_id as "providerId", effect_id as "effectId", status,
      error_code as "errorCode", jsonb_array_length(raw) as callbacks from duologue.deliveries
      order by channel_id, provider_id collate "C"`),
    commands: await sql(`select id as "commandId", session_id as "sessionId", conversation_id as "conversationId",
      outcome, reason from duologue.commands order by id collate "C"`),
    quarantine: await sql(`select partition, position_sequence as sequence, session_id as "sessionId", kind
      from duologue.quarantine order by partition, position_sequence, session_id nulls first`),
  }
}
