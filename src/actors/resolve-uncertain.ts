/**
 * What became of a send whose answer was lost (DESIGN section 7). Twilio has no idempotency key, so the
 * provider is asked: a callback that names the effect proves acceptance; else the list of its messages is
 * searched now and after each of `resolveAfterMs`. One match is the send, none is one resend, more than one
 * is for a person.
 */
import { pause, toRetryDelay } from './committer.ts'
import { limits } from './host.ts'
import type { Host } from './host.ts'
import type { EffectPerformer, EffectRequest, EffectResult } from './ports.ts'

/**
 * Null when it stays uncertain: a person has to look. `hasRival`: another send of the session with the same text may
 * be under way, so that a message in the provider's list may be that one's. It is asked about again later.
 */
export async function resolveUncertain(
  host: Host,
  performer: EffectPerformer,
  request: EffectRequest,
  hasRival: () => boolean,
): Promise<EffectResult | null> {
  await host.reached('send-uncertain')
  let isRivalled = false
  for (const waitMs of [0, ...host.settings.resolveAfterMs]) {
    await pause(host, waitMs)
    isRivalled = hasRival()
    const answer = await ask(host, performer, request)
    await host.reached('send-resolved')
    isRivalled ||= hasRival()
    if (answer === null || answer === 'ambiguous') return leaveToPerson(host, request, 'more than one message matches')
    if (answer === 'accepted-none') isRivalled = false
    else if (answer.isProven || !isRivalled) return toDone(answer)
  }
  if (isRivalled) return leaveToPerson(host, request, 'the message may be that of another send with the same text')
  if (request.effect.attempts > limits.resendsMax) return leaveToPerson(host, request, 'it was sent again already')
  return { kind: 'retry', afterMs: 0, reason: 'the provider does not know it' }
}

/** Proven: a callback named the effect. Else it is the only message that fits. */
type Found = { readonly providerId: string; readonly isProven: boolean }

function toDone({ providerId }: Found): EffectResult {
  return { kind: 'done', output: { providerId }, providerId }
}

async function ask(
  host: Host,
  performer: EffectPerformer,
  request: EffectRequest,
): Promise<'accepted-none' | 'ambiguous' | Found | null> {
  for (let attempt = 0; !request.signal.aborted; attempt += 1) {
    try {
      const providerId = await host.store.findDelivery(request.effect.effectId)
      if (providerId !== null) return { providerId, isProven: true }
      const answer = (await performer.resolve?.(request)) ?? 'ambiguous'
      return typeof answer === 'string' ? answer : { ...answer, isProven: false }
    } catch (error) {
      // No answer is not the answer 'none'.
      const { effectId } = request.effect
      host.telemetry.log('warn', 'could not ask what became of a send', { effectId, error: String(error) })
      await pause(host, toRetryDelay(attempt, host.random()))
    }
  }
  return null
}

function leaveToPerson(host: Host, request: EffectRequest, reason: string): null {
  if (request.signal.aborted) return null
  host.telemetry.count('sends_left_uncertain')
  host.telemetry.log('error', 'a send stays uncertain', { effectId: request.effect.effectId, reason })
  return null
}
