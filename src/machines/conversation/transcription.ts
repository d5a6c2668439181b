/**
 * What was said in a turn's voice messages: what is asked for and what may come back. As with a draft nothing of it is
 * trusted: only an output of exactly this form counts, anything else is a failed attempt.
 */
import type { Json } from '../json.ts'

export type VoiceNote = {
  readonly messageId: string
  /** Its place among the message's media. */
  readonly media: number
  readonly url: string
  readonly contentType: string
}

/** The input of the effect `transcribe`. */
export type TranscribeRequest = {
  readonly turn: number
  /** Counts the attempts of this turn, from 1. */
  readonly attempt: number
  readonly notes: readonly VoiceNote[]
}

/** `text` is null when there is nothing to read in it: silence, a file that is gone or is no audio. */
export type Transcript = { readonly messageId: string; readonly media: number; readonly text: string | null }

/** The output of the effect `transcribe`. */
export type Transcription = { readonly transcripts: readonly Transcript[] }

/** Attempts that may fail before the user is asked to write instead. */
export const hearingAttemptsMax = 2
export const notesPerRequestMax = 10
export const transcriptCharactersMax = 4_096

/** The transcripts in an effect's output; null when it is not of the form. */
export function toTranscripts(output: unknown): readonly Transcript[] | null {
  const listed = toFields(output)['transcripts']
  if (!Array.isArray(listed) || listed.length > notesPerRequestMax) return null
  const transcripts = (listed as readonly unknown[]).map(toTranscript)
  return transcripts.some((transcript) => transcript === null) ? null : (transcripts as readonly Transcript[])
}

function toTranscript(value: unknown): Transcript | null {
  const { messageId, media, text } = toFields(value)
  if (typeof messageId !== 'string' || typeof media !== 'number') return null
  if (text === null) return { messageId, media, text }
  if (typeof text !== 'string' || text.length > transcriptCharactersMax || !text.isWellFormed()) return null
  return { messageId, media, text: text.trim() === '' ? null : text.trim() }
}

function toFields(value: unknown): { readonly [field: string]: Json | undefined } {
  return (value ?? {}) as { readonly [field: string]: Json | undefined }
}
