/** What the assistant costs each tenant each day, counted where all nodes see it: in the database. */
import type { SupabaseClient } from '@supabase/supabase-js'

import { createCall } from './call.ts'

export type AssistantReservation = {
  readonly tenantId: string
  /** The database's, in UTC: `YYYY-MM-DD`. */
  readonly day: string
  readonly micros: number
}

/** Amounts are whole millionths of the unit of the tenant's prices. */
export interface AssistantUsage {
  /** Null when it would pass the limit; then nothing is reserved. */
  reserve(request: {
    readonly tenantId: string
    readonly micros: number
    readonly maxMicros: number
  }): Promise<AssistantReservation | null>
  /** Counts one call, or answers which window has no room for it; then nothing is counted. */
  reserveCall(request: {
    readonly tenantId: string
    readonly perMinuteMax: number
    readonly perHourMax: number
  }): Promise<'minute' | 'hour' | null>
  /** Once for each reservation: what is not settled stays counted for its day. */
  settle(
    reservation: AssistantReservation,
    spent: { readonly inputTokens: number; readonly outputTokens: number; readonly micros: number },
  ): Promise<void>
}

export function createAssistantUsage(client: SupabaseClient): AssistantUsage {
  const call = createCall(client)
  return {
    async reserve({ tenantId, micros, maxMicros }) {
      const request = { tenant_id: tenantId, micros, max_micros: maxMicros }
      const { day } = (await call('reserve_assistant_spend', request)) as { readonly day: string | null }
      return day === null ? null : { tenantId, day, micros }
    },
    async reserveCall({ tenantId, perMinuteMax, perHourMax }) {
      const request = { tenant_id: tenantId, minute_max: perMinuteMax, hour_max: perHourMax }
      const { exceeded } = (await call('reserve_assistant_call', request)) as {
        readonly exceeded: 'minute' | 'hour' | null
      }
      return exceeded
    },
    async settle({ tenantId, day, micros }, spent) {
      await call('settle_assistant_spend', {
        tenant_id: tenantId,
        day,
        reserved_micros: micros,
        spent_micros: spent.micros,
        input_tokens: spent.inputTokens,
        output_tokens: spent.outputTokens,
      })
    },
  }
}
