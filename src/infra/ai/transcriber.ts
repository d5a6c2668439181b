/**
 * Reads the voice messages of a turn: fetches each file, asks the endpoint what is said in it, and answers for all of
 * them at once, or fails as a whole; the chart counts attempts.
 *
 * 1. Everything ends within the tenant's time, and at once when the chart no longer wants it.
 * 2. A file that is gone, too large, no recording, or from an address that is not fetched from is a message that
 *    cannot be read; only what may pass by itself is a failure.
 * 3. It counts as a call of the tenant's assistant, once for each attempt.
 * 4. Neither a log line nor a failure holds what anybody said, nor where a file was.
 */
import type { FetchedMedia, MediaFetcher, MediaOfAccounts, MediaRefusal } from '../../actors/media-fetcher.ts'
import type { Clock, EffectPerformer, EffectRequest, EffectResult, Telemetry } from '../../actors/ports.ts'
import type { Json } from '../../machines/json.ts'
import { readSettings } from '../../machines/conversation/settings.ts'
import type { TranscribeRequest, Transcript, VoiceNote } from '../../machines/conversation/transcription.ts'
import { readAssistantSettings } from './assistant-settings.ts'
import { reserveCall } from './call-budget.ts'
import type { CallBudget } from './call-budget.ts'
import type { TranscribeEndpoint } from './transcribe-endpoint.ts'

export type TranscriberOptions = {
  /** Null: nobody reads voice messages here, and users are asked to write. */
  readonly endpoint: TranscribeEndpoint | null
  readonly media: MediaOfAccounts
  readonly budget: CallBudget
  readonly clock: Clock
  readonly telemetry: Telemetry
}

/** The chart's own timer takes over where ours fails, so ours has to end first. */
const shareOfTranscribing = 0.9
/** What may be there the next time. */
const passing: ReadonlySet<MediaRefusal> = new Set(['timeout', 'busy', 'unreachable', 'aborted'])

type Failure = { readonly code: string; readonly message: string }
type Reading =
  | { readonly kind: 'read'; readonly transcripts: readonly Transcript[] }
  | ({ readonly kind: 'failed' } & Failure)
type Outcome = { readonly kind: 'read'; readonly transcript: Transcript } | ({ readonly kind: 'failed' } & Failure)

/** Performs effects of the kind `transcribe`. */
export function createTranscriber(options: TranscriberOptions): EffectPerformer {
  const { clock, telemetry } = options
  return {
    isVisible: false,
    async perform(request) {
      const { transcribingMs } = readSettings(request.session.settings)
      const timeoutMs = Math.floor(transcribingMs * shareOfTranscribing)
      const timer = new AbortController()
      const stopTimer = clock.schedule(timeoutMs, () => timer.abort())
      const signal = AbortSignal.any([request.signal, timer.signal])
      const startedAt = clock.monotonic()
      try {
        const result = await readAll(options, request, signal)
        telemetry.observe('transcribe_seconds', (clock.monotonic() - startedAt) / 1_000)
        if (result.kind === 'read') return toDone(result.transcripts)
        const late = { code: 'timeout', message: `no answer within ${timeoutMs} ms` }
        return toFailed(telemetry, request, timer.signal.aborted ? late : result)
      } finally {
        stopTimer()
      }
    },
  }
}

async function readAll(
  { endpoint, media, budget, telemetry }: TranscriberOptions,
  request: EffectRequest,
  signal: AbortSignal,
): Promise<Reading> {
  if (endpoint === null) return { kind: 'failed', code: 'not-configured', message: 'nobody reads voice messages here' }
  const { tenantId, businessAddress, settings } = request.session
  try {
    const exceeded = await reserveCall(budget, tenantId, readAssistantSettings(settings))
    if (exceeded !== null) return { kind: 'failed', code: exceeded, message: 'the tenant’s calls are used up' }
  } catch (error) {
    telemetry.log('warn', 'the store did not answer the transcriber', { error: String(error) })
    return { kind: 'failed', code: 'store', message: 'the calls of the tenant could not be counted' }
  }
  // The chart made these params (`toTranscribeRequest`); nothing from outside reaches them unread.
  const { notes } = request.effect.params as unknown as TranscribeRequest
  const transcripts: Transcript[] = []
  // One after the other: a turn has few, and together they would be many files in memory.
  for (const note of notes) {
    const outcome = await readOne(note, media.of(businessAddress), endpoint, signal)
    if (outcome.kind === 'failed') return outcome
    telemetry.count('voice_messages', { outcome: outcome.transcript.text === null ? 'unreadable' : 'read' })
    transcripts.push(outcome.transcript)
  }
  return { kind: 'read', transcripts }
}

async function readOne(
  { messageId, media: place, url }: VoiceNote,
  media: MediaFetcher,
  endpoint: TranscribeEndpoint,
  signal: AbortSignal,
): Promise<Outcome> {
  const file = await media.fetch(url, signal)
  if (file.kind === 'refused' && passing.has(file.reason)) return toMediaFailure(file)
  const unreadable: Outcome = { kind: 'read', transcript: { messageId, media: place, text: null } }
  if (file.kind === 'refused' || file.family !== 'audio') return unreadable
  const answer = await endpoint.transcribe(file, signal)
  switch (answer.kind) {
    case 'heard':
      return { kind: 'read', transcript: { messageId, media: place, text: answer.text } }
    case 'unreadable':
      return unreadable
    case 'failed':
      return answer
  }
}

function toMediaFailure({ reason, message }: Extract<FetchedMedia, { kind: 'refused' }>): Outcome {
  return { kind: 'failed', code: `media-${reason}`, message: `a file could not be fetched: ${message}` }
}

function toDone(transcripts: readonly Transcript[]): EffectResult {
  return { kind: 'done', output: { transcripts: transcripts as unknown as Json }, providerId: null }
}

function toFailed(telemetry: Telemetry, { effect, session }: EffectRequest, { code, message }: Failure): EffectResult {
  telemetry.count('transcribe_failures', { code })
  if (code !== 'not-configured') {
    const { conversationId, effectId } = effect
    telemetry.log('warn', 'voice messages could not be read', {
      conversationId,
      effectId,
      tenantId: session.tenantId,
      code,
      reason: message,
    })
  }
  return { kind: 'failed', error: { message, code } }
}
