/**
 * The assistant behind an OpenAI-compatible endpoint. It reads what came before, asks once, and answers with a draft
 * or with a failure; it has no tools, and nothing that the model writes decides more than the draft says.
 *
 * 1. Everything of one draft ends within the tenant's time, and at once when the chart no longer wants it.
 * 2. Nothing is asked that the tenant's spend of the day does not allow; `spend-limit` is final for the chart.
 * 3. A failure that passes by itself is told after a pause: the chart asks again at once.
 * 4. Neither a log line nor an outcome holds what anybody wrote, nor what the endpoint answered.
 */
import type { Clock, EffectPerformer, EffectRequest, EffectResult, Store, Telemetry } from '../../actors/ports.ts'
import type { Draft, DraftRequest } from '../../machines/conversation/draft.ts'
import { readSettings } from '../../machines/conversation/settings.ts'
import { draftAttemptsMax } from '../../machines/conversation/turn.ts'
import { readAssistantSettings } from './assistant-settings.ts'
import { reserveCall } from './call-budget.ts'
import type { CallBudget } from './call-budget.ts'
import type { AssistantSettings } from './assistant-settings.ts'
import type { ChatAnswer, ChatEndpoint, Prompt } from './chat-endpoint.ts'
import { recordsWanted, toChatMessages } from './memory.ts'
import { readDraft } from './read-draft.ts'
import type { Reservation, SpendLedger } from './spend.ts'
import { toMicros, toUsageMax } from './spend.ts'
import { toSystemPrompt } from './system-prompt.ts'

export type ModelAssistantOptions = {
  readonly endpoint: ChatEndpoint
  readonly store: Pick<Store, 'recentMessages'>
  readonly ledger: SpendLedger
  /** Absent: it may be asked as often as one likes. */
  readonly budget?: CallBudget
  readonly clock: Clock
  readonly telemetry: Telemetry
  /** The pause after a failure that passes, where the endpoint names none, ms; it doubles with each attempt. */
  readonly pauseMs?: number
}

type Failure = { readonly code: string; readonly message: string; readonly pauseMs: number }
type Outcome = { readonly kind: 'draft'; readonly draft: Draft } | ({ readonly kind: 'failed' } & Failure)
type Call = {
  readonly request: EffectRequest
  readonly draft: DraftRequest
  readonly settings: AssistantSettings
  /** Aborted when the time is over or the chart no longer wants it. */
  readonly signal: AbortSignal
}

const defaultPauseMs = 1_000
const pauseMaxMs = 10_000
/** The chart's own timer takes over where ours fails, so ours has to end first. */
const shareOfAnswering = 0.9
const passing: ReadonlySet<string> = new Set(['rate-limited', 'unavailable', 'unreachable', 'store'])

/** Performs effects of the kind `draftReply`. */
export function createModelAssistant(options: ModelAssistantOptions): EffectPerformer {
  const { clock, telemetry } = options
  return {
    isVisible: false,
    async perform(request) {
      const startedAt = clock.monotonic()
      // Read anew: the chart took its own copy when the conversation opened.
      const settings = readAssistantSettings(request.session.settings)
      const { answeringMs } = readSettings(request.session.settings)
      const timeoutMs = Math.min(settings.assistantTimeoutMs, Math.floor(answeringMs * shareOfAnswering))
      const timer = new AbortController()
      const stopTimer = clock.schedule(timeoutMs, () => timer.abort())
      const signal = AbortSignal.any([request.signal, timer.signal])
      try {
        // The chart made these params (`toDraftRequest`); nothing from outside reaches them unread.
        const draft = request.effect.params as unknown as DraftRequest
        const outcome = await toOutcome(options, { request, draft, settings, signal })
        if (request.signal.aborted) return cancelled
        telemetry.observe('assistant_seconds', (clock.monotonic() - startedAt) / 1_000)
        if (outcome.kind === 'draft') return { kind: 'done', output: outcome.draft, providerId: null }
        const failure = timer.signal.aborted ? { ...outcome, ...toTimeout(timeoutMs) } : outcome
        tell(telemetry, request, failure)
        await pass(clock, failure.pauseMs, signal)
        return { kind: 'failed', error: { message: failure.message, code: failure.code } }
      } finally {
        stopTimer()
      }
    },
  }
}

const cancelled: EffectResult = { kind: 'failed', error: { message: 'the draft was cancelled', code: 'aborted' } }

function toTimeout(timeoutMs: number): Failure {
  return { code: 'timeout', message: `no answer within ${timeoutMs} ms`, pauseMs: 0 }
}

function tell(telemetry: Telemetry, { effect, session }: EffectRequest, { code, message }: Failure): void {
  telemetry.count('assistant_failures', { code })
  const { conversationId, effectId } = effect
  telemetry.log('warn', 'a draft failed', {
    conversationId,
    effectId,
    tenantId: session.tenantId,
    code,
    reason: message,
  })
}

