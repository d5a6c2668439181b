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

/** Null when it stays uncertain: a person has to look. */
export async function resolveUncertain(
  host: Host,
  performer: EffectPerformer,
  request: EffectRequest,
): Promise<EffectResult | null> {
  await host.reached('send-uncertain')
  for (const waitMs of [0, ...host.settings.resolveAfterMs]) {
    await pause(host, waitMs)
    const answer = await ask(host, performer, request)
    await host.reached('send-resolved')
    if (answer === null || answer === 'ambiguous') return leaveToPerson(host, request, 'more than one message matches')
    if (answer !== 'accepted-none') return { kind: 'done', output: answer, providerId: answer.providerId }
  }
  if (request.effect.attempts > limits.resendsMax) return leaveToPerson(host, request, 'it was sent again already')
  return { kind: 'retry', afterMs: 0, reason: 'the provider does not know it' }
}

async function ask(
  host: Host,
  performer: EffectPerformer,
  request: EffectRequest,
): Promise<'accepted-none' | 'ambiguous' | { providerId: string } | null> {
  for (let attempt = 0; !request.signal.aborted; attempt += 1) {
    try {
      const providerId = await host.store.findDelivery(request.effect.effectId)
      if (providerId !== null) return { providerId }
      return (await performer.resolve?.(request)) ?? 'ambiguous'
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
