/** What the command line asks of the store: tenants and their settings, and what a deployment is made of. */
import type { SupabaseClient } from '@supabase/supabase-js'

import type { Json, JsonObject } from '../../machines/json.ts'
import { createCall } from './call.ts'
import { fromIso } from './rows.ts'

export type Tenant = {
  readonly id: string
  readonly name: string
  readonly settings: JsonObject
  /** Its business addresses; a channel's own settings win over the tenant's. */
  readonly channels: readonly { readonly address: string; readonly settings: JsonObject }[]
}

export type StoredConversation = {
  readonly machine: string
  readonly machineVersion: string
  readonly version: number
  readonly snapshot: Json
  readonly hash: string
}

/** Where conversations stand: a machine's version and its state value. */
export type StoredState = {
  readonly machine: string
  readonly machineVersion: string
  readonly value: Json
  readonly count: number
  /** How many of them are not closed. */
  readonly open: number
  /** Of the newest conversation that stands there. */
  readonly snapshot: Json
}

export type DeploymentDescription = {
  /** 0 before the first start. */
  readonly partitions: number
  readonly businessAddresses: readonly string[]
  /** The database's clock, ms since 1970. */
  readonly now: number
}

export interface Administration {
  /** Null when there is no such tenant. */
  getTenant(name: string): Promise<Tenant | null>
  /**
   * Writes the named settings and leaves the others; null takes one away. Answers all settings of the tenant, or null
   * when there is none of that name (`default` is made).
   */
  setTenantSettings(name: string, settings: JsonObject): Promise<JsonObject | null>
  describeDeployment(): Promise<DeploymentDescription>
  /** What is stored, by machine, version and state; `isWhole` is false when there is more than one answer holds. */
  distinctStates(): Promise<{ readonly items: readonly StoredState[]; readonly isWhole: boolean }>
  /** A conversation as it is stored, of any age; null when there is none. */
  getStoredConversation(conversationId: string): Promise<StoredConversation | null>
}

export function createAdministration(client: SupabaseClient): Administration {
  const call = createCall(client)
  return {
    getTenant: async (name) => ((await call('get_tenant', { name })) as { tenant: Tenant | null }).tenant,
    setTenantSettings: async (name, settings) =>
      ((await call('set_tenant_settings', { name, settings })) as { settings: JsonObject | null }).settings,
    describeDeployment: async () => {
      const { partitions, channels, now } = (await call('describe_deployment', {})) as DescriptionAnswer
      return { partitions, businessAddresses: channels, now: fromIso(now) }
    },
    distinctStates: async () =>
      (await call('distinct_states', {})) as { readonly items: readonly StoredState[]; readonly isWhole: boolean },
    getStoredConversation: async (conversationId) => {
      const request = { conversation_id: conversationId }
      const { stored } = (await call('get_stored_conversation', request)) as { stored: StoredRow | null }
      if (stored === null) return null
      const { machine_version: machineVersion, ...same } = stored
      return { ...same, machineVersion }
    },
  }
}

type DescriptionAnswer = { readonly partitions: number; readonly channels: readonly string[]; readonly now: string }
type StoredRow = Omit<StoredConversation, 'machineVersion'> & { readonly machine_version: string }
