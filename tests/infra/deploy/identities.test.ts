/**
 * nats-server with the very files that the compose file mounts and the settings that it gives: each identity does what
 * its role needs, and every forbidden verb is a permission violation.
 */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'

import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { openNats } from '../../../src/infra/nats/connection.ts'
import { findNatsServer } from '../../../src/infra/nats/nats-server.ts'
import { createEventPublisher } from '../../../src/infra/nats/publisher.ts'
import { streamName } from '../../../src/infra/nats/subjects.ts'
import { runCommand } from '../../support/command.ts'
import { makeComposeEnv, readComposeFile } from '../../support/compose-file.ts'
import { createCluster } from '../../support/cluster.ts'
import type { LogServers } from '../../support/cluster.ts'
import { lifecyclePaths, createUser } from '../../crash/lifecycle-paths.ts'
import { findFreePort } from '../../support/postgres.ts'
import { until } from '../../support/service.ts'

const env = makeComposeEnv({
  DUOLOGUE_PUBLIC_URL: 'https://duologue.example.org',
  TWILIO_ACCOUNT_SID: `AC${'1'.repeat(32)}`,
  TWILIO_AUTH_TOKEN: 'token',
  TWILIO_NUMBERS: 'whatsapp:+14155238886',
})
const compose = readComposeFile('docker-compose.yml', env)

let folder: string
let port: number
let server: ChildProcess

/** A setting of a service, with the host of the deployment replaced by this one. */
function settingsOf(name: string): { readonly [name: string]: string } {
  const settings = compose.services[name]?.environment ?? {}
  return { ...settings, NATS_URL: (settings['NATS_URL'] ?? '').replace('@nats:4222', `@127.0.0.1:${port}`) }
}

async function connectAs(name: string): Promise<NatsConnection> {
  const { NATS_URL: url = '', NATS_INBOX_PREFIX: inboxPrefix = null } = settingsOf(name)
  return openNats({ url, inboxPrefix }, name)
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'duologue-deploy-'))
  port = await findFreePort()
  const { configs = [], command = [], environment = {} } = compose.services['nats'] ?? {}
  for (const { source, target } of configs) {
    await writeFile(join(folder, basename(target)), compose.configs.get(source) ?? '')
  }
  const parameters = command.map((word) => (word.startsWith('/etc/nats/') ? join(folder, basename(word)) : word))
  server = spawn(findNatsServer(process.env), parameters, {
    stdio: 'ignore',
    env: {
      ...environment,
      NATS_HOST: '127.0.0.1',
      NATS_PORT: String(port),
      NATS_MONITOR: `127.0.0.1:${await findFreePort()}`,
      NATS_STORE: join(folder, 'store'),
    },
  })
  process.once('exit', () => server.kill('SIGKILL'))
  await until(async () => {
    const connection = await connectAs('stream').catch(() => null)
    await connection?.close()
    return connection !== null
  }, 20_000)
})

afterAll(async () => {
  server.kill('SIGKILL')
  if (server.exitCode === null && server.signalCode === null) await once(server, 'exit')
  await rm(folder, { recursive: true, force: true })
})

test('the stream is made by its own command, and by that alone', { timeout: 30_000 }, async () => {
  const words = (compose.services['stream']?.command ?? []).slice(2)
  expect(words).toEqual(['stream'])
  const { exitCode, stdout } = await runCommand(words, { ...settingsOf('stream') })
  expect([exitCode, stdout.trim()]).toEqual([0, `the stream ${streamName} has 64 partitions and 1 copy`])
})

const api = '$JS.API'
const session = 'whatsapp_3A_2B14155238886.whatsapp_3A_2B15005550006'
const changes = [
  `${api}.STREAM.CREATE.OTHER`,
  `${api}.STREAM.UPDATE.${streamName}`,
  `${api}.STREAM.DELETE.${streamName}`,
  `${api}.STREAM.MSG.DELETE.${streamName}`,
  `${api}.STREAM.SNAPSHOT.${streamName}`,
  `duologue.log.1.message.${session}`,
]
const reads = [
  `${api}.STREAM.PURGE.${streamName}`,
  `${api}.STREAM.MSG.GET.${streamName}`,
  `${api}.DIRECT.GET.${streamName}`,
  `${api}.CONSUMER.CREATE.${streamName}`,
  `${api}.CONSUMER.CREATE.${streamName}.any.duologue.log.>`,
  `${api}.CONSUMER.DURABLE.CREATE.${streamName}.any`,
  `${api}.CONSUMER.MSG.NEXT.${streamName}.any`,
]
const listening = ['>', 'duologue.>', 'duologue.in.>', 'duologue.log.>', '_INBOX.>', '$JS.>', '$SYS.>']
const forbidden: { readonly [service: string]: { publish: readonly string[]; subscribe: readonly string[] } } = {
  webhook: {
    publish: [
      `duologue.in.command.${session}`,
      'duologue.settled.any',
      'duologue.nodes.ownership',
      ...changes,
      ...reads,
    ],
    subscribe: [...listening, '_INBOX_actors.>', '_INBOX_console.>', 'duologue.settled.*'],
  },
  console: {
    publish: [
      `duologue.in.message.${session}`,
      `duologue.in.status.${session}`,
      'duologue.nodes.ownership',
      ...changes,
      ...reads,
    ],
    subscribe: [...listening, '_INBOX_actors.>', '_INBOX_webhook.>'],
  },
  'node-1': {
    publish: [`duologue.in.command.${session}`, ...changes, `${api}.CONSUMER.DURABLE.CREATE.${streamName}.any`],
    subscribe: [...listening, '_INBOX_webhook.>', '_INBOX_console.>'],
  },
}

