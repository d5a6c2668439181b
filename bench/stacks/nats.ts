/** A real nats-server for a run: JetStream on disk, every write synced, loopback only, in a folder of its own. */
import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileStoreBytesMax, findNatsServer } from '../../src/infra/nats/nats-server.ts'
import { findFreePort } from '../../tests/support/postgres.ts'
import { startChild } from './child.ts'

export type BenchNats = {
  readonly url: string
  readonly pid: number
  readonly version: string
  /** As the configuration that it runs with says. */
  readonly syncInterval: string
  stop(): Promise<void>
}

export async function startNats(): Promise<BenchNats> {
  const binary = findNatsServer(process.env)
  const folder = await mkdtemp(join(tmpdir(), 'duologue-bench-nats-'))
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  process.once('exit', remove)
  const port = await findFreePort()
  const configuration = join(folder, 'nats-server.conf')
  await writeFile(configuration, toConfiguration(port, folder))
  const child = await startChild({
    name: 'nats-server',
    program: binary,
    parameters: ['-c', configuration],
    folder,
    readyPattern: /Server is ready/u,
  })
  return {
    url: `nats://127.0.0.1:${port}`,
    pid: child.pid,
    version: execFileSync(binary, ['--version'], { encoding: 'utf8' }).trim(),
    syncInterval: /sync_interval: (\S+)/u.exec(readFileSync(configuration, 'utf8'))?.[1] ?? 'not set',
    async stop() {
      await child.stop()
      process.off('exit', remove)
      remove()
    },
  }
}

/** The same JetStream settings as the embedded server's. */
function toConfiguration(port: number, folder: string): string {
  return [
    'server_name: benchmark',
    'host: "127.0.0.1"',
    `port: ${port}`,
    'jetstream {',
    `  store_dir: ${JSON.stringify(folder)}`,
    '  sync_interval: always',
    '  max_memory_store: 64MB',
    `  max_file_store: ${fileStoreBytesMax}`,
    '}',
    '',
  ].join('\n')
}
