/**
 * The embedded NATS: a nats-server as a child process, its JetStream on disk and synced on every write.
 *
 * It owns the store folder (who else may use it is the data folder's business) and the child. Always true:
 * the server listens on one loopback port only, the password is made here and is written nowhere
 * but into the 0600 configuration, and the child ends with this process unless that one is killed.
 * The child leads its own process group, so that Ctrl-C reaches Duologue alone, which stops it last.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { findInstalledNatsServer, type FoundNatsServer, isIntact } from '../../../scripts/setup/find-nats-server.mjs'

/** All streams together; a stream's own limit must stay below. The server refuses writes beyond it. */
export const fileStoreBytesMax = 8 * 1024 ** 3

const user = 'duologue'
const startMs = 60_000
const pollMs = 5
const stopMs = 2_000
const logTailLines = 5

export type NatsServerOptions = {
  /** Path of the nats-server binary: `findNatsServer`. */
  readonly binary: string
  readonly storeDir: string
  /** A fixed port; without it the server takes a free one. */
  readonly port?: number
  /** A fixed password, so that clients of an earlier start reconnect; without it the server gets a new one. */
  readonly pass?: string
  /** False only where durability is not the question: every write waits for the disk otherwise. */
  readonly syncAlways?: boolean
  /** Called once, when the started server ends and nobody stopped it. */
  readonly onExit: (reason: string) => void
  /** Called as soon as the child exists, so that a successor can end it if this process is killed. */
  readonly recordChild: (child: { readonly name: string; readonly pid: number }) => void
}

export type NatsServer = {
  /** `nats://127.0.0.1:<port>`, without the password. */
  readonly url: string
  readonly port: number
  readonly user: string
  readonly pass: string
  readonly pid: number
  /** Ends it: SIGTERM, after two seconds SIGKILL; resolves when it is gone. */
  readonly stop: () => Promise<void>
}

/**
 * Path of the nats-server to run: the one that set-up recorded (if it is still what it was), else one on
 * PATH, else one of the user's cache. Throws a sentence with the ways out.
 */
export function findNatsServer(env: { readonly [name: string]: string | undefined }): string {
  const found = recordedNatsServer() ?? findInstalledNatsServer(env)?.path
  if (found) return found
  throw new Error('could not find a nats-server: run `npm run setup`, install one on PATH, or set NATS_URL')
}

/** Starts the server over `storeDir`, keeping the data of an earlier start; resolves when it accepts connections. */
export async function startNatsServer(options: NatsServerOptions): Promise<NatsServer> {
  const storeDir = resolve(options.storeDir)
  const pass = options.pass ?? randomBytes(24).toString('hex')
  const configuration = writeConfiguration(storeDir, pass, options)
  const child = spawn(options.binary, ['-c', configuration], {
    cwd: storeDir,
    detached: true,
    stdio: 'ignore',
    env: {},
  })
  const life = watch(child, options.onExit)
  if (child.pid !== undefined) options.recordChild({ name: 'nats-server', pid: child.pid })

  try {
    const port = await waitUntilReady(storeDir, life)
    life.started()
    return { url: `nats://127.0.0.1:${port}`, port, user, pass, pid: child.pid!, stop: life.stop }
  } catch (error) {
    await life.stop()
    throw new Error(`could not start nats-server: ${(error as Error).message}${logTail(storeDir)}`, { cause: error })
  }
}

/** What set-up recorded, unless it has gone or changed since. */
function recordedNatsServer(): string | null {
  try {
    const stamp = readFileSync(new URL('../../../node_modules/.duologue-setup.json', import.meta.url), 'utf8')
    const { natsServer } = JSON.parse(stamp) as { natsServer: FoundNatsServer | null }
    return natsServer !== null && isIntact(natsServer) ? natsServer.path : null
  } catch {
    return null
  }
}

