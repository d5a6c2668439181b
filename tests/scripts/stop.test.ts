import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test, vi } from 'vitest'
import { isAlive, startTimeOf } from '../../scripts/setup/process-identity.mjs'

const repository = fileURLToPath(new URL('../..', import.meta.url))
const readyMs = 60_000
const stopMs = 15_000

test.runIf(process.platform === 'linux')(
  'SIGTERM to the npm process alone leaves no process of `npm start`',
  { timeout: readyMs + stopMs + 5_000 },
  async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'duologue-test-data-'))
    const port = await findFreePort()
    const env = { ...process.env, DUOLOGUE_PORT: String(port), DUOLOGUE_DATA_DIR: dataDir }
    const npm = spawn('npm', ['start'], { cwd: repository, env, detached: true })
    let said = ''
    for (const stream of [npm.stdout, npm.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (said += text))
    const gone = once(npm, 'exit')
    try {
      const isReady = vi.waitFor(
        async () => expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200),
        {
          timeout: readyMs,
          interval: 100,
        },
      )
      await Promise.race([isReady, gone.then(() => expect.fail(`npm start ended:\n${said}`))])
      const started = [npm.pid!, ...descendantsOf(npm.pid!)].map((pid) => ({ pid, startTime: startTimeOf(pid) }))
      // npm, Node and nats-server at least, or there was nothing to leave behind.
      expect(started.length).toBeGreaterThanOrEqual(3)

      process.kill(npm.pid!, 'SIGTERM')
      await gone
      await vi.waitFor(() => expect(started.filter(isAlive)).toEqual([]), { timeout: stopMs, interval: 50 })
    } finally {
      for (const pid of [npm.pid!, ...descendantsOf(npm.pid!)]) killIfThere(pid)
      rmSync(dataDir, { recursive: true, force: true })
    }
  },
)

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('could not find a free port')
  return address.port
}

/** Children, their children and so on, as the system's process table has them now. */
function descendantsOf(pid: number): readonly number[] {
  const parents = readdirSync('/proc')
    .filter((name) => /^\d+$/u.test(name))
    .map((name) => ({ pid: Number(name), parent: parentOf(name) }))
  const children = parents.filter(({ parent }) => parent === pid).map((child) => child.pid)
  return children.flatMap((child) => [child, ...descendantsOf(child)])
}

function parentOf(pid: string): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return null
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It is gone, as it is meant to be.
  }
}
