/**
 * An OpenAI-compatible chat endpoint, asked through the `ai` SDK: one question, one whole answer, no streaming, no
 * tools, no retries (the chart counts attempts).
 *
 * Endpoints differ in two ways that a request can be refused for: how they take the form of the answer (a JSON
 * Schema, "some JSON", nothing at all) and the name of the token limit. The dialect is found out by what is refused
 * with 400 or 422, and kept once it has been answered; every form is parsed as strictly as the others.
 *
 * No error of the SDK leaves this file: they carry the request, which holds what users wrote.
 */
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { APICallError, generateText } from 'ai'

import { AnswerTooLong, createBoundedFetch } from './bounded-fetch.ts'
import type { ChatMessage } from './memory.ts'
import { draftSchema } from './system-prompt.ts'

export type Prompt = { readonly system: string; readonly messages: readonly ChatMessage[] }
export type Usage = { readonly inputTokens: number; readonly outputTokens: number }

export type FailureCode =
  | 'unauthorized'
  | 'not-found'
  | 'rate-limited'
  | 'refused'
  | 'unavailable'
  | 'unreachable'
  | 'ended'
  | 'malformed'
  | 'too-long'
  | 'cut-off'
  | 'filtered'

export type ChatAnswer =
  | { readonly kind: 'answered'; readonly text: string; readonly usage: Usage | null }
  | {
      readonly kind: 'failed'
      readonly code: FailureCode
      readonly message: string
      /** Null: nobody knows what it has cost. */
      readonly usage: Usage | null
      /** When the endpoint wants to be asked again, ms; null when it did not say. */
      readonly retryAfterMs: number | null
    }

export interface ChatEndpoint {
  /** Never throws for what the world does. `ended`: the signal was aborted, and so was the request. */
  ask(prompt: Prompt, limits: { readonly tokensMax: number; readonly signal: AbortSignal }): Promise<ChatAnswer>
  /** The form in which answers are asked for now. */
  form(): AnswerForm
}

export type ChatEndpointOptions = { readonly baseUrl: string; readonly apiKey: string; readonly model: string }

const answerForms = ['JSON by schema', 'any JSON', 'plain text'] as const
export type AnswerForm = (typeof answerForms)[number]
type Dialect = { readonly form: AnswerForm; readonly tokensName: 'max_tokens' | 'max_completion_tokens' }

/** A draft has 4,096 characters at most; the rest is room for what endpoints put around it. */
const answerBytesMax = 256 * 1_024
/** Each dialect at most once: three forms and one other name. */
const dialectsMax = 4
const noUsage: Usage = { inputTokens: 0, outputTokens: 0 }
const tokensSaneMax = 100_000_000

// The SDK would print warnings to stdout, where log lines go.
globalThis.AI_SDK_LOG_WARNINGS = false

export function createChatEndpoint(options: ChatEndpointOptions): ChatEndpoint {
  let known: Dialect = { form: 'JSON by schema', tokensName: 'max_tokens' }
  return {
    form: () => known.form,
    async ask(prompt, limits) {
      let dialect = known
      for (let tried = 1; ; tried += 1) {
        try {
          const answer = await ask(options, dialect, prompt, limits)
          known = dialect
          return answer
        } catch (error) {
          const next = tried < dialectsMax ? toOtherDialect(dialect, error) : null
          if (next === null || limits.signal.aborted) return toFailure(error, limits.signal)
          dialect = next
        }
      }
    },
  }
}

async function ask(
  { baseUrl, apiKey, model }: ChatEndpointOptions,
  dialect: Dialect,
  { system, messages }: Prompt,
  { tokensMax, signal }: { readonly tokensMax: number; readonly signal: AbortSignal },
): Promise<ChatAnswer> {
  const provider = createOpenAICompatible({
    name: 'endpoint',
    baseURL: baseUrl,
    apiKey,
    fetch: createBoundedFetch(answerBytesMax),
    transformRequestBody: (body) => toBody(body, dialect),
  })
  const result = await generateText({
    model: provider.chatModel(model),
    instructions: system,
    messages: [...messages],
    maxOutputTokens: tokensMax,
    maxRetries: 0,
    abortSignal: signal,
  })
  const usage = toUsage(result.usage)
  const failed = { kind: 'failed', usage, retryAfterMs: null } as const
  if (result.toolCalls.length > 0) return { ...failed, code: 'malformed', message: 'the answer calls tools' }
  if (result.finishReason === 'length') return { ...failed, code: 'cut-off', message: 'the answer ended at its limit' }
  if (result.finishReason === 'content-filter') {
    return { ...failed, code: 'filtered', message: 'the model refused to answer' }
  }
  return { kind: 'answered', text: result.text, usage }
}

