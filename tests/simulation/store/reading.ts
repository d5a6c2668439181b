/** `load_sessions`, `load_due` and the small questions of supabase/migrations. */
import type {
  DueWork,
  Effect,
  LoadedSession,
  LoadedSessions,
  MessageRecord,
  SessionRequest,
  Store,
} from '../../../src/actors/ports.ts'
import type { Json } from '../../../src/machines/json.ts'
import type { Timers } from '../../../src/actors/ports.ts'
import { isUnsettled, toProviderKey } from './tables.ts'
import type { ConversationRow, EffectRow, MessageRow, SessionRow, Tables } from './tables.ts'

export type DueRequest = Parameters<Store['loadDue']>[0]

export function loadSessions(
  tables: Tables,
  requests: readonly SessionRequest[],
  toLoaded: (session: SessionRow) => LoadedSession = (session) => toLoadedSession(tables, session),
): LoadedSessions {
  const found = requests.flatMap(({ sessionKey }) => tables.sessionByKey(sessionKey) ?? [])
  const foundKeys = new Set(found.map(({ sessionKey }) => sessionKey))
  const missing = new Set(
    requests.filter(({ sessionKey }) => !foundKeys.has(sessionKey)).map(({ sessionKey }) => sessionKey.split('.')[0]),
  )
  return {
    sessions: found.map(toLoaded),
    // Its sessions have one key each: none is another one's.
    aliases: [],
    channels: tables.channels.filter(({ businessToken }) => missing.has(businessToken)),
    knownKeys: requests.flatMap(({ sessionKey, duplicateKeys }) => {
      const channel = tables.channels.find(({ businessToken }) => businessToken === sessionKey.split('.')[0])
      return duplicateKeys
        .filter((key) => channel !== undefined && isStored(tables, channel.channelId, key))
        .map((key) => `${sessionKey} ${key}`)
    }),
  }
}

function isStored(tables: Tables, channelId: string, key: string): boolean {
  if (key.startsWith('command:')) return tables.commands.has(key.slice('command:'.length))
  return tables.messageByProviderId.has(toProviderKey(channelId, key))
}

export function toLoadedSession(tables: Tables, session: SessionRow): LoadedSession {
  const {
    partition: _partition,
    windowClosedAt: _closed,
    paceAt: _pace,
    conversationId,
    isQuarantined,
    ...row
  } = session
  const conversation = conversationId === null ? undefined : tables.conversations.get(conversationId)
  const channel = tables.channels.find(({ channelId }) => channelId === session.channelId)
  return {
    ...row,
    redirects: {},
    identityVersion: 0,
    quarantined: isQuarantined,
    parked: isQuarantined ? toParkedQueue(tables, session.sessionId) : null,
    settings: channel?.settings ?? {},
    conversation: conversation?.sessionId !== session.sessionId ? null : toLoadedConversation(conversation),
    effects: tables.unsettledEffects(session.sessionId).map(toEffect),
  }
}

/** `parked_queue`, but for its limit of bytes, which no simulated session comes near. */
function toParkedQueue(tables: Tables, sessionId: string): NonNullable<LoadedSession['parked']> {
  const waiting = tables.waitingOf(sessionId)
  const events = waiting.slice(0, 200).map(({ partition: _partition, sessionId: _session, ...event }) => event)
  return { events, count: waiting.length }
}

function toLoadedConversation(row: ConversationRow): NonNullable<LoadedSession['conversation']> {
  const { conversationId, status, machine, machineVersion, version, notableVersion, hash, updatedAt } = row
  return {
    conversationId,
    status,
    machine,
    machineVersion,
    version,
    notableVersion,
    snapshot: JSON.parse(row.snapshot) as Json,
    hash,
    timers: JSON.parse(row.timers) as Timers,
    updatedAt,
  }
}

export function toEffect({
  sessionId: _session,
  partition: _partition,
  createdAt: _created,
  outcome: _,
  heldBecause: _held,
  ...effect
}: EffectRow): Effect {
  return effect
}

type Due = { readonly sessionKey: string; readonly partition: number; readonly wakeAt: number; readonly id: string }

