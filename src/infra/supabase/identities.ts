/** The functions of the database about users' keys (`IdentityStore`, `LinkStore`). */
import type { SupabaseClient } from '@supabase/supabase-js'

import type {
  HeldLink,
  IdentityStore,
  LinkRefusal,
  LinkRequest,
  LinkSide,
  LinkStore,
} from '../../actors/identity-store.ts'
import { createCall } from './call.ts'

export function createIdentities(client: SupabaseClient): IdentityStore & LinkStore {
  const call = createCall(client)
  return {
    resolveIdentities: async (asks) => {
      const answer = (await call('resolve_identities', {
        asks: asks.map(({ businessAddress, userKeys, claims }) => ({
          business_address: businessAddress,
          user_keys: userKeys,
          claims,
        })),
      })) as ResolveAnswer
      const homes = answer.homes.map(({ home, is_held, is_split }) => ({ home, isHeld: is_held, isSplit: is_split }))
      return { generation: answer.generation, homes }
    },
    identityGeneration: async () => ((await call('identity_generation', {})) as { generation: number }).generation,
    holdIdentities: async ({ isUndoing, holdMs, ...request }) => {
      const asked = { ...toRequest(request), is_undoing: isUndoing, hold_ms: holdMs }
      const answer = (await call('hold_identities', asked)) as HoldAnswer | LinkRefusal
      if (answer.outcome !== 'held') return answer
      return { ...answer, into: toSide(answer.into), from: toSide(answer.from) }
    },
    releaseIdentities: async ({ tenantId, sessionId, keys }) => {
      await call('release_identities', { tenant_id: tenantId, session_id: sessionId, keys })
    },
    linkIdentities: async ({ linkId, fromKey, operatorId, reason, closedConversationId, ...request }) => {
      const done = {
        from_key: fromKey,
        link_id: linkId,
        operator_id: operatorId,
        reason,
        closed_conversation_id: closedConversationId,
      }
      const answer = (await call('link_identities', { ...toRequest(request), ...done })) as LinkAnswer | LinkRefusal
      return answer.outcome === 'applied' ? { outcome: 'applied', linkId: answer.link_id } : answer
    },
    unlinkIdentities: async ({ newSessionId, fromKey, operatorId, reason, ...request }) => {
      const done = { from_key: fromKey, new_session_id: newSessionId, operator_id: operatorId, reason }
      const answer = (await call('unlink_identities', { ...toRequest(request), ...done })) as
        | UnlinkAnswer
        | LinkRefusal
        | { readonly outcome: 'busy' }
      if (answer.outcome !== 'applied') return answer
      const { link_id: linkId, session_id: sessionId, moved } = answer
      return { outcome: 'applied', linkId, sessionId, moved }
    },
  }
}

function toRequest({ tenantId, sessionId, userKey }: LinkRequest): object {
  return { tenant_id: tenantId, session_id: sessionId, user_key: userKey }
}

function toSide(side: SideRow): LinkSide {
  const { session_id, user_key, business_address, conversation_id, status } = side
  return {
    sessionId: session_id,
    userKey: user_key,
    businessAddress: business_address,
    conversationId: conversation_id,
    status,
  }
}

type ResolveAnswer = {
  readonly generation: number
  readonly homes: readonly { readonly home: string; readonly is_held: boolean; readonly is_split: boolean }[]
}

type SideRow = {
  readonly session_id: string | null
  readonly user_key: string
  readonly business_address: string
  readonly conversation_id: string | null
  readonly status: string | null
}

type HoldAnswer = Omit<HeldLink, 'into' | 'from'> & { readonly into: SideRow; readonly from: SideRow }
type LinkAnswer = { readonly outcome: 'applied'; readonly link_id: string }
type UnlinkAnswer = LinkAnswer & { readonly session_id: string | null; readonly moved: number }
