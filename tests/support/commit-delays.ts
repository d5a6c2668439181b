/** When the database stored what Twilio was answered for, by the note of the cluster's trigger. */
import type { Cluster } from './cluster.ts'
import type { SentMessage } from './cluster-load.ts'

export type Stored = {
  readonly sid: string
  readonly sessionId: string
  readonly partition: number
  readonly at: number
}

export async function readStored({ sql }: Pick<Cluster, 'sql'>): Promise<readonly Stored[]> {
  const rows = await sql(
    `select provider_id, session_id::text, partition, extract(epoch from at)::float8 * 1000 as at from duologue_test.stored order by at`,
  )
  return rows.map((row) => ({
    sid: String(row['provider_id']),
    sessionId: String(row['session_id']),
    partition: Number(row['partition']),
    at: Number(row['at']),
  }))
}

/** From the 200 to the commit, ms, of every message that has both. */
export function toDelays(sent: readonly SentMessage[], stored: readonly Stored[]): number[] {
  const storedAt = new Map(stored.map(({ sid, at }) => [sid, at]))
  const delays: number[] = []
  for (const { sid, answeredAt } of sent) {
    const at = storedAt.get(sid)
    if (answeredAt !== null && at !== undefined) delays.push(Math.max(0, at - answeredAt))
  }
  return delays
}

/** The value that `part` of them do not exceed; 0 of none. */
export function toPercentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * part) - 1)] ?? 0
}
