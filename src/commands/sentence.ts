/** An error with its causes as one line. */
export function toSentence(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // A connection that was tried at several addresses has no message of its own.
  const [first] = error instanceof AggregateError ? (error.errors as unknown[]) : []
  if (error.message === '' && first !== undefined) return toSentence(first)
  return error.cause === undefined ? error.message : `${error.message}: ${toSentence(error.cause)}`
}

/** Text from outside for a terminal: control characters could move its cursor, or hide what stands there. */
export function toPrintable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim()
}
