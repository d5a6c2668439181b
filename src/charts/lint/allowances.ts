/** Findings that are right as they are, each with its reason, by machine. */
import type { Allowance } from './lint-chart.ts'

const closed = 'a closed conversation stays as it is; the next message opens another one'

export const allowances: { readonly [machine: string]: readonly Allowance[] } = {
  conversation: [
    ...['EXPIRED', 'AGENT_CLOSED', 'SUPPORT_CLOSED', 'USER_CLOSED', 'FAILED'].map((status): Allowance => ({
      rule: 'no-timeout',
      about: `conversation.${status}`,
      reason: closed,
    })),
    { rule: 'dead-end', about: 'conversation.FAILED', reason: 'FAILED outranks every other closing' },
  ],
}
