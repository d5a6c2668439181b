/** The house rules of .oxlintrc.json bite: for every rule, code that breaks it, in the place where it counts. */
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'

const repository = fileURLToPath(new URL('../..', import.meta.url))

const imports = 'eslint(no-restricted-imports)'
const globals = 'eslint(no-restricted-globals)'
const properties = 'eslint(no-restricted-properties)'
const floating = 'typescript(no-floating-promises)'

/** [where, what, the rules it breaks] */
const samples: readonly (readonly [string, string, readonly string[]])[] = [
  ['src/machines/a.ts', "export { assign } from 'xstate'", []],
  ['src/machines/chat/b.ts', "export { thing } from '../b.ts'", []],
  ['src/machines/c.ts', "export { readFileSync } from 'node:fs'", [imports]],
  ['src/machines/d.ts', "export { thing } from '../actors/ports.ts'", [imports]],
  ['src/machines/chat/e.ts', "export { thing } from '../../infra/nats/stream.ts'", [imports]],
  ['src/machines/f.ts', 'export const now = Date.now()', [globals]],
  ['src/machines/g.ts', 'export const now = new Date()', [globals]],
  ['src/machines/h.ts', 'export const chance = Math.random()', [properties]],
  ['src/machines/i.ts', 'setTimeout(() => {}, 1)', [globals]],
  ['src/machines/j.ts', 'globalThis.setInterval(() => {}, 1)', [globals]],
  ['src/actors/a.ts', "export { createHash } from 'node:crypto'", []],
  ['src/actors/b.ts', "export { thing } from '../machines/thing.ts'", []],
  ['src/actors/c.ts', "export { randomUUID } from 'node:crypto'", [imports]],
  ['src/actors/d.ts', "export { fastify } from 'fastify'", [imports]],
  ['src/actors/e.ts', "export { createClient } from '@supabase/supabase-js'", [imports]],
  ['src/actors/f.ts', "export { thing } from '../infra/nats/stream.ts'", [imports]],
  ['src/actors/g.ts', "export { thing } from '../config.ts'", [imports]],
  ['src/actors/h.ts', 'export const settings = process.env', [globals]],
  ['src/infra/nats/a.ts', "export { thing } from '../../actors/ports.ts'", []],
  ['src/infra/nats/b.ts', "export { thing } from '../supabase/thing.ts'", [imports]],
  ['src/infra/nats/c.ts', "export { thing } from '../../config.ts'", [imports]],
  ['src/infra/nats/d.ts', "export { thing } from '../../charts/thing.ts'", [imports]],
  ['src/infra/nats/deep/e.ts', "export { thing } from '../../supabase/thing.ts'", [imports]],
  ['src/infra/nats/f.ts', "export const url = process.env['NATS_URL']", [properties]],
  ['src/infra/nats/g.ts', "export { h } from './h.ts'", ['import(no-cycle)']],
  ['src/infra/nats/h.ts', "import { g } from './g.ts'\nexport const h = (): unknown => g", ['import(no-cycle)']],
  ['src/infra/nats/i.ts', 'export const f = async () => {}\nexport const g = () => {\n  f()\n}', [floating]],
  ['src/infra/nats/j.ts', 'export const g = (query: () => PromiseLike<void>) => {\n  query()\n}', [floating]],
  [
    'src/infra/nats/k.ts',
    'export const g = (list: string[]) => list.forEach(async (item) => fetch(item))',
    ['typescript(no-misused-promises)'],
  ],
  ['src/infra/nats/l.ts', 'export default 1', ['import(no-default-export)']],
  ['src/infra/nats/m.ts', 'export const a = [\n' + '  1,\n'.repeat(300) + ']', ['eslint(max-lines)']],
  ['src/infra/nats/n.ts', 'export const f = () => [\n' + '  1,\n'.repeat(60) + ']', ['eslint(max-lines-per-function)']],
  ['src/infra/http/a.ts', "export { thing } from '../../charts/thing.ts'", []],
  ['src/charts/a.ts', "export { thing } from '../machines/thing.ts'", []],
  ['src/charts/b.ts', "export { thing } from '../actors/ports.ts'", [imports]],
  ['src/charts/c.ts', "export { readFile } from 'node:fs/promises'", [imports]],
  ['src/config.ts', 'export const settings = process.env', []],
  ['src/main.ts', "export { thing } from './infra/nats/a.ts'\nexport const settings = process.env", []],
]

let tree: string

beforeAll(() => {
  tree = mkdtempSync(join(tmpdir(), 'duologue-test-lint-'))
  for (const name of ['.oxlintrc.json', 'tsconfig.json', 'package.json']) {
    copyFileSync(join(repository, name), join(tree, name))
  }
  symlinkSync(join(repository, 'node_modules'), join(tree, 'node_modules'))
  for (const [path, code] of samples) {
    mkdirSync(dirname(join(tree, path)), { recursive: true })
    writeFileSync(join(tree, path), `${code}\n`)
  }
})

afterAll(() => {
  rmSync(tree, { recursive: true, force: true })
})

test('every rule is broken by the code that breaks it, and by no other', () => {
  const broken = lint()
  const found = samples.map(([path]) => [path, broken.get(path) ?? []])
  expect(found).toEqual(samples.map(([path, , rules]) => [path, rules]))
})

/** The rules that each file breaks. */
function lint(): ReadonlyMap<string, readonly string[]> {
  const oxlint = join(repository, 'node_modules', 'oxlint', 'bin', 'oxlint')
  const run = spawnSync(process.execPath, [oxlint, '--format=json', 'src'], { cwd: tree, encoding: 'utf8' })
  const { diagnostics } = JSON.parse(run.stdout) as { diagnostics: { filename: string; code: string }[] }
  const byFile = Map.groupBy(diagnostics, ({ filename }) => filename.replaceAll('\\', '/'))
  return new Map([...byFile].map(([file, all]) => [file, [...new Set(all.map(({ code }) => code))]]))
}
