/**
 * What a transcription means for the turn that asked for it. A voice message counts like a written one: it can opt
 * out, ask for a person, and say goodbye when it is the whole message and nothing was written after it.
 */
import type { Intent } from './closing-words.ts'
import type { ConversationContext } from './context.ts'
import type { TurnMessage } from './draft.ts'
import { detectLanguage } from './language.ts'
import type { Language } from './language.ts'
import { readMessageIntent } from './message-intent.ts'
import { toTranscripts } from './transcription.ts'
import type { Transcript } from './transcription.ts'
import { hasWords, hear, toUnheard } from './turn.ts'

type Scope = { readonly context: ConversationContext; readonly event: { readonly type: string } }

/** The transcripts that the turn waits for; null when the event brings none of them. */
export function transcriptsOf({ context, event }: Scope): readonly Transcript[] | null {
  const transcripts = 'output' in event ? toTranscripts(event.output) : null
  const awaited = toUnheard(context.turn)
  const found = (transcripts ?? []).filter(({ messageId, media }) =>
    awaited.some((note) => note.messageId === messageId && note.media === media),
  )
  return found.length === 0 ? null : found
}

/** Whether a voice message of the transcription asks for this. */
export function isHeard(scope: Scope, wanted: 'stop' | 'handoff' | 'goodbye'): boolean {
  const { context } = scope
  const { messages } = context.turn
  return (transcriptsOf(scope) ?? []).some(({ messageId, text }) => {
    const message = messages.find((candidate) => candidate.messageId === messageId)
    const intent = message === undefined || text === null ? null : toIntent(context, message, text)
    if (wanted !== 'goodbye') return intent === wanted
    return (intent === 'close' || intent === 'thanks') && message === messages.at(-1)
  })
}

/** It asks for something that other states than the one that reads it answer. */
export function isRequest(scope: Scope): boolean {
  return isHeard(scope, 'stop') || isHeard(scope, 'handoff') || isHeard(scope, 'goodbye')
}

function toIntent({ scheme, phrases }: ConversationContext, message: TurnMessage, text: string): Intent | null {
  const intent = readMessageIntent({ body: text, media: [] }, scheme, phrases)
  const { body, notes, voices } = message
  const isWholeMessage = body.trim() === '' && notes.length === 0 && voices.length === 1
  return isWholeMessage || intent === 'stop' ? intent : null
}

/** With what is heard the turn has words. */
export function isSomethingHeard(scope: Scope): boolean {
  const transcripts = transcriptsOf(scope)
  return transcripts !== null && hasWords(hear(scope.context.turn, transcripts))
}

/** One came meanwhile, or there are more than one request takes. */
export function isMoreToHear(scope: Scope): boolean {
  const transcripts = transcriptsOf(scope)
  return transcripts !== null && toUnheard(hear(scope.context.turn, transcripts)).length > 0
}

/** Of the newest transcript that shows one. */
export function heardLanguage(scope: Scope): Language {
  const texts = (transcriptsOf(scope) ?? []).flatMap(({ text }) => (text === null ? [] : [text]))
  for (const text of texts.toReversed()) {
    const language = detectLanguage(text)
    if (language !== null) return language
  }
  return scope.context.language
}
