/**
 * The nine lifecycle states of a conversation. The chart's top-level states carry these names;
 * the database checks the same list and the same order of closings.
 */
export const statuses = [
  'PENDING',
  'PROGRESS',
  'HUMAN_HANDOFF',
  'IDLE_TIMEOUT',
  'AGENT_CLOSED',
  'SUPPORT_CLOSED',
  'USER_CLOSED',
  'EXPIRED',
  'FAILED',
] as const

export type Status = (typeof statuses)[number]

/** Closed statuses from the weakest to the strongest: of two closings that race, the stronger one stays. */
export const closedStatusesByRank = ['EXPIRED', 'AGENT_CLOSED', 'SUPPORT_CLOSED', 'USER_CLOSED', 'FAILED'] as const

export type ClosedStatus = (typeof closedStatusesByRank)[number]

export function isClosed(status: Status): status is ClosedStatus {
  return (closedStatusesByRank as readonly Status[]).includes(status)
}
