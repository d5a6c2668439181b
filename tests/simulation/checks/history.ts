/** What is known of a run besides the tables: what users sent, what was answered 200, and what was wrong. */
export type UserMessage = { readonly sessionKey: string; readonly body: string }

const violationsMax = 20

export class History {
  /** By provider id. */
  readonly sent = new Map<string, UserMessage>()
  /** Provider ids that the webhook answered 200. */
  readonly acknowledged = new Set<string>()
  /** Sends whose uncertainty was left to a person. */
  readonly leftToPerson = new Set<string>()
  /** When each send was first tried; its session's later ones wait a minute from then at most. */
  readonly firstStartedAt = new Map<string, number>()
  readonly violations: string[] = []
  /** The largest difference of any wall clock, ms. */
  skewMs = 0

  wrong(invariant: string, what: string): void {
    if (this.violations.length < violationsMax) this.violations.push(`${invariant}: ${what}`)
  }
}
