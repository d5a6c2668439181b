/**
 * An OpenAI-compatible endpoint that writes down what is said in a file (`/audio/transcriptions`). Its answer is not
 * trusted: it is bounded, has to be JSON with a text, and the text is cut at what a turn can hold.
 */
import { transcriptCharactersMax } from '../../machines/conversation/transcription.ts'
import { AnswerTooLong, createBoundedFetch } from './bounded-fetch.ts'

export type Recording = { readonly bytes: Uint8Array<ArrayBuffer>; readonly contentType: string }

export type TranscribeAnswer =
  | { readonly kind: 'heard'; readonly text: string }
  /** It will never read this one: silence, or a file that it does not take. */
  | { readonly kind: 'unreadable' }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }

export interface TranscribeEndpoint {
  /** Never throws for what the world does. */
  transcribe(recording: Recording, signal: AbortSignal): Promise<TranscribeAnswer>
}

export type TranscribeEndpointOptions = { readonly baseUrl: string; readonly apiKey: string; readonly model: string }

/** A text of all its characters in the worst encoding, and what endpoints put around it. */
const answerBytesMax = 256 * 1_024
const refusesFile: ReadonlySet<number> = new Set([400, 413, 415, 422])
/** Line breaks and tabs aside; the database takes no NUL, and nobody can see the others. */
const controlCharacters = /[^\P{Cc}\n\r\t]+/gu

/** Endpoints tell the format by the file's name. */
const extensions: { readonly [contentType: string]: string } = {
  'audio/ogg': 'ogg',
  'audio/opus': 'ogg',
  'audio/mpeg': 'mp3',
  'audio/mp3': 'mp3',
  'audio/mp4': 'm4a',
  'audio/x-m4a': 'm4a',
  'audio/wav': 'wav',
  'audio/x-wav': 'wav',
  'audio/webm': 'webm',
}

export function createTranscribeEndpoint({ baseUrl, apiKey, model }: TranscribeEndpointOptions): TranscribeEndpoint {
  const fetchBounded = createBoundedFetch(answerBytesMax)
  return {
    async transcribe({ bytes, contentType }, signal) {
      const form = new FormData()
      const name = `voice.${extensions[contentType] ?? contentType.replace(/^.*\//u, '')}`
      form.set('file', new File([bytes], name, { type: contentType }))
      form.set('model', model)
      form.set('response_format', 'json')
      try {
        const response = await fetchBounded(`${baseUrl}/audio/transcriptions`, {
          method: 'POST',
          headers: { authorization: `Bearer ${apiKey}`, accept: 'application/json' },
          body: form,
          signal,
        })
        return toAnswer(response.status, await response.text())
      } catch (error) {
        return toFailure(error, signal)
      }
    },
  }
}

function toAnswer(status: number, body: string): TranscribeAnswer {
  if (status === 200) return readText(body)
  if (refusesFile.has(status)) return { kind: 'unreadable' }
  return { kind: 'failed', code: toCode(status), message: `the endpoint answered ${status}` }
}

function toCode(status: number): string {
  if (status === 401 || status === 403) return 'unauthorized'
  if (status === 404) return 'not-found'
  return status === 429 ? 'rate-limited' : 'unavailable'
}

function readText(body: string): TranscribeAnswer {
  const text = parseText(body)
  if (text === null) return { kind: 'failed', code: 'malformed', message: 'the answer is not a transcription' }
  const clean = text.toWellFormed().replaceAll(controlCharacters, ' ').trim()
  if (clean === '') return { kind: 'unreadable' }
  return { kind: 'heard', text: clean.slice(0, transcriptCharactersMax).toWellFormed().trim() }
}

function parseText(body: string): string | null {
  try {
    const value: unknown = JSON.parse(body)
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, 'text')) return null
    const { text } = value as { readonly text: unknown }
    return typeof text === 'string' ? text : null
  } catch {
    return null
  }
}

function toFailure(error: unknown, signal: AbortSignal): TranscribeAnswer {
  if (signal.aborted) return { kind: 'failed', code: 'ended', message: 'the request was ended' }
  if (error instanceof AnswerTooLong) return { kind: 'failed', code: 'too-long', message: error.message }
  return { kind: 'failed', code: 'unreachable', message: 'the endpoint is not reached' }
}
