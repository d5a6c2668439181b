import { readFileSync, statSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { commandLineOf, isAlive, startTimeOf } from '../../../scripts/setup/process-identity.mjs'
import { findNatsServer, type NatsServer, startNatsServer } from '../../../src/infra/nats/nats-server.ts'
import { startTestNats } from '../../support/nats.ts'

let storeDir: string
let servers: NatsServer[]
let exits: string[]

beforeEach(async () => {
  storeDir = await mkdtemp(join(tmpdir(), 'duologue-test-nats-'))
  servers = []
  exits = []
})

afterEach(async () => {
  for (const server of servers) await server.stop()
  await rm(storeDir, { recursive: true, force: true })
})

test('it accepts JetStream at once, and syncs every write', async () => {
  const server = await start()
  expect(await publish(server, 'try.one')).toBe(1)
  expect(readFileSync(join(storeDir, 'nats-server.conf'), 'utf8')).toContain('sync_interval: always')
})

test('what was acknowledged is there after a stop and after a SIGKILL', async () => {
  const nats = await startTestNats()
  try {
    await publish(nats, 'try.one')
    await nats.restart()
    await publish(nats, 'try.two')
    await nats.kill()
    await nats.restart()
    expect(await publish(nats, 'try.three')).toBe(3)
  } finally {
    await nats.stop()
  }
})

test('nobody connects without the password, and only the 0600 configuration holds it', async () => {
  const server = await start()
  await expect(connect({ servers: server.url })).rejects.toThrow()
  await expect(connect({ servers: server.url, user: server.user, pass: 'guess' })).rejects.toThrow()
  expect(statSync(join(storeDir, 'nats-server.conf')).mode & 0o777).toBe(0o600)
  expect(commandLineOf(server.pid)).not.toContain(server.pass)
  expect(readFileSync(join(storeDir, 'nats-server.log'), 'utf8')).not.toContain(server.pass)
})

test('stop leaves no process within two seconds, and is no unexpected end', async () => {
  const server = await start()
  const identity = { pid: server.pid, startTime: startTimeOf(server.pid) }
  const startedAt = performance.now()
  await server.stop()
  expect(performance.now() - startedAt).toBeLessThan(2_000)
  expect(isAlive(identity)).toBe(false)
  expect(exits).toEqual([])
})

test('a stopped server that does not answer is killed', async () => {
  const server = await start()
  const identity = { pid: server.pid, startTime: startTimeOf(server.pid) }
  process.kill(server.pid, 'SIGSTOP')
  await server.stop()
  expect(isAlive(identity)).toBe(false)
})

test('an unexpected end is told once', async () => {
  const server = await start()
  process.kill(server.pid, 'SIGKILL')
  await vi.waitFor(() => expect(exits).toEqual(['nats-server ended with SIGKILL']))
  await server.stop()
  expect(exits).toHaveLength(1)
})

test('the child is recorded before the server is ready', async () => {
  const recorded: number[] = []
  const server = await start({ recordChild: ({ pid }) => recorded.push(pid) })
  expect(recorded).toEqual([server.pid])
})

test('a port that is taken fails the start, with the reason from the log', async () => {
  const { port } = await start()
  const other = await mkdtemp(join(tmpdir(), 'duologue-test-nats-'))
  await expect(start({ port, storeDir: other })).rejects.toThrow(
    /could not start nats-server.*address already in use/su,
  )
  expect(exits).toEqual([])
  await rm(other, { recursive: true })
})

test('a binary that is not there fails the start', async () => {
  await expect(start({ binary: join(storeDir, 'no-such-program') })).rejects.toThrow(
    /could not start nats-server.*ENOENT/su,
  )
})

async function start(options: Partial<Parameters<typeof startNatsServer>[0]> = {}): Promise<NatsServer> {
  const server = await startNatsServer({
    binary: findNatsServer(process.env),
    storeDir,
    onExit: (reason) => exits.push(reason),
    recordChild: () => {},
    ...options,
  })
  servers.push(server)
  return server
}

function open({ url, user, pass }: Pick<NatsServer, 'url' | 'user' | 'pass'>): Promise<NatsConnection> {
  return connect({ servers: url, user, pass })
}

/** Publishes into a stream, which it makes if it is missing; returns the sequence that the server acknowledged. */
async function publish(server: Pick<NatsServer, 'url' | 'user' | 'pass'>, subject: string): Promise<number> {
  const connection = await open(server)
  const manager = await jetstreamManager(connection)
  await manager.streams.add({ name: 'try', subjects: ['try.>'] })
  const { seq } = await jetstream(connection).publish(subject, 'data')
  await connection.close()
  return seq
}
