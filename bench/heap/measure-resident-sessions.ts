/**
 * What one resident session costs: the heap of a node, after a forced collection, with no session and with
 * many that were each written to, answered, and are still in memory.
 */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { EventPublisher } from '../../src/actors/ports.ts'
import { openNats } from '../../src/infra/nats/connection.ts'
import { createEventPublisher } from '../../src/infra/nats/publisher.ts'
import { toLoggedMessage } from '../../src/infra/twilio/inbound-message.ts'
import { business, toForm } from '../load/identities.ts'
import { until } from '../stacks/child.ts'
import { startLite, toLiteProject } from '../stacks/duologue.ts'
import { startNats } from '../stacks/nats.ts'
import type { BenchDatabase, BenchPostgres } from '../stacks/postgres.ts'
import type { ResidentNodeSettings, ResidentNodeState } from './resident-node.ts'

export type ResidentSessionsResult = {
  readonly sessions: number
  readonly heapBytesPerSession: number
  /** Buffers outside of V8's heap. */
  readonly externalBytesPerSession: number
  readonly heapMibWithoutSessions: number
  readonly heapMib: number
  readonly residentMib: number
}

const partitions = 64
const publishTimeoutMs = 10_000
const inFlight = 256
/** Sessions leave memory a minute after their last event. */
const settledWithinMs = 55_000
const oneMib = 2 ** 20

export async function measureResidentSessions(
  postgres: BenchPostgres,
  sessions: number,
): Promise<ResidentSessionsResult> {
  await using opened = new AsyncDisposableStack()
  const database = opened.adopt(await postgres.createMigratedDatabase(), async ({ drop }) => drop())
  const nats = opened.adopt(await startNats(), async ({ stop }) => stop())
  const lite = opened.adopt(await startLite(database.url), async ({ stop }) => stop())
  const supabase = toLiteProject(lite)
  const node = opened.adopt(startNode({ natsUrl: nats.url, supabase, partitions, businessAddress: business }), stopNode)
  await until(async () => (await ask(node, 'describe')).isReady, {
    withinMs: publishTimeoutMs,
    everyMs: 100,
    sentence: () => 'the node does not become active',
  })
  const before = await measure(node)
  const connection = opened.adopt(await openNats({ url: nats.url }, 'benchmark'), async (open) => open.close())
  await publishAll(createEventPublisher(connection, publishTimeoutMs), sessions)
  await untilSettled(node, database, sessions)
  const after = await measure(node)
  const { residentSessions } = await ask(node, 'describe')
  if (residentSessions !== sessions) throw new Error(`${residentSessions} of ${sessions} sessions are resident`)
  return {
    sessions,
    heapBytesPerSession: (after.heapUsed - before.heapUsed) / sessions,
    externalBytesPerSession: (after.external - before.external) / sessions,
    heapMibWithoutSessions: before.heapUsed / oneMib,
    heapMib: after.heapUsed / oneMib,
    residentMib: after.rss / oneMib,
  }
}

function startNode(settings: ResidentNodeSettings): ChildProcess {
  return fork(join(import.meta.dirname, 'resident-node.ts'), [JSON.stringify(settings)], { execArgv: ['--expose-gc'] })
}

async function stopNode(node: ChildProcess): Promise<void> {
  if (node.exitCode !== null || node.signalCode !== null) return
  node.kill('SIGKILL')
  await once(node, 'exit')
}

async function ask(node: ChildProcess, order: 'describe' | 'measure'): Promise<ResidentNodeState> {
  const gone = once(node, 'exit', { signal: AbortSignal.timeout(publishTimeoutMs) }).then(() => {
    throw new Error('the node ended')
  })
  gone.catch(() => {})
  const answered = once(node, 'message') as Promise<[ResidentNodeState]>
  node.send(order)
  const [state] = await Promise.race([answered, gone])
  return state
}

async function measure(node: ChildProcess): Promise<NonNullable<ResidentNodeState['memory']>> {
  const { memory } = await ask(node, 'measure')
  if (memory === null) throw new Error('the node did not measure')
  return memory
}

/** One message of each user, as the webhook would publish it. */
async function publishAll(publisher: EventPublisher, sessions: number): Promise<void> {
  let next = 0
  const publishSome = async (): Promise<void> => {
    for (let user = next++; user < sessions; user = next++) {
      const parsed = toLoggedMessage(toForm('1', user, user), Date.now())
      if (parsed.kind !== 'event') throw new Error('a form of the benchmark is not a message')
      await publisher.publish(parsed.event)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, publishSome))
}

/** Everybody has an answer, and nothing is under way. */
async function untilSettled(node: ChildProcess, { sql }: BenchDatabase, sessions: number): Promise<void> {
  const statement = `select
    (select count(*) from duologue.conversations where status = 'PROGRESS') as answered,
    (select count(*) from duologue.effects where status in ('pending', 'running', 'uncertain')) as unsettled`
  let state = ''
  const isSettled = async (): Promise<boolean> => {
    const [row] = await sql<{ answered: number; unsettled: number }>(statement)
    state = `${row?.answered} of ${sessions} are answered, ${row?.unsettled} effects are under way`
    return row?.answered === sessions && row.unsettled === 0
  }
  await until(isSettled, {
    withinMs: settledWithinMs,
    everyMs: 250,
    sentence: () => `the sessions do not settle: ${state}`,
  })
}
