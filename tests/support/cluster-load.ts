/**
 * Twilio's side of a cluster under load: an open loop (a message leaves when it is due, however slow the answers are),
 * users picked by Zipf's law or in turn, bursts, and webhooks that are sent again although they were answered. One that
 * is not answered with 200 is sent again under its own id until it is, or the load gives up.
 */
import twilio from 'twilio'

import { messagesPath, toForm } from './production.ts'
import { authToken, business } from './service.ts'

export type SentMessage = {
  readonly sid: string
  readonly user: string
  /** Wall clock, ms: when it was due, and when the first 200 came (null: never). */
  readonly dueAt: number
  answeredAt: number | null
  attempts: number
}

export type LoadOptions = {
  readonly url: string
  readonly perSecond: number
  readonly users: readonly string[]
  readonly pick: 'zipf' | 'in turn'
  readonly seed: number
  /** The part of the answered webhooks that is sent a second time. */
  readonly duplicates?: number
  /** Every so often one user sends ten messages at once, ms; null: never. */
  readonly burstEveryMs?: number | null
  /** For how long an unanswered webhook is sent again. */
  readonly giveUpAfterMs?: number
}

export type Load = {
  readonly sent: readonly SentMessage[]
  /** Sends nothing new; resolves when every webhook was answered or given up. */
  stop(): Promise<void>
  /** Ends at once: what is not answered stays so. */
  abandon(): void
}

const answerWithinMs = 4_000
/** Requests that are open at once; what is due beyond that waits, and its waiting counts. */
const openMax = 100
const burstSize = 10
const tickMs = 5

export function startLoad(options: LoadOptions): Load {
  const { perSecond, duplicates = 0, burstEveryMs = null, giveUpAfterMs = 60_000, url } = options
  const random = createRandom(options.seed)
  const pick = createPick(options, random)
  const sent: SentMessage[] = []
  const underWay = new Set<Promise<void>>()
  const inTurn = createTurns(openMax)
  let isAbandoned = false
  const startedAt = Date.now()
  let due = 0
  let nextBurstAt = burstEveryMs === null ? Infinity : startedAt + burstEveryMs

  async function deliver(message: SentMessage, form: Record<string, string>, mayRepeat: boolean): Promise<void> {
    for (
      const giveUpAt = Date.now() + giveUpAfterMs;
      Date.now() < giveUpAt && !isAbandoned;
      await wait(200 + 300 * random())
    ) {
      message.attempts += 1
      if ((await inTurn(async () => postSigned(url, messagesPath, form))) !== 200) continue
      message.answeredAt ??= Date.now()
      break
    }
    if (mayRepeat) await deliver(message, form, false)
  }
  function say(user: string, dueAt: number): void {
    const form = toForm({
      From: user,
      WaId: user.replace('whatsapp:+', ''),
      To: business,
      Body: `question ${sent.length + 1}`,
      ExternalUserId: '',
    })
    const message: SentMessage = { sid: form['MessageSid'] ?? '', user, dueAt, answeredAt: null, attempts: 0 }
    sent.push(message)
    const delivery = deliver(message, form, random() < duplicates).finally(() => underWay.delete(delivery))
    underWay.add(delivery)
  }
  const timer = setInterval(() => {
    const now = Date.now()
    for (; startedAt + (due * 1_000) / perSecond <= now; due += 1) say(pick(), startedAt + (due * 1_000) / perSecond)
    if (now < nextBurstAt) return
    nextBurstAt += burstEveryMs ?? Infinity
    const user = pick()
    for (let message = 0; message < burstSize; message += 1) say(user, now)
  }, tickMs)
  return {
    sent,
    async stop() {
      clearInterval(timer)
      while (underWay.size > 0) await Promise.all(underWay)
    },
    abandon() {
      clearInterval(timer)
      isAbandoned = true
    },
  }
}

export function toUsers(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `whatsapp:+1500${String(5_550_000 + index)}`)
}

/** Runs at most `max` tasks at once; the others wait in their order. */
function createTurns(max: number): <T>(task: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = []
  let open = 0
  return async (task) => {
    if (open >= max) await new Promise<void>((resolve) => waiting.push(resolve))
    else open += 1
    try {
      return await task()
    } finally {
      const next = waiting.shift()
      if (next === undefined) open -= 1
      else next()
    }
  }
}

/** A seeded number in [0, 1) (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function createPick({ users, pick }: LoadOptions, random: () => number): () => string {
  let turn = 0
  if (pick === 'in turn') return () => users[turn++ % users.length] ?? ''
  const weights = users.map((_, index) => 1 / (index + 1))
  const sums: number[] = []
  for (const weight of weights) sums.push((sums.at(-1) ?? 0) + weight)
  const total = sums.at(-1) ?? 0
  return () => {
    const wanted = random() * total
    return users[sums.findIndex((sum) => sum > wanted)] ?? ''
  }
}

/** Posts a form as Twilio does, signed; answers the status code, 0 when none came. `path` may carry a query. */
export async function postSigned(url: string, path: string, form: Record<string, string>): Promise<number> {
  const target = `${url}${path}`
  try {
    const response = await fetch(target, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded; charset=UTF-8',
        'x-twilio-signature': twilio.getExpectedTwilioSignature(authToken, target, form),
      },
      body: new URLSearchParams(form),
      signal: AbortSignal.timeout(answerWithinMs),
    })
    await response.text()
    return response.status
  } catch {
    return 0
  }
}

export async function wait(ms: number): Promise<void> {
  await new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
