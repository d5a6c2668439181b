/** We are wrong (STYLE: errors of the third kind): the session is quarantined, the process goes on. */
export class AssertionError extends Error {}

export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message)
}
