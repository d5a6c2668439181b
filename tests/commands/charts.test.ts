/** `diff` and `svg` as CI runs them: no server, no network, what they write can be used as it is. */
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { parseChart } from '../../src/charts/chart.ts'
import { exportWalk } from '../../src/charts/simulate/walk-chart.ts'
import type { Step } from '../../src/charts/simulate/steps.ts'
import { openCharts } from '../../src/parts/charts.ts'
import { loadDraft } from '../../src/parts/draft.ts'
import { runCommand } from '../support/command.ts'
import { draftVersion } from '../support/machines/draft-conversation.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)
const long = { timeout: 120_000 }
let folder = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'duologue-charts-'))
})
afterAll(async () => rm(folder, { recursive: true, force: true }))

test('a diff with a kept version lists the changes and writes pictures and texts', long, async () => {
  const out = join(folder, 'review')
  const { exitCode, stdout } = await runCommand(['diff', '--base', 'conversation@1', '--out', out, '--no-gate'])
  expect(exitCode).toBe(0)
  expect(stdout).toMatch(/^conversation: 1 to \d+, \d+ changes\n {2}\S/u)
  const review = JSON.parse(await readFile(join(out, 'review.json'), 'utf8')) as { changes: unknown[] }
  expect(review.changes.length).toBeGreaterThan(0)
  expect((await readFile(join(out, 'review.md'))).length).toBeLessThan(60_000)
  expect(await readFile(join(out, 'diff.svg'), 'utf8')).toMatch(/^<svg /u)
  expect((await readFile(join(out, 'diff.png'))).subarray(1, 4).toString()).toBe('PNG')
})

test('a diff with a git ref runs the machine of that commit', long, async () => {
  const { exitCode, stdout } = await runCommand(['diff', '--base', 'HEAD', '--json', '--no-gate'])
  expect(exitCode).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({
    base: { machine: 'conversation', version: expect.stringMatching(/^\d+ \(HEAD\)$/u) },
    head: { version: expect.stringMatching(/^\d+$/u) },
  })
})

test('a diff with a file takes charts and modules', long, async () => {
  const chart = parseChart(JSON.parse((await runCommand(['svg', '--as', 'json'])).stdout))
  const json = join(folder, 'other.json')
  await writeFile(json, JSON.stringify({ ...chart, version: 'other', transitions: chart.transitions.slice(1) }))
  expect((await runCommand(['diff', '--base', json, '--no-gate'])).stdout).toContain('1 change\n  added: any state')
  const machine = fileURLToPath(new URL('../../src/machines/conversation/machine.ts', import.meta.url))
  expect((await runCommand(['diff', '--base', machine, '--no-gate'])).stdout).toContain('0 changes')
})

test('a draft is the machine of a git ref, with its sources, places and coverage, or of a module', long, async () => {
  const draft = await loadDraft('HEAD')
  expect(Object.keys(draft.machines)).toContain('conversation')
  expect(draft.source).toMatch(/^[0-9a-f]{16}$/u)
  expect(draft.places['conversation']?.['conversation.PENDING']).toMatch(
    /^src\/machines\/conversation\/machine\.ts:\d+$/u,
  )
  expect(draft.coverage.some(({ machine }) => machine === 'conversation')).toBe(true)
  const module = await loadDraft('tests/support/machines/draft-conversation.ts')
  expect(module.machines['conversation']?.machine.version).toBe(draftVersion)
  expect(module.source).not.toBe((await loadDraft('tests/support/machines/draft-conversation-edited.ts')).source)
})

test.each([
  ['no-such-branch', "git does not know 'no-such-branch'"],
  ['tests/support/machines/nothing.ts', 'could not load the machine'],
  ['tests/support/command.ts', 'is no machine: it exports no registration'],
])('the draft %s is refused with a sentence', async (name, sentence) => {
  await expect(loadDraft(name)).rejects.toThrow(sentence)
})

test('svg writes every form', long, async () => {
  for (const form of ['svg', 'png', 'json', 'mmd', 'md']) {
    const file = join(folder, `chart.${form}`)
    expect(await runCommand(['svg', 'conversation', '--out', file])).toMatchObject({ exitCode: 0, stderr: '' })
    expect((await readFile(file)).length).toBeGreaterThan(1_000)
  }
})

test.each([
  [['diff'], 'diff wants --base'],
  [['diff', '--base', '--all'], "Option '--base' argument is ambiguous"],
  [['svg', '--as', 'gif'], '--as is one of svg, png, json, mmd, md'],
  [['svg', '--as', 'png'], 'a PNG needs --out'],
  [['svg', '--theme', 'pink'], '--theme is one of auto, light, dark'],
  [['svg', 'nothing.json'], 'there is no file nothing.json'],
])('%j is wrong use, and a sentence says why', async (args, sentence) => {
  const { exitCode, stderr } = await runCommand(args)
  expect(exitCode).toBe(2)
  expect(stderr).toContain(sentence)
})

test.each([
  ['no-such-branch', "git does not know 'no-such-branch'"],
  ['a;b', "'a;b' is no git ref"],
])('a base %s that is nothing ends with 1 and a sentence', async (base, sentence) => {
  const { exitCode, stderr } = await runCommand(['diff', '--base', base])
  expect(exitCode).toBe(1)
  expect(stderr).toContain(sentence)
})

test(
  'an exported walk is a test that runs green in a project of its own, and red when the machine changes',
  long,
  async () => {
    const charts = openCharts({ onFailure: () => {} })
    const entry = charts.library.find('conversation')!
    const steps: readonly Step[] = [
      { event: 'message.received', choices: { asksForPerson: false, goesOn: true } },
      { waitMs: 1_500 },
      {
        event: 'xstate.done.actor.draftReply',
        choices: { isDraftForPerson: false, isDraftGoodbye: false, isDraft: true },
      },
      { event: 'message.received', payload: { body: 'I want to talk to a person' }, choices: { asksForPerson: true } },
    ]
    const registry = pathToFileURL(join(root, 'src/machines/registered.ts')).href
    const text = exportWalk(charts.library, entry, steps, registry) ?? ''
    await charts.close()
    const project = join(folder, 'project')
    await mkdir(project)
    await symlink(join(root, 'node_modules'), join(project, 'node_modules'), 'junction')
    await writeFile(join(project, 'package.json'), '{ "type": "module" }')
    await writeFile(join(project, 'walk.test.ts'), text)
    await writeFile(
      join(project, 'changed.test.ts'),
      text.replace('"conversation.HUMAN_HANDOFF.queued"', '"conversation.EXPIRED"'),
    )
    const vitest = async (file: string) =>
      run(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--root', project, file], {
        cwd: project,
      })
    expect((await vitest('walk.test.ts')).stdout).toContain('1 passed')
    await expect(vitest('changed.test.ts')).rejects.toThrow()
  },
)
