/** `duologue.find_refusals`: the sessions of the held partitions that cannot be committed, and why. */
import type { CommitBatch, ConversationCommit, SessionCommit } from '../../../src/actors/ports.ts'
import { toSessionKey } from '../../../src/actors/session-key.ts'
import { toProviderKey } from './tables.ts'
import type { Exceptions, Tables } from './tables.ts'

export function findRefusals(tables: Tables, batch: CommitBatch, held: ReadonlySet<number>): Exceptions {
  const exceptions: Exceptions = {}
  const conversations = batch.sessions.flatMap((session) => session.conversations)
  for (const session of batch.sessions) {
    if (!held.has(session.partition)) continue
    const known = findKnown(tables, session)
    if (known.length > 0) exceptions[session.sessionId] = { kind: 'duplicate', duplicateKeys: known }
    // A stale session is loaded anew, and that tells its known provider ids too.
    if (isStale(tables, session, conversations)) exceptions[session.sessionId] = { kind: 'stale' }
  }
  return exceptions
}

function isStale(tables: Tables, session: SessionCommit, conversations: readonly ConversationCommit[]): boolean {
  return (
    isStaleSession(tables, session) ||
    session.conversations.some((each) => isStaleStep(tables, session, each, conversations))
  )
}

function isStaleSession(tables: Tables, { sessionId, created, partition, position }: SessionCommit): boolean {
  const stored = tables.sessions.get(sessionId)
  if (created !== null) {
    const sessionKey = toSessionKey(created.businessAddress, created.userKey)
    return stored !== undefined || tables.sessionByKey(sessionKey) !== null
  }
  if (stored === undefined || stored.partition !== partition) return true
  return (
    stored.position !== null &&
    position !== null &&
    stored.position.incarnation === position.incarnation &&
    stored.position.sequence > position.sequence
  )
}

function isStaleStep(
  tables: Tables,
  { sessionId }: SessionCommit,
  conversation: ConversationCommit,
  conversations: readonly ConversationCommit[],
): boolean {
  const stored = tables.conversations.get(conversation.conversationId)
  if (conversation.baseVersion !== (stored?.version ?? 0)) return true
  if (stored !== undefined && stored.sessionId !== sessionId) return true
  return (
    conversation.baseVersion === 0 && conversation.closedAt === null && hasOtherOpen(tables, sessionId, conversations)
  )
}

/** Whether the session has an open conversation that the batch does not close. */
function hasOtherOpen(tables: Tables, sessionId: string, conversations: readonly ConversationCommit[]): boolean {
  return tables
    .conversationsOf(sessionId)
    .some(
      (open) =>
        open.closedAt === null &&
        !conversations.some((closing) => closing.conversationId === open.conversationId && closing.closedAt !== null),
    )
}

function findKnown(tables: Tables, session: SessionCommit): string[] {
  const channelId = tables.sessions.get(session.sessionId)?.channelId ?? session.created?.channelId ?? ''
  const messages = session.messages.flatMap(({ direction, providerId }) =>
    direction === 'inbound' &&
    providerId !== null &&
    tables.messageByProviderId.has(toProviderKey(channelId, providerId))
      ? [providerId]
      : [],
  )
  const commands = session.commands.filter(({ commandId }) => tables.commands.has(commandId))
  return [...messages, ...commands.map(({ commandId }) => `command:${commandId}`)]
}
