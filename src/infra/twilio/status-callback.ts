/**
 * Where Twilio tells what became of a message: our public URL with the ids of the session and of the
 * effect that sent it. Ids only: the address of a person never stands in a URL.
 */
import type { EffectRequest } from '../../actors/ports.ts'

const loopback = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/

/**
 * Null when Twilio itself is the other side and our URL is this machine's loopback: Twilio refuses the
 * whole message (21609) when it could never call the address.
 */
export function toStatusCallback(request: EffectRequest, publicUrl: string, apiUrl: string | null): string | null {
  const base = new URL(publicUrl)
  if (apiUrl === null && loopback.test(base.hostname)) return null
  const query = new URLSearchParams({ session: request.session.sessionId, effect: request.effect.effectId })
  return `${base.origin}${base.pathname.replace(/\/$/, '')}/webhooks/twilio/status?${query.toString()}`
}
