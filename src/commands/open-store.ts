/**
 * The database of the deployment, opened for one command: the Supabase project of the settings, or the embedded one,
 * which has a single owner; while a service runs on the same data folder, the command ends with a sentence.
 */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'

import type { SupabaseClient } from '@supabase/supabase-js'

import type { ReadModel } from '../actors/read-model.ts'
import type { Config } from '../config.ts'
import { DataFolderInUse, openDataFolder } from '../infra/data-folder/data-folder.ts'
import type { DataFolder } from '../infra/data-folder/data-folder.ts'
import { createRepository } from '../infra/supabase/repository.ts'
import { createAdministration } from '../infra/supabase/tenants.ts'
import type { Administration } from '../infra/supabase/tenants.ts'
import { assertSchema, openClient } from '../parts/database.ts'

export type CommandStore = ReadModel & Administration

type StoreUse = {
  /** Whether an embedded database that is not there yet is made; without it the command ends with a sentence. */
  readonly mayMake: boolean
}

/** Opens the store, lets `use` work with it, and closes it however that ends. */
export async function withStore<T>(
  config: Pick<Config, 'supabase' | 'dataDir'>,
  { mayMake }: StoreUse,
  use: (store: CommandStore, client: SupabaseClient) => Promise<T>,
): Promise<T> {
  const folder = config.supabase === null ? await openCommandFolder(config.dataDir, mayMake) : null
  try {
    const { client, close } = await openClient(config, folder, () => {})
    try {
      const repository = createRepository(client)
      await assertSchema(repository)
      return await use({ ...repository, ...createAdministration(client) }, client)
    } finally {
      await close()
    }
  } finally {
    folder?.release()
  }
}

/** Without `mayMake` there has to be a database in it already. */
export async function openCommandFolder(dataDir: string, mayMake: boolean): Promise<DataFolder> {
  if (!mayMake && !existsSync(join(dataDir, 'database'))) {
    throw new Error(
      `there is no database in the data folder ${resolve(dataDir)} yet: start Duologue once, or set DUOLOGUE_DATA_DIR`,
    )
  }
  try {
    return await openDataFolder(dataDir)
  } catch (error) {
    if (!(error instanceof DataFolderInUse)) throw error
    throw new Error('stop the running service first, or ask its API', { cause: error })
  }
}
