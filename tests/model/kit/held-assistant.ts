/**
 * The assistant's endpoint for walks: every question waits until the walk that it belongs to says how it is answered.
 * It knows the walk by the word that stands in what its user wrote.
 */
import { setTimeout } from 'node:timers/promises'

import type { Behaviour, FakeAi, FakeAiRequest } from '../../support/fake-ai.ts'
import type { InvokedResult } from './model.ts'

type Held = { readonly request: FakeAiRequest; readonly answer: (behaviour: Behaviour) => void; isAnswered: boolean }

const wordPattern = /walk\d+w/u
const lookEveryMs = 15

export function createHeldAssistant(ai: FakeAi) {
  const heldByWord = new Map<string, Held>()
  ai.script(async (request) => {
    const word = wordPattern.exec(JSON.stringify(request.messages))?.[0] ?? ''
    // Nothing here reads what was asked long ago.
    if (ai.requests.length > 1_000) (ai.requests as FakeAiRequest[]).splice(0, 500)
    return new Promise<Behaviour>((answer) => {
      heldByWord.set(word, { request, answer, isAnswered: false })
    })
  })
  return {
    /** Answers the walk's question as soon as it is asked, unless `isOver` says by then that nobody asks any more. */
    async answer(word: string, result: InvokedResult, isOver: () => Promise<boolean>): Promise<void> {
      for (;;) {
        const held = heldByWord.get(word)
        if (held !== undefined && !held.isAnswered && held.request.state === 'open') {
          // A question that was asked after a crash is asked again; one for the next attempt is not ours to answer.
          if (await isOver()) return
          held.isAnswered = true
          held.answer(toBehaviour(result))
        } else if (held?.isAnswered === true && (await isOver())) return
        await setTimeout(lookEveryMs)
      }
    },
    forget: (word: string) => void heldByWord.delete(word),
  }
}

export type HeldAssistant = ReturnType<typeof createHeldAssistant>

function toBehaviour(result: InvokedResult): Behaviour {
  if (result.kind === 'heard') throw new Error('the assistant hears nothing')
  const content = result.kind === 'done' ? JSON.stringify(result.output) : result.content
  return { kind: 'content', content }
}
