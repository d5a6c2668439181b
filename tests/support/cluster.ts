/**
 * A deployment as in production, on loopback: several nodes (`src/main.ts`, processes of their own) behind a load
 * balancer, one NATS server or a cluster of three, and PostgreSQL behind Supabase Lite. Between every node and NATS,
 * and between every node and Supabase, is a link of its own that a test can cut.
 *
 * A trigger of the test's own notes when the database stored each message: `duologue_test.stored`.
 */
import { findFreePort, startPostgres } from './postgres.ts'
import type { TestPostgres } from './postgres.ts'
import postgres from 'postgres'
import type { Sql } from './database.ts'
import { serveLite } from './database.ts'
import { startTestNats } from './nats.ts'
import { startNatsCluster } from './nats-cluster.ts'
import { makeTemporaryFolder, startFakeTwilio, startService, until } from './service.ts'
import type { FakeTwilioProcess, ServiceProcess } from './service.ts'
import { openTcpProxy } from './tcp-proxy.ts'
import type { TcpProxy } from './tcp-proxy.ts'

export type ClusterNode = {
  readonly name: string
  readonly service: ServiceProcess
  readonly nats: TcpProxy
  readonly supabase: TcpProxy
  pause(): void
  resume(): void
}

export type LogServers = {
  /** `nats://user:password@host:port`, several separated by commas. */
  readonly url: string
  /** The port to put a link before; null where clients learn of other servers by themselves. */
  readonly port: number | null
  /** SIGKILL of the server (the stream's leader where there are several), and its start again. */
  kill(): Promise<void>
  restart(): Promise<void>
  stop(): Promise<void>
}

export type Cluster = {
  readonly fake: FakeTwilioProcess
  readonly log: LogServers
  readonly postgres: TestPostgres
  readonly sql: Sql
  readonly databaseUrl: string
  /** What Twilio calls. */
  readonly publicUrl: string
  readonly nodes: ReadonlyMap<string, ClusterNode>
  start(name: string, env?: { readonly [name: string]: string }): Promise<ClusterNode>
  /** SIGTERM; resolves with the exit code. The balancer leaves it out from now on. */
  stop(name: string): Promise<number | null>
  kill(name: string): Promise<void>
  /** How many partitions each live lease's owner has. */
  shares(): Promise<ReadonlyMap<string, number>>
  remove(): Promise<void>
}

export type ClusterOptions = {
  readonly partitions?: number
  readonly leaseMs?: number
  readonly natsServers?: 1 | 3
  /** Instead of servers of its own. */
  readonly log?: LogServers
  /** Of the tenant `default`. */
  readonly settings?: object
  readonly env?: { readonly [name: string]: string }
}

const startsMax = 3

