/**
 * The store behind supabase-js: hosted Supabase, self-hosted PostgREST and the embedded default serve the same SQL
 * functions, so there is one repository. Every method is one call, one transaction, one round trip.
 */
import type { SupabaseClient } from '@supabase/supabase-js'
import type {
  CommitBatch,
  CommitOutcome,
  HoldReason,
  MachineVersions,
  SessionOutcome,
  StartOutcome,
  Store,
} from '../../actors/ports.ts'
import type { ReadModel } from '../../actors/read-model.ts'
import type { SendingModel } from '../../actors/sending-model.ts'
import { createCall, type Call } from './call.ts'
import { toCommitPayload } from './commit-payload.ts'
import { fromCursor, toCursor } from './cursor.ts'
import { toClaimedPartition, toEffect, toLoadedSession, toMessageRecord } from './loaded.ts'
import { createReadModel } from './read-model.ts'
import { createSendingModel } from './sending-model.ts'
import { fromIso, fromIsoOrNull, toIso } from './rows.ts'
import type { ClaimedRow, EffectRow, LoadedSessionRow, MessageRow } from './rows.ts'

/** What a start needs besides the store itself. */
export interface Repository {
  /** The version of the newest migration that the database has. */
  schemaVersion(): Promise<string>
  /**
   * Makes partitions and the tenant `default` at the first start, and channels for new business addresses at any.
   * Answers the number of partitions that is stored, whatever number was asked for.
   */
  initializeDeployment(request: {
    readonly partitions: number
    readonly businessAddresses: readonly string[]
    readonly providerAccount: string | null
  }): Promise<{ readonly partitions: number }>
  /** Puts an event aside that no session could be named for. False when it is none such, or was put aside before. */
  dismissForeign(quarantineId: string): Promise<boolean>
}

export function createRepository(client: SupabaseClient): Store & ReadModel & SendingModel & Repository {
  const call = createCall(client)
  return {
    ...createOwnership(call),
    ...createStepping(call),
    ...createLoading(call),
    ...createReadModel(call),
    ...createSendingModel(call),
    ...createDeployment(call),
  }
}

function createDeployment(call: Call): Repository & Pick<Store, 'ping'> {
  const schemaVersion = async (): Promise<string> => {
    const { version } = (await call('schema_version', {})) as { version: string }
    return version
  }
  return {
    schemaVersion,
    ping: async () => {
      await schemaVersion()
    },
    dismissForeign: async (quarantineId) => {
      const { dismissed } = (await call('dismiss_foreign', { id: quarantineId })) as { dismissed: boolean }
      return dismissed
    },
    initializeDeployment: async ({ partitions, businessAddresses, providerAccount }) =>
      (await call('initialize_deployment', {
        partitions,
        business_addresses: businessAddresses,
        provider_account: providerAccount,
      })) as { partitions: number },
  }
}

function createOwnership(call: Call): Pick<Store, 'claimPartitions' | 'releasePartitions'> {
  return {
    claimPartitions: async ({ nodeId, leaseMs, held, machines, takeAll, renewOnly, canRead = true }) => {
      const answer = (await call('claim_partitions', {
        node_id: nodeId,
        lease_ms: leaseMs,
        held: held.map(({ partition, epoch, needs = null }) => ({ partition, epoch, needs })),
        machines,
        take_all: takeAll,
        renew_only: renewOnly,
        can_read: canRead,
        hands_over: true,
      })) as { readonly partitions: readonly ClaimedRow[]; readonly machines: MachineVersions }
      return { partitions: answer.partitions.map(toClaimedPartition), machines: answer.machines }
    },
    releasePartitions: async (nodeId, partitions) => {
      await call('release_partitions', {
        node_id: nodeId,
        partitions: partitions.map(({ partition, epoch }) => ({ partition, epoch })),
      })
    },
  }
}

function createStepping(call: Call): Pick<Store, 'commitSteps' | 'startEffects'> {
  return {
    commitSteps: async (batch) =>
      toCommitOutcome(batch, (await call('commit_steps', toCommitPayload(batch))) as CommitAnswer),
    startEffects: async (nodeId, leaseMs, partitions, effects) => {
      const { outcomes } = (await call('start_effects', {
        node_id: nodeId,
        lease_ms: leaseMs,
        partitions: partitions.map(({ partition, epoch }) => ({ partition, epoch })),
        effects: effects.map(({ effectId, partition, sessionId }) => ({
          id: effectId,
          partition,
          session_id: sessionId,
        })),
      })) as { outcomes: Record<string, StartAnswer> }
      return new Map(Object.entries(outcomes).map(([effectId, answer]) => [effectId, toStartOutcome(answer)]))
    },
  }
}

