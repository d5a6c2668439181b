/**
 * The log, the database and the provider of the deployment, opened for one command. Where one of them is embedded it
 * has a single owner: while a service runs on the same data folder, the command ends with a sentence.
 */
import { randomBytes } from 'node:crypto'
import { Writable } from 'node:stream'

import type { Config } from '../config.ts'
import type { DataFolder } from '../infra/data-folder/data-folder.ts'
import { createTelemetry } from '../infra/telemetry/telemetry.ts'
import type { ProcessTelemetry } from '../infra/telemetry/telemetry.ts'
import { assertSchema, openDatabase } from '../parts/database.ts'
import type { DatabasePart } from '../parts/database.ts'
import { openLog } from '../parts/log.ts'
import type { LogPart } from '../parts/log.ts'
import { openProvider } from '../parts/provider.ts'
import type { ProviderPart } from '../parts/provider.ts'
import { openCommandFolder } from './open-store.ts'

export type OpenedDeployment = {
  readonly nodeId: string
  readonly telemetry: ProcessTelemetry
  readonly log: LogPart
  readonly database: DatabasePart
  readonly provider: ProviderPart
}

/** Opens everything, lets `use` work with it, and closes it however that ends. Log lines go nowhere. */
export async function withDeployment<T>(config: Config, use: (opened: OpenedDeployment) => Promise<T>): Promise<T> {
  const closers: (() => Promise<void> | void)[] = []
  try {
    const folder = await openFolder(config)
    if (folder !== null) closers.push(() => folder.release())
    const nodeId = `command-${randomBytes(4).toString('hex')}`
    const telemetry = createTelemetry(nodeId, 'error', new Writable({ write: (_chunk, _encoding, done) => done() }))
    const database = await openDatabase(config, folder, telemetry)
    closers.push(async () => database.close())
    await assertSchema(database.repository)
    const log = await openLog(config, folder, telemetry, () => {})
    closers.push(async () => log.close())
    const provider = await openProvider(config, folder, database, log.publisher)
    closers.push(async () => provider.close())
    return await use({ nodeId, telemetry, log, database, provider })
  } finally {
    for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close()
  }
}

async function openFolder({ nats, supabase, twilio, dataDir }: Config): Promise<DataFolder | null> {
  const isNeeded = nats === null || supabase === null || twilio === null
  return isNeeded ? openCommandFolder(dataDir, supabase !== null) : null
}
