/**
 * How often a tenant's assistant is asked: for drafts and for reading voice messages, over all nodes, in the current
 * minute and hour of the database's clock. It bounds what a flood from many numbers can cost.
 */
import type { AssistantSettings } from './assistant-settings.ts'

export interface CallBudget {
  /** Counts one call, or answers which window has no room; then nothing is counted. */
  reserveCall(request: {
    readonly tenantId: string
    readonly perMinuteMax: number
    readonly perHourMax: number
  }): Promise<'minute' | 'hour' | null>
}

type CallLimits = Pick<AssistantSettings, 'assistantCallsPerMinuteMax' | 'assistantCallsPerHourMax'>

/** Null when there is room, else the code of the failure that the chart knows. */
export async function reserveCall(
  budget: CallBudget,
  tenantId: string,
  { assistantCallsPerMinuteMax, assistantCallsPerHourMax }: CallLimits,
): Promise<'tenant-minute' | 'tenant-hour' | null> {
  const limits = { perMinuteMax: assistantCallsPerMinuteMax, perHourMax: assistantCallsPerHourMax }
  const exceeded = await budget.reserveCall({ tenantId, ...limits })
  return exceeded === null ? null : `tenant-${exceeded}`
}
