/** What the command line asks of the store: tenants and their settings, and what a deployment is made of. */
import type { SupabaseClient } from '@supabase/supabase-js'

import type { Json, JsonObject } from '../../machines/json.ts'
import { createCall, type Call } from './call.ts'
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

/** A business address with what its webhooks are signed with; the secret itself is never stored. */
export type TenantChannel = {
  readonly address: string
  readonly providerAccount: string | null
  readonly tokenSecretName: string | null
}

export type TenantSummary = { readonly id: string; readonly name: string; readonly channels: readonly TenantChannel[] }

export type ApiTokenItem = {
  readonly id: string
  readonly name: string
  readonly createdAt: string
  readonly revokedAt: string | null
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
  /** Null when there is one of that name. */
  createTenant(name: string): Promise<{ readonly id: string; readonly name: string } | null>
  listTenants(): Promise<readonly TenantSummary[]>
  /**
   * Adds a business address or changes what is set for it; null leaves what is set. `missing`: there is no such tenant,
   * `refused`: the address is another tenant's.
   */
  setChannel(tenant: string, channel: TenantChannel): Promise<'added' | 'changed' | 'missing' | 'refused'>
  /** `tokenHash`: SHA-256 in hexadecimal. `refused`: there is a valid token of that name. */
  addApiToken(tenant: string, name: string, tokenHash: string): Promise<'added' | 'missing' | 'refused'>
  /** False when there is no valid token of that name. */
  revokeApiToken(tenant: string, name: string): Promise<boolean>
  /** Null when there is no such tenant. */
  listApiTokens(tenant: string): Promise<readonly ApiTokenItem[] | null>
  /** The tenant whose token it is; null for an unknown or revoked one. */
  findTenantByToken(tokenHash: string): Promise<string | null>
  describeDeployment(): Promise<DeploymentDescription>
  /** What is stored, by machine, version and state; `isWhole` is false when there is more than one answer holds. */
  distinctStates(): Promise<{ readonly items: readonly StoredState[]; readonly isWhole: boolean }>
  /** A conversation as it is stored, of any age; null when there is none. */
  getStoredConversation(conversationId: string): Promise<StoredConversation | null>
}

export function createAdministration(client: SupabaseClient): Administration {
  const call = createCall(client)
  return {
    ...createTenancy(call),
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

type Tenancy = Pick<
  Administration,
  | 'createTenant'
  | 'listTenants'
  | 'setChannel'
  | 'addApiToken'
  | 'revokeApiToken'
  | 'listApiTokens'
  | 'findTenantByToken'
>

function createTenancy(call: Call): Tenancy {
  return {
    createTenant: async (name) =>
      ((await call('create_tenant', { name })) as { tenant: { id: string; name: string } | null }).tenant,
    listTenants: async () => {
      const { tenants } = (await call('list_tenants', {})) as { tenants: readonly SummaryRow[] }
      return tenants.map((tenant) => ({ ...tenant, channels: tenant.channels.map(toChannel) }))
    },
    setChannel: async (tenant, { address, providerAccount, tokenSecretName }) => {
      const set = { tenant, address, provider_account: providerAccount, token_secret_name: tokenSecretName }
      const { outcome } = (await call('set_channel', set)) as {
        outcome: Awaited<ReturnType<Administration['setChannel']>>
      }
      return outcome
    },
    addApiToken: async (tenant, name, tokenHash) => {
      const { outcome } = (await call('add_api_token', { tenant, name, token_hash: tokenHash })) as {
        outcome: Awaited<ReturnType<Administration['addApiToken']>>
      }
      return outcome
    },
    revokeApiToken: async (tenant, name) =>
      ((await call('revoke_api_token', { tenant, name })) as { revoked: boolean }).revoked,
    listApiTokens: async (tenant) => {
      const { tokens } = (await call('list_api_tokens', { tenant })) as { tokens: readonly TokenRow[] | null }
      if (tokens === null) return null
      return tokens.map(({ id, name, created_at, revoked_at }) => ({
        id,
        name,
        createdAt: created_at,
        revokedAt: revoked_at,
      }))
    },
    findTenantByToken: async (tokenHash) =>
      ((await call('find_api_token', { token_hash: tokenHash })) as { tenant_id: string | null }).tenant_id,
  }
}

function toChannel({ address, provider_account, token_secret_name }: ChannelRow): TenantChannel {
  return { address, providerAccount: provider_account, tokenSecretName: token_secret_name }
}

type ChannelRow = {
  readonly address: string
  readonly provider_account: string | null
  readonly token_secret_name: string | null
}
type SummaryRow = { readonly id: string; readonly name: string; readonly channels: readonly ChannelRow[] }
type TokenRow = {
  readonly id: string
  readonly name: string
  readonly created_at: string
  readonly revoked_at: string | null
}
type DescriptionAnswer = { readonly partitions: number; readonly channels: readonly string[]; readonly now: string }
type StoredRow = Omit<StoredConversation, 'machineVersion'> & { readonly machine_version: string }
