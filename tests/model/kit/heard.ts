/** What was said in the voice messages that an effect asks about, as its output. */
import type { Json, JsonObject } from '../../../src/machines/json.ts'

export type Heard = { readonly kind: 'heard'; readonly text: string | null }

/** `input`: of the effect; every message that it names said the same. */
export function toTranscription({ text }: Heard, input: Json): JsonObject {
  return { transcripts: notesOf(input).map(({ messageId, media }): JsonObject => ({ messageId, media, text })) }
}

export function notesOf(input: Json): readonly { readonly messageId: string; readonly media: number }[] {
  const { notes = [] } = (input ?? {}) as { readonly notes?: readonly { messageId: string; media: number }[] }
  return notes
}