async function toOutcome(options: ModelAssistantOptions, call: Call): Promise<Outcome> {
  const { budget } = options
  const exceeded = await attempt(options.telemetry, async () =>
    budget === undefined ? null : reserveCall(budget, call.request.session.tenantId, call.settings),
  )
  if (!exceeded.isDone) return toFailed('store', 'the calls of the tenant could not be counted', call, options)
  if (exceeded.value !== null) return toFailed(exceeded.value, 'the tenant’s calls are used up', call, options)
  return draftWithin(options, call)
}

async function draftWithin(options: ModelAssistantOptions, call: Call): Promise<Outcome> {
  const prompt = await readPrompt(options, call)
  if (prompt === null) return toFailed('store', 'the earlier messages could not be read', call, options)
  const { tenantId } = call.request.session
  const { settings } = call
  const usageMax = toUsageMax(prompt, settings.assistantTokensMax)
  const maxMicros = Math.round(settings.assistantSpendPerDayMax * 1_000_000)
  const reserved = await attempt(options.telemetry, async () =>
    options.ledger.reserve({ tenantId, micros: toMicros(usageMax, settings), maxMicros }),
  )
  if (!reserved.isDone) return toFailed('store', 'the spend of the day could not be read', call, options)
  const reservation = reserved.value
  if (reservation === null) return toFailed('spend-limit', 'the spend of the day is used up', call, options)
  const answer = await askWithin(options.endpoint, prompt, call)
  await settle(options, reservation, answer, call)
  if (answer.kind === 'failed') return toFailed(answer.code, answer.message, call, options, answer.retryAfterMs)
  const said = prompt.messages.flatMap(({ role, content }) => (role === 'user' ? [content] : []))
  const { assistantLinks: links, assistantPhones: phones } = settings
  const read = readDraft(answer.text, { links, phones, said })
  return read.kind === 'draft' ? read : toFailed(read.code, read.message, call, options)
}

/** Null when the store does not answer. */
async function readPrompt({ store, telemetry }: ModelAssistantOptions, call: Call): Promise<Prompt | null> {
  const { request, draft, settings } = call
  const messagesMax = settings.assistantMemoryMessages
  const records =
    messagesMax === 0
      ? { isDone: true as const, value: [] }
      : await attempt(telemetry, async () =>
          store.recentMessages(request.session.sessionId, recordsWanted(messagesMax, draft)),
        )
  if (!records.isDone) return null
  return { system: toSystemPrompt(draft, settings), messages: toChatMessages(records.value, draft, messagesMax) }
}

const neverAsked: ChatAnswer = {
  kind: 'failed',
  code: 'ended',
  message: 'the time was over before it was asked',
  usage: { inputTokens: 0, outputTokens: 0 },
  retryAfterMs: null,
}

async function askWithin(endpoint: ChatEndpoint, prompt: Prompt, { settings, signal }: Call): Promise<ChatAnswer> {
  if (signal.aborted) return neverAsked
  return endpoint.ask(prompt, { tokensMax: settings.assistantTokensMax, signal })
}

/** A reservation that cannot be settled stays counted as spent. */
async function settle(
  { ledger, telemetry }: ModelAssistantOptions,
  reservation: Reservation,
  { usage }: ChatAnswer,
  { settings }: Call,
): Promise<void> {
  if (usage !== null) {
    telemetry.count('assistant_tokens', { kind: 'input' }, usage.inputTokens)
    telemetry.count('assistant_tokens', { kind: 'output' }, usage.outputTokens)
  }
  // Nobody knows what it has cost: the most that it can have.
  const spent =
    usage === null
      ? { inputTokens: 0, outputTokens: 0, micros: reservation.micros }
      : { ...usage, micros: toMicros(usage, settings) }
  await attempt(telemetry, async () => ledger.settle(reservation, spent))
}

function toFailed(
  code: string,
  message: string,
  { draft }: Call,
  { pauseMs = defaultPauseMs }: ModelAssistantOptions,
  retryAfterMs: number | null = null,
): Outcome {
  const isLast = draft.attempt >= draftAttemptsMax
  const wantedMs = retryAfterMs ?? pauseMs * 2 ** (draft.attempt - 1)
  return {
    kind: 'failed',
    code,
    message,
    // After the last attempt a person is called: nothing to wait for.
    pauseMs: passing.has(code) && !isLast ? Math.min(pauseMaxMs, wantedMs) : 0,
  }
}

async function attempt<T>(
  telemetry: Telemetry,
  work: () => Promise<T>,
): Promise<{ readonly isDone: true; readonly value: T } | { readonly isDone: false }> {
  try {
    return { isDone: true, value: await work() }
  } catch (error) {
    telemetry.log('warn', 'the store did not answer the assistant', { error: String(error) })
    return { isDone: false }
  }
}

/** Waits, at most until the signal is aborted. */
async function pass(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  if (delayMs === 0 || signal.aborted) return
  const { promise, resolve } = Promise.withResolvers<void>()
  const cancel = clock.schedule(delayMs, resolve)
  signal.addEventListener('abort', () => resolve(), { once: true })
  await promise
  cancel()
}
