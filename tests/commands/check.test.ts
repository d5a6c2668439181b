import { describe, expect, test } from 'vitest'

import { runCommand } from '../support/command.ts'
import { makeTemporaryFolder } from '../support/service.ts'

const event = '01890000-0000-7000-8000-000000000000'

describe('check', () => {
  test('the machines of this build are good, and say their versions', async () => {
    const { exitCode, stdout } = await runCommand(['check', '--machines'])
    expect([exitCode, stdout]).toEqual([0, 'machine conversation, versions 1, 2, 3\n  the host can honour all of it\n'])
    const json = await runCommand(['check', '--machines', '--json'])
    expect(JSON.parse(json.stdout)).toEqual({
      outcome: 'ok',
      machines: [{ machine: 'conversation', versions: ['1', '2', '3'] }],
      findings: [],
      inFlight: null,
    })
  })

  test('before the first start nothing is in flight', async () => {
    const folder = await makeTemporaryFolder()
    const { exitCode, stdout } = await runCommand(['check'], { DUOLOGUE_DATA_DIR: folder.path })
    await folder.remove()
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/\n {2}0 ok, 0 mapped, 0 blocked\n$/u)
  })
})

describe('wrong use ends with 2 and a sentence', () => {
  test.each([
    [['check', 'now'], 'check takes no arguments'],
    [['quarantine'], 'quarantine wants'],
    [['quarantine', 'retry'], 'quarantine retry wants the id'],
    [['quarantine', 'retry', '42'], 'quarantine retry wants the id'],
    [['quarantine', 'edit', event], 'quarantine wants'],
    [['quarantine', 'skip', event, 'more'], 'quarantine wants'],
  ])('%j', async (args, sentence) => {
    const { exitCode, stderr } = await runCommand(args)
    expect(stderr).toContain(sentence)
    expect(exitCode).toBe(2)
  })
})

test('a release without the API token says which setting is missing', async () => {
  const folder = await makeTemporaryFolder()
  const { exitCode, stderr } = await runCommand(['quarantine', 'retry', event], { DUOLOGUE_DATA_DIR: folder.path })
  await folder.remove()
  expect(exitCode).toBe(1)
  expect(stderr).toContain('set DUOLOGUE_API_TOKEN')
})

test('an event to edit that is not JSON is wrong use', async () => {
  const env = { DUOLOGUE_API_TOKEN: 'a-token-of-this-test' }
  const { exitCode, stderr } = await runCommand(['quarantine', 'edit', event, '/nowhere.json'], env)
  expect(exitCode).toBe(2)
  expect(stderr).toContain('/nowhere.json is not a file with an event as JSON')
})
