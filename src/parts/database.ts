/** The database of a deployment: the Supabase project that the settings name, or the embedded one. */
import { join } from 'node:path'

import type { SupabaseClient } from '@supabase/supabase-js'

import type { LiveReadModel } from '../actors/live-read-model.ts'
import type { LogStateStore } from '../actors/log-state-store.ts'
import type { ReadModel } from '../actors/read-model.ts'
import type { Store, Telemetry } from '../actors/ports.ts'
import type { ReviewStore } from '../actors/review-store.ts'
import type { SpoolStore } from '../actors/spool-store.ts'
import type { Config } from '../config.ts'
import type { DataFolder } from '../infra/data-folder/data-folder.ts'
import type { IdentityStore, LinkStore } from '../actors/identity-store.ts'
import { createAssistantUsage } from '../infra/supabase/assistant-usage.ts'
import type { AssistantUsage } from '../infra/supabase/assistant-usage.ts'
import { createCall } from '../infra/supabase/call.ts'
import { openSupabase } from '../infra/supabase/client.ts'
import { openEmbeddedDatabase } from '../infra/supabase/embedded-database.ts'
import type { EmbeddedDatabase } from '../infra/supabase/embedded-database.ts'
import { createIdentities } from '../infra/supabase/identities.ts'
import { createLiveReadModel } from '../infra/supabase/live-read-model.ts'
import { createLogStateStore } from '../infra/supabase/log-state.ts'
import { readMigrations } from '../infra/supabase/migrations.ts'
import type { SendingModel } from '../actors/sending-model.ts'
import { createReviewStore } from '../infra/supabase/reviews.ts'
import { createRepository } from '../infra/supabase/repository.ts'
import type { Repository } from '../infra/supabase/repository.ts'
import { createSpoolStore } from '../infra/supabase/spool.ts'
import { createAdministration } from '../infra/supabase/tenants.ts'
import type { Administration } from '../infra/supabase/tenants.ts'

export type DatabasePart = {
  readonly repository: Store & ReadModel & SendingModel & Repository
  readonly spool: SpoolStore
  readonly identities: IdentityStore & LinkStore
  readonly administration: Administration
  readonly logState: LogStateStore
  readonly assistantUsage: AssistantUsage
  readonly reviews: ReviewStore
  readonly live: LiveReadModel
  readonly description: string
  readonly isEmbedded: boolean
  /** Makes or checks what a deployment needs. Throws when the schema or the number of partitions is another. */
  initialize(partitions: number, businessAddresses: readonly string[]): Promise<void>
  close(): Promise<void>
}

export async function openDatabase(
  config: Config,
  folder: DataFolder | null,
  telemetry: Telemetry,
): Promise<DatabasePart> {
  const { client, close, description } = await openClient(config, folder, (text) => {
    telemetry.log('debug', 'the embedded database says', { text: text.slice(0, 500) })
  })
  const repository = createRepository(client)
  return {
    repository,
    spool: createSpoolStore(client),
    identities: createIdentities(client),
    administration: createAdministration(client),
    logState: createLogStateStore(client),
    assistantUsage: createAssistantUsage(client),
    reviews: createReviewStore(client),
    live: createLiveReadModel(createCall(client)),
    description,
    isEmbedded: config.supabase === null,
    async initialize(partitions, businessAddresses) {
      await assertSchema(repository)
      const providerAccount = config.twilio?.accountSid ?? null
      const stored = await repository.initializeDeployment({ partitions, businessAddresses, providerAccount })
      if (stored.partitions !== partitions) {
        throw new Error(
          `DUOLOGUE_PARTITIONS is ${partitions}, but the database was made with ${stored.partitions}: the number is fixed at the first start`,
        )
      }
    },
    close,
  }
}

export type DatabaseClient = {
  readonly client: SupabaseClient
  readonly description: string
  /** Direct SQL; null where the database is reached by its API alone. */
  readonly query: EmbeddedDatabase['query'] | null
  close(): Promise<void>
}

/** `onOutput` gets what the embedded database prints. */
export async function openClient(
  config: Pick<Config, 'supabase'>,
  folder: DataFolder | null,
  onOutput: (text: string) => void,
): Promise<DatabaseClient> {
  if (config.supabase !== null) {
    const description = config.supabase.url
    return { client: openSupabase(config.supabase), close: async () => {}, description, query: null }
  }
  if (folder === null) throw new Error('the embedded database needs the data folder')
  const path = join(folder.path, 'database')
  const embedded = await openEmbeddedDatabase(path, onOutput)
  return { ...embedded, description: `Supabase Lite on PGlite, in a thread of this process, data in ${path}` }
}

/** This program's newest migration is what the database has to have. */
export async function assertSchema(repository: Pick<Repository, 'schemaVersion'>): Promise<void> {
  const wanted = (await readMigrations()).at(-1)?.version
  const version = await askSchemaVersion(repository)
  if (version !== wanted) {
    throw new Error(
      `the database has schema ${version}, this program needs ${wanted}: run \`npm run duologue -- migrate\``,
    )
  }
}

const askAttemptsMax = 5
const askAgainAfterMs = 300

/** The first question to an API that has just started, or that several nodes ask at once, may fail for a moment. */
async function askSchemaVersion(repository: Pick<Repository, 'schemaVersion'>): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await repository.schemaVersion()
    } catch (error) {
      if (attempt >= askAttemptsMax) throw error
      await new Promise((resolve) => {
        setTimeout(resolve, askAgainAfterMs * attempt)
      })
    }
  }
}