type StartAnswer =
  | Exclude<StartOutcome, { kind: 'started' | 'held' }>
  | { readonly kind: 'started'; readonly effect: EffectRow }
  | { readonly kind: 'held'; readonly reason: HoldReason; readonly until: string | null }

function toStartOutcome(answer: StartAnswer): StartOutcome {
  if (answer.kind === 'started') return { kind: 'started', effect: toEffect(answer.effect) }
  return answer.kind === 'held' ? { ...answer, until: fromIsoOrNull(answer.until) } : answer
}

type CommitAnswer = {
  readonly committed: readonly number[]
  readonly fenced: readonly number[]
  readonly exceptions: {
    readonly [sessionId: string]:
      | { readonly kind: 'stale' }
      | { readonly kind: 'duplicate'; readonly provider_ids: readonly string[] }
  }
}

function toCommitOutcome(batch: CommitBatch, { committed, fenced, exceptions }: CommitAnswer): CommitOutcome {
  const partitions = new Map<number, 'committed' | 'fenced'>()
  for (const partition of committed) partitions.set(partition, 'committed')
  for (const partition of fenced) partitions.set(partition, 'fenced')
  for (const { partition } of batch.partitions) {
    if (!partitions.has(partition)) throw new Error(`the store did not say what became of partition ${partition}`)
  }
  const toSessionOutcome = (sessionId: string, partition: number): SessionOutcome => {
    const exception = exceptions[sessionId]
    // Also a partition that the batch did not name: its sessions were not written.
    if (partitions.get(partition) !== 'committed') return { kind: 'fenced' }
    if (exception === undefined) return { kind: 'committed' }
    return exception.kind === 'stale' ? exception : { kind: 'duplicate', duplicateKeys: exception.provider_ids }
  }
  const sessions = batch.sessions.map(
    ({ sessionId, partition }) => [sessionId, toSessionOutcome(sessionId, partition)] as const,
  )
  return { partitions, sessions: new Map(sessions) }
}

type Loading = Pick<Store, 'loadSessions' | 'loadDue' | 'findDelivery' | 'findKnownProviderIds' | 'recentMessages'>

function createLoading(call: Call): Loading {
  return {
    // The owner's epochs are not asked for: what an old owner loads, it cannot commit.
    loadSessions: async (_partitions, requests) => {
      const answer = (await call('load_sessions', {
        sessions: requests.map(({ sessionKey, duplicateKeys }) => ({
          session_key: sessionKey,
          // The name is of the time before commands; older nodes use it still.
          provider_ids: duplicateKeys,
        })),
      })) as LoadAnswer
      return {
        sessions: answer.sessions.map(toLoadedSession),
        channels: answer.channels.map((channel) => ({
          businessAddress: channel.business_address,
          businessToken: channel.business_token,
          channelId: channel.channel_id,
          tenantId: channel.tenant_id,
          settings: channel.settings,
        })),
        aliases: answer.aliases.map(({ session_key, home }) => ({ sessionKey: session_key, home })),
        knownKeys: answer.known_provider_ids,
      }
    },
    loadDue: async ({ partitions, of, horizon, after, limit }) => {
      const { sessions, next } = (await call('load_due', {
        partitions,
        of,
        horizon: toIso(horizon),
        after: after === null ? null : fromCursor(after, dueKey),
        limit,
      })) as DueAnswer
      return {
        sessions: sessions.map(({ session_key, partition, wake_at }) => ({
          sessionKey: session_key,
          partition,
          wakeAt: fromIso(wake_at),
        })),
        next: toCursor(next),
      }
    },
    findDelivery: async (effectId) => {
      const { provider_id } = (await call('find_delivery', { effect_id: effectId })) as { provider_id: string | null }
      return provider_id
    },
    findKnownProviderIds: async (channelId, providerIds) => {
      const { provider_ids } = (await call('find_known_provider_ids', {
        channel_id: channelId,
        provider_ids: providerIds,
      })) as { provider_ids: readonly string[] }
      return new Set(provider_ids)
    },
    recentMessages: async (sessionId, limit) => {
      const { messages } = (await call('recent_messages', { session_id: sessionId, limit })) as {
        messages: readonly MessageRow[]
      }
      return messages.map(toMessageRecord)
    },
  }
}

type LoadAnswer = {
  readonly sessions: readonly LoadedSessionRow[]
  readonly channels: readonly {
    readonly business_address: string
    readonly business_token: string
    readonly channel_id: string
    readonly tenant_id: string
    readonly settings: LoadedSessionRow['settings']
  }[]
  readonly aliases: readonly { readonly session_key: string; readonly home: string }[]
  readonly known_provider_ids: readonly string[]
}

const dueKey = ['session_key', 'partition', 'wake_at', 'id']

type DueAnswer = {
  readonly sessions: readonly { readonly session_key: string; readonly partition: number; readonly wake_at: string }[]
  readonly next: Record<string, unknown> | null
}
