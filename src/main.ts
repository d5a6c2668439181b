/**
 * Duologue, wired: reads the settings, opens the parts in order, runs a node, answers HTTP, and closes
 * everything in reverse. `npm start` runs this file; nothing else in the tree sees all parts.
 *
 * What needs much code is imported while the log and the database start, in a process and a thread of their
 * own: together they take as long as the slowest of them.
 */
import { randomBytes } from 'node:crypto'
import { enableCompileCache } from 'node:module'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'

import { ConfigError, readConfig } from './config.ts'
import { loadMachines } from './parts/machines.ts'
import type { Config } from './config.ts'
import { openDataFolder } from './infra/data-folder/data-folder.ts'
import type { DataFolder } from './infra/data-folder/data-folder.ts'
import type { App } from './infra/http/app.ts'
import { createTelemetry } from './infra/telemetry/telemetry.ts'
import { loadDraft } from './parts/draft.ts'
import { openCare } from './parts/care.ts'
import { openDatabase } from './parts/database.ts'
import { readMigrationMaps } from './parts/in-flight.ts'
import { openLog } from './parts/log.ts'
import type { Parts } from './parts/parts.ts'
import { openWakes } from './parts/wakes.ts'

export type Service = { readonly url: string; stop(): Promise<void> }

/** Starts everything; `onFatal` is called when a part ends that cannot be replaced. */
export async function start(config: Config, onFatal: (reason: string) => void): Promise<Service> {
  const closers: (() => Promise<unknown> | void)[] = []
  const stop = async (): Promise<void> => {
    for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close()
  }
  try {
    const parts = await openParts(config, closers, onFatal)
    const [{ openNode }, { openHttp }, { openCharts }] = await Promise.all([
      import('./parts/node.ts'),
      import('./parts/http.ts'),
      import('./parts/charts.ts'),
    ])
    const node = config.roles.includes('actors') ? openNode(parts) : null
    if (node !== null) closers.push(async () => node.stop())
    await node?.start()
    if (node !== null) closers.push(openWakes(parts, readMigrationMaps()))
    const draft = config.draft === null ? null : await loadDraft(config.draft)
    const charts = openCharts({
      machines: parts.machines,
      draft,
      onFailure: (error) => parts.telemetry.log('warn', 'a chart could not be laid out', { error: toSentence(error) }),
    })
    closers.push(async () => charts.close())
    const app = await openHttp(parts, node, charts, draft)
    closers.push(async () => app.server.close())
    const { host } = config.http
    await app.server.listen({ host, port: Number(new URL(parts.url).port) })
    tell(parts, app)
    return { url: parts.url, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function openParts(
  config: Config,
  closers: (() => Promise<unknown> | void)[],
  onFatal: (reason: string) => void,
): Promise<Parts> {
  const telemetry = createTelemetry(config.nodeId, 'info')
  const machines = await loadMachines(config.machines)
  const folder = await openFolder(config)
  if (folder !== null) closers.push(() => folder.release())
  // The database first: its thread takes the longest.
  const opening = {
    database: openDatabase(config, folder, telemetry),
    log: openLog(config, folder, telemetry, onFatal),
  }
  closers.push(async () => opening.database.then(async ({ close }) => close()).catch(() => {}))
  closers.push(async () => opening.log.then(async ({ close }) => close()).catch(() => {}))
  const [{ openProvider }, { openAssistant }] = await Promise.all([
    import('./parts/provider.ts'),
    import('./parts/assistant.ts'),
    import('./parts/node.ts'),
    import('./parts/http.ts'),
  ])
  const [log, database] = [await opening.log, await opening.database]
  const provider = await openProvider(config, folder, database, log.publisher)
  closers.push(async () => provider.close())
  const media = provider.openMedia(config.mediaHosts, telemetry)
  const assistant = await openAssistant(config, database, media, telemetry)
  await database.initialize(config.partitions, provider.numbers)
  const care = openCare({ config, telemetry, log, database, provider })
  closers.push(async () => care.close())
  const apiToken = config.apiToken ?? folder?.readOrCreateSecret('api-token', () => randomBytes(24).toString('hex'))
  if (apiToken === undefined) throw new Error('could not make an API token without a data folder')
  const url = `http://${config.http.host}:${config.http.port === 0 ? await findFreePort(config.http.host) : config.http.port}`
  return {
    config,
    url,
    publicUrl: config.http.publicUrl ?? url,
    apiToken,
    telemetry,
    machines,
    log,
    database,
    provider,
    media,
    care,
    assistant,
  }
}

/** The folder is needed, and owned, wherever a part is embedded or the API token is ours to keep. */
async function openFolder(config: Config): Promise<DataFolder | null> {
  const { nats, supabase, twilio, apiToken, dataDir } = config
  const isNeeded = nats === null || supabase === null || twilio === null || apiToken === null
  return isNeeded ? openDataFolder(dataDir) : null
}

/** Signatures are over the public URL, so the port has to be known before anything is sent. */
async function findFreePort(host: string): Promise<number> {
  const server = createServer().listen(0, host)
  await new Promise((resolve) => {
    server.once('listening', resolve)
  })
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => {
    server.close(resolve)
  })
  return port
}

/** What runs where, for the person who started it. */
function tell({ config, url, publicUrl, apiToken, log, database, provider, assistant }: Parts, app: App): void {
  const lines = [
    `Duologue ${config.nodeId} (${config.roles.join(', ')})`,
    `  listens on   ${url}${publicUrl === url ? '' : `, reached at ${publicUrl}`}`,
    `  log          ${log.description}`,
    `  database     ${database.description}`,
    `  messages     ${provider.description}`,
    `  assistant    ${assistant.description}`,
    `  API token    ${config.apiToken === null ? apiToken : 'as set'}`,
  ]
  if (config.roles.includes('pages')) lines.push(`  charts       ${url}/?code=${app.issueSignInCode()}`)
  if (provider.phone !== null && config.roles.includes('pages')) {
    lines.push(`  phone        ${url}/phone?code=${app.issueSignInCode()}`)
  }
  process.stdout.write(`${lines.join('\n')}\n`)
}

/** Runs until SIGTERM or SIGINT; a second signal ends it at once. */
export async function run(): Promise<void> {
  enableCompileCache()
  let service: Service | null = null
  let isStopping = false
  const end = (code: number): void => {
    if (isStopping) process.exit(code === 0 ? 130 : code)
    isStopping = true
    void Promise.resolve(service?.stop()).finally(() => process.exit(code))
  }
  process.on('SIGTERM', () => end(0))
  process.on('SIGINT', () => end(0))
  try {
    service = await start(readConfig(process.env), (reason) => {
      process.stderr.write(`duologue: ${reason}\n`)
      end(1)
    })
  } catch (error) {
    process.stderr.write(`duologue: ${toSentence(error)}\n`)
    process.exitCode = error instanceof ConfigError ? 2 : 1
    process.exit()
  }
}

function toSentence(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message}: ${toSentence(error.cause)}`
}

if (import.meta.main) await run()
