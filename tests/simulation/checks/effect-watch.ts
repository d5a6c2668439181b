/** Checks that look at every effect at the moment when it would reach the world. */
import type { EffectRequest, LogEntry } from '../../../src/actors/ports.ts'
import type { SimulatedStore } from '../store/simulated-store.ts'
import type { EffectRow, Tables } from '../store/tables.ts'
import { optOuts } from '../world/make-scenario.ts'
import type { SimulatedLog } from '../world/simulated-log.ts'
import { foreignEvents } from './final-checks.ts'
import type { History } from './history.ts'
import { isFinished } from './store-watch.ts'
import type { CheckingWatch } from './store-watch.ts'

export function checkDraft(tables: Tables, history: History, { effect }: EffectRequest): void {
  if (!tables.effects.has(effect.effectId)) history.wrong('I7', `draft ${effect.effectId} began before its commit`)
}

export type SendWatch = {
  readonly store: SimulatedStore
  readonly watch: CheckingWatch
  readonly history: History
  readonly log: SimulatedLog
}

/** Nothing leaves the process before the step that decided it is committed, nor what may not be said any more. */
export function checkSend(sending: SendWatch, { effect }: EffectRequest): void {
  const { history, watch, store } = sending
  const { effectId } = effect
  const row = store.tables.effects.get(effectId)
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
  checkBarrier(sending, row)
}

/** D4: what an owner inherited waits until a STOP that was in the log before has been seen. */
function checkBarrier({ store, log, history }: SendWatch, row: EffectRow): void {
  const session = store.tables.sessions.get(row.sessionId)
  const claimedAt = store.claimedAt(row.partition)
  if (session === undefined || row.createdAt >= claimedAt) return
  const position = session.position?.sequence ?? 0
  const overlooked = (log.bySession.get(session.sessionKey) ?? []).find(
    (entry) => entry.sequence > position && entry.at < claimedAt && isOptOut(entry) && !isFinished(store.tables, entry),
  )
  if (overlooked !== undefined)
    history.wrong('D4', `send ${row.effectId} began before STOP ${overlooked.sequence} was seen`)
}

function isOptOut(entry: LogEntry): boolean {
  if (entry.kind !== 'message') return false
  const text = Buffer.from(entry.data).toString()
  if (foreignEvents.includes(text)) return false
  const { body } = JSON.parse(text) as { readonly body?: string }
  return body !== undefined && optOuts.includes(body)
}
