/** Checks that look at every effect at the moment when it would reach the world. */
import type { EffectRequest } from '../../../src/actors/ports.ts'
import type { Tables } from '../store/tables.ts'
import type { History } from './history.ts'
import type { CheckingWatch } from './store-watch.ts'

export function checkDraft(tables: Tables, history: History, { effect }: EffectRequest): void {
  if (!tables.effects.has(effect.effectId)) history.wrong('I7', `draft ${effect.effectId} began before its commit`)
}

/** Nothing leaves the process before the step that decided it is committed, nor what may not be said any more. */
export function checkSend(tables: Tables, watch: CheckingWatch, history: History, { effect }: EffectRequest): void {
  const { effectId } = effect
  const row = tables.effects.get(effectId)
  if (row === undefined) {
    history.wrong('I7', `send ${effectId} began before its commit`)
    return
  }
  if (row.status !== 'running') history.wrong('I7', `send ${effectId} began while it was ${row.status}`)
  if (row.startedAt === null) return
  const optedOutAt = watch.optedOutAt.get(row.sessionId)
  if (optedOutAt !== undefined && row.startedAt > optedOutAt) history.wrong('STOP', `send ${effectId} began after it`)
  const operatorSince = watch.operatorSince.get(row.sessionId)
  const { author } = (row.params ?? {}) as { readonly author?: unknown }
  if (author === 'assistant' && operatorSince !== undefined && row.startedAt > operatorSince) {
    history.wrong('HUMAN', `the assistant's send ${effectId} began after an operator had taken over`)
  }
}
