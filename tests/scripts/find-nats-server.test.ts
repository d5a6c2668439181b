import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findInstalledNatsServer, isIntact } from '../../scripts/setup/find-nats-server.mjs'

let folder: string
let env: { readonly PATH: string; readonly XDG_CACHE_HOME: string }

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'duologue-test-find-'))
  env = { PATH: join(folder, 'bin'), XDG_CACHE_HOME: join(folder, 'cache') }
})

afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

test('a new enough one on PATH is taken, the cache is not asked', () => {
  cache('2.15.1')
  const path = installOnPath('2.14.6')
  expect(findInstalledNatsServer(env)).toEqual({ path, sha256: null })
})

test.each(['2.14.5', '2.9.30', 'unknown'])(
  'version %s on PATH is too old, the newest of the cache is taken',
  (version) => {
    installOnPath(version)
    cache('2.14.7')
    const newest = cache('2.15.10')
    cache('2.15.9')
    expect(findInstalledNatsServer(env)).toMatchObject({ path: newest })
  },
)

test('a cached one that is not what was stored is not taken', () => {
  const path = cache('2.15.1')
  const found = findInstalledNatsServer(env)!
  expect(isIntact(found)).toBe(true)
  writeFileSync(path, 'something else')
  expect(isIntact(found)).toBe(false)
  expect(findInstalledNatsServer(env)).toBeNull()
})

test('an old one in the cache is none', () => {
  cache('2.14.5')
  expect(findInstalledNatsServer(env)).toBeNull()
})

function installOnPath(version: string): string {
  const path = join(env.PATH, 'nats-server')
  mkdirSync(env.PATH)
  writeFileSync(path, `#!/bin/sh\necho "nats-server: v${version}"\n`, { mode: 0o755 })
  return path
}

function cache(version: string): string {
  const entry = join(env.XDG_CACHE_HOME, 'duologue', `nats-server-${version}`)
  mkdirSync(entry, { recursive: true })
  const path = join(entry, 'nats-server')
  writeFileSync(path, version)
  writeFileSync(join(entry, 'sha256'), `${createHash('sha256').update(version).digest('hex')}\n`)
  return path
}
