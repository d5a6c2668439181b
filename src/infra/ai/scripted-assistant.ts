/**
 * The assistant of an installation without a model: it drafts from a small script, needs no network and
 * says the same to the same question. It stands behind the port that a model will use, so everything
 * around it is real: the time a draft takes, its cancellation, the form of its answer.
 *
 * An aborted draft ends at once and leaves nothing scheduled.
 */
import type { Clock, EffectPerformer, EffectRequest, EffectResult } from '../../actors/ports.ts'
import type { DraftRequest } from '../../machines/conversation/draft.ts'
import { toScriptedDraft } from './scripted-replies.ts'

export type ScriptedAssistantOptions = {
  /** How long a draft takes, ms. */
  readonly latencyMs: number
  readonly clock: Clock
}

/** Performs effects of the kind `draftReply`. */
export function createScriptedAssistant({ latencyMs, clock }: ScriptedAssistantOptions): EffectPerformer {
  return {
    isVisible: false,
    async perform(request) {
      const isAborted = await passTime(clock, latencyMs, request.signal)
      return isAborted ? aborted : toResult(request)
    },
  }
}

const aborted: EffectResult = { kind: 'failed', error: { message: 'the draft was cancelled', code: 'aborted' } }

function toResult({ effect, session }: EffectRequest): EffectResult {
  // The chart made these params (`toDraftRequest`); nothing from outside reaches them unread.
  const draft = toScriptedDraft(effect.params as unknown as DraftRequest, session.settings)
  return { kind: 'done', output: draft, providerId: null }
}

/** True when the signal ended it early. */
function passTime(clock: Clock, delayMs: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(true)
  return new Promise((resolve) => {
    const cancel = clock.schedule(delayMs, () => {
      signal.removeEventListener('abort', onAbort)
      resolve(false)
    })
    function onAbort(): void {
      cancel()
      resolve(true)
    }
    signal.addEventListener('abort', onAbort, { once: true })
  })
}
