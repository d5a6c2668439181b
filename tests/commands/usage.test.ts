import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

import { commands } from '../../src/commands/commands.ts'
import { runCommand } from '../support/command.ts'
import { makeTemporaryFolder } from '../support/service.ts'

const unknownId = '01890000-0000-7000-8000-000000000000'

test.each(Object.keys(commands))('%s --help tells its use and ends with 0', async (name) => {
  const { exitCode, stdout, stderr } = await runCommand([name, '--help'])
  for (const form of commands[name]?.usage ?? []) expect(stdout).toContain(`duologue ${form}`)
  expect([exitCode, stderr]).toEqual([0, ''])
})

test('without a command all are listed, on standard error, and the exit code is 2', async () => {
  const { exitCode, stderr } = await runCommand([])
  for (const name of Object.keys(commands)) expect(stderr).toContain(`  ${name} `)
  expect(exitCode).toBe(2)
})

describe('wrong use ends with 2 and a sentence', () => {
  test.each([
    [['fly'], 'there is no command fly'],
    [['constructor'], 'there is no command constructor'],
    [['doctor', '--quick'], "Unknown option '--quick'"],
    [['doctor', 'nats'], 'doctor takes no arguments'],
    [['start', 'now'], 'start takes no arguments'],
    [['tenant'], 'tenant wants'],
    [['tenant', 'add'], 'tenant wants'],
    [['tenant', 'add', 'Acme Ltd'], 'a tenant is named by'],
    [['tenant', 'channel', 'acme'], 'tenant channel wants a name and a business address'],
    [['tenant', 'channel', 'acme', 'nonsense'], 'is not a business address'],
    [['tenant', 'channel', 'acme', 'sms:+14155238886', '--secret', 'the-token-itself'], 'never the secret itself'],
    [['tenant', 'channel', 'acme', 'sms:+14155238886', '--account', 'AC1'], 'needs --secret'],
    [['tenant', 'token', 'acme', 'add'], 'tenant wants'],
    [['session', 'link', 'x'], 'session wants'],
    [['session', 'link', '0198c0de-0000-7000-8000-00000000000a', 'whatsapp:+1500'], 'wants --operator'],
    [['tenant', 'set', 'default'], 'tenant wants'],
    [['tenant', 'set', 'default', 'idleTimeoutMs'], 'not of the form <setting>=<value>'],
    [['tenant', 'set', 'default', 'idleTimeout=1'], 'there is no setting idleTimeout'],
    [['tenant', 'set', 'default', '__proto__=1'], 'there is no setting __proto__'],
    [
      ['tenant', 'set', 'default', 'idleTimeoutMs=1s'],
      'idleTimeoutMs must be a whole number of milliseconds from 1 to',
    ],
    [['tenant', 'set', 'default', 'idleTimeoutMs=0'], 'idleTimeoutMs must be a whole number of milliseconds from 1 to'],
    [['tenant', 'set', 'default', 'language=fr'], 'language must be one of pt, en, es'],
    [['tenant', 'set', 'default', 'machine=toaster'], 'machine must be one of conversation'],
    [['quarantine', 'list', '--limit', '0'], '--limit must be'],
    [['spool'], 'spool wants `status` or `drain`'],
    [['spool', 'drain', 'now'], 'spool wants `status` or `drain`'],
    [['reconcile'], 'reconcile wants --since <time>'],
    [['reconcile', '--since', 'yesterday'], '--since must be a moment such as'],
    [['reconcile', '--since', '2999-01-01'], '--since lies in the future'],
    [['replay'], 'replay wants one conversation id'],
    [['replay', '42'], 'replay wants one conversation id'],
  ])('%j', async (args, sentence) => {
    const { exitCode, stderr } = await runCommand(args)
    expect(stderr).toContain(sentence)
    expect(exitCode).toBe(2)
  })
})

test('a wrong setting ends every command with 2 and its name, as JSON where that is wanted', async () => {
  const env = { DUOLOGUE_PORT: 'eighty' }
  for (const args of [['migrate'], ['replay', unknownId], ['tenant', 'show', 'default']]) {
    const { exitCode, stderr } = await runCommand(args, env)
    expect([exitCode, stderr]).toEqual([2, 'duologue: DUOLOGUE_PORT must be a whole number from 0 to 65535\n'])
  }
  const { stdout } = await runCommand(['migrate', '--json'], env)
  expect(JSON.parse(stdout)).toEqual({ error: 'DUOLOGUE_PORT must be a whole number from 0 to 65535' })
})

test('reading makes no data folder', async () => {
  const folder = await makeTemporaryFolder()
  const { exitCode, stderr } = await runCommand(['tenant', 'show', 'default'], {
    DUOLOGUE_DATA_DIR: join(folder.path, 'none'),
  })
  await folder.remove()
  expect(stderr).toContain(`there is no database in the data folder ${join(folder.path, 'none')} yet`)
  expect(exitCode).toBe(1)
})
