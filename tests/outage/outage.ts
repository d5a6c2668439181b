/**
 * One part of a deployment is away for a while under load, and comes back: what was acknowledged to the sender, what
 * became of it, and how long the rest took. Two nodes, a NATS server, PostgreSQL behind Supabase Lite and a fake Twilio,
 * each a process of its own.
 *
 * Users write one message after the other, each to any node, the next one when the last was answered with 200; what is
 * answered otherwise is sent again, as Twilio does. So the order of a user's messages is known.
 */
import postgres from 'postgres'

import { findFreePort, startPostgres } from '../support/postgres.ts'
import type { TestPostgres } from '../support/postgres.ts'
import { serveLite } from '../support/database.ts'
import { startTestNats } from '../support/nats.ts'
import type { TestNats } from '../support/nats.ts'
import { messagesPath, toForm } from '../support/production.ts'
import { apiToken, makeTemporaryFolder, startFakeTwilio, startService, until } from '../support/service.ts'
import type { FakeTwilioProcess, ServiceProcess } from '../support/service.ts'

export type OutageOptions = {
  readonly part: 'nats' | 'database'
  /** How long it is away. */
  readonly seconds: number
  readonly messagesPerSecond: number
}

export type OutageFigures = {
  readonly part: OutageOptions['part']
  readonly seconds: number
  readonly messagesPerSecond: number
  readonly acknowledged: number
  readonly acknowledgedDuringOutage: number
  /** Requests that were answered with anything but 200, or not at all. */
  readonly refused: number
  /** Of webhooks during the outage, ms. */
  readonly p50Ms: number
  readonly p99Ms: number
  readonly slowestMs: number
  readonly spooled: number
  readonly drained: number
  /** Acknowledged, and not in the database at the end. */
  readonly lost: number
  readonly duplicates: number
  /** Users whose messages are in another order than that in which they were acknowledged. */
  readonly outOfOrder: number
  /** Replies that Twilio accepted, and how many of them the database does not know as its own, once each. */
  readonly replies: number
  readonly strayReplies: number
  /** From the part's return until the spool was empty and closed; null when nothing was spooled. */
  readonly drainedAfterMs: number | null
  /** From the part's return until everything that was acknowledged by then was stored. */
  readonly caughtUpAfterMs: number
  /** The nodes' log lines of level error. */
  readonly errors: readonly string[]
}

const users = 50
const beforeMs = 3_000
const afterMs = 3_000
const settleMs = 120_000

type Stage = {
  readonly nats: TestNats
  readonly database: TestPostgres
  readonly fake: FakeTwilioProcess
  readonly nodes: readonly ServiceProcess[]
  readonly sql: postgres.Sql
  remove(): Promise<void>
}

export async function runOutage(options: OutageOptions): Promise<OutageFigures> {
  const stage = await openStage()
  try {
    const load = startLoad(stage.nodes, options.messagesPerSecond)
    await pause(beforeMs)
    await (options.part === 'nats' ? stage.nats.kill() : stage.database.crash())
    const awayAt = performance.now()
    await pause(options.seconds * 1_000)
    const backAt = performance.now()
    await (options.part === 'nats' ? stage.nats.restart() : stage.database.restart())
    const byThen = load.acknowledged()
    const drained = until(async () => isDrained(stage), settleMs).then(() => performance.now())
    const caughtUp = until(async () => (await countStored(stage)) >= byThen, settleMs).then(() => performance.now())
    await pause(afterMs)
    const sent = await load.stop()
    const caughtUpAfterMs = Math.round((await caughtUp) - backAt)
    const drainedAfterMs = options.part === 'nats' ? Math.round((await drained) - backAt) : null
    await drained
    await until(
      async () => (await countStored(stage)) >= load.acknowledged(),
      settleMs,
      () => 'messages are missing',
    )
    await until(
      async () => (await countUnsettled(stage)) === 0,
      settleMs,
      () => 'effects do not settle',
    )
    return { ...options, ...(await compare(stage, sent, awayAt, backAt)), drainedAfterMs, caughtUpAfterMs }
  } finally {
    await stage.remove()
  }
}

async function openStage(): Promise<Stage> {
  const [folder, fake, nats, database] = await Promise.all([
    makeTemporaryFolder(),
    startFakeTwilio(),
    startTestNats(),
    startPostgres(),
  ])
  const databaseUrl = await database.createDatabase()
  const lite = await serveLite(databaseUrl)
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} })
  const settings = { quietMs: 300, quietMaxMs: 1_000 }
  await sql`insert into duologue.tenants (name, settings) values ('default', ${sql.json(settings)})`
  const env = {
    NATS_URL: nats.url.replace('://', `://${nats.user}:${nats.pass}@`),
    SUPABASE_URL: lite.url,
    SUPABASE_SECRET_KEY: lite.secretKey,
    DUOLOGUE_API_TOKEN: apiToken,
  }
  const nodes: ServiceProcess[] = []
  for (const nodeId of ['one', 'two']) {
    const port = await findFreePort()
    const own = { ...env, DUOLOGUE_NODE_ID: nodeId }
    nodes.push(await startService({ dataDir: folder.path, fake, port, env: own }))
  }
  return {
    nats,
    database,
    fake,
    nodes,
    sql,
    async remove() {
      await Promise.all(nodes.map(async (node) => node.stop()))
      await sql.end()
      await lite.stop()
      await Promise.all([fake.stop(), nats.stop(), database.stop()])
      await folder.remove()
    },
  }
}

