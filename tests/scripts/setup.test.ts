import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'

const repository = fileURLToPath(new URL('../..', import.meta.url))

/** A clone without dependencies: its set-up is a real `npm ci`, but a short one that asks no network. */
let clone: string
let processes: ChildProcess[]

beforeEach(() => {
  processes = []
  clone = mkdtempSync(join(tmpdir(), 'duologue-test-clone-'))
  cpSync(join(repository, 'scripts'), join(clone, 'scripts'), { recursive: true })
  const identity = { name: 'clone', version: '1.0.0' }
  writeFileSync(join(clone, 'package.json'), JSON.stringify({ ...identity, private: true, type: 'module' }))
  writeFileSync(
    join(clone, 'package-lock.json'),
    JSON.stringify({ ...identity, lockfileVersion: 3, packages: { '': identity } }),
  )
})

afterEach(async () => {
  await Promise.all(processes.map(kill))
  rmSync(clone, { recursive: true, force: true })
})

test('a first set-up installs and records the nats-server, a second one does nothing within a second', async () => {
  const first = await startSetup(clone).ended
  expect(first).toMatchObject({ code: 0, said: expect.stringContaining('setup: installing packages') })
  const stamp = readStamp()
  expect(JSON.parse(stamp)).toMatchObject({ natsServer: { path: expect.stringContaining('nats-server') } })

  const startedAt = performance.now()
  expect(await startSetup(clone).ended).toEqual({ code: 0, said: '' })
  expect(performance.now() - startedAt).toBeLessThan(1_000)
  expect(readStamp()).toBe(stamp)
})

test('another lockfile is set up again', async () => {
  await startSetup(clone).ended
  const lockfile = readFileSync(join(clone, 'package-lock.json'), 'utf8')
  writeFileSync(join(clone, 'package-lock.json'), `${lockfile}\n`)
  expect(await startSetup(clone).ended).toMatchObject({ code: 0, said: expect.stringContaining('setup: done') })
})

test('of two set-ups at once one installs, the other waits and finds it done', async () => {
  const both = await Promise.all([startSetup(clone).ended, startSetup(clone).ended])
  expect(both.map(({ code }) => code)).toEqual([0, 0])
  const said = both.map((setup) => setup.said)
  expect(said.filter((text) => text.includes('installing packages'))).toHaveLength(1)
  expect(said.filter((text) => text.includes('the other set-up did it'))).toHaveLength(1)
})

test('a set-up waits as long as another holds the lock, and says for whom', async () => {
  const holder = await holdLock()
  const setup = startSetup(clone)
  await setup.says(`waiting for another set-up (process ${holder.pid})`)
  holder.send('release')
  expect(await setup.ended).toMatchObject({ code: 0, said: expect.stringContaining('setup: done') })
})

test('the lock of a killed set-up holds nobody up', async () => {
  await kill(await holdLock())
  const { code, said } = await startSetup(clone).ended
  expect(code).toBe(0)
  expect(said).not.toContain('waiting')
})

test('a set-up that fails says why, and leaves no stamp', async () => {
  writeFileSync(join(clone, 'package-lock.json'), 'torn')
  const { code, said } = await startSetup(clone).ended
  expect(code).toBe(1)
  expect(said).toMatch(/setup: npm ci ended with exit code 1\n$/u)
  expect(readStamp).toThrow('ENOENT')
})

function startSetup(root: string) {
  // Without npm's own variables: they name the npm project that these tests run in.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/iu.test(name)))
  const child = spawn(process.execPath, [join(root, 'scripts', 'setup.mjs')], { cwd: root, env })
  processes.push(child)
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, said }))
  return {
    ended,
    async says(sentence: string): Promise<void> {
      while (!said.includes(sentence))
        await Promise.race([once(child.stderr, 'data'), ended.then(() => expect(said).toContain(sentence))])
    },
  }
}

/** Another process that holds the clone's lock until it is told to release it. */
async function holdLock(): Promise<ChildProcess> {
  const code = `
    import { takeLock } from ${JSON.stringify(join(clone, 'scripts', 'setup', 'lock.mjs'))}
    const release = await takeLock(${JSON.stringify(join(clone, '.setup'))}, () => {})
    process.once('message', () => { release(); process.disconnect() })
    process.send('held')`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  processes.push(child)
  await once(child, 'message')
  return child
}

function readStamp(): string {
  return readFileSync(join(clone, 'node_modules', '.duologue-setup.json'), 'utf8')
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}
