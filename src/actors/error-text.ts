/**
 * What went wrong, as text that the database can keep: bounded, and without NUL and lone surrogates, which its jsonb refuses.
 * Errors quote what they were given (a parser's, a provider's), so anything may stand in them; an error that could not
 * be stored would hold up the very cursor that has to pass it.
 */
import type { Cancelled } from './entry.ts'
import type { EffectResult } from './ports.ts'

const charactersMax = 2_000

export function toErrorText(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  // Cut first: the cut itself may part a pair of surrogates.
  return text.slice(0, charactersMax).replaceAll('\u0000', '\uFFFD').toWellFormed()
}

/** The same of what became of an effect: a provider's words are in it, too. */
export function withErrorText<Result extends EffectResult | Cancelled>(result: Result): Result {
  if ('reason' in result) return { ...result, reason: toErrorText(result.reason) }
  if (result.kind !== 'failed') return result
  return { ...result, error: { ...result.error, message: toErrorText(result.error.message) } }
}