function writeConfiguration(storeDir: string, pass: string, options: NatsServerOptions): string {
  mkdirSync(storeDir, { recursive: true, mode: 0o700 })
  for (const stale of portsFiles(storeDir)) rmSync(stale, { force: true })
  const path = join(storeDir, 'nats-server.conf')
  const lines = [
    'server_name: duologue',
    'host: "127.0.0.1"',
    `port: ${options.port ?? -1}`,
    `ports_file_dir: ${JSON.stringify(storeDir)}`,
    `log_file: ${JSON.stringify(join(storeDir, 'nats-server.log'))}`,
    'logfile_size_limit: 10MB',
    'logfile_max_num: 3',
    `authorization { user: "${user}", password: "${pass}" }`,
    'jetstream {',
    `  store_dir: ${JSON.stringify(storeDir)}`,
    `  sync_interval: ${(options.syncAlways ?? true) ? 'always' : '2m'}`,
    '  max_memory_store: 64MB',
    `  max_file_store: ${fileStoreBytesMax}`,
    '}',
  ]
  // A mode given to writeFileSync is only for a new file.
  if (existsSync(path)) chmodSync(path, 0o600)
  writeFileSync(path, `${lines.join('\n')}\n`, { mode: 0o600 })
  return path
}

type Life = {
  /** From now on its end is told to `onExit`; before, it is an error of the start. */
  readonly started: () => void
  /** Why the child is gone; null while it lives. */
  readonly ended: () => string | null
  readonly stop: () => Promise<void>
}

function watch(child: ChildProcess, onExit: (reason: string) => void): Life {
  let state: 'starting' | 'running' | 'stopping' | 'gone' = 'starting'
  let reason: string | null = null
  const endWithUs = () => child.kill('SIGTERM')
  const gone = new Promise<void>((done) => {
    const end = (why: string) => {
      if (state === 'gone') return
      const isUnexpected = state === 'running'
      state = 'gone'
      reason = why
      process.off('exit', endWithUs)
      done()
      if (isUnexpected) onExit(why)
    }
    child.once('error', (error) => end(error.message))
    child.once('exit', (code, signal) => end(`nats-server ended with ${signal ?? `exit code ${code}`}`))
  })
  process.once('exit', endWithUs)
  return {
    started() {
      if (state === 'starting') state = 'running'
    },
    ended: () => reason,
    async stop() {
      if (state !== 'gone') state = 'stopping'
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), stopMs)
      await gone
      clearTimeout(timer)
    },
  }
}

/** The server writes its ports into a file when it listens; it is ready when it also greets. */
async function waitUntilReady(storeDir: string, life: Life): Promise<number> {
  const limit = performance.now() + startMs
  while (performance.now() < limit) {
    const ended = life.ended()
    if (ended !== null) throw new Error(ended)
    const port = readPort(storeDir)
    if (port !== null && (await greets(port))) return port
    await delay(pollMs)
  }
  throw new Error(`it did not accept connections within ${startMs} ms`)
}

function portsFiles(storeDir: string): string[] {
  return readdirSync(storeDir)
    .filter((name) => name.endsWith('.ports'))
    .map((name) => join(storeDir, name))
}

function readPort(storeDir: string): number | null {
  try {
    const ports = JSON.parse(readFileSync(portsFiles(storeDir)[0] ?? '', 'utf8')) as { nats: string[] }
    return Number(new URL(ports.nats[0] ?? '').port)
  } catch {
    return null
  }
}

function greets(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = createConnection({ port, host: '127.0.0.1', timeout: 1_000 })
    const finish = (isReady: boolean) => {
      socket.destroy()
      done(isReady)
    }
    socket.once('data', (data) => finish(data.toString('latin1').startsWith('INFO ')))
    socket.once('error', () => finish(false))
    socket.once('timeout', () => finish(false))
  })
}

function logTail(storeDir: string): string {
  try {
    const lines = readFileSync(join(storeDir, 'nats-server.log'), 'utf8').trim().split('\n')
    return `; its log ends with:\n${lines.slice(-logTailLines).join('\n')}`
  } catch {
    return ''
  }
}
