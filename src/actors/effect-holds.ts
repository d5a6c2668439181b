/**
 * Sends that the store has held back, as this node was last told. Only a memory of answers: the rows say so too, and
 * whoever loads the session asks again. An answer is good until its moment, or until something was committed that
 * could change it: the user wrote, somebody else has the word, the conversation is another one.
 */
import type { HoldReason } from './ports.ts'
import type { Session } from './session.ts'
import type { SessionState } from './session-state.ts'

type Hold = { readonly reason: HoldReason; readonly until: number | null; readonly occasion: string }

export class EffectHolds {
  readonly #bySession = new WeakMap<Session, Map<string, Hold>>()

  /** `occasion`: of the moment when the store was asked. */
  note(session: Session, effectId: string, hold: Hold): void {
    const holds = this.#bySession.get(session) ?? new Map<string, Hold>()
    this.#bySession.set(session, holds.set(effectId, hold))
  }

  /** Null when the store should be asked (again). */
  find(session: Session, effectId: string, now: number): Hold | null {
    const hold = this.#bySession.get(session)?.get(effectId)
    if (hold === undefined) return null
    const isGood = hold.occasion === toOccasion(session.committed) && (hold.until === null || hold.until > now)
    if (!isGood) this.#bySession.get(session)?.delete(effectId)
    return isGood ? hold : null
  }
}

/** What of a session the store's answer depends on. */
export function toOccasion(committed: SessionState | null): string {
  if (committed === null) return ''
  const { lastInboundAt, speakerToken, optedOut, conversation } = committed
  return [lastInboundAt, speakerToken, optedOut, conversation?.conversationId].join(' ')
}
