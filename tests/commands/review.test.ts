/**
 * `diff` as the gate of a pull request: in a clean clone, with no server, no data folder and no network; and the steps
 * of the example workflow, with GitHub's own program replaced by one that writes down what it was asked.
 */
import { execFile, execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { parse } from 'yaml'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { signReview } from '../../src/charts/review/review-file.ts'
import type { ReviewSide } from '../../src/charts/review/review.ts'
import { toReviewMarkdown } from '../../src/charts/review/to-review-markdown.ts'
import { compareCharts } from '../../src/charts/compare/compare-charts.ts'
import { parseChart } from '../../src/charts/chart.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)
const long = { timeout: 180_000 }
const token = 'token-of-the-test'
const author = ['-c', 'user.name=t', '-c', 'user.email=t@localhost', '-c', 'commit.gpgsign=false']
let folder = ''
let clone = ''

type Reviewed = {
  readonly id: string
  readonly sides: { readonly base: ReviewSide; readonly head: ReviewSide }
  readonly judgement: { readonly isGreen: boolean; readonly verdict: string; readonly inFlight: string }
  readonly changes: readonly { readonly sentence: string }[]
}

/** The tree as it is here, as the main branch of a repository of its own, with a branch that changes one guard. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'duologue-clone-'))
  const [origin, source] = [join(folder, 'origin.git'), join(folder, 'source')]
  const names = git(root, 'ls-files', '-z', '--cached', '--others', '--exclude-standard').split('\0')
  for (const name of names.filter((one) => one !== '' && !/\.(?:png|snap)$/u.test(one))) {
    mkdirSync(dirname(join(source, name)), { recursive: true })
    copyFileSync(join(root, name), join(source, name))
  }
  git(source, 'init', '--quiet', '--initial-branch', 'main')
  git(source, 'add', '-A')
  git(source, ...author, 'commit', '--quiet', '-m', 'main')
  git(folder, 'clone', '--quiet', '--bare', source, origin)
  clone = join(folder, 'clone')
  git(folder, 'clone', '--quiet', origin, clone)
  symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'), 'junction')
  git(clone, 'checkout', '--quiet', '-b', 'change')
  edit('src/machines/conversation/machine.ts', "guard: 'isFirstLine'", "guard: 'isAssigned'")
  git(clone, ...author, 'commit', '--quiet', '-am', 'change')
}, 120_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('nothing changed: it may go, and nobody is asked', long, async () => {
  const { code, stdout } = await diff('--base', 'HEAD')
  expect(stdout).toContain('nothing changed')
  expect(code).toBe(0)
})

test('a change is red without a verdict, green with one and a check, red again after one more edit', long, async () => {
  const first = await diff('--base', 'main')
  expect(first.code).toBe(1)
  expect(first.stdout).toContain('nobody has approved it')
  const reviewed = readReview()
  expect(reviewed.judgement).toMatchObject({ isGreen: false, verdict: 'none', inFlight: 'none' })
  expect(reviewed.changes).toHaveLength(1)
  expect(reviewed.changes[0]?.sentence).toContain('isAssigned')
  const text = readFileSync(join(clone, 'review/review.md'), 'utf8')
  expect(text).toContain('<!-- duologue review -->')
  expect(text).toContain('0 of 1 added or changed transitions are walked by a test')
  expect(text).toContain('```mermaid')
  expect(Buffer.byteLength(text)).toBeLessThan(60_000)
  expect(readFileSync(join(clone, 'review/diff.svg'), 'utf8')).toMatch(/^<svg /u)
  expect(readFileSync(join(clone, 'review/diff.png')).subarray(1, 4).toString()).toBe('PNG')

  approve(reviewed)
  expect(await diff('--base', 'main')).toMatchObject({ code: 0, stdout: expect.stringContaining('approved by Ana') })
  expect((await diff('--base', 'main', { DUOLOGUE_REVIEW_TOKEN: token })).stdout).toContain('signed')
  expect((await diff('--base', 'main', { DUOLOGUE_REVIEW_TOKEN: 'another' })).code).toBe(1)
  approve(reviewed, 'blocked')
  expect((await diff('--base', 'main')).code).toBe(1)
  approve(reviewed)

  // The code of a guard; the chart is the same one as before.
  const guard = "asksForPerson: (scope) => intentOf(scope) === 'handoff'"
  edit('src/machines/conversation/vocabulary.ts', guard, `${guard} && true`)
  const edited = await diff('--base', 'main')
  expect(edited.code).toBe(1)
  expect(edited.stdout).toContain('is void: the machine was changed since')
  expect(readReview().sides.head.chart).toBe(reviewed.sides.head.chart)
  git(clone, 'checkout', '--quiet', 'src/machines/conversation/vocabulary.ts')
  expect((await diff('--base', 'main')).code).toBe(0)
})

test('the steps of the example workflow write one comment, and write it anew', long, () => {
  rmSync(join(clone, 'reviews'), { recursive: true, force: true })
  const ledger = join(folder, 'comments.json')
  writeFileSync(ledger, '[]')
  const first = walkWorkflow(ledger)
  expect(first.failed).toBe('Gate')
  const comments = () => JSON.parse(readFileSync(ledger, 'utf8')) as { id: number; body: string; edits: number }[]
  expect(comments()).toMatchObject([{ id: 1, edits: 0, body: expect.stringContaining('May not go yet') }])
  expect(comments()[0]?.body).toContain('https://github.com/owner/name/blob/review-pictures/7/abc.png?raw=true')
  const picture = execFileSync('git', ['show', 'review-pictures:7/abc.png'], {
    maxBuffer: 16 * 1_024 * 1_024,
    cwd: join(folder, 'origin.git'),
  })
  expect(picture.subarray(1, 4).toString()).toBe('PNG')

  approve(readReview())
  expect(walkWorkflow(ledger).failed).toBeNull()
  expect(comments()).toMatchObject([{ id: 1, edits: 1, body: expect.stringContaining('**May go.**') }])
})

test('a comment of a change of any size is below what GitHub takes', () => {
  const chart = parseChart(JSON.parse(readFileSync(join(root, 'charts/conversation@1.json'), 'utf8')))
  const [example] = chart.transitions
  const many = Array.from({ length: 3_000 }, (_, place) => ({
    ...example!,
    id: `${chart.root}|event-${place}|0`,
    event: `event-${place}`,
    name: `event-${place} ${'|<b>`_*'.repeat(20)}`,
  }))
  const head = { ...chart, version: 'x', transitions: [...chart.transitions, ...many] }
  const comparison = compareCharts(chart, head)
  const judgement = { isGreen: false, verdict: 'none', inFlight: 'none', reasons: ['nobody has approved it'] } as const
  const nothing = { verdict: null, inFlight: null, coverage: null, pictureUrl: null }
  const text = toReviewMarkdown({ id: 'x', comparison, head, judgement, ...nothing })
  expect(Buffer.byteLength(text)).toBeLessThan(60_000)
  expect(text).toContain('3000 changes')
  expect(text).not.toContain('<b>')
})

// ── The clone ────────────────────────────────────────────────────────────────────────────────────

function git(cwd: string, ...args: readonly string[]): string {
  return execFileSync('git', [...args], { cwd, encoding: 'utf8', maxBuffer: 64 * 1_024 * 1_024 })
}

function edit(path: string, from: string, to: string): void {
  const text = readFileSync(join(clone, path), 'utf8')
  expect(text).toContain(from)
  writeFileSync(join(clone, path), text.replace(from, to))
}

async function diff(
  ...args: readonly (string | { readonly [name: string]: string })[]
): Promise<{ readonly code: number; readonly stdout: string }> {
  const words = args.filter((arg) => typeof arg === 'string')
  const more = args.find((arg) => typeof arg === 'object') ?? {}
  // Whatever asks for the network fails, and nothing of ours is in the environment.
  const env = { PATH: process.env['PATH'], HOME: folder, http_proxy: 'http://127.0.0.1:9', ...more }
  try {
    const { stdout } = await run(process.execPath, ['bin/duologue.js', 'diff', ...words], { cwd: clone, env })
    return { code: 0, stdout }
  } catch (error) {
    const { code, stdout } = error as { readonly code: number; readonly stdout: string }
    return { code, stdout }
  }
}

function readReview(): Reviewed {
  return JSON.parse(readFileSync(join(clone, 'review/review.json'), 'utf8')) as Reviewed
}

/** What the page saves. */
function approve({ id, sides }: Reviewed, checked: 'green' | 'blocked' = 'green'): void {
  const at = '2026-11-25T10:00:00.000Z'
  const verdict = { ...sides, verdict: 'approved', author: 'Ana', note: '', at } as const
  const inFlight = {
    schema: 'duologue.in-flight/1',
    machine: sides.head.machine,
    version: sides.head.version,
    hash: sides.head.chart,
    verdict: checked,
    at,
    snapshotId: '1',
    counts: { ok: 3, mapped: 0, blocked: checked === 'green' ? 0 : 1 },
    total: 4,
    open: 4,
    states: [],
    dryRun: { tried: 3, restored: 3, failures: [] },
  } as const
  const content = { id, ...sides, verdict, inFlight }
  mkdirSync(join(clone, 'reviews'), { recursive: true })
  const file = { schema: 'duologue.review/1', ...content, signature: signReview(content, token) }
  writeFileSync(join(clone, `reviews/${id}.json`), JSON.stringify(file, null, 2))
}

// ── The workflow ─────────────────────────────────────────────────────────────────────────────────

type Step = { readonly name?: string; readonly run?: string; readonly env?: { readonly [name: string]: string } }
type Workflow = { readonly jobs: { readonly review: { readonly env: Step['env']; readonly steps: readonly Step[] } } }

/** Runs every `run:` as the runner would, one after the other; answers the step that failed. */
function walkWorkflow(ledger: string): { readonly failed: string | null } {
  const { jobs } = parse(readFileSync(join(root, 'docs/examples/review.yml'), 'utf8')) as Workflow
  const outputs = join(folder, 'outputs')
  writeFileSync(outputs, '')
  const bin = join(folder, 'bin')
  writePrograms(bin)
  const values: { readonly [expression: string]: string } = {
    'github.repository': 'owner/name',
    'github.event.pull_request.number': '7',
    'github.event.pull_request.head.sha': 'abc',
    'github.base_ref': 'main',
    'github.token': 'none',
    'secrets.DUOLOGUE_REVIEW_TOKEN': token,
  }
  const fill = (text: string): string =>
    text.replaceAll(/\$\{\{ *(?<name>[\w.]+) *\}\}/gu, (_, name: string) => {
      if (name.startsWith('steps.'))
        return new RegExp(`${name.split('.').at(-1)}=(.*)`, 'u').exec(readFileSync(outputs, 'utf8'))?.[1] ?? ''
      const value = values[name]
      if (value === undefined) throw new Error(`the workflow asks for ${name}`)
      return value
    })
  const filled = (env: Step['env'] = {}) =>
    Object.fromEntries(Object.entries(env).map(([name, text]) => [name, fill(text)]))
  for (const { name = '', run: script, env } of jobs.review.steps) {
    if (script === undefined) continue
    const { status, stderr } = spawnSync('bash', ['-e', '-o', 'pipefail', '-c', script], {
      cwd: clone,
      encoding: 'utf8',
      env: {
        PATH: `${bin}:${process.env['PATH']}`,
        HOME: folder,
        RUNNER_TEMP: mkdtempSync(join(folder, 'runner-')),
        GITHUB_OUTPUT: outputs,
        LEDGER: ledger,
        NODE: process.execPath,
        ...filled(jobs.review.env),
        ...filled(env),
      },
    })
    if (status !== 0 && name !== 'Gate') throw new Error(`${name} ended with ${status}: ${stderr}`)
    if (status !== 0) return { failed: name }
  }
  return { failed: null }
}

/** `npm` installs nothing (the clone has its packages) and runs the program itself; `gh` keeps comments in a file. */
function writePrograms(bin: string): void {
  mkdirSync(bin, { recursive: true })
  const npm = `#!/usr/bin/env bash
if test "$1" = ci; then exit 0; fi
shift 4
exec "$NODE" bin/duologue.js "$@"
`
  const gh = `#!${process.execPath}
const { readFileSync, writeFileSync } = require('node:fs')
const words = process.argv.slice(2)
const comments = JSON.parse(readFileSync(process.env.LEDGER, 'utf8'))
const method = words.includes('--method') ? words[words.indexOf('--method') + 1] : 'GET'
const path = words.find((word) => word.startsWith('repos/'))
const body = words.includes('-F') ? readFileSync(words[words.indexOf('-F') + 1].slice('body=@'.length), 'utf8') : null
if (method === 'POST' && path === 'repos/owner/name/issues/7/comments') comments.push({ id: comments.length + 1, body, edits: 0 })
else if (method === 'PATCH') {
  const own = comments.find(({ id }) => path === 'repos/owner/name/issues/comments/' + id)
  own.body = body
  own.edits += 1
} else if (path === 'repos/owner/name/issues/7/comments') {
  for (const comment of comments) if (comment.body.startsWith('<!-- duologue review -->')) console.log(comment.id)
} else process.exit(1)
writeFileSync(process.env.LEDGER, JSON.stringify(comments))
`
  for (const [name, text] of [
    ['npm', npm],
    ['gh', gh],
  ] as const) {
    writeFileSync(join(bin, name), text)
    chmodSync(join(bin, name), 0o755)
  }
}