type Sent = { readonly user: string; readonly sid: string; readonly at: number; readonly tookMs: number }

function startLoad(nodes: readonly ServiceProcess[], messagesPerSecond: number) {
  const sent: Sent[] = []
  let refused = 0
  let isStopping = false
  const everyMs = (users / messagesPerSecond) * 1_000
  const write = async (user: string, number: number): Promise<void> => {
    const form = toForm({ From: user, WaId: user.slice('whatsapp:+'.length), Body: `message ${number}` })
    for (;;) {
      const node = nodes[Math.floor(Math.random() * nodes.length)]
      const at = performance.now()
      const status = (await node?.post(messagesPath, form).catch(() => null))?.status ?? 0
      if (status === 200) {
        sent.push({ user, sid: form['MessageSid'] ?? '', at, tookMs: performance.now() - at })
        return
      }
      refused += 1
      await pause(500)
    }
  }
  const talk = async (user: string, index: number): Promise<void> => {
    await pause((index / users) * everyMs)
    for (let number = 0; !isStopping; number += 1) {
      const at = performance.now()
      await write(user, number)
      await pause(everyMs - (performance.now() - at))
    }
  }
  const talks = Array.from({ length: users }, async (_, index) => talk(`whatsapp:+1500555${1_000 + index}`, index))
  return {
    acknowledged: () => sent.length,
    async stop(): Promise<{ readonly sent: readonly Sent[]; readonly refused: number }> {
      isStopping = true
      await Promise.all(talks)
      return { sent, refused }
    },
  }
}

async function countStored({ sql }: Stage): Promise<number> {
  try {
    const [row] = await sql<{ count: number }[]>`
      select count(*)::integer as count from duologue.messages where direction = 'inbound'`
    return row?.count ?? 0
  } catch {
    return 0
  }
}

async function isDrained({ sql }: Stage): Promise<boolean> {
  try {
    return (await sql`select from duologue.spool_state where phase <> 'direct'`).length === 0
  } catch {
    return false
  }
}

async function countUnsettled({ sql }: Stage): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::integer as count from duologue.effects where status in ('pending', 'running', 'uncertain')`
  return row?.count ?? 0
}

async function compare(
  stage: Stage,
  { sent, refused }: { readonly sent: readonly Sent[]; readonly refused: number },
  awayAt: number,
  backAt: number,
): Promise<Omit<OutageFigures, keyof OutageOptions | 'drainedAfterMs' | 'caughtUpAfterMs'>> {
  const { sql, fake, nodes } = stage
  const stored = await sql<{ user: string; sid: string }[]>`
    select session.user_key as user, message.provider_id as sid
    from duologue.messages as message join duologue.sessions as session on session.id = message.session_id
    where message.direction = 'inbound' order by message.id`
  const sids = new Set(stored.map(({ sid }) => sid))
  const own = await sql<{ sid: string }[]>`
    select provider_id as sid from duologue.messages where direction = 'outbound' and provider_id is not null`
  const known = new Set(own.map(({ sid }) => sid))
  const replies = await fake.sent()
  const during = sent.filter(({ at, tookMs }) => at + tookMs >= awayAt && at < backAt)
  const took = during.map(({ tookMs }) => tookMs).toSorted((one, other) => one - other)
  const quantile = (share: number): number => Math.round(took[Math.ceil(took.length * share) - 1] ?? 0)
  const storedBy = Map.groupBy(stored, ({ user }) => user)
  const outOfOrder = [...Map.groupBy(sent, ({ user }) => user)].filter(([user, messages]) => {
    const wanted = messages.map(({ sid }) => sid).join()
    return (storedBy.get(user) ?? []).map(({ sid }) => sid).join() !== wanted
  })
  const metrics = await Promise.all(nodes.map(async (node) => (await node.get('/metrics')).text()))
  const sum = (name: string): number =>
    metrics.reduce(
      (total, text) => total + Number(new RegExp(`^duologue_${name}_total (\\d+)`, 'mu').exec(text)?.[1]),
      0,
    )
  return {
    acknowledged: sent.length,
    acknowledgedDuringOutage: during.length,
    refused,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    slowestMs: quantile(1),
    spooled: sum('spooled'),
    drained: sum('drained'),
    lost: sent.filter(({ sid }) => !sids.has(sid)).length,
    duplicates: stored.length - sids.size,
    outOfOrder: outOfOrder.length,
    replies: replies.length,
    strayReplies: replies.filter(({ sid }) => !known.has(sid)).length + (own.length - known.size),
    errors: nodes.flatMap((node) =>
      node
        .output()
        .split('\n')
        .filter((line) => line.includes('"level":"error"')),
    ),
  }
}

async function pause(delayMs: number): Promise<void> {
  await new Promise((resolve) => {
    setTimeout(resolve, Math.max(0, delayMs))
  })
}
