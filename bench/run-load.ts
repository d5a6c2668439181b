/**
 * One measured run: a fresh stack on a fresh database, a warm-up with other users, the load, and then the
 * question whether the database holds what was acknowledged.
 */
import { findWrong } from './checks/acknowledged.ts'
import { startGenerator } from './load/generator.ts'
import type { Generator } from './load/generator.ts'
import { toUserPrefix } from './load/identities.ts'
import { monotonicMs } from './load/send-closed-loop.ts'
import type { LoadResult } from './load/send-closed-loop.ts'
import { readUsage, toCpuSeconds } from './measure/processes.ts'
import type { Part } from './measure/processes.ts'
import { toPercentile } from './measure/statistics.ts'
import { until } from './stacks/child.ts'
import type { Stack, StackName } from './stacks/stack.ts'

export const loads = {
  many: { title: '1,000 conversations', conversations: 1_000, isAnswered: false },
  hot: { title: 'one hot conversation', conversations: 1, isAnswered: false },
  answered: { title: '1,000 conversations, answered', conversations: 1_000, isAnswered: true },
} as const
export type LoadName = keyof typeof loads

export type RunResult = {
  readonly stack: StackName
  readonly load: LoadName
  readonly acknowledged: number
  /** From the first request to the last answer. */
  readonly loadSeconds: number
  /** From the last answer until the last acknowledged message was in the database. */
  readonly drainSeconds: number
  readonly acknowledgedPerSecond: number
  /** Acknowledged and committed: over load and drain together. */
  readonly committedPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** During load and drain; null where the system does not tell. */
  readonly cpuSeconds: { readonly [part: string]: number } | null
  /** Of everything on the machine that took no part. */
  readonly otherCpuSeconds: number | null
  readonly residentMib: { readonly [part: string]: number } | null
  readonly walBytesPerMessage: number
  /** What the messages led to until they were drained: steps, replies … */
  readonly work: { readonly [what: string]: number }
  /** Empty when the database holds what was acknowledged. */
  readonly wrong: readonly string[]
}

const connections = 64
const warmUpSeconds = 3
/** More than any stack here reaches; a load ends early when its requests run out. */
const requestsPerSecondMax = 6_000
const drainWithinMs = 60_000

export async function runLoad(stack: Stack, loadName: LoadName, seconds: number): Promise<RunResult> {
  const generator = startGenerator()
  try {
    await warmUp(stack, generator, loadName)
    if (!loads[loadName].isAnswered) await stack.holdAnswers()
    await prepare(stack, generator, '1', loadName, seconds)
    // Equal ground: no statistics are missing, and nobody's dirty pages are written during another's run.
    await stack.sql('vacuum analyze')
    await stack.sql('checkpoint')
    return await measure(stack, generator, loadName, seconds)
  } finally {
    await generator.stop()
  }
}

async function warmUp(stack: Stack, generator: Generator, loadName: LoadName): Promise<void> {
  await prepare(stack, generator, '2', loadName, warmUpSeconds)
  const { acknowledgedAtMs } = await generator.send({ seconds: warmUpSeconds, connections })
  await untilStored(stack, '2', acknowledgedAtMs.filter((at) => !Number.isNaN(at)).length)
  await stack.settle()
}

async function prepare(
  { webhookUrl }: Stack,
  generator: Generator,
  series: '1' | '2',
  loadName: LoadName,
  seconds: number,
): Promise<void> {
  const requestsMax = Math.ceil(seconds * requestsPerSecondMax)
  await generator.prepare({ series, webhookUrl, conversations: loads[loadName].conversations, requestsMax })
}

async function measure(stack: Stack, generator: Generator, load: LoadName, seconds: number): Promise<RunResult> {
  const parts: readonly Part[] = [...stack.parts, { name: 'generator', pid: generator.pid }]
  const walBefore = await readWalPosition(stack)
  const before = readUsage(parts)
  const sent = await generator.send({ seconds, connections })
  const acknowledged = sent.acknowledgedAtMs.filter((at) => !Number.isNaN(at)).length
  await untilStored(stack, '1', acknowledged)
  const committedAtMs = monotonicMs()
  const after = readUsage(parts)
  const walAfter = await readWalPosition(stack)
  const cpu = before === null || after === null ? null : toCpuSeconds(before, after)
  const loadMs = sent.endedAtMs - sent.startedAtMs
  const wholeMs = Math.max(loadMs, committedAtMs - sent.startedAtMs)
  return {
    stack: stack.name,
    load,
    acknowledged,
    loadSeconds: loadMs / 1_000,
    drainSeconds: (wholeMs - loadMs) / 1_000,
    acknowledgedPerSecond: (acknowledged / loadMs) * 1_000,
    committedPerSecond: (acknowledged / wholeMs) * 1_000,
    ...toLatencies(sent),
    cpuSeconds: cpu?.parts ?? null,
    otherCpuSeconds: cpu?.others ?? null,
    residentMib: after?.residentMib ?? null,
    walBytesPerMessage: (walAfter - walBefore) / acknowledged,
    work: await stack.describeWork(toUserPrefix('1')),
    wrong: await check(stack, sent),
  }
}

async function untilStored(stack: Stack, series: '1' | '2', count: number): Promise<void> {
  let stored = 0
  const isStored = async (): Promise<boolean> => {
    stored = await stack.countStored(toUserPrefix(series))
    return stored >= count
  }
  await until(isStored, {
    withinMs: drainWithinMs,
    sentence: () => `${stack.name} has stored ${stored} of ${count} acknowledged messages`,
  })
}

async function readWalPosition(stack: Stack): Promise<number> {
  const [row] = await stack.sql<{ bytes: number }>(
    `select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 as bytes`,
  )
  return row?.bytes ?? 0
}

function toLatencies({ sentAtMs, acknowledgedAtMs }: LoadResult): { readonly p50Ms: number; readonly p99Ms: number } {
  const latencies = acknowledgedAtMs.map((at, index) => at - (sentAtMs[index] ?? Number.NaN))
  return { p50Ms: toPercentile(latencies, 0.5), p99Ms: toPercentile(latencies, 0.99) }
}

async function check(stack: Stack, sent: LoadResult): Promise<readonly string[]> {
  const prefix = toUserPrefix('1')
  const stored = { messages: await stack.readMessages(prefix), conversations: await stack.readConversations(prefix) }
  return findWrong('1', sent, stored)
}
