/** `start_effects` of supabase/migrations: fenced like a commit, with the last look at what may have changed. */
import type { OwnedPartition, StartOutcome } from '../../../src/actors/ports.ts'
import { toEffect } from './reading.ts'
import type { EffectRow, SessionRow, Tables } from './tables.ts'

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
  const obstacle = findObstacle(effect, tables.sessions.get(sessionId), moment)
  if (obstacle !== null) {
    tables.effects.set(effectId, { ...effect, status: 'cancelled', outcome: { kind: 'cancelled', reason: obstacle } })
    return { kind: 'cancelled', reason: obstacle }
  }
  const attempts = effect.attempts + 1
  const running: EffectRow = {
    ...effect,
    status: 'running',
    attempts,
    deadline: lease,
    startedAt: moment,
    outcome: null,
  }
  tables.effects.set(effectId, running)
  return { kind: 'started', effect: toEffect(running) }
}

function findObstacle(
  effect: EffectRow,
  session: SessionRow | undefined,
  moment: number,
): 'opted-out' | 'window-closed' | 'speaker-changed' | null {
  if (effect.kind !== 'sendMessage' || session === undefined) return null
  if (session.optedOut) return 'opted-out'
  const { contentSid, author } = (effect.params ?? {}) as { readonly contentSid?: unknown; readonly author?: unknown }
  // What a person wrote and the chart took is sent, also when that person has left since.
  if (effect.speakerToken !== session.speakerToken && author !== 'operator') return 'speaker-changed'
  const isFreeForm = contentSid === undefined || contentSid === null
  const isLate = (session.lastInboundAt ?? -Infinity) < moment + session.clockOffsetMs - windowMs
  return session.businessAddress.startsWith('whatsapp:') && isFreeForm && isLate ? 'window-closed' : null
}
