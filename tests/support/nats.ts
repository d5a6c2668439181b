/** A real nats-server for one test: its own folder, a free port, everything gone after `stop`. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findNatsServer, type NatsServer, startNatsServer } from '../../src/infra/nats/nats-server.ts'

export type TestNats = {
  readonly url: string
  readonly port: number
  readonly user: string
  readonly pass: string
  readonly pid: number
  readonly storeDir: string
  /** SIGKILL; resolves when the process is gone. The data stays for `restart`. */
  kill(): Promise<void>
  /** Stops it if it runs, and starts it again: same port, same data, same password. */
  restart(): Promise<void>
  /** Ends it and removes its folder. */
  stop(): Promise<void>
}

/** `syncAlways: false` for tests that send much and do not ask what survives. */
export async function startTestNats(options: { readonly syncAlways?: boolean } = {}): Promise<TestNats> {
  const storeDir = await mkdtemp(join(tmpdir(), 'duologue-test-nats-'))
  const start = (fixed: { port?: number; pass?: string }): Promise<Running> =>
    startOnce(storeDir, { ...options, ...fixed })
  let running = await start({})
  const { port, pass } = running.server
  return {
    get pid() {
      return running.server.pid
    },
    url: running.server.url,
    port,
    user: running.server.user,
    pass,
    storeDir,
    async kill() {
      process.kill(running.server.pid, 'SIGKILL')
      await running.gone
    },
    async restart() {
      await running.server.stop()
      running = await start({ port, pass })
    },
    async stop() {
      await running.server.stop()
      await rm(storeDir, { recursive: true, force: true })
    },
  }
}

type Running = { readonly server: NatsServer; readonly gone: Promise<void> }

async function startOnce(
  storeDir: string,
  options: { readonly syncAlways?: boolean; readonly port?: number; readonly pass?: string },
): Promise<Running> {
  const { promise: gone, resolve } = Promise.withResolvers<void>()
  const server = await startNatsServer({
    ...options,
    binary: findNatsServer(process.env),
    storeDir,
    onExit: () => resolve(),
    recordChild: () => {},
  })
  return { server, gone }
}
