/** What the database knows of the log (`LogStateStore`). */
import type { SupabaseClient } from '@supabase/supabase-js'

import type { LogIncident, LogStateStore } from '../../actors/log-state-store.ts'
import type { Position } from '../../actors/ports.ts'
import { createCall } from './call.ts'
import { fromIso, toIso } from './rows.ts'

export function createLogStateStore(client: SupabaseClient): LogStateStore {
  const call = createCall(client)
  return {
    recallLog: async () => (await call('recall_log', {})) as { generation: number; high: number },
    observeLog: async ({ found, recalled, incidentSince }) => {
      const answer = (await call('observe_log', {
        created: found.created,
        first_sequence: found.firstSequence,
        last_sequence: found.lastSequence,
        generation: recalled.generation,
        high: recalled.high,
        since: toIso(incidentSince),
      })) as ObserveAnswer
      const { incarnation, incidents, incident, is_reconciled: isReconciled } = answer
      return { incarnation, incidents, incident, isReconciled }
    },
    claimReconciliation: async (nodeId, leaseMs) => {
      const answer = (await call('claim_reconciliation', { node_id: nodeId, lease_ms: leaseMs })) as ClaimAnswer
      const { since, incidents, is_mine: isMine } = answer
      return { since: since === null ? null : fromIso(since), incidents, isMine }
    },
    finishReconciliation: async (nodeId, incidents) => {
      const { is_done: isDone } = (await call('finish_reconciliation', { node_id: nodeId, incidents })) as {
        is_done: boolean
      }
      return { isDone }
    },
    planPurge: async (nodeId, leaseMs) => {
      const answer = (await call('plan_purge', { node_id: nodeId, lease_ms: leaseMs })) as PlanAnswer
      return { isMine: answer.is_mine, incarnation: answer.incarnation, cursors: answer.cursors }
    },
    recordPurge: async (nodeId, incarnation, through) => {
      const { is_recorded } = (await call('record_purge', { node_id: nodeId, incarnation, through })) as {
        is_recorded: boolean
      }
      return is_recorded
    },
  }
}

type ObserveAnswer = {
  readonly incarnation: string
  readonly incidents: number
  readonly incident: LogIncident | null
  readonly is_reconciled: boolean
}
type ClaimAnswer = { readonly since: string | null; readonly incidents: number; readonly is_mine: boolean }
type PlanAnswer = {
  readonly is_mine: boolean
  readonly incarnation: string | null
  readonly cursors: readonly (Position & { readonly partition: number })[]
}
