/**
 * Who may see the pages. A one-time code, printed at the start, is exchanged for an opaque session
 * in an HttpOnly cookie; sessions live in this process's memory and end with it.
 */
import { randomBytes } from 'node:crypto'

const sessionsMax = 64
const codesMax = 64

export type PageSessions = {
  /** A new code for one sign-in. */
  issueCode(): string
  /** The session that the code opens; null when it is unknown or was used. */
  redeem(code: string): string | null
  isOpen(sessionId: string | undefined): boolean
}

export function createPageSessions(): PageSessions {
  const codes = new Set<string>()
  const sessions = new Set<string>()
  return {
    issueCode() {
      const code = randomBytes(16).toString('base64url')
      remember(codes, code, codesMax)
      return code
    },
    redeem(code) {
      if (!codes.delete(code)) return null
      const sessionId = randomBytes(32).toString('base64url')
      remember(sessions, sessionId, sessionsMax)
      return sessionId
    },
    isOpen: (sessionId) => sessionId !== undefined && sessions.has(sessionId),
  }
}

/** The oldest goes when there are too many. */
function remember(values: Set<string>, value: string, max: number): void {
  for (const oldest of values) {
    if (values.size < max) break
    values.delete(oldest)
  }
  values.add(value)
}
