/**
 * Under which of a user's keys an event came, and where it belongs. A session may have given keys away, to a session
 * that an operator linked or parted, and a key may belong to another session without ever having had one of its own:
 * what arrives here all the same is sent on in its order (docs/decisions/2026-11-25-identity.md).
 */
import type { Entry } from './entry.ts'
import type { LoggedEvent, LoggedMessage } from './ports.ts'
import type { SessionState } from './session-state.ts'
import type { Work } from './take-step.ts'

/** The user key of the session that the entry belongs to; null: it is this one's. */
export function toHome(state: SessionState, entry: Entry): string | null {
  if (entry.kind !== 'logged') return null
  const { redirects, userKey } = state
  const away = redirects[userKey] ?? null
  // A session that is not there takes nothing; one that is there keeps what was always its own, such as its sends.
  if (state.isNew || entry.event.type !== 'message.received') return state.isNew ? away : null
  const [cameUnder = entry.event.userKey] = entry.event.identities ?? []
  return redirects[cameUnder] ?? away
}

/** The event as the other session's log gets it. */
export function toForwarded(event: LoggedEvent, home: string): LoggedEvent {
  const moved = { ...event, userKey: home, forwarded: (event.forwarded ?? 0) + 1 }
  return moved.type === 'message.received' ? { ...moved, identities: moved.identities ?? [event.userKey] } : moved
}

/** What the commit writes of the keys that a message carried. */
export function noteIdentities({ state, fold }: Work, event: LoggedMessage, messageId: string): void {
  const [cameUnder = event.userKey, ...others] = event.identities ?? []
  if (cameUnder !== state.userKey) fold.identities.push({ userKey: cameUnder, messageId })
  if (event.unresolved !== true) return
  for (const userKey of others) if (userKey !== state.userKey) fold.identities.push({ userKey, messageId: null })
}
