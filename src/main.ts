/**
 * Duologue, wired: reads the settings, opens the parts in order, runs a node, answers HTTP, and closes
 * everything in reverse. `npm start` runs this file; nothing else in the tree sees all parts.
 */
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'

import { createNode } from './actors/node.ts'
import type { Node } from './actors/node.ts'
import { ConfigError, readConfig } from './config.ts'
import type { Config } from './config.ts'
import { createScriptedAssistant } from './infra/ai/scripted-assistant.ts'
import { openDataFolder } from './infra/data-folder/data-folder.ts'
import type { DataFolder } from './infra/data-folder/data-folder.ts'
import { createApp } from './infra/http/app.ts'
import type { App } from './infra/http/app.ts'
import type { Readiness } from './infra/http/operations-routes.ts'
import { processClock } from './infra/process/clock.ts'
import { createReached } from './infra/process/crash-points.ts'
import { processIds } from './infra/process/ids.ts'
import { createTelemetry } from './infra/telemetry/telemetry.ts'
import type { ProcessTelemetry } from './infra/telemetry/telemetry.ts'
import { toUserKey } from './infra/twilio/address.ts'
import { registeredMachines } from './machines/registered.ts'
import { openDatabase } from './parts/database.ts'
import type { DatabasePart } from './parts/database.ts'
import { openLog } from './parts/log.ts'
import type { LogPart } from './parts/log.ts'
import { openProvider } from './parts/provider.ts'
import type { ProviderPart } from './parts/provider.ts'

export type Service = { readonly url: string; stop(): Promise<void> }

type Parts = {
  readonly config: Config
  readonly url: string
  readonly publicUrl: string
  readonly apiToken: string
  readonly telemetry: ProcessTelemetry
  readonly log: LogPart
  readonly database: DatabasePart
  readonly provider: ProviderPart
}

const webFolder = fileURLToPath(new URL('../web/dist', import.meta.url))
const scriptedLatencyMs = 300

/** Starts everything; `onFatal` is called when a part ends that cannot be replaced. */
export async function start(config: Config, onFatal: (reason: string) => void): Promise<Service> {
  const closers: (() => Promise<unknown> | void)[] = []
  const stop = async (): Promise<void> => {
    for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close()
  }
  try {
    const parts = await openParts(config, closers, onFatal)
    const node = config.roles.includes('actors') ? createNode(toHost(parts)) : null
    if (node !== null) closers.push(async () => node.stop())
    await node?.start()
    const app = await openApp(parts, node)
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
  const folder = await openFolder(config)
  if (folder !== null) closers.push(() => folder.release())
  const opening = {
    log: openLog(config, folder, telemetry, onFatal),
    database: openDatabase(config, folder, telemetry),
  }
  closers.push(async () => opening.database.then(async ({ close }) => close()).catch(() => {}))
  closers.push(async () => opening.log.then(async ({ close }) => close()).catch(() => {}))
  const [log, database] = [await opening.log, await opening.database]
  const provider = await openProvider(config, folder, database.repository, log.publisher)
  closers.push(async () => provider.close())
  await database.initialize(config.partitions, provider.numbers)
  const apiToken = config.apiToken ?? folder?.readOrCreateSecret('api-token', () => randomBytes(24).toString('hex'))
  if (apiToken === undefined) throw new Error('could not make an API token without a data folder')
  const url = `http://${config.http.host}:${config.http.port === 0 ? await findFreePort(config.http.host) : config.http.port}`
  return { config, url, publicUrl: config.http.publicUrl ?? url, apiToken, telemetry, log, database, provider }
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

function toHost({ config, publicUrl, telemetry, log, database, provider }: Parts): Parameters<typeof createNode>[0] {
  return {
    clock: processClock,
    ids: processIds,
    random: Math.random,
    log: log.log,
    store: database.repository,
    telemetry,
    registry: registeredMachines,
    reached: createReached(config.crashPoint),
    emitted: () => {},
    performers: {
      draftReply: createScriptedAssistant({ latencyMs: scriptedLatencyMs, clock: processClock }),
      sendMessage: provider.openSender(publicUrl),
    },
    settings: {
      nodeId: config.nodeId,
      defaultMachine: 'conversation',
      leaseMs: config.leaseMs,
      // Whoever holds the lock of the embedded database's folder is its only owner: every former one is dead.
      isSoleOwner: database.isEmbedded,
      mayAdvanceClock: provider.phone !== null,
      resolveAfterMs: config.resolveAfterMs,
    },
  }
}

async function openApp(parts: Parts, node: Node | null): Promise<App> {
  const { config, publicUrl, apiToken, telemetry, log, database, provider } = parts
  return createApp({
    clock: processClock,
    telemetry,
    checkReadiness: async () => checkReadiness(parts, node),
    readMetrics: async () => telemetry.metrics(),
    apiToken,
    readModel: database.repository,
    toUserKey,
    webhooks: config.roles.includes('webhook')
      ? {
          webhook: provider.openWebhook(publicUrl),
          publisher: log.publisher,
          findChannel: async (address) => (await database.repository.findChannel(address)) !== null,
          reached: createReached(config.crashPoint),
        }
      : null,
    // The phone is the only page so far.
    pages:
      config.roles.includes('pages') && provider.phone !== null ? { folder: webFolder, phone: provider.phone } : null,
  })
}

async function checkReadiness({ log, database }: Parts, node: Node | null): Promise<Readiness> {
  const answers = await database.repository.ping().then(
    () => true,
    () => false,
  )
  const { active = 0, owned = 0, partitions = 0 } = node?.describe() ?? {}
  const isWhole = node === null || (database.isEmbedded ? active === partitions : active === owned)
  return {
    ready: log.isConnected() && answers && isWhole,
    parts: {
      log: log.isConnected() ? 'ok' : 'is not connected',
      database: answers ? 'ok' : 'does not answer',
      partitions: node === null ? 'this node owns none' : `${active} of ${partitions} active`,
    },
  }
}

/** What runs where, for the person who started it. */
function tell({ config, url, publicUrl, apiToken, log, database, provider }: Parts, app: App): void {
  const lines = [
    `Duologue ${config.nodeId} (${config.roles.join(', ')})`,
    `  listens on   ${url}${publicUrl === url ? '' : `, reached at ${publicUrl}`}`,
    `  log          ${log.description}`,
    `  database     ${database.description}`,
    `  messages     ${provider.description}`,
    `  assistant    scripted, needs no network`,
    `  API token    ${config.apiToken === null ? apiToken : 'as set'}`,
  ]
  if (provider.phone !== null && config.roles.includes('pages')) {
    lines.push(`  phone        ${url}/phone?code=${app.issueSignInCode()}`)
  }
  process.stdout.write(`${lines.join('\n')}\n`)
}

/** Runs until SIGTERM or SIGINT; a second signal ends it at once. */
export async function run(): Promise<void> {
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
