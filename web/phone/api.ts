/** What the page asks of Duologue: the phone's own routes, and the API that every program reads. */

export type Message = {
  readonly id: string
  readonly direction: 'sent' | 'received'
  readonly body: string
  readonly status: 'sending' | 'sent' | 'delivered' | 'read' | 'failed'
  readonly at: number
}

export type Conversation = {
  readonly id: string
  readonly status: string
  readonly version: number
  readonly businessAddress: string
  readonly openedAt: string
  readonly nextTimerAt: string | null
  readonly previousId: string | null
}

export type StatusChange = {
  readonly version: number
  readonly toStatus: string
  readonly reason: string | null
  readonly initiator: string
  readonly occurredAt: string
}

/** A user and the business that they write to. */
export type Pair = { readonly user: string; readonly business: string }

/** Why something was not done, as the service says it. */
export class Refused extends Error {}

export async function readBusinessAddresses(): Promise<readonly string[]> {
  const { businessAddresses } = await ask<{ businessAddresses: readonly string[] }>('/phone/api/settings')
  return businessAddresses
}

/** Resolves with the webhook's HTTP status; 0 when it did not answer. */
export async function sendMessage(pair: Pair, body: string): Promise<number> {
  const { webhookStatus } = await ask<{ webhookStatus: number }>('/phone/api/messages', { ...pair, body })
  return webhookStatus
}

export async function advanceClock(pair: Pair, byMs: number): Promise<void> {
  await ask('/phone/api/advance', { ...pair, byMs })
}

/** The newest conversation of the two; null before the first message. */
export async function findConversation({ user, business }: Pair): Promise<Conversation | null> {
  const query = new URLSearchParams({ address: user, limit: '20' })
  const { items } = await ask<{ items: readonly Conversation[] }>(`/api/conversations?${query}`)
  return items.find((one) => one.businessAddress === business) ?? null
}

export async function readHistory(conversationId: string): Promise<readonly StatusChange[]> {
  const path = `/api/conversations/${conversationId}/history?limit=200`
  const { items } = await ask<{ items: readonly StatusChange[] }>(path)
  return items
}

async function ask<Answer>(path: string, body?: unknown): Promise<Answer> {
  const post = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  const answer = await fetch(path, body === undefined ? {} : post)
  if (answer.ok) return (await answer.json()) as Answer
  const problem = (await answer.json().catch(() => null)) as { readonly detail?: string } | null
  throw new Refused(problem?.detail ?? `the service answered ${answer.status}`)
}
