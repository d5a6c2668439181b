/** How an effect of the session's state changes: in memory, and as what the fold writes. */
import type { Json } from '../machines/json.ts'
import type { Effect, EffectUpdate } from './ports.ts'
import type { Work } from './take-step.ts'

export function settle(
  work: Work,
  effect: Effect,
  settled: { status: 'done' | 'failed' | 'cancelled'; outcome: Json; providerId: string | null },
): void {
  const { effectId, attempts } = effect
  work.fold.updateEffect({ effectId, attempts, nextAttemptAt: null, ...settled })
  work.state = { ...work.state, effects: work.state.effects.filter((other) => other.effectId !== effectId) }
}

export function update(
  work: Work,
  effect: Effect,
  changed: Pick<EffectUpdate, 'nextAttemptAt' | 'outcome'> & { status: 'pending' | 'uncertain' },
): void {
  const { effectId, attempts } = effect
  work.fold.updateEffect({ effectId, attempts, providerId: null, ...changed })
  const updated: Effect = { ...effect, status: changed.status, nextAttemptAt: changed.nextAttemptAt }
  const effects = work.state.effects.map((other) => (other.effectId === effectId ? updated : other))
  work.state = { ...work.state, effects }
}
