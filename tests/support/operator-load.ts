/**
 * Operators of a cluster under load: each does one thing after the other to the conversations of a few users, so that
 * they get into each other's way. A command that is not answered is sent again under its key until it is, or given up.
 */
import { createRandom, wait } from './cluster-load.ts'
import { apiToken } from './service.ts'

export type Outcome = { readonly outcome: string; readonly version: number | null; readonly status: string | null }

export type OperatorCall = {
  readonly commandId: string
  readonly conversationId: string
  readonly operatorId: string
  readonly name: string
  readonly body: { readonly [field: string]: string }
  readonly seenVersion: number | null
  /** Wall clock of this process, ms. `answeredAt`: the first answer that names an outcome; null: none came. */
  readonly invokedAt: number
  answeredAt: number | null
  /** Of every answer, in their order: one command has one outcome. */
  readonly outcomes: Outcome[]
}

export type OperatorLoad = { readonly calls: readonly OperatorCall[]; stop(): Promise<void> }

export type OperatorLoadOptions = {
  readonly url: string
  readonly users: readonly string[]
  readonly operators: readonly string[]
  readonly seed: number
  /** Between an answer and the operator's next act, at most; ms. */
  readonly pauseMs: number
}

const answerWithinMs = 8_000
const giveUpAfterMs = 60_000
/** How often an answered command is sent once more. */
const repeats = 0.2
const knowsVersion = 0.4

const acts: readonly { readonly name: string; readonly weight: number }[] = [
  { name: 'assign', weight: 8 },
  { name: 'reply', weight: 8 },
  { name: 'release', weight: 3 },
  { name: 'transfer', weight: 2 },
  { name: 'escalate', weight: 2 },
  { name: 'extend', weight: 2 },
  { name: 'handoff', weight: 2 },
  { name: 'close', weight: 1 },
]

export function startOperators(options: OperatorLoadOptions): OperatorLoad {
  const { url, users, operators, seed, pauseMs } = options
  const random = createRandom(seed)
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T
  const calls: OperatorCall[] = []
  let isStopped = false

  function toBody(name: string, operatorId: string): OperatorCall['body'] {
    if (name === 'reply') return { operatorId, body: `I am ${operatorId}, and this is number ${calls.length}` }
    if (name === 'transfer') return { operatorId, to: pick(operators) }
    if (name === 'close') return { operatorId, as: random() < 0.5 ? 'agent' : 'support', reason: 'done' }
    return { operatorId }
  }

  async function act(operatorId: string): Promise<void> {
    const conversation = await findConversation(url, pick(users))
    if (conversation === null) return
    const name = pickAct(random)
    const key = `${operatorId}-${calls.length}`
    const call: OperatorCall = {
      commandId: `${conversation.id}.${key}`,
      conversationId: conversation.id,
      operatorId,
      name,
      body: toBody(name, operatorId),
      seenVersion: random() < knowsVersion ? conversation.version : null,
      invokedAt: Date.now(),
      answeredAt: null,
      outcomes: [],
    }
    calls.push(call)
    await issue(url, key, call)
    if (call.answeredAt !== null && random() < repeats) await issue(url, key, call)
  }
  const shifts = operators.map(async (operatorId) => {
    while (!isStopped) {
      await act(operatorId)
      await wait(pauseMs * random())
    }
  })
  return {
    calls,
    async stop() {
      isStopped = true
      await Promise.all(shifts)
    },
  }
}

function pickAct(random: () => number): string {
  let wanted = random() * acts.reduce((sum, { weight }) => sum + weight, 0)
  for (const { name, weight } of acts) {
    wanted -= weight
    if (wanted < 0) return name
  }
  return 'assign'
}

async function ask(url: string, init: RequestInit = {}): Promise<{ status: number; body: Record<string, unknown> }> {
  try {
    const signal = AbortSignal.timeout(answerWithinMs)
    const headers = { ...(init.headers as object), authorization: `Bearer ${apiToken}` }
    const response = await fetch(url, { ...init, headers, signal })
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  } catch {
    return { status: 0, body: {} }
  }
}

async function findConversation(url: string, user: string): Promise<{ id: string; version: number } | null> {
  const { body } = await ask(`${url}/api/conversations?address=${encodeURIComponent(user)}&limit=1`)
  const [newest] = (body['items'] ?? []) as { id: string; version: number }[]
  return newest ?? null
}

async function issue(url: string, key: string, call: OperatorCall): Promise<void> {
  const headers: Record<string, string> = { 'content-type': 'application/json', 'idempotency-key': key }
  if (call.seenVersion !== null) headers['if-match'] = `"${call.seenVersion}"`
  for (const giveUpAt = Date.now() + giveUpAfterMs; Date.now() < giveUpAt; await wait(300)) {
    const target = `${url}/api/conversations/${call.conversationId}/${call.name}`
    const { body } = await ask(target, { method: 'POST', headers, body: JSON.stringify(call.body) })
    if (typeof body['outcome'] !== 'string') continue
    call.answeredAt ??= Date.now()
    call.outcomes.push({
      outcome: body['outcome'],
      version: (body['version'] as number | undefined) ?? null,
      status: typeof body['status'] === 'string' ? body['status'] : null,
    })
    return
  }
}
