/** `duologue.write_notices` and `duologue.adopt_resend`: what a commit tells of a session beside its rows. */
import type { Effect, SessionNotice } from '../../../src/actors/ports.ts'
import { toProviderKey } from './tables.ts'
import type { EffectRow, OptOutRow, SessionRow, Tables } from './tables.ts'

export function writeNotices(
  tables: Tables,
  session: SessionRow,
  notices: readonly SessionNotice[],
  moment: number,
): void {
  for (const notice of notices) {
    const startedAt = tables.effects.get(notice.effectId ?? '')?.startedAt ?? null
    const attemptedAt = startedAt === null ? null : startedAt + session.clockOffsetMs
    switch (notice.kind) {
      case 'opted-out':
        optOut(tables, session, notice, attemptedAt)
        break
      case 'opted-in':
        for (const row of standingOf(tables, session)) {
          row.endedAt = moment
          row.endedBy = notice.providerId ?? notice.source
        }
        break
      case 'window-closed':
        session.windowClosedAt = Math.max(session.windowClosedAt ?? -Infinity, attemptedAt ?? notice.at)
        break
      case 'sender-paused': {
        const until = moment + (notice.pauseMs ?? 0)
        tables.pausedUntil.set(
          session.channelId,
          Math.max(until, tables.pausedUntil.get(session.channelId) ?? -Infinity),
        )
        break
      }
    }
  }
}

/** The opt-out that stands for a session. */
export function findOptOut(tables: Tables, session: SessionRow): OptOutRow | null {
  return standingOf(tables, session)[0] ?? null
}

function standingOf(tables: Tables, session: SessionRow): readonly OptOutRow[] {
  return allOf(tables, session).filter(({ endedAt }) => endedAt === null)
}

function allOf(tables: Tables, { tenantId, userKey, channelId }: SessionRow): readonly OptOutRow[] {
  const scopes = toScopes(tables, channelId)
  return tables.optOuts.filter(
    (row) => row.tenantId === tenantId && row.userKey === userKey && scopes.includes(row.scope),
  )
}

function toScopes(tables: Tables, channelId: string): readonly string[] {
  const service = tables.channels.find((channel) => channel.channelId === channelId)?.settings['messagingServiceSid']
  const own = `channel:${channelId}`
  return typeof service === 'string' && service !== '' ? [own, `service:${service}`] : [own]
}

/** The first proof stays. What the provider says of an attempt of before the user came back is history. */
function optOut(tables: Tables, session: SessionRow, notice: SessionNotice, attemptedAt: number | null): void {
  const isHistory = allOf(tables, session).some(
    ({ endedAt }) => endedAt !== null && attemptedAt !== null && endedAt + session.clockOffsetMs > attemptedAt,
  )
  if (findOptOut(tables, session) !== null || (notice.source !== 'message' && isHistory)) return
  const { tenantId, userKey, sessionId, channelId } = session
  const scope = toScopes(tables, channelId).at(-1) ?? ''
  const optOutId = tables.optOuts.length + 1
  tables.optOuts.push({ ...notice, optOutId, tenantId, scope, userKey, sessionId, endedAt: null, endedBy: null })
}

/** A resend takes what it says, and the message, from the send before it; null when it is nobody's or there already. */
export function adoptResend(tables: Tables, sessionId: string, wanted: Effect): Effect | null {
  if (!isResend(wanted)) return wanted
  const before = findBefore(tables, wanted)
  const isTheirs = before !== undefined && before.sessionId === sessionId && before.kind === 'sendMessage'
  if (!isTheirs || tables.effects.has(wanted.effectId)) return null
  const { params, messageId, speakerToken } = before
  const effect = wanted.params === null ? { ...wanted, params, messageId, speakerToken } : wanted
  const message = effect.messageId === null ? undefined : tables.messages.get(effect.messageId)
  if (effect.messageId !== null) tables.effects.set(before.effectId, { ...before, messageId: null })
  if (message !== undefined) {
    if (message.providerId !== null) {
      tables.messageByProviderId.delete(toProviderKey(message.channelId, message.providerId))
    }
    tables.putMessage({ ...message, providerId: null })
  }
  return effect
}

/** A piece of a message is as old as the message; what is sent again is as young as it is. */
export function toCreatedAt(tables: Tables, wanted: Effect, moment: number): number {
  if (!isResend(wanted) || wanted.params === null) return moment
  return findBefore(tables, wanted)?.createdAt ?? moment
}

export function isResend({ effectId }: Effect): boolean {
  return effectId.split(':').length > 3
}

function findBefore(tables: Tables, { effectId }: Effect): EffectRow | undefined {
  const number = Number(effectId.split(':')[3])
  const firstId = effectId.replace(/:\d+$/u, '')
  return tables.effects.get(number > 1 ? `${firstId}:${number - 1}` : firstId)
}
