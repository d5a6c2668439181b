/**
 * The assistant in memory. A draft names the messages that it answers, so that a checker can tell whether one was
 * sent that no longer fitted. It is slow at times, answers in a wrong form, fails, or never answers at all.
 */
import type { EffectPerformer, EffectRequest, EffectResult } from '../../../src/actors/ports.ts'
import type { DraftRequest } from '../../../src/machines/conversation/draft.ts'
import type { SimulatedProcess } from '../engine/process.ts'
import type { Scheduler } from '../engine/scheduler.ts'
import type { Faults } from './faults.ts'

export type AssistantOptions = {
  readonly scheduler: Scheduler
  readonly faults: Faults
  readonly onDraft: (request: EffectRequest) => void
}

export const draftMark = 'answers '

export function createSimulatedAssistant(
  owner: SimulatedProcess,
  { scheduler, faults, onDraft }: AssistantOptions,
): EffectPerformer {
  const { random } = scheduler
  return {
    isVisible: false,
    perform(request) {
      onDraft(request)
      const isSilent = faults.happens('ai-silent')
      const delayMs = faults.happens('ai-slow') ? random.int(2_000, 40_000) : random.int(5, 400)
      const result = toResult(request, random.next(), faults)
      const ignoresAbort = faults.happens('ai-ignores-abort')
      return new Promise((resolve) => {
        if (!isSilent) scheduler.after(owner, delayMs, 'assistant answers', () => resolve(result))
        if (ignoresAbort) return
        const onAbort = (): void => resolve({ kind: 'failed', error: { message: 'aborted', code: 'aborted' } })
        if (request.signal.aborted) onAbort()
        else request.signal.addEventListener('abort', onAbort, { once: true })
      })
    },
  }
}

function toResult({ effect }: EffectRequest, drawn: number, faults: Faults): EffectResult {
  if (faults.happens('ai-error')) return { kind: 'failed', error: { message: 'the model failed', code: '500' } }
  if (faults.happens('ai-wrong-form')) return { kind: 'done', output: { text: 'no draft' }, providerId: null }
  const { messages, turn, attempt } = effect.params as unknown as DraftRequest
  // Long enough to be sent in pieces, if Twilio wants that.
  const more = drawn > 0.8 ? ' and that is all there is to say about it.'.repeat(12) : ''
  const answered = messages.map(({ messageId }) => messageId).join(',')
  const reply = `${draftMark}${answered} (turn ${turn}, attempt ${attempt})${more}`
  const intent = drawn < 0.04 ? 'handoff' : drawn < 0.07 ? 'close' : 'continue'
  return { kind: 'done', output: { reply, intent, confidence: 0.9 }, providerId: null }
}
