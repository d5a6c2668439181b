/** A second program publishes by docs/nats.md alone, on a server with the users of that page, and its user is answered. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { documentedStream, documentedUsers, natsPageFile } from '../../scripts/nats-doc.ts'
import { findNatsServer } from '../../src/infra/nats/nats-server.ts'
import { findFreePort } from '../support/postgres.ts'
import { business, makeTemporaryFolder, startFakeTwilio, startService, until } from '../support/service.ts'
import type { FakeTwilioProcess, ServiceProcess } from '../support/service.ts'

const program = join(import.meta.dirname, '../../docs/examples/publish-message.mjs')
const passwords = { duologue: 'p@ss/of,the:service', publisher: 'password-of-the-publisher' }
const user = 'whatsapp:+15005550006'
const answeredMs = 30_000

let folder: Awaited<ReturnType<typeof makeTemporaryFolder>>
let nats: Awaited<ReturnType<typeof startServer>>
let fake: FakeTwilioProcess
let service: ServiceProcess

beforeAll(async () => {
  folder = await makeTemporaryFolder()
  nats = await startServer(folder.path)
  fake = await startFakeTwilio()
  const url = `nats://duologue:${encodeURIComponent(passwords.duologue)}@127.0.0.1:${nats.port}`
  const env = { NATS_URL: url, DUOLOGUE_PARTITIONS: '64' }
  service = await startService({ dataDir: join(folder.path, 'data'), fake, port: await findFreePort(), env })
})

afterAll(async () => {
  await service?.stop()
  await fake?.stop()
  await nats?.stop()
  await folder?.remove()
})

test('a message that the program publishes is answered, once, however often it publishes it', async () => {
  const first = await publish(business, user, 'SM-of-another-program', 'Hello!')
  const again = await publish(business, user, 'SM-of-another-program', 'Hello!')
  expect(first).toMatchObject({ stream: 'DUOLOGUE', duplicate: false })
  expect(again).toEqual({ ...first, duplicate: true })
  await until(async () => (await fake.sent(user)).length > 0, answeredMs)
  const { items } = await service.json<{ items: { id: string }[] }>(
    `/api/conversations?address=${encodeURIComponent(user)}`,
  )
  expect(items).toHaveLength(1)
  const messages = await service.json<{ items: { direction: string; providerId: string; body: string }[] }>(
    `/api/conversations/${items[0]?.id}/messages`,
  )
  expect(messages.items.filter(({ direction }) => direction === 'inbound')).toMatchObject([
    { providerId: 'SM-of-another-program', body: 'Hello!' },
  ])
  expect(await fake.sent(user)).toHaveLength(1)
})

test('the stream is the one of the page', async () => {
  const connection = await connect({
    servers: `127.0.0.1:${nats.port}`,
    user: 'duologue',
    pass: passwords.duologue,
  })
  const { config } = await (await jetstreamManager(connection)).streams.info(documentedStream.name)
  await connection.close()
  expect(config).toMatchObject(documentedStream)
})

test('the publisher of the page may publish messages and nothing else', async () => {
  const connection = await connect({
    servers: `127.0.0.1:${nats.port}`,
    user: 'publisher',
    pass: passwords.publisher,
    inboxPrefix: '_INBOX_publisher',
  })
  const refused = Promise.withResolvers<string>()
  void (async () => {
    for await (const status of connection.status()) {
      if (status.type === 'error') refused.resolve(status.error.message)
    }
  })()
  connection.publish('duologue.in.command.a.b', '{}')
  expect(await refused.promise).toContain('duologue.in.command.a.b')
  await connection.close()
})

test('the users of the server are those of the page', async () => {
  expect(await readFile(natsPageFile, 'utf8')).toContain(documentedUsers)
})

async function publish(...args: string[]): Promise<{ stream: string; seq: number; duplicate: boolean }> {
  const env = {
    PATH: process.env['PATH'],
    NATS_URL: `nats://127.0.0.1:${nats.port}`,
    NATS_USER: 'publisher',
    NATS_PASSWORD: passwords.publisher,
  }
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...args], { env })
  return JSON.parse(stdout) as { stream: string; seq: number; duplicate: boolean }
}

/** A server of somebody's own, with the users of the page. */
async function startServer(path: string): Promise<{ port: number; stop(): Promise<void> }> {
  const port = await findFreePort()
  const users = documentedUsers
    .replace('"…"', JSON.stringify(passwords.duologue))
    .replace('"…"', JSON.stringify(passwords.publisher))
  const configuration = join(path, 'nats.conf')
  const store = JSON.stringify(join(path, 'nats'))
  await writeFile(
    configuration,
    `host: "127.0.0.1"\nport: ${port}\njetstream { store_dir: ${store}, sync_interval: always }\n${users}\n`,
  )
  const child = spawn(findNatsServer(process.env), ['-c', configuration], { stdio: 'ignore' })
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`nats-server ended with ${child.exitCode}`)
    const connection = await connect({
      servers: `127.0.0.1:${port}`,
      user: 'duologue',
      pass: passwords.duologue,
    }).catch(() => null)
    await connection?.close()
    return connection !== null
  }, 10_000)
  return {
    port,
    async stop() {
      child.kill('SIGTERM')
      if (child.exitCode === null) await once(child, 'exit')
    },
  }
}
