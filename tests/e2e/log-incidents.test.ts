/** A log that loses everything under a running service, and messages that never arrived. */
import { cp, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { createSpoolStore } from '../../src/infra/supabase/spool.ts'
import { runCommand } from '../support/command.ts'
import { toMessage } from '../support/memory-world.ts'
import { createProduction } from '../support/production.ts'
import type { Production } from '../support/production.ts'
import { accountSid, authToken, business, makeTemporaryFolder, until } from '../support/service.ts'
import type { ServiceProcess } from '../support/service.ts'

const answeredMs = 60_000
const users = ['whatsapp:+15005550001', 'whatsapp:+15005550002', 'whatsapp:+15005550003', 'whatsapp:+15005550004']
const [talking = '', spooling = '', lost = '', missing = ''] = users
const returning = 'whatsapp:+15005550005'
const deadWebhook = 'http://127.0.0.1:9'

let production: Production
let service: ServiceProcess
let env: { readonly [name: string]: string }

beforeAll(async () => {
  production = await createProduction()
  await production.set({ quietMs: 100, quietMaxMs: 500 })
  service = await production.start()
  env = {
    NATS_URL: production.nats.url.replace('://', `://${production.nats.user}:${production.nats.pass}@`),
    SUPABASE_URL: production.database.http?.url ?? '',
    SUPABASE_SECRET_KEY: production.database.http?.secretKey ?? '',
    DUOLOGUE_PARTITIONS: '8',
    TWILIO_ACCOUNT_SID: accountSid,
    TWILIO_AUTH_TOKEN: authToken,
    TWILIO_NUMBERS: business,
    TWILIO_API_URL: production.fake.url,
  }
}, 120_000)

afterAll(async () => production?.remove())

const answersTo = async (user: string): Promise<number> => (await production.fake.sent(user)).length
const isAnswered = async (user: string, count = 1): Promise<void> =>
  until(
    async () => (await answersTo(user)) >= count,
    answeredMs,
    () => `${user} is not answered:\n${service.output()}`,
  )
const storedBodies = async (user: string): Promise<unknown[]> =>
  (
    await production.sql(
      `select body from duologue.messages as message join duologue.sessions as session on session.id = message.session_id
      where direction = 'inbound' and user_key = $1 order by message.id`,
      [user],
    )
  ).map(({ body }) => body)

async function emptyStore(): Promise<void> {
  const { storeDir } = production.nats
  for (const name of await readdir(storeDir)) await rm(join(storeDir, name), { recursive: true })
}

/** A user writes, and the webhook is never reached. */
async function sayIntoTheVoid(user: string, body: string): Promise<string> {
  await production.fake.setWebhookBase(deadWebhook)
  const { sid, statusCode } = await production.fake.say(user, body)
  await production.fake.setWebhookBase(service.url)
  expect(statusCode).toBe(0)
  return sid
}

test('a log that comes back empty is noticed; what was spooled and what was lost is answered, nothing twice', async () => {
  await production.fake.say(talking, 'Hello!')
  await isAnswered(talking)
  await production.nats.kill()
  await emptyStore()
  expect((await production.fake.say(spooling, 'Are you there?')).statusCode).toBe(200)
  await sayIntoTheVoid(lost, 'Can anybody hear me?')
  await production.nats.restart()
  await isAnswered(spooling)
  await isAnswered(lost)
  await production.fake.say(talking, 'When are you open?')
  await isAnswered(talking, 2)
  expect(await storedBodies(talking)).toEqual(['Hello!', 'When are you open?'])
  expect(await Promise.all([talking, spooling, lost].map(answersTo))).toEqual([2, 1, 1])
  const metrics = await (await service.get('/metrics')).text()
  expect(metrics).toContain('duologue_log_incidents_total{kind="recreated"} 1')
  expect(metrics).toMatch(/^duologue_recovered_total [1-9]/mu)
  expect(service.output()).toContain('the log is another one than before')
  expect(service.child.exitCode).toBeNull()
}, 180_000)

test('a log that lost its newest events is noticed; the provider tells them again, and nothing is applied twice', async () => {
  const backup = await makeTemporaryFolder()
  await production.nats.kill()
  await cp(production.nats.storeDir, backup.path, { recursive: true })
  await production.nats.restart()
  for (const body of ['one', 'two', 'three']) {
    const answered = await answersTo(returning)
    await production.fake.say(returning, body)
    await isAnswered(returning, answered + 1)
  }
  await production.nats.kill()
  await emptyStore()
  await cp(backup.path, production.nats.storeDir, { recursive: true })
  await production.nats.restart()
  await until(
    async () => (await (await service.get('/metrics')).text()).includes('log_incidents_total{kind="shortened"} 1'),
    answeredMs,
    () => `nobody noticed:\n${service.output()}`,
  )
  // Takes the place in the log that an event had which is gone.
  await production.fake.say(returning, 'four')
  await isAnswered(returning, 4)
  expect(await storedBodies(returning)).toEqual(['one', 'two', 'three', 'four'])
  expect(await answersTo(returning)).toBe(4)
  await backup.remove()
}, 180_000)

test('reconcile publishes what never arrived, marked as recovered, once', async () => {
  const sid = await sayIntoTheVoid(missing, 'Hello?')
  const first = await runCommand(['reconcile', '--since', '1h', '--json'], env)
  expect([first.exitCode, first.stderr]).toEqual([0, ''])
  expect(JSON.parse(first.stdout)).toMatchObject({ recovered: [sid] })
  await isAnswered(missing)
  const [row] = await production.sql(`select raw from duologue.messages where provider_id = $1`, [sid])
  expect(row?.['raw']).toMatchObject({ MessageSid: sid, From: missing, Body: 'Hello?', Recovered: 'true' })
  const second = await runCommand(['reconcile', '--since', '1h'], env)
  expect(second.stdout).toContain('published 0 as recovered')
  expect(await answersTo(missing)).toBe(1)
})

test('spool drain publishes what waits while no node runs, and says so', async () => {
  await service.stop()
  const spool = createSpoolStore(production.database.client)
  const events = ['one', 'two'].map((body) => toMessage('whatsapp:+15005550009', body, `SM-spooled-${body}`))
  expect((await spool.spoolEvents(events, false)).outcome).toBe('publish')
  expect((await spool.spoolEvents(events, true)).outcome).toBe('spooled')
  const status = await runCommand(['spool', 'status', '--json'], env)
  expect(JSON.parse(status.stdout)).toMatchObject({ phase: 'spooling', size: 2, drainer: null })
  const drained = await runCommand(['spool', 'drain', '--json'], env)
  expect(JSON.parse(drained.stdout)).toMatchObject({ outcome: 'drained', drained: 2, left: 0 })
  expect(drained.exitCode).toBe(0)
  const after = await runCommand(['spool', 'status'], env)
  expect(after.stdout).toContain('events   0')
  await production.nats.kill()
  const down = await runCommand(['spool', 'drain'], env)
  expect(down.stderr).toContain('could not connect to NATS')
  expect(down.exitCode).toBe(1)
})
