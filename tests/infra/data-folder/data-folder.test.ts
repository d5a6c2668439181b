import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { commandLineOf, isAlive, startTimeOf } from '../../../scripts/setup/process-identity.mjs'
import { DataFolderInUse, openDataFolder } from '../../../src/infra/data-folder/data-folder.ts'

let folder: string
let processes: ChildProcess[]

beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'duologue-test-data-')), 'data')
  processes = []
})

afterEach(async () => {
  await Promise.all(processes.map(kill))
  // Whatever a test left behind is an orphan of the folder, and opening it ends it.
  ;(await openDataFolder(folder)).release()
  rmSync(join(folder, '..'), { recursive: true, force: true })
})

test('a new folder is for its user alone', async () => {
  const data = await openDataFolder(folder)
  expect(statSync(folder).mode & 0o777).toBe(0o700)
  data.release()
})

test('a second start is refused, and the sentence names the first', async () => {
  const first = await startOwner()
  expect(await first.say(`open ${folder}`)).toEqual({ opened: true })
  const refusal = await openDataFolder(folder).catch((error: unknown) => error)
  expect(refusal).toBeInstanceOf(DataFolderInUse)
  expect((refusal as Error).message).toMatch(
    new RegExp(
      `^data folder ${folder} is in use by process ${first.process.pid}, started at \\d{4}-\\d\\d-\\d\\dT`,
      'u',
    ),
  )
})

test('one process cannot open a folder twice', async () => {
  const data = await openDataFolder(folder)
  await expect(openDataFolder(folder)).rejects.toThrow(`in use by process ${process.pid},`)
  data.release()
})

test('a released folder can be opened again', async () => {
  const first = await startOwner()
  await first.say(`open ${folder}`)
  expect(await first.say('release')).toEqual({ released: true })
  ;(await openDataFolder(folder)).release()
})

test('the folder of a killed owner can be opened at once', async () => {
  const first = await startOwner()
  await first.say(`open ${folder}`)
  await kill(first.process)
  ;(await openDataFolder(folder)).release()
})

test('of two simultaneous starts exactly one wins, 20 times', async () => {
  const racers = [await startOwner(), await startOwner(), await startOwner()]
  for (let round = 1; round <= 20; round++) {
    const answers = await Promise.all(racers.map((racer) => racer.say(`open ${folder}`)))
    const winners = racers.filter((_, index) => 'opened' in answers[index]!)
    expect(winners, JSON.stringify(answers)).toHaveLength(1)
    const winner = winners[0]!
    const refusals = answers.flatMap(({ refused }) => (refused === undefined ? [] : [refused]))
    expect(refusals).toEqual(refusals.map(() => expect.stringContaining(`in use by process ${winner.process.pid},`)))
    expect(refusals).toHaveLength(racers.length - 1)
    await winner.say('release')
  }
})

test('a nats-server whose parent was killed is gone before the folder is open again', async () => {
  const first = await startOwner()
  await first.say(`open ${folder}`)
  const { nats } = await first.say('start-nats')
  const orphan = { pid: Number(nats), startTime: startTimeOf(Number(nats)) }
  await kill(first.process)
  expect(isAlive(orphan)).toBe(true)

  const data = await openDataFolder(folder)
  expect(isAlive(orphan)).toBe(false)
  data.release()
})

test('an orphan that ignores SIGTERM is killed', async () => {
  const orphan = await startProgram("process.on('SIGTERM', () => {})")
  leaveBehind([recordOf(orphan)])
  const data = await openDataFolder(folder)
  expect(isAlive(identityOf(orphan))).toBe(false)
  data.release()
})

test('a process that got the pid of a recorded child is left alone', async () => {
  const bystanders = [await startProgram(''), await startProgram('')]
  const [started, named] = bystanders.map(recordOf)
  leaveBehind([
    { ...started!, startTime: '1' },
    { ...named!, commandLine: 'nats-server -c another.conf' },
  ])
  const data = await openDataFolder(folder)
  expect(await Promise.all(bystanders.map(isThere))).toEqual([true, true])
  data.release()
})

test('the lock of a process whose pid now belongs to another is taken over', async () => {
  const bystander = await startProgram('')
  const owner = { pid: bystander.pid, startTime: '1', startedAt: '2026-01-01T00:00:00.000Z', nodeVersion: 'v24.0.0' }
  leaveBehind([], owner)
  ;(await openDataFolder(folder)).release()
})

test('a child that still runs when the folder is released is ended by the next owner', async () => {
  const child = await startProgram('')
  const first = await openDataFolder(folder)
  first.recordChild({ name: 'program', pid: child.pid! })
  first.release()
  const second = await openDataFolder(folder)
  expect(isAlive(identityOf(child))).toBe(false)
  second.release()
})

test('a secret is made once, and only its owner can read it', async () => {
  const first = await openDataFolder(folder)
  expect(first.readOrCreateSecret('api-token', () => 'made')).toBe('made')
  first.release()
  const second = await openDataFolder(folder)
  expect(second.readOrCreateSecret('api-token', () => 'another')).toBe('made')
  expect(statSync(join(folder, 'api-token')).mode & 0o777).toBe(0o600)
  expect(readFileSync(join(folder, 'api-token'), 'utf8')).toBe('made\n')
  second.release()
})

async function startOwner() {
  const child = fork(new URL('owner-process.ts', import.meta.url))
  processes.push(child)
  await once(child, 'message')
  return {
    process: child,
    async say(order: string): Promise<{ readonly [word: string]: unknown }> {
      child.send(order)
      const [answer] = await once(child, 'message')
      return answer
    },
  }
}

/** A process that runs `code`, then stays and answers. */
async function startProgram(code: string): Promise<ChildProcess> {
  const program = `${code};process.on('message', () => process.send('here'));process.send('up')`
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  processes.push(child)
  await once(child, 'message')
  return child
}

/** Whether it still runs now; a signal that was sent before counts. */
async function isThere(child: ChildProcess): Promise<boolean> {
  const answered = once(child, 'message').then(() => true)
  child.send('are you there?')
  return Promise.race([answered, once(child, 'exit').then(() => false)])
}

/** The record of an owner that was killed, as the next start finds it. */
function leaveBehind(children: readonly object[], owner: object | null = null): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'owner.json'), JSON.stringify({ owner, children }))
}

function recordOf(child: ChildProcess) {
  return { name: 'program', ...identityOf(child), commandLine: commandLineOf(child.pid!) }
}

const startTimes = new Map<number, string | null>()

/** Asked for the first time while it certainly lives. */
function identityOf(child: ChildProcess) {
  const pid = child.pid!
  if (!startTimes.has(pid)) startTimes.set(pid, startTimeOf(pid))
  return { pid, startTime: startTimes.get(pid) ?? null }
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}
