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
    for (const args of [['tenant', 'show', 'default'], ['quarantine', 'list'], ['replay', conversationId]]) {
      const { exitCode, stderr } = await runCommand(args, env)
      expect(stderr).toContain(`in use by process ${service.pid}`)
      expect(stderr).toContain('stop it and try again, or ask its API')
      expect(exitCode).toBe(1)
    }
  })

  test('the doctor finds nothing bad, and the service ready', async () => {
    const { exitCode, of } = await runDoctor(env)
    expect(of('data folder')[0]).toContain(`warn: data folder ${deployment.dataDir} is in use by process ${service.pid}`)
    expect(of('HTTP')).toEqual([`ok: a Duologue runs at 127.0.0.1:${env['DUOLOGUE_PORT']} and is ready`])
    expect(exitCode).toBe(0)
  })
})

describe('after it was stopped', () => {
  beforeAll(async () => {
    expect(await service.stop()).toBe(0)
  })

  test('every line of the doctor is ok, and its process ends by itself with 0', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [bin, 'doctor'], { env: { ...environment, ...env } })
    expect(stdout).toMatch(/, 0 to look at, 0 bad\n$/)
    const { exitCode, report, of } = await runDoctor(env)
    expect(report.items.filter(({ state }) => state !== 'ok')).toEqual([])
    expect(of('stream')[0]).toBe('ok: DUOLOGUE, 8 partitions, as Duologue makes it')
    expect(of('partitions')).toEqual(['ok: 8'])
    expect(of('functions')[0]).toMatch(/^ok: all \d+ there, callable by the service role alone$/)
    expect(exitCode).toBe(0)
  })

  test('the doctor sees another number of partitions in the log and in the database', async () => {
    const { exitCode, of } = await runDoctor({ ...env, DUOLOGUE_PARTITIONS: '16' })
    expect(of('stream')[0]).toContain('bad: DUOLOGUE: its subject transform is not that of 16 partitions')
    expect(of('partitions')).toEqual(['bad: DUOLOGUE_PARTITIONS is 16, the database was made with 8'])
    expect(exitCode).toBe(1)
  })

  test('a tenant shows what was set, and the default again after null', async () => {
    const { exitCode } = await runCommand(['tenant', 'set', 'default', 'idleTimeoutMs=1000', 'language=pt'], env)
    expect(exitCode).toBe(0)
    await runCommand(['tenant', 'set', 'default', 'language=null'], env)
    const shown = await runCommand(['tenant', 'show', 'default', '--json'], env)
    expect(JSON.parse(shown.stdout)).toMatchObject({
      name: 'default',
      settings: { idleTimeoutMs: 1000 },
      channels: expect.arrayContaining([{ address: 'whatsapp:+14155238886', settings: {} }]) as unknown,
    })
    expect(JSON.parse(shown.stdout)).not.toHaveProperty('settings.language')
    const rows = await deployment.sql(`select settings from duologue.tenants where name = 'default'`)
    expect(rows).toEqual([{ settings: { idleTimeoutMs: 1000 } }])
  })

  test('a tenant that is not there is a bad outcome and is not made', async () => {
    const { exitCode, stderr } = await runCommand(['tenant', 'set', 'nobody', 'idleTimeoutMs=1000'], env)
    expect([exitCode, stderr]).toEqual([1, 'duologue: there is no tenant nobody\n'])
    expect(await deployment.sql('select name from duologue.tenants')).toEqual([{ name: 'default' }])
  })

  test('the journal gives the stored snapshot and hash again, until somebody changes an event', async () => {
    const same = await runCommand(['replay', conversationId, '--json'], env)
    const [row] = await deployment.sql('select version, hash from duologue.conversations')
    expect(JSON.parse(same.stdout)).toMatchObject({ outcome: 'same', ...row })
    expect(same.exitCode).toBe(0)
    await deployment.sql(`alter table duologue.conversation_events disable trigger user`)
    await deployment.sql(
      `update duologue.conversation_events set event = jsonb_set(event, '{body}', '"Hallo!"') where version = 2`,
    )
    const changed = await runCommand(['replay', conversationId], env)
    expect([changed.exitCode, changed.stdout]).toEqual([1, 'version 2 differs: the hash is another one\n'])
  })

  test('the quarantine is listed without what users wrote, and with it as JSON', async () => {
    expect((await runCommand(['quarantine', 'list'], env)).stdout).toBe('nothing is in quarantine\n')
    await deployment.sql(
      `insert into duologue.quarantine (partition, position_incarnation, position_sequence, kind, subject, data_base64,
        error, at) values (3, 'one', 7, 'foreign', 'message.a.b', 'c2VjcmV0', $1, '2026-01-02T03:04:05Z')`,
      ['not an event\u001B[2J of version 1'],
    )
    const { stdout, exitCode } = await runCommand(['quarantine', 'list'], env)
    expect(stdout).toBe(
      '2026-01-02T03:04:05.000Z  foreign  partition 3, sequence 7, session unknown\n    not an event [2J of version 1\n',
    )
    expect(exitCode).toBe(0)
    const page = JSON.parse((await runCommand(['quarantine', 'list', '--json'], env)).stdout) as { items: object[] }
    expect(page.items).toMatchObject([{ dataBase64: 'c2VjcmV0', subject: 'message.a.b' }])
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