export async function createCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const { partitions = 24, leaseMs = 1_000, natsServers = 1, settings = {}, env = {} } = options
  const [folder, fake, log, server, balancer] = await Promise.all([
    makeTemporaryFolder(),
    startFakeTwilio(),
    options.log ?? (natsServers === 1 ? startOneNats() : startNatsCluster()),
    startPostgres(),
    openTcpProxy(),
  ])
  const databaseUrl = await server.createDatabase()
  const lite = await serveLite(databaseUrl)
  const direct = postgres(databaseUrl, { max: 4, onnotice: () => {}, types: plainTypes })
  const sql: Sql = async (statement, parameters = []) => [...(await direct.unsafe(statement, parameters as never[]))]
  await sql(noteStoring)
  await sql(`insert into duologue.tenants (name, settings) values ('default', $1::text::jsonb)`, [
    JSON.stringify(settings),
  ])
  const publicUrl = `http://127.0.0.1:${balancer.port}`
  await fake.setWebhookBase(publicUrl)
  const nodes = new Map<string, ClusterNode>()
  const ports = new Map<string, number>()
  // Whatever ends this process, its nodes do not outlive it.
  const endAll = (): void => {
    for (const { service } of nodes.values()) service.child.kill('SIGKILL')
  }
  process.once('exit', endAll)
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(1))
  const route = (): void => balancer.route([...ports.values()])

  /** On a busy machine the first connection may take longer than a start waits: it is started again, as in production. */
  async function start(name: string, more: { readonly [name: string]: string } = {}): Promise<ClusterNode> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await startOnce(name, more)
      } catch (error) {
        if (attempt >= startsMax || !/could not connect to NATS[^\n]*timeout/u.test(String(error))) throw error
      }
    }
  }

  async function startOnce(name: string, more: { readonly [name: string]: string }): Promise<ClusterNode> {
    const supabase = await openTcpProxy([Number(new URL(lite.url).port)])
    const nats = await openTcpProxy(log.port === null ? [] : [log.port])
    const port = await findFreePort()
    const service = await startService({
      dataDir: folder.path,
      fake,
      port,
      env: {
        DUOLOGUE_NODE_ID: name,
        DUOLOGUE_PUBLIC_URL: publicUrl,
        DUOLOGUE_PARTITIONS: String(partitions),
        DUOLOGUE_LEASE_MS: String(leaseMs),
        NATS_URL: log.port === null ? log.url : log.url.replace(/:\d+$/u, `:${nats.port}`),
        NATS_REPLICAS: String(natsServers),
        SUPABASE_URL: `http://127.0.0.1:${supabase.port}`,
        SUPABASE_SECRET_KEY: lite.secretKey,
        ...env,
        ...more,
      },
    })
    const signal = (name_: NodeJS.Signals) => () => void service.child.kill(name_)
    const node = { name, service, nats, supabase, pause: signal('SIGSTOP'), resume: signal('SIGCONT') }
    nodes.set(name, node)
    if ((more['DUOLOGUE_ROLES'] ?? 'webhook').includes('webhook')) ports.set(name, port)
    route()
    return node
  }

  async function forget(name: string): Promise<void> {
    const node = nodes.get(name)
    nodes.delete(name)
    ports.delete(name)
    route()
    await Promise.all([node?.nats.close(), node?.supabase.close()])
  }

  async function stop(name: string): Promise<number | null> {
    ports.delete(name)
    route()
    const code = (await nodes.get(name)?.service.stop()) ?? null
    await forget(name)
    return code
  }

  async function kill(name: string): Promise<void> {
    const node = nodes.get(name)
    await node?.service.kill()
    await forget(name)
  }

  return {
    fake,
    log,
    postgres: server,
    sql,
    databaseUrl,
    publicUrl,
    nodes,
    start,
    stop,
    kill,
    async shares() {
      const rows = await sql(
        `select owner, count(*)::int as held from duologue.partitions where lease_until > now() group by owner`,
      )
      return new Map(rows.map(({ owner, held }) => [String(owner), Number(held)]))
    },
    async remove() {
      process.off('exit', endAll)
      await Promise.all([...nodes.keys()].map(async (name) => kill(name)))
      await direct.end({ timeout: 1 })
      await Promise.all([fake.stop(), log.stop(), lite.stop(), balancer.close()])
      await server.stop()
      await folder.remove()
    },
  }
}

/** Resolves when every node has a share within one of the mean, and all partitions are owned. */
export async function untilShared(cluster: Cluster, partitions: number, withinMs: number): Promise<void> {
  let shares: ReadonlyMap<string, number> = new Map()
  await until(
    async () => {
      shares = await cluster.shares()
      const counts = [...cluster.nodes.keys()].map((name) => shares.get(name) ?? 0)
      const mean = partitions / counts.length
      const total = counts.reduce((sum, count) => sum + count, 0)
      return total === partitions && counts.every((count) => Math.abs(count - mean) <= 1)
    },
    withinMs,
    () => `not shared fairly: ${JSON.stringify([...shares])}`,
  )
}

async function startOneNats(): Promise<LogServers> {
  const nats = await startTestNats()
  return {
    url: nats.url.replace('://', `://${nats.user}:${nats.pass}@`),
    port: nats.port,
    kill: nats.kill,
    restart: nats.restart,
    stop: nats.stop,
  }
}

/** Times as text, whole numbers as numbers. */
export const plainTypes = {
  date: { to: 1184, from: [1082, 1114, 1184], serialize: String, parse: (text: string) => text },
  bigint: { to: 20, from: [20], serialize: String, parse: Number },
}

const noteStoring = `
  create schema duologue_test;
  create table duologue_test.stored (provider_id text not null, session_id uuid not null, partition integer, at timestamptz not null);
  create function duologue_test.note() returns trigger language plpgsql security definer set search_path = '' as $$
  begin
    insert into duologue_test.stored
      select provider_id, new_rows.session_id, sessions.partition, clock_timestamp()
      from new_rows join duologue.sessions as sessions on sessions.id = new_rows.session_id
      where direction = 'inbound' and provider_id is not null;
    return null;
  end $$;
  create trigger note_storing after insert on duologue.messages
    referencing new table as new_rows for each statement execute function duologue_test.note();`