describe.each(Object.entries(forbidden))('the identity of %s', (name, { publish, subscribe }) => {
  test(`is refused ${publish.length + subscribe.length} things`, async () => {
    const connection = await connectAs(name)
    const refused = new Set<string>()
    void (async () => {
      for await (const status of connection.status()) {
        if (status.type !== 'error') continue
        const { operation = '', subject = '' } = status.error as { operation?: string; subject?: string }
        refused.add(`${operation} ${subject}`)
      }
    })()
    for (const subject of publish) connection.publish(subject, '{}')
    for (const subject of subscribe) connection.subscribe(subject, { callback: () => {} })
    const wanted = [
      ...publish.map((subject) => `publish ${subject}`),
      ...subscribe.map((subject) => `subscription ${subject}`),
    ].toSorted()
    await until(
      () => refused.size >= wanted.length,
      10_000,
      () => `was not refused: ${wanted.filter((each) => !refused.has(each)).join(', ')}`,
    )
    expect([...refused].toSorted()).toEqual(wanted)
    await connection.close()
  })
})

test('nobody gets in without a password', async () => {
  await expect(openNats({ url: `nats://127.0.0.1:${port}` }, 'nobody')).rejects.toThrow('could not connect')
  await expect(openNats({ url: `nats://admin:guess@127.0.0.1:${port}` }, 'nobody')).rejects.toThrow('could not connect')
})

test('the webhook publishes what Twilio says, and a node reads it', async () => {
  const [webhook, node] = [await connectAs('webhook'), await connectAs('node-1')]
  const publisher = createEventPublisher(webhook, 5_000, '_INBOX_webhook')
  const { sequence } = await publisher.publish({
    v: 1,
    type: 'message.received',
    businessAddress: 'whatsapp:+14155238886',
    userKey: 'whatsapp:+15005550006',
    replyAddress: 'whatsapp:+15005550006',
    providerId: `SM${'0'.repeat(32)}`,
    body: 'hello',
    media: [],
    profileName: null,
    receivedAt: Date.now(),
    raw: {},
  })
  const manager = await jetstreamManager(node)
  expect((await manager.streams.getMessage(streamName, { seq: sequence }))?.subject).toContain('.message.')
  const consumer = await jetstream(node).consumers.get(streamName, { filter_subjects: 'duologue.log.>' })
  const next = await consumer.next({ expires: 5_000 })
  expect(next?.seq).toBe(sequence)
  await Promise.all([webhook.close(), node.close()])
})

test('the roles together answer a user and take an operator’s commands', { timeout: 120_000 }, async () => {
  const log: LogServers = {
    url: settingsOf('node-1')['NATS_URL'] ?? '',
    port,
    kill,
    restart: kill,
    stop: async () => {},
  }
  const cluster = await createCluster({ partitions: 64, log, settings: { quietMs: 100 } })
  try {
    for (const name of ['node-1', 'node-2', 'webhook', 'console']) {
      const { NATS_URL = '', NATS_INBOX_PREFIX = '', DUOLOGUE_ROLES = '' } = settingsOf(name)
      await cluster.start(name, { NATS_URL, NATS_INBOX_PREFIX, DUOLOGUE_ROLES })
    }
    const consoleUrl = cluster.nodes.get('console')?.service.url ?? ''
    const paths = lifecyclePaths.filter(({ ends, channel }) => channel === 'ordinary' && ends.endsWith('_CLOSED'))
    expect(paths.length).toBeGreaterThan(3)
    for (const [index, path] of paths.entries()) {
      const user = createUser(cluster, `whatsapp:+1500556000${index}`, path.channel, consoleUrl)
      await path.lead(user)
      await user.reaches(path.ends)
    }
  } finally {
    await cluster.remove()
  }
})

async function kill(): Promise<void> {
  throw new Error('the server of this test is not killed')
}
