/** What an operator does to a conversation, as facts. `operatorId` is who did it, `at` as in `events.ts`. */

/** A person takes a queued conversation over. */
export type OperatorAssigned = { readonly type: 'operator.assigned'; readonly operatorId: string; readonly at: number }

/** The assigned operator wrote to the user. */
export type OperatorReplied = {
  readonly type: 'operator.replied'
  readonly operatorId: string
  readonly body: string
  readonly at: number
}

/** The assigned operator gave the conversation back to the assistant. */
export type OperatorReleased = { readonly type: 'operator.released'; readonly operatorId: string; readonly at: number }

/** An operator of the first line (agent) or the second (support) closed the conversation. */
export type OperatorClosed = {
  readonly type: 'operator.closed'
  readonly operatorId: string
  readonly as: 'agent' | 'support'
  readonly reason: string
  readonly at: number
}

export type OperatorEvent = OperatorAssigned | OperatorReplied | OperatorReleased | OperatorClosed