export function loadDue(tables: Tables, request: DueRequest): DueWork {
  const after = request.after === null ? null : (JSON.parse(request.after) as Due)
  const room = Math.min(1_000, Math.max(1, request.limit))
  const due = request.partitions
    .toSorted((a, b) => a - b)
    .flatMap((partition) =>
      request.of === 'timers' ? dueTimers(tables, partition, request.horizon) : unsettled(tables, partition),
    )
    .filter((each) => after === null || isBehind(each, after, request.of))
    .slice(0, room)
  const last = due.at(-1)
  return {
    sessions: due.map(({ sessionKey, partition, wakeAt }) => ({ sessionKey, partition, wakeAt })),
    next: due.length === room && last !== undefined ? JSON.stringify(last) : null,
  }
}

function isBehind(each: Due, after: Due, of: DueRequest['of']): boolean {
  if (each.partition !== after.partition) return each.partition > after.partition
  if (of === 'timers' && each.wakeAt !== after.wakeAt) return each.wakeAt > after.wakeAt
  return each.id > after.id
}

function dueTimers(tables: Tables, partition: number, horizon: number): Due[] {
  return [...tables.conversations.values()]
    .flatMap(({ conversationId, sessionId, nextTimerAt, ...row }) => {
      const session = tables.sessions.get(sessionId)
      const isDue = row.partition === partition && nextTimerAt !== null && nextTimerAt <= horizon
      if (!isDue || session === undefined || session.isQuarantined) return []
      return [{ sessionKey: session.sessionKey, partition, wakeAt: nextTimerAt, id: conversationId }]
    })
    .toSorted((a, b) => a.wakeAt - b.wakeAt || (a.id < b.id ? -1 : 1))
}

function unsettled(tables: Tables, partition: number): Due[] {
  const earliest = new Map<string, number>()
  for (const effect of tables.effects.values()) {
    if (effect.partition !== partition || !isUnsettled(effect)) continue
    const moment = effect.status === 'running' ? effect.deadline : effect.nextAttemptAt
    const wakeAt = moment ?? effect.createdAt
    earliest.set(effect.sessionId, Math.min(earliest.get(effect.sessionId) ?? Infinity, wakeAt))
  }
  // A release has stopped halfway: the first waiting event is no poison.
  for (const { sessionId, isQuarantined, ...session } of tables.sessions.values()) {
    const isHalfway = isQuarantined && tables.waitingOf(sessionId)[0]?.kind === 'waiting'
    if (session.partition === partition && isHalfway && !earliest.has(sessionId)) earliest.set(sessionId, 0)
  }
  return [...earliest]
    .flatMap(([id, wakeAt]) => {
      const session = tables.sessions.get(id)
      return session === undefined ? [] : [{ sessionKey: session.sessionKey, partition, wakeAt, id }]
    })
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
}

export function findDelivery(tables: Tables, effectId: string): string | null {
  const named = [...tables.deliveries.values()].filter((delivery) => delivery.effectId === effectId)
  return named.map(({ providerId }) => providerId).toSorted()[0] ?? null
}

export function findKnownProviderIds(tables: Tables, channelId: string, providerIds: readonly string[]): string[] {
  return providerIds.filter((providerId) => {
    const key = toProviderKey(channelId, providerId)
    return tables.messageByProviderId.has(key) || (tables.deliveries.get(key)?.effectId ?? null) !== null
  })
}

export function recentMessages(tables: Tables, sessionId: string, limit: number): MessageRecord[] {
  return [...tables.messages.values()]
    .filter((message) => message.sessionId === sessionId && !wasNeverSent(tables, message))
    .toSorted((a, b) => (a.messageId < b.messageId ? -1 : 1))
    .slice(-limit)
    .map(toRecord)
}

function wasNeverSent(tables: Tables, { messageId }: MessageRow): boolean {
  return [...tables.effects.values()].some(
    (effect) => effect.messageId === messageId && (effect.status === 'cancelled' || effect.status === 'failed'),
  )
}

function toRecord({ sessionId: _session, channelId: _channel, ...message }: MessageRow): MessageRecord {
  return message
}