function toBody(body: Record<string, unknown>, { form, tokensName }: Dialect): Record<string, unknown> {
  const { max_tokens: tokensMax, ...rest } = body
  const asked = { ...rest, [tokensName]: tokensMax }
  switch (form) {
    case 'JSON by schema': {
      const schema = { name: 'draft', strict: true, schema: draftSchema }
      return { ...asked, response_format: { type: 'json_schema', json_schema: schema } }
    }
    case 'any JSON':
      return { ...asked, response_format: { type: 'json_object' } }
    case 'plain text':
      return asked
  }
}

/** What to try after this error; null when another dialect would not help. */
function toOtherDialect({ form, tokensName }: Dialect, error: unknown): Dialect | null {
  if (!APICallError.isInstance(error) || (error.statusCode !== 400 && error.statusCode !== 422)) return null
  const wantsOtherName = tokensName === 'max_tokens' && /max_completion_tokens/u.test(error.responseBody ?? '')
  if (wantsOtherName) return { form, tokensName: 'max_completion_tokens' }
  const next = answerForms[answerForms.indexOf(form) + 1]
  return next === undefined ? null : { form: next, tokensName }
}

/** A prompt is never of 0 tokens: who says so does not count. */
function toUsage({ inputTokens, outputTokens }: { inputTokens?: unknown; outputTokens?: unknown }): Usage | null {
  if (!isCount(inputTokens) || !isCount(outputTokens) || inputTokens === 0) return null
  return { inputTokens, outputTokens }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= tokensSaneMax
}

// ── Failures ─────────────────────────────────────────────────────────────────────────────────────

function toFailure(error: unknown, signal: AbortSignal): ChatAnswer {
  const failed = { kind: 'failed', usage: null, retryAfterMs: null } as const
  if (signal.aborted) return { ...failed, code: 'ended', message: 'the request was ended' }
  const tooLong = findCause(error, (cause) => cause instanceof AnswerTooLong)
  if (tooLong !== null) return { ...failed, code: 'too-long', message: tooLong.message }
  if (!APICallError.isInstance(error)) {
    return { ...failed, code: 'malformed', message: 'the endpoint’s answer is not a chat completion' }
  }
  const { statusCode } = error
  if (statusCode === undefined) return toUnreachable(error)
  // A status of success stands on an answer that could not be read.
  if (statusCode < 300)
    return { ...failed, code: 'malformed', message: 'the endpoint’s answer is not a chat completion' }
  const retryAfterMs = toRetryAfter(error.responseHeaders?.['retry-after'])
  const message = `the endpoint answered ${statusCode}`
  return { ...failed, code: toStatusCode(statusCode), message, usage: noUsage, retryAfterMs }
}

function toUnreachable(error: Error): ChatAnswer {
  const cause = findCause(error, (candidate) => typeof codeOf(candidate) === 'string')
  const code = cause === null ? 'no connection' : String(codeOf(cause))
  // Refused or unknown: nothing was sent. Anything else may have been read, and answered, and charged.
  const usage = /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|UND_ERR_CONNECT_TIMEOUT)$/u.test(code) ? noUsage : null
  return {
    kind: 'failed',
    code: 'unreachable',
    message: `the endpoint is not reached: ${code}`,
    usage,
    retryAfterMs: null,
  }
}

function toStatusCode(status: number): FailureCode {
  if (status === 401 || status === 403) return 'unauthorized'
  if (status === 404) return 'not-found'
  if (status === 429) return 'rate-limited'
  return status >= 500 ? 'unavailable' : 'refused'
}

function toRetryAfter(header: string | undefined): number | null {
  return header !== undefined && /^\d{1,5}$/u.test(header) ? Number(header) * 1_000 : null
}

const causesMax = 8

function findCause(error: unknown, isWanted: (cause: Error) => boolean): Error | null {
  let cause = error
  for (let depth = 0; depth < causesMax && cause instanceof Error; depth += 1) {
    if (isWanted(cause)) return cause
    cause = cause.cause
  }
  return null
}

function codeOf(error: Error): unknown {
  return 'code' in error ? error.code : undefined
}
