/**
 * What the database refuses whoever writes (constraints and triggers of supabase/migrations). Checked before the
 * first row of a commit is written: a refused transaction leaves nothing.
 */
import type { ConversationCommit, JournalEntry, SessionCommit } from '../../../src/actors/ports.ts'
import { toSessionKey } from '../../../src/actors/session-key.ts'
import type { Status } from '../../../src/machines/status.ts'
import { toClosedRank, toProviderKey } from './tables.ts'
import type { ConversationRow, Tables } from './tables.ts'
import { isResend } from './write-notices.ts'

const openStatuses: { readonly [status: string]: readonly Status[] } = {
  PENDING: ['PENDING', 'PROGRESS', 'HUMAN_HANDOFF'],
  PROGRESS: ['PROGRESS', 'HUMAN_HANDOFF', 'IDLE_TIMEOUT'],
  HUMAN_HANDOFF: ['HUMAN_HANDOFF', 'PROGRESS'],
  IDLE_TIMEOUT: ['IDLE_TIMEOUT', 'PROGRESS', 'HUMAN_HANDOFF'],
}

/** `status_transitions`. */
export function mayFollow(from: Status | null, to: Status): boolean {
  if (from === null) return to === 'PENDING'
  if (toClosedRank(from) > 0) return toClosedRank(to) >= toClosedRank(from)
  return toClosedRank(to) > 0 || openStatuses[from]?.includes(to) === true
}

/** The first rule that these sessions' rows would break, or null. */
export function findBrokenRule(tables: Tables, sessions: readonly SessionCommit[]): string | null {
  const providerKeys = new Set<string>()
  for (const session of sessions) {
    const broken =
      findBrokenSession(tables, session) ??
      findBrokenMessages(tables, session, providerKeys) ??
      findBrokenEffects(tables, session) ??
      session.conversations.map((each) => findBrokenConversation(tables, each)).find((each) => each !== null)
    if (broken !== undefined && broken !== null) return broken
  }
  return null
}

function findBrokenSession(tables: Tables, { sessionId, created, conversations }: SessionCommit): string | null {
  if (created !== null) {
    if (tables.sessions.has(sessionId)) return `session ${sessionId} exists`
    if (tables.sessionByKey(toSessionKey(created.businessAddress, created.userKey)) !== null)
      return 'session_key exists'
  } else if (!tables.sessions.has(sessionId)) return null
  const open = new Set(
    tables.conversationsOf(sessionId).flatMap((each) => (each.closedAt === null ? [each.conversationId] : [])),
  )
  for (const { conversationId, closedAt } of conversations) {
    if (closedAt === null) open.add(conversationId)
    else open.delete(conversationId)
  }
  return open.size > 1 ? `session ${sessionId} would have ${open.size} open conversations` : null
}

function findBrokenMessages(tables: Tables, session: SessionCommit, providerKeys: Set<string>): string | null {
  const channelId = tables.sessions.get(session.sessionId)?.channelId ?? session.created?.channelId ?? ''
  for (const { messageId, providerId } of session.messages) {
    if (tables.messages.has(messageId)) return `message ${messageId} exists`
    if (providerId === null) continue
    const key = toProviderKey(channelId, providerId)
    if (providerKeys.has(key) || tables.messageByProviderId.has(key)) return `provider id ${providerId} exists`
    providerKeys.add(key)
  }
  return null
}

function findBrokenEffects(tables: Tables, session: SessionCommit): string | null {
  // What is sent again and is there already is passed over (`adopt_resend`).
  const existing = session.effects.find((effect) => !isResend(effect) && tables.effects.has(effect.effectId))
  return existing === undefined ? null : `effect ${existing.effectId} exists`
}

function findBrokenConversation(tables: Tables, conversation: ConversationCommit): string | null {
  const { conversationId, version, baseVersion, journal, status, closedAt } = conversation
  const stored = tables.conversations.get(conversationId) ?? null
  if ((closedAt !== null) !== toClosedRank(status) > 0) return `conversation ${conversationId}: closed_at and ${status}`
  if (journal.length !== version - baseVersion)
    return `${journal.length} journal rows for ${version - baseVersion} steps`
  const rows = tables.journal.get(conversationId) ?? []
  for (const entry of journal) {
    if (rows.some((row) => row.version === entry.version)) return `journal ${conversationId} ${entry.version} exists`
    const broken = findBrokenEntry(entry)
    if (broken !== null) return `conversation ${conversationId}: ${broken}`
  }
  return stored !== null && version === stored.version
    ? findChangeWithoutVersion(stored, conversation)
    : findBreak(stored, conversation)
}

function findBrokenEntry({ fromStatus, toStatus, event }: JournalEntry): string | null {
  if (!mayFollow(fromStatus, toStatus)) return `may not go from ${fromStatus ?? 'nothing'} to ${toStatus}`
  const type = (event as { readonly type?: unknown }).type
  const isWord = typeof type === 'string' && /^(?:message\.received$|handoff\.requested$|operator\.)/u.test(type)
  return fromStatus === toStatus && toClosedRank(toStatus) > 0 && isWord ? `is closed and takes no ${type}` : null
}

function findChangeWithoutVersion(
  stored: ConversationRow,
  { status, hash, snapshot }: ConversationCommit,
): string | null {
  const isSame = stored.status === status && stored.hash === hash && stored.snapshot === JSON.stringify(snapshot)
  return isSame ? null : `conversation ${stored.conversationId}: only timers change without a new version`
}

/** `duologue.find_break`: the journal leads without a gap from the stored version and status to the new ones. */
function findBreak(stored: ConversationRow | null, conversation: ConversationCommit): string | null {
  const { conversationId, version, status, hash, journal } = conversation
  const oldVersion = stored?.version ?? 0
  if (version < oldVersion) return `conversation ${conversationId}: its version never goes back`
  let from = stored?.status ?? null
  for (const [index, entry] of journal.entries()) {
    if (entry.version !== oldVersion + index + 1) return `conversation ${conversationId}: a gap at ${entry.version}`
    if (entry.fromStatus !== from) return `conversation ${conversationId}: a break in the statuses at ${entry.version}`
    from = entry.toStatus
  }
  const last = journal.at(-1)
  const arrives = last?.version === version && last.toStatus === status && last.hash === hash
  return arrives ? null : `conversation ${conversationId}: the journal does not lead to the status and hash of the row`
}
