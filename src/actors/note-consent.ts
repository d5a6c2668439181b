/** Whether a user's message takes the consent to messages away or gives it again; the host keeps that, whatever the chart does. */
import { Fold } from './fold.ts'
import type { LoggedMessage, SessionNotice } from './ports.ts'
import { findRegistration } from './take-step.ts'
import type { Work } from './take-step.ts'

/** Kept with the session: it holds for every conversation, open or not. A recording has no provider's id here. */
export function noteConsent(
  work: Work,
  event: { readonly type: string },
  { providerId, at }: { readonly providerId: string | null; readonly at: number },
): void {
  const { channel, conversation } = work.state
  const machine = conversation?.machine ?? toMachineName(work)
  const consent = findRegistration(work.context, machine).toConsent(event, channel)
  if (consent === null) return
  const notice = { source: 'message', code: null, providerId, effectId: null, at } as const
  if (consent === 'withdrawn') noteOptOut(work, notice)
  else {
    work.fold.notices.push({ kind: 'opted-in', pauseMs: null, ...notice })
    work.state = { ...work.state, optedOut: false }
  }
}

/**
 * Of a message that is put into quarantine: it is stored and heard of later, but nothing may be sent meanwhile. That the
 * user wants messages again waits for its turn; and what cannot be read (that may be why it is there) says nothing.
 */
export function noteParkedOptOut(work: Work, event: LoggedMessage, at: number): void {
  const { providerId, body, media } = event
  const attempt: Work = { state: work.state, fold: new Fold(), context: work.context }
  try {
    const received = { type: 'message.received', messageId: '', body, media, ...toMessageParts(event), at } as const
    noteConsent(attempt, received, { providerId, at })
  } catch {
    return
  }
  if (!attempt.fold.withdraws) return
  work.fold.notices.push(...attempt.fold.notices)
  work.state = attempt.state
}

/** What of a message is not there with every message. */
export function toMessageParts({ content, raw }: LoggedMessage) {
  const consent = toProviderConsent(raw)
  return { ...(content !== undefined && { content }), ...(consent !== null && { consent }) }
}

export function noteOptOut(work: Work, notice: Omit<SessionNotice, 'kind' | 'pauseMs'>): void {
  work.fold.notices.push({ kind: 'opted-out', pauseMs: null, ...notice })
  work.state = { ...work.state, optedOut: true, withdrawals: work.state.withdrawals + 1 }
}

/** The machine of new conversations: the tenant's, or the deployment's. */
export function toMachineName({ state, context }: Work): string {
  const { machine } = state.channel.settings
  return typeof machine === 'string' ? machine : context.defaultMachine
}

/** Twilio's Advanced Opt-Out has words of its own, and says in `OptOutType` which it took a message for. */
function toProviderConsent(raw: LoggedMessage['raw']): 'withdrawn' | 'given' | null {
  const type = Object.hasOwn(raw, 'OptOutType') ? raw['OptOutType'] : undefined
  if (type === 'STOP') return 'withdrawn'
  return type === 'START' ? 'given' : null
}
