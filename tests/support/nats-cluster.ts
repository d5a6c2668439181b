/** Three nats-servers in one cluster, with the configuration that docker-compose.cluster.yml mounts. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'

import { findNatsServer } from '../../src/infra/nats/nats-server.ts'
import { streamName } from '../../src/infra/nats/subjects.ts'
import type { LogServers } from './cluster.ts'
import { findFreePort } from './postgres.ts'
import { until } from './service.ts'

const configuration = join(import.meta.dirname, '../../deploy/nats/cluster.conf')
const passwords = {
  NATS_ADMIN_PASSWORD: 'admin-of-tests',
  NATS_ACTORS_PASSWORD: 'actors-of-tests',
  NATS_WEBHOOK_PASSWORD: 'webhook-of-tests',
  NATS_CONSOLE_PASSWORD: 'console-of-tests',
  NATS_CLUSTER_PASSWORD: 'cluster-of-tests',
}
const readyMs = 30_000

type Server = { readonly name: string; readonly port: number; child: ChildProcess }

export async function startNatsCluster(): Promise<LogServers> {
  const folder = await mkdtemp(join(tmpdir(), 'duologue-nats-cluster-'))
  const ports = await Promise.all(Array.from({ length: 9 }, findFreePort))
  const routes = ports.slice(3, 6).map((port) => `nats://cluster:${passwords.NATS_CLUSTER_PASSWORD}@127.0.0.1:${port}`)
  const start = (index: number): ChildProcess =>
    spawn(findNatsServer(process.env), ['--config', configuration, '--routes', routes.join(',')], {
      stdio: process.env['DUOLOGUE_TEST_LOG'] ? 'inherit' : 'ignore',
      env: {
        ...passwords,
        NATS_HOST: '127.0.0.1',
        NATS_PORT: String(ports[index]),
        NATS_CLUSTER_PORT: String(ports[index + 3]),
        NATS_MONITOR: `127.0.0.1:${ports[index + 6]}`,
        NATS_SERVER_NAME: `nats-${index + 1}`,
        NATS_STORE: join(folder, String(index)),
      },
    })
  const servers: Server[] = [0, 1, 2].map((index) => ({
    name: `nats-${index + 1}`,
    port: ports[index] ?? 0,
    child: start(index),
  }))
  const endAll = (): void => {
    for (const { child } of servers) child.kill('SIGKILL')
  }
  process.once('exit', endAll)
  const url = servers.map(({ port }) => `nats://admin:${passwords.NATS_ADMIN_PASSWORD}@127.0.0.1:${port}`).join(',')
  await untilClustered(servers)
  let killed: number | null = null
  return {
    url,
    port: null,
    async kill() {
      const leader = await findLeader(servers)
      killed = servers.findIndex(({ name }) => name === leader)
      const child = servers[killed]?.child
      child?.kill('SIGKILL')
      if (child !== undefined && child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    },
    async restart() {
      const server = killed === null ? undefined : servers[killed]
      if (server === undefined || killed === null) return
      server.child = start(killed)
      killed = null
      await untilClustered(servers)
    },
    async stop() {
      process.off('exit', endAll)
      endAll()
      await Promise.all(
        servers.map(async ({ child }) => child.exitCode ?? child.signalCode ?? once(child, 'exit').catch(() => {})),
      )
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function openAdmin(servers: readonly Server[]) {
  return connect({
    servers: servers.map(({ port }) => `127.0.0.1:${port}`),
    user: 'admin',
    pass: passwords.NATS_ADMIN_PASSWORD,
    timeout: 2_000,
  })
}

/** JetStream answers, so the cluster has a leader. */
async function untilClustered(servers: readonly Server[]): Promise<void> {
  await until(
    async () => {
      const connection = await openAdmin(servers).catch(() => null)
      if (connection === null) return false
      try {
        await jetstreamManager(connection)
        return true
      } catch {
        return false
      } finally {
        await connection.close()
      }
    },
    readyMs,
    () => 'the NATS cluster is not ready',
  )
}

async function findLeader(servers: readonly Server[]): Promise<string> {
  const connection = await openAdmin(servers)
  try {
    const manager = await jetstreamManager(connection)
    return (await manager.streams.info(streamName)).cluster?.leader ?? ''
  } finally {
    await connection.close()
  }
}
