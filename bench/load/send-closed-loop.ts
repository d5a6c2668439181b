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

/** Twilio waits no longer for an answer either. */
const answerWithinMs = 15_000

export async function sendClosedLoop(
  webhookUrl: string,
  prepared: PreparedRequests,
  { seconds, connections }: { readonly seconds: number; readonly connections: number },
): Promise<LoadResult> {
  const progress = createProgress(prepared)
  const url = new URL(webhookUrl)
  const senders = await Promise.all(Array.from({ length: connections }, async () => openSender(url, progress)))
  const startedAtMs = progress.now()
  progress.endAtMs = startedAtMs + seconds * 1_000
  const timer = setTimeout(
    () => {
      for (const sender of senders) sender.abandon()
    },
    seconds * 1_000 + answerWithinMs,
  )
  await Promise.all(senders.map(async (sender) => sender.run()))
  clearTimeout(timer)
  const { sent, sentAtMs, acknowledgedAtMs, failures } = progress
  return {
    startedAtMs,
    endedAtMs: progress.now(),
    sent,
    sentAtMs: sentAtMs.slice(0, sent),
    acknowledgedAtMs: acknowledgedAtMs.slice(0, sent),
    users: prepared.users.slice(0, sent),
    failures,
  }
}

/** What all connections of a load share: the next request, and what became of the others. */
function createProgress({ requests }: PreparedRequests) {
  const offsetMs = monotonicMs() - performance.now()
  const failures: { [answer: string]: number } = {}
  return {
    requests,
    sent: 0,
    endAtMs: Infinity,
    sentAtMs: new Float64Array(requests.length).fill(Number.NaN),
    acknowledgedAtMs: new Float64Array(requests.length).fill(Number.NaN),
    failures,
    now: (): number => performance.now() + offsetMs,
    fail: (answer: string): void => void (failures[answer] = (failures[answer] ?? 0) + 1),
  }
}

type Sender = {
  /** Sends until the time or the requests run out, or the connection breaks. */
  run(): Promise<void>
  /** Waits for no answer any more. */
  abandon(): void
}

async function openSender(url: URL, progress: ReturnType<typeof createProgress>): Promise<Sender> {
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  let isEnded = false
  const connection = await openHttpConnection(url, (error) => finish(error.message))
  function finish(failure: string | null): void {
    if (isEnded) return
    isEnded = true
    if (failure !== null) progress.fail(failure)
    connection.close()
    end()
  }
  function sendNext(): void {
    const index = progress.sent
    const request = progress.requests[index]
    const sentAt = progress.now()
    if (request === undefined || sentAt >= progress.endAtMs) return finish(null)
    progress.sent += 1
    progress.sentAtMs[index] = sentAt
    connection.send(request, (status) => {
      if (status === 200) progress.acknowledgedAtMs[index] = progress.now()
      else progress.fail(String(status))
      sendNext()
    })
  }
  return {
    async run() {
      sendNext()
      await ended
    },
    abandon: () => finish('no answer in time'),
  }
}
