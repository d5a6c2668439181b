/** Whether a session still wants an effect, and which others it could be taken for. */
import type { Json } from '../machines/json.ts'
import type { Effect } from './ports.ts'
import type { Session } from './session.ts'

/** The newest fold, committed or not, still has it, and nobody else has the word since. */
export function isWanted(session: Session, effect: Effect): boolean {
  const { newest } = session
  if (newest === null || !newest.effects.some(({ effectId }) => effectId === effect.effectId)) return false
  return effect.childId !== null || isOperators(effect) || newest.speakerToken === effect.speakerToken
}

/** Another send of the session with the same text has been started, and what became of it is not stored yet. */
export function hasRival(session: Session, effect: Effect, isRunning: (other: Effect) => boolean): boolean {
  const { committed, newest } = session
  return (committed?.effects ?? []).some((other) => {
    const isOther = other.effectId !== effect.effectId && other.kind === effect.kind
    const isChanging = newest?.effects.includes(other) === false
    const mayBeThere = isChanging || other.status !== 'pending' || isRunning(other)
    // What a resend says the store fills in: here it may be anything.
    return isOther && mayBeThere && (other.params === null || toBody(other) === toBody(effect))
  })
}

function toBody({ params }: Effect): Json | undefined {
  return (params as { readonly body?: Json } | null)?.body
}

/** What a person wrote and the chart took is sent, also when that person has left since (docs/decisions, operators). */
function isOperators({ params }: Effect): boolean {
  return (params as { readonly author?: Json } | null)?.author === 'operator'
}
