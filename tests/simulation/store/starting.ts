/** `start_effects` of supabase/migrations: fenced like a commit, with the last look at what may have changed. */
import type { HoldReason, OwnedPartition, StartOutcome } from '../../../src/actors/ports.ts'
import { toEffect } from './reading.ts'
import type { EffectRow, SessionRow, Tables } from './tables.ts'
import { findOptOut } from './write-notices.ts'

export type StartRequest = {
  readonly nodeId: string
  readonly leaseMs: number
  readonly partitions: readonly OwnedPartition[]
  readonly effects: readonly { readonly effectId: string; readonly partition: number; readonly sessionId: string }[]
}

const windowMs = 24 * 3_600_000

export function startEffects(tables: Tables, request: StartRequest, moment: number): Map<string, StartOutcome> {
  const { nodeId, leaseMs } = request
  const lease = moment + leaseMs
  const held = new Set<number>()
  for (const { partition, epoch } of request.partitions) {
    const row = tables.partitions[partition]
    if (row === undefined || row.epoch !== epoch || row.owner !== nodeId) continue
    row.leaseUntil = lease
    held.add(partition)
  }
  return new Map(
    request.effects.map((wanted) => [wanted.effectId, startOne(tables, wanted, held, moment, lease)] as const),
  )
}

function startOne(
  tables: Tables,
  { effectId, partition, sessionId }: StartRequest['effects'][number],
  held: ReadonlySet<number>,
  moment: number,
  lease: number,
): StartOutcome {
  if (!held.has(partition)) return { kind: 'fenced' }
  const effect = tables.effects.get(effectId)
  const isNamed = effect !== undefined && effect.sessionId === sessionId && effect.partition === partition
  if (!isNamed || effect.status !== 'pending') return { kind: 'not-pending' }
  const session = tables.sessions.get(sessionId)
  const obstacle = findObstacle(tables, effect, session, moment)
  if (obstacle !== null) {
    const outcome = { kind: 'cancelled', reason: obstacle }
    tables.effects.set(effectId, { ...effect, status: 'cancelled', outcome, heldBecause: null, nextAttemptAt: null })
    const optOut = obstacle === 'opted-out' && session !== undefined ? findOptOut(tables, session) : null
    if (optOut !== null) tables.optOutBlocks.set(effectId, optOut)
    return { kind: 'cancelled', reason: obstacle }
  }
  const hold = findHold(tables, effect, session, moment)
  if ('reason' in hold) {
    const { reason, until } = hold
    tables.effects.set(effectId, { ...effect, outcome: null, heldBecause: reason, nextAttemptAt: until })
    return { kind: 'held', reason, until }
  }
  if (session !== undefined && hold.paceAt !== null) session.paceAt = hold.paceAt
  const attempts = effect.attempts + 1
  const running: EffectRow = {
    ...effect,
    status: 'running',
    attempts,
    nextAttemptAt: null,
    deadline: lease,
    startedAt: moment,
    outcome: null,
    heldBecause: null,
  }
  tables.effects.set(effectId, running)
  return { kind: 'started', effect: toEffect(running) }
}

/** It waits for the user, and rightly so: asked now the store would hold it again. */
export function awaitsUser(tables: Tables, effect: EffectRow, moment: number): boolean {
  const session = tables.sessions.get(effect.sessionId)
  if (effect.heldBecause !== 'window-closed' || findObstacle(tables, effect, session, moment) !== null) return false
  const hold = findHold(tables, effect, session, moment)
  return 'reason' in hold && hold.reason === 'window-closed'
}

function findObstacle(
  tables: Tables,
  effect: EffectRow,
  session: SessionRow | undefined,
  moment: number,
): 'opted-out' | 'speaker-changed' | null {
  if (effect.kind !== 'sendMessage' || session === undefined) return null
  if (findOptOut(tables, session) !== null) return 'opted-out'
  if (effect.speakerToken === session.speakerToken) return null
  // What a person wrote and the chart took is sent, also when that person has left since; what is held does not wait for another conversation.
  if ((effect.params as { readonly author?: unknown } | null)?.author !== 'operator') return 'speaker-changed'
  const conversation = tables.conversations.get(effect.conversationId)
  const isOpen = conversation?.conversationId === session.conversationId && conversation?.closedAt === null
  const waits = effect.heldBecause !== null || (isFreeForm(effect) && isWindowClosed(session, moment))
  return waits && !isOpen ? 'speaker-changed' : null
}

type Hold = { readonly reason: HoldReason; readonly until: number | null } | { readonly paceAt: number | null }

function findHold(tables: Tables, effect: EffectRow, session: SessionRow | undefined, moment: number): Hold {
  if (effect.kind !== 'sendMessage' || session === undefined) return { paceAt: null }
  if (isFreeForm(effect) && isWindowClosed(session, moment)) return { reason: 'window-closed', until: null }
  const pausedUntil = tables.pausedUntil.get(session.channelId) ?? 0
  if (pausedUntil > moment) return { reason: 'sender-paused', until: pausedUntil }
  const channel = tables.channels.find(({ channelId }) => channelId === session.channelId)
  const { paceIntervalMs, paceBurst } = channel?.settings ?? {}
  const isWhatsApp = session.businessAddress.startsWith('whatsapp:')
  const stepMs = typeof paceIntervalMs === 'number' ? paceIntervalMs : isWhatsApp ? 6_000 : 0
  if (stepMs === 0) return { paceAt: null }
  const freeAt = (session.paceAt ?? 0) - stepMs * ((typeof paceBurst === 'number' ? paceBurst : 10) - 1)
  if (freeAt > moment) return { reason: 'paced', until: freeAt }
  return { paceAt: Math.max(session.paceAt ?? 0, moment) + stepMs }
}

function isFreeForm({ params }: EffectRow): boolean {
  const { contentSid } = (params ?? {}) as { readonly contentSid?: unknown }
  return contentSid === undefined || contentSid === null
}

function isWindowClosed(session: SessionRow, moment: number): boolean {
  if (!session.businessAddress.startsWith('whatsapp:')) return false
  const { lastInboundAt, windowClosedAt, clockOffsetMs } = session
  if (lastInboundAt === null || (windowClosedAt !== null && windowClosedAt >= lastInboundAt)) return true
  return lastInboundAt < moment + clockOffsetMs - windowMs
}
