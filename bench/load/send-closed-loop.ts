/**
 * The closed loop: each connection sends its next request when its last one is answered, for a given
 * time. Nothing is sent after that; what is under way is still answered and counted.
 */
import { openHttpConnection } from './http-connection.ts'
import type { PreparedRequests } from './prepare-requests.ts'

export type LoadResult = {
  /** By `monotonicMs`, comparable between processes. */
  readonly startedAtMs: number
  /** When the last answer came. */
  readonly endedAtMs: number
  /** How many of the prepared requests were sent: the first ones. */
  readonly sent: number
  /** By `monotonicMs`; NaN where a request was not answered with 200. */
  readonly sentAtMs: Float64Array
  readonly acknowledgedAtMs: Float64Array
  readonly users: Uint32Array
  /** Other answers, by status code or error. */
  readonly failures: { readonly [answer: string]: number }
}

/** The machine's monotonic clock, which all of its processes share. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

export async function sendClosedLoop(
  webhookUrl: string,
  { requests, users }: PreparedRequests,
  { seconds, connections }: { readonly seconds: number; readonly connections: number },
): Promise<LoadResult> {
  const sentAtMs = new Float64Array(requests.length).fill(Number.NaN)
  const acknowledgedAtMs = new Float64Array(requests.length).fill(Number.NaN)
  const failures: { [answer: string]: number } = {}
  const fail = (answer: string): void => void (failures[answer] = (failures[answer] ?? 0) + 1)
  const offsetMs = monotonicMs() - performance.now()
  const now = (): number => performance.now() + offsetMs
  let sent = 0
  let endAtMs = Infinity

  const sendUntilTheEnd = async (): Promise<() => void> => {
    const ended = Promise.withResolvers<void>()
    const connection = await openHttpConnection(new URL(webhookUrl), (error) => {
      fail(error.message)
      ended.resolve()
    })
    const sendNext = (): void => {
      const index = sent
      const request = requests[index]
      const sentAt = now()
      if (request === undefined || sentAt >= endAtMs) {
        connection.close()
        ended.resolve()
        return
      }
      sent += 1
      sentAtMs[index] = sentAt
      connection.send(request, (status) => {
        if (status === 200) acknowledgedAtMs[index] = now()
        else fail(String(status))
        sendNext()
      })
    }
    waiting.push(ended.promise)
    return sendNext
  }
  const waiting: Promise<void>[] = []
  const starts = await Promise.all(Array.from({ length: connections }, sendUntilTheEnd))
  const startedAtMs = now()
  endAtMs = startedAtMs + seconds * 1_000
  for (const start of starts) start()
  await Promise.all(waiting)
  return {
    startedAtMs,
    endedAtMs: now(),
    sent,
    sentAtMs: sentAtMs.slice(0, sent),
    acknowledgedAtMs: acknowledgedAtMs.slice(0, sent),
    users: users.slice(0, sent),
    failures,
  }
}
