/** The command line over a deployment on embedded parts: while its service runs, and after it was stopped. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { runCommand, runDoctor } from '../support/command.ts'
import { createDeployment } from '../support/deployment.ts'
import type { Deployment } from '../support/deployment.ts'
import { until } from '../support/service.ts'
import type { ServiceProcess } from '../support/service.ts'

const user = 'whatsapp:+15005550006'
const answeredMs = 30_000
const bin = join(import.meta.dirname, '../../bin/duologue.js')

const environment = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '' }

let deployment: Deployment
let service: ServiceProcess
let env: { readonly [name: string]: string }
let conversationId: string

beforeAll(async () => {
  deployment = await createDeployment()
  service = await deployment.start()
  env = {
    DUOLOGUE_DATA_DIR: deployment.dataDir,
    DUOLOGUE_PARTITIONS: '8',
    DUOLOGUE_PORT: new URL(service.url).port,
  }
  await deployment.fake.say(user, 'Hello!')
  await until(async () => (await deployment.fake.sent(user)).length > 0, answeredMs)
  const { items } = await service.json<{ items: { id: string }[] }>('/api/conversations')
  conversationId = items[0]?.id ?? ''
})

afterAll(async () => {
  await deployment?.remove()
})

describe('while a service runs', () => {
  test('a command that needs the embedded database names the process that has it', async () => {
    for (const args of [
      ['tenant', 'show', 'default'],
      ['quarantine', 'list'],
      ['replay', conversationId],
      ['spool', 'status'],
      ['spool', 'drain'],
      ['reconcile', '--since', '1h'],
    ]) {
      const { exitCode, stderr } = await runCommand(args, env)
      expect(stderr).toContain('duologue: stop the running service first, or ask its API: data folder ')
      expect(stderr).toContain(`in use by process ${service.pid}`)
      expect(exitCode).toBe(1)
    }
  })

  test('the doctor finds nothing bad, and the service ready', async () => {
    const { exitCode, of } = await runDoctor(env)
    expect(of('data folder')[0]).toContain(
      `warn: data folder ${deployment.dataDir} is in use by process ${service.pid}`,
    )
    expect(of('HTTP')).toEqual([`ok: a Duologue runs at 127.0.0.1:${env['DUOLOGUE_PORT']} and is ready`])
    expect(exitCode).toBe(0)
  })
})

describe('after it was stopped', () => {
  beforeAll(async () => {
    await service.stop()
  })

  test('every line of the doctor is ok, and its process ends by itself with 0', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [bin, 'doctor'], { env: { ...environment, ...env } })
    expect(stdout).toContain('DUOLOGUE, 8 partitions, as Duologue makes it')
    expect(stdout).toMatch(/all \d+ there, callable by the service role alone/)
    expect(stdout).toMatch(/ok, 0 to look at, 0 bad\n$/)
  })

  test('what is set for a tenant is stored in the data folder', async () => {
    expect(await runCommand(['tenant', 'set', 'default', 'idleTimeoutMs=1000'], env)).toMatchObject({ exitCode: 0 })
    const shown = await runCommand(['tenant', 'show', 'default', '--json'], env)
    expect(JSON.parse(shown.stdout)).toMatchObject({ name: 'default', settings: { idleTimeoutMs: 1000 } })
  })

  test('the spool is shown and drained, and the provider is asked, with the embedded log and the built-in phone', async () => {
    const status = await runCommand(['spool', 'status'], env)
    expect([status.exitCode, status.stdout]).toEqual([0, 'phase    direct\nevents   0\n'])
    const drained = await runCommand(['spool', 'drain', '--json'], env)
    expect([drained.exitCode, JSON.parse(drained.stdout)]).toMatchObject([
      0,
      { outcome: 'drained', drained: 0, left: 0 },
    ])
    const asked = await runCommand(['reconcile', '--since', '1d', '--json'], env)
    expect([asked.exitCode, JSON.parse(asked.stdout)]).toMatchObject([0, { listed: 0, recovered: [] }])
  })

  test('the journal gives the stored snapshot and hash again, until somebody changes an event', async () => {
    const same = await runCommand(['replay', conversationId, '--json'], env)
    expect(JSON.parse(same.stdout)).toMatchObject({
      id: conversationId,
      outcome: 'same',
      version: expect.any(Number) as unknown,
    })
    expect(same.exitCode).toBe(0)
    // The database refuses it as long as its triggers are there.
    await deployment.sql(`do $$ begin
      alter table duologue.conversation_events disable trigger user;
      update duologue.conversation_events set event = jsonb_set(event, '{body}', '"Hallo!"') where version = 2;
    end $$`)
    const changed = await runCommand(['replay', conversationId], env)
    expect([changed.exitCode, changed.stdout]).toEqual([1, 'version 2 differs: the hash is another one\n'])
  })

  test('start ends with 2 and the name of a wrong setting', async () => {
    const wrong = { ...environment, ...env, DUOLOGUE_LEASE_MS: '1' }
    const refused: unknown = await promisify(execFile)(process.execPath, [bin, 'start'], { env: wrong }).catch(
      (error: unknown) => error,
    )
    expect(refused).toMatchObject({
      code: 2,
      stderr: 'duologue: DUOLOGUE_LEASE_MS must be a whole number from 300 to 60000\n',
    })
  })

  test('the embedded database needs no migrating', async () => {
    const { stdout, exitCode } = await runCommand(['migrate'], env)
    expect(stdout).toContain('brings itself up to date at every start')
    expect(exitCode).toBe(0)
  })
})
