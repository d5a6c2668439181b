import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'

import { commands } from '../../src/commands/commands.ts'
import { statuses } from '../../src/machines/status.ts'

const root = join(import.meta.dirname, '../..')
let readme: string

beforeAll(async () => {
  readme = await readFile(join(root, 'README.md'), 'utf8')
})

test('the settings are those of .env.example', async () => {
  const example = await readFile(join(root, '.env.example'), 'utf8')
  const wanted = [...example.matchAll(/^([A-Z][A-Z_]+)=/gmu)].map(([, name]) => name)
  const rows = section('Configuration').matchAll(/^\| (`[^|]+) \|/gmu)
  const listed = [...rows].flatMap(([, names = '']) => names.match(/[A-Z_]{4,}/gu) ?? [])
  expect(new Set(listed)).toEqual(new Set(wanted))
  expect(listed).toHaveLength(wanted.length)
})

test('the commands are those of the command line', () => {
  const rows = section('Commands').matchAll(/^\| `(\w+)/gmu)
  expect(new Set([...rows].map(([, name]) => name))).toEqual(new Set(Object.keys(commands)))
})

test('every npm script that it names is one of package.json', async () => {
  const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>
  }
  const named = [...readme.matchAll(/npm (?:run )?(start|test|check|bench|setup|duologue)\b/gu)].map(
    ([, name = '']) => name,
  )
  expect(named.length).toBeGreaterThan(4)
  expect(named.filter((name) => scripts[name] === undefined)).toEqual([])
})

test('every file that it links to, and every folder that it names, is there', () => {
  const links = [...readme.matchAll(/\]\(([^)#:]+)\)/gu)].map(([, path = '']) => path)
  const named = [...readme.matchAll(/`((?:src|docs|scripts|supabase|bench)\/[\w./-]+)`/gu)].map(([, path = '']) => path)
  expect(links.length).toBeGreaterThan(5)
  // The benchmark's results are made by a run.
  const paths = [...links, ...named].filter((path) => path !== 'bench/results')
  expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([])
})

test('the statuses are the nine of the chart', () => {
  for (const status of statuses) expect(section('Words')).toContain(status)
})

test('the webhook of the Twilio section is a route of ours, with overrides that Twilio reads from the fragment', async () => {
  const [url = ''] = /https:\/\/\S+#\S+/u.exec(section('A real Twilio number')) ?? []
  const { pathname, hash } = new URL(url)
  expect(await readFile(join(root, 'src/infra/http/webhook-routes.ts'), 'utf8')).toContain(`'${pathname}'`)
  expect(hash).toBe('#rc=3&rp=all&ct=2000&rt=4000&tt=15000')
})

test('the changelog begins with what is not released', async () => {
  const changelog = await readFile(join(root, 'CHANGELOG.md'), 'utf8')
  expect(/^## (.+)$/mu.exec(changelog)?.[1]).toBe('Unreleased')
})

function section(title: string): string {
  const found = readme.split(/^## /mu).find((part) => part.startsWith(`${title}\n`))
  if (found === undefined) throw new Error(`the README has no section ${title}`)
  return found
}
