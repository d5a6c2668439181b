/**
 * What drafts cost. Before a call the most that it can cost is reserved, in the database and against what all nodes
 * have spent and reserved today; after it the reservation gives way to what it did cost. So drafts in parallel cannot
 * pass the limit together, and what is never settled (a crash, a lost answer) stays counted for that day.
 */
import type { AssistantSettings } from './assistant-settings.ts'
import type { Prompt, Usage } from './chat-endpoint.ts'

/** `day` is the database's, in UTC, `YYYY-MM-DD`: a call that ends after midnight is settled where it was reserved. */
export type Reservation = { readonly tenantId: string; readonly day: string; readonly micros: number }

/** Amounts are whole millionths of the prices' unit. */
export interface SpendLedger {
  /** Null when it would pass the limit. */
  reserve(request: {
    readonly tenantId: string
    readonly micros: number
    readonly maxMicros: number
  }): Promise<Reservation | null>
  /** Once for each reservation. */
  settle(reservation: Reservation, spent: Usage & { readonly micros: number }): Promise<void>
}

type Prices = Pick<AssistantSettings, 'assistantInputPrice' | 'assistantOutputPrice'>

/** A price per million tokens is the price of a token in millionths. */
export function toMicros({ inputTokens, outputTokens }: Usage, prices: Prices): number {
  return Math.ceil(inputTokens * prices.assistantInputPrice + outputTokens * prices.assistantOutputPrice)
}

/** Upper bounds: no token is shorter than a byte, and the roles around a message take a few. */
export function toUsageMax({ system, messages }: Prompt, tokensMax: number): Usage {
  const tokensAroundMessage = 16
  const texts = [system, ...messages.map(({ content }) => content)]
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text) + tokensAroundMessage, schemaTokens)
  return { inputTokens: bytes, outputTokens: tokensMax }
}

/** Endpoints put the schema of the answer into the prompt. */
const schemaTokens = 500
