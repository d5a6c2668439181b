/**
 * How a quarantined session goes on (DESIGN section 8): a person has its first waiting event applied again, left out,
 * or applied as changed; then everything behind it is applied, in order, as if it had just come.
 *
 * 1. Each event is applied whole or not at all. One that fails is poison again, and what is behind it goes on waiting.
 * 2. The session is released by the commit that empties its queue; its timers fire after that.
 * 3. Events come at the moments that the log gave them; the session's position in the log stays where it is.
 * 4. Only a person's word tries a poisoned event again.
 * 5. What is stored already (the provider repeats itself) is not applied twice.
 */
import type { JsonObject } from '../machines/json.ts'
import type { Entry } from './entry.ts'
import { toDuplicateKey } from './entry.ts'
import { toErrorText } from './error-text.ts'
import { Fold } from './fold.ts'
import { readLoggedEvent } from './logged-event.ts'
import type {
  CommandRecord,
  Effect,
  EffectResult,
  LoggedEvent,
  LoggedQuarantineRelease,
  ParkedEvent,
  ParkedQueue,
} from './ports.ts'
import type { SessionState } from './session-state.ts'
import type { Work } from './take-step.ts'

/** What waits in quarantine, as what it was when it came. */
export type WaitingEvent =
  | { readonly kind: 'logged'; readonly event: LoggedEvent; readonly at: number }
  | { readonly kind: 'result'; readonly effect: Effect; readonly result: Extract<Entry, { kind: 'result' }>['result'] }
  /** Its timers fire by themselves when the session is released. */
  | { readonly kind: 'due' }

/** Lets the session take one event; throws when its machine does. */
type Apply = (work: Work, waiting: WaitingEvent) => void

/** A person's word on the first event that waits. About any other, or none, it changes nothing. */
export function releaseQuarantine(work: Work, release: LoggedQuarantineRelease, at: number, apply: Apply): void {
  const { quarantined, parked } = work.state
  const [first, ...others] = parked?.events ?? []
  if (!quarantined || parked === null || first?.quarantineId !== release.quarantineId) {
    work.fold.commands.push(toOutcome(work.state, release, at, 'it is not the first event of its session that waits'))
    return
  }
  let reason: string | null = null
  if (release.action === 'skip') {
    work.fold.parked.push({ ...first, kind: 'skipped', error: null })
    drain(work, { events: others, count: parked.count - 1 }, apply, null)
  } else {
    drain(work, parked, apply, release.event)
    const settled = work.fold.parked.find(({ position }) => position === first.position)
    if (settled?.kind === 'poison') reason = settled.error
  }
  work.fold.commands.push(toOutcome(work.state, release, at, reason))
}

/** `reason`: why it was not applied, or null. */
function toOutcome(
  { conversation }: SessionState,
  { commandId }: LoggedQuarantineRelease,
  at: number,
  reason: string | null,
): CommandRecord {
  const { conversationId = null, status = null, version = null } = conversation ?? {}
  return { commandId, conversationId, outcome: reason === null ? 'applied' : 'refused', reason, status, version, at }
}

/** Goes on where a release has stopped because one commit would have been too large. */
export function drainQuarantine(work: Work, apply: Apply): void {
  const { quarantined, parked } = work.state
  if (quarantined && parked !== null && parked.events[0]?.kind !== 'poison') drain(work, parked, apply, null)
}

function drain(work: Work, queue: ParkedQueue, apply: Apply, edited: LoggedEvent | null): void {
  work.state = { ...work.state, quarantined: false, parked: null }
  for (const [index, event] of queue.events.entries()) {
    if (event.kind === 'poison' && index > 0) {
      work.state = { ...work.state, quarantined: true }
      return
    }
    const error = applyWhole(work, event, apply, index === 0 ? edited : null)
    if (error !== null) {
      work.fold.parked.push({ ...event, kind: 'poison', error })
      work.state = { ...work.state, quarantined: true }
      return
    }
    work.fold.parked.push({ ...event, kind: 'applied', error: null })
  }
  work.state = { ...work.state, quarantined: queue.count > queue.events.length }
}

/** Null when it was applied, else why not: then nothing of it is kept. */
function applyWhole(work: Work, event: ParkedEvent, apply: Apply, edited: LoggedEvent | null): string | null {
  try {
    const waiting = edited === null ? readWaiting(event) : ({ kind: 'logged', event: edited, at: event.at } as const)
    if (waiting.kind === 'logged' && isStored(work, waiting.event)) return null
    const attempt: Work = { state: work.state, fold: new Fold(), context: work.context }
    apply(attempt, waiting)
    work.fold.absorb(attempt.fold)
    work.state = attempt.state
    return null
  } catch (error) {
    return toErrorText(error)
  }
}

function isStored(work: Work, event: LoggedEvent): boolean {
  const key = toDuplicateKey(event)
  return key !== null && (work.context.storedKeys?.has(key) === true || work.fold.hasDuplicateKey(key))
}

/** The store refuses what a release leads to: nothing of it happens, and the first event says why. */
export function refuseRelease(
  state: SessionState,
  entry: Entry,
  error: string,
): { readonly state: SessionState; readonly fold: Fold } {
  const fold = new Fold()
  const [first] = state.parked?.events ?? []
  if (first !== undefined) fold.parked.push({ ...first, kind: 'poison', error })
  if (entry.kind === 'logged' && entry.event.type === 'quarantine.released') {
    fold.commands.push(toOutcome(state, entry.event, entry.log.at + state.clockOffsetMs, error))
  }
  return { state: { ...state, parked: null }, fold }
}

// ── As rows ──────────────────────────────────────────────────────────────────────────────────────

/** A result or a timer that fails stands in no log: its position names it alone. */
export function toParkedEntry(
  entry: Exclude<Entry, { kind: 'logged' }>,
  now: number,
): Pick<ParkedEvent, 'position' | 'subject' | 'dataBase64' | 'at'> {
  const incarnation = entry.kind === 'result' ? `effect ${entry.effect.effectId}` : 'timer'
  const dataBase64 = Buffer.from(JSON.stringify(entry)).toString('base64')
  return {
    position: { incarnation, sequence: entry.kind === 'due' ? entry.asOf : 0 },
    subject: entry.kind,
    dataBase64,
    at: now,
  }
}

/** An outcome that comes while its session is quarantined is told to the chart in its turn. */
export function toWaitingResult(effect: Effect, result: EffectResult, now: number): ParkedEvent {
  return { ...toParkedEntry({ kind: 'result', effect, result }, now), kind: 'waiting', error: null }
}

function readWaiting({ subject, dataBase64, position, at }: ParkedEvent): WaitingEvent {
  const data = Buffer.from(dataBase64, 'base64')
  if (subject === 'due') return { kind: 'due' }
  if (subject === 'result') {
    const { effect, result } = JSON.parse(data.toString()) as JsonObject as unknown as Extract<
      WaitingEvent,
      { kind: 'result' }
    >
    return { kind: 'result', effect, result }
  }
  const [kind = '', ...tokens] = subject.split('.')
  const log = { sequence: position.sequence, partition: 0, kind, sessionKey: tokens.join('.'), at, data }
  return { kind: 'logged', event: readLoggedEvent(log), at }
}
