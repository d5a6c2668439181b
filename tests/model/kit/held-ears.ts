/**
 * What reads voice messages, for walks: each file waits until the walk that it belongs to says what is said in it. It
 * knows the walk by the word in the file.
 */
import { setTimeout } from 'node:timers/promises'

import type { FakeTranscriber, Hearing } from '../../support/fake-transcriber.ts'
import type { InvokedResult } from './model.ts'

type Held = { readonly isOpen: () => boolean; readonly answer: (hearing: Hearing) => void; isAnswered: boolean }

const lookEveryMs = 15

/** A recording of one word, as far as its first bytes tell. */
export function toRecording(word: string): Buffer {
  return Buffer.concat([Buffer.from('OggS'), Buffer.from(word)])
}

export function createHeldEars(ears: FakeTranscriber) {
  const heldByWord = new Map<string, Held>()
  ears.answer(
    async (bytes, isOpen) =>
      new Promise<Hearing>((answer) => {
        heldByWord.set(bytes.subarray(4).toString(), { isOpen, answer, isAnswered: false })
      }),
  )
  return {
    /** Answers for every file of the walk's request, one after the other, until `isOver` says that it has ended. */
    async answer(word: string, result: InvokedResult, isOver: () => Promise<boolean>): Promise<void> {
      for (;;) {
        const held = heldByWord.get(word)
        if (held !== undefined && !held.isAnswered && held.isOpen()) {
          // A request for the next attempt is not ours to answer.
          if (await isOver()) return
          held.isAnswered = true
          held.answer(toHearing(result))
        } else if (held?.isAnswered === true && (await isOver())) return
        await setTimeout(lookEveryMs)
      }
    },
  }
}

function toHearing(result: InvokedResult): Hearing {
  if (result.kind === 'heard') return { kind: 'text', text: result.text ?? '' }
  return { kind: 'raw', body: result.kind === 'failed' ? result.content : JSON.stringify(result.output) }
}
