/**
 * The database: does it answer, with which schema, is it this deployment's, does its clock agree, and can nobody but
 * the service role call its functions. The last needs SQL, which the API does not run: DATABASE_URL, or the embedded one.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'

import type { SupabaseClient } from '@supabase/supabase-js'
import postgres from 'postgres'

import type { Config } from '../../config.ts'
import type { DataFolder } from '../../infra/data-folder/data-folder.ts'
import { readMigrations } from '../../infra/supabase/migrations.ts'
import { createAdministration } from '../../infra/supabase/tenants.ts'
import { openClient } from '../../parts/database.ts'
import { pushAdvice } from '../migrate.ts'
import { toSentence } from '../sentence.ts'
import { checkFunctions } from './check-functions.ts'
import { bad, examine, ok, warn } from './finding.ts'
import type { Finding } from './finding.ts'

const answerMs = 5_000
const skewWarnMs = 1_000
const skewBadMs = 60_000
const connectSeconds = 5

export async function checkDatabase(config: Config, folder: DataFolder | null): Promise<readonly Finding[]> {
  const direct = await checkDirect(config)
  if (config.supabase !== null) return [...(await checkProject(config, folder)), ...direct]
  if (folder !== null && existsSync(join(folder.path, 'database'))) {
    return [...(await checkProject(config, folder)), ...direct]
  }
  return [ok('database', 'embedded: Supabase Lite on PGlite, in the data folder'), ...direct]
}

async function checkProject(config: Config, folder: DataFolder | null): Promise<readonly Finding[]> {
  const embedded = 'the data folder holds the embedded database: is it complete, and this user’s?'
  const advice = config.supabase === null ? embedded : 'is SUPABASE_URL right, and the project awake?'
  return examine('database', advice, async () => {
    const { client, description, query, close } = await openClient(config, folder, () => {})
    try {
      const schema = await checkSchema(client, description)
      if (schema.state === 'bad') return [schema]
      const functions = query === null ? [] : await checkFunctions(query)
      return [schema, ...(await checkDeployment(client, config)), ...functions]
    } finally {
      await close()
    }
  })
}

async function checkSchema(client: SupabaseClient, description: string): Promise<Finding> {
  const wanted = (await readMigrations()).at(-1)?.version ?? ''
  const { data, error, status } = await client
    .rpc('schema_version', { request: {} })
    .abortSignal(AbortSignal.timeout(answerMs))
  if (error !== null) return toRefusal(description, status, error)
  const { version } = data as { version: string }
  if (version === wanted) return ok('database', `${description}; schema ${version}`)
  const text = `${description}: schema ${version}, this program needs ${wanted}`
  if (version > wanted) return bad('database', text, 'this program is older than the database: update it')
  return bad('database', text, 'run `npm run duologue -- migrate`')
}

function toRefusal(description: string, status: number, error: { code: string; message: string }): Finding {
  if (status === 0 || status >= 502) {
    return bad('database', `${description} does not answer`, 'is SUPABASE_URL right, and the project awake?')
  }
  if (status === 401 || status === 403 || error.code === '42501') {
    const text = `${description} refuses SUPABASE_SECRET_KEY (${status})`
    return bad('database', text, 'take the secret key (service role) of the project, not the publishable one')
  }
  if (['PGRST202', '42883'].includes(error.code))
    return bad('database', `${description} has no schema of Duologue`, pushAdvice)
  return bad('database', `${description} answers ${status} ${error.message}`, 'is SUPABASE_URL a Supabase project?')
}

async function checkDeployment(client: SupabaseClient, config: Config): Promise<readonly Finding[]> {
  const before = Date.now()
  const { partitions, businessAddresses, now } = await createAdministration(client).describeDeployment()
  // Half of the round trip is the best guess of the way back; the rest of it is uncertainty.
  const after = Date.now()
  const skewMs = Math.max(0, Math.abs(now - (before + after) / 2) - (after - before) / 2)
  return [
    checkPartitions(partitions, config.partitions),
    ...checkChannels(businessAddresses, config),
    checkClock(skewMs),
  ]
}

function checkPartitions(stored: number, wanted: number): Finding {
  if (stored === wanted) return ok('partitions', String(stored))
  if (stored === 0) return ok('partitions', `none yet; the first start makes ${wanted}`)
  const advice = `set DUOLOGUE_PARTITIONS=${stored}: the number is fixed at the first start`
  return bad('partitions', `DUOLOGUE_PARTITIONS is ${wanted}, the database was made with ${stored}`, advice)
}

function checkChannels(stored: readonly string[], { twilio }: Config): readonly Finding[] {
  const missing = (twilio?.numbers ?? []).filter((number) => !stored.includes(number))
  if (missing.length === 0) return []
  return [ok('channels', `the next start adds ${missing.join(', ')} to the tenant default`)]
}

function checkClock(skewMs: number): Finding {
  const text = `the database's clock differs by ${(skewMs / 1_000).toFixed(1)} s`
  if (skewMs < skewWarnMs) return ok('clock', 'agrees with the database')
  const advice = 'synchronise the clocks of both machines (NTP): timers fire by this machine’s'
  return skewMs < skewBadMs ? warn('clock', text, advice) : bad('clock', text, advice)
}

async function checkDirect({ databaseUrl, supabase }: Config): Promise<readonly Finding[]> {
  if (databaseUrl === null) {
    if (supabase === null) return []
    const text = 'whether anon may call the functions was not checked'
    return [warn('functions', text, 'set DATABASE_URL to a direct connection and run this again')]
  }
  const sql = postgres(databaseUrl, { max: 1, connect_timeout: connectSeconds, onnotice: () => {} })
  try {
    return await checkFunctions(async (statement) => [...(await sql.unsafe(statement))])
  } catch (error) {
    return [
      bad('DATABASE_URL', toSentence(error), 'it has to be a direct connection of a user who may read the catalogue'),
    ]
  } finally {
    await sql.end()
  }
}
