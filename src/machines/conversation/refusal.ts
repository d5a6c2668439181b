/** Why the chart did not take an operator's command: the sentence that the caller reads. */
import { isClosed } from '../status.ts'
import type { Status } from '../status.ts'
import type { ConversationContext } from './context.ts'
import type { OperatorCommand } from './operator-events.ts'

export function toRefusal(status: Status, context: ConversationContext, command: OperatorCommand): string {
  const { operatorId, line } = context
  if (isClosed(status)) return `the conversation is closed: ${status}`
  if (status !== 'HUMAN_HANDOFF') return `the conversation is in ${status}: no person is asked for, nobody is assigned`
  switch (command.type) {
    case 'handoff.requested':
      return operatorId === null ? 'a person is asked for already' : `${operatorId} is assigned already`
    case 'operator.assigned':
      return `${operatorId ?? 'somebody'} is assigned already: let it be transferred`
    case 'operator.escalated':
      if (line === 'support') return 'it is with the second line already'
      return toAssignment(operatorId, command.operatorId)
    case 'operator.transferred':
      if (command.to === operatorId) return `${operatorId} is assigned already`
      return toAssignment(operatorId, command.operatorId)
    case 'operator.replied':
    case 'operator.released':
    case 'operator.extended':
    case 'operator.closed':
      return toAssignment(operatorId, command.operatorId)
  }
}

function toAssignment(assigned: string | null, asking: string): string {
  return assigned === null ? 'nobody is assigned: assign an operator first' : `${assigned} is assigned, not ${asking}`
}
