/** What a shop's own programs tell an order, beside the user's messages. They arrive as commands on the log. */
import type { Json, JsonObject } from '../../src/machines/json.ts'

/** The payment provider has received money. */
export type OrderPaid = {
  readonly type: 'order.paid'
  readonly cents: number
  readonly reference: string
  readonly at: number
}

/** The parcel has left. */
export type OrderShipped = { readonly type: 'order.shipped'; readonly tracking: string; readonly at: number }

/** A person takes the trouble in hand, settles it, or gives the money back. */
export type OrderAssigned = { readonly type: 'operator.assigned'; readonly operatorId: string; readonly at: number }
export type OrderReleased = { readonly type: 'operator.released'; readonly operatorId: string; readonly at: number }
export type OrderClosed = { readonly type: 'operator.closed'; readonly operatorId: string; readonly at: number }

export type OrderEvent = OrderPaid | OrderShipped | OrderAssigned | OrderReleased | OrderClosed

const references = /^[\w-]{1,64}$/
const operatorIds = /^[A-Za-z0-9][\w.@-]{0,127}$/

/** The event without its moment, or what is wrong with it. */
export function readOrderCommand(command: JsonObject): JsonObject | string {
  const type = typeof command['type'] === 'string' ? command['type'] : ''
  switch (type) {
    case 'order.paid': {
      const { cents, reference } = command
      if (typeof cents !== 'number' || !Number.isSafeInteger(cents) || cents <= 0)
        return 'cents: a whole number above 0'
      return matches(reference, references)
        ? { type, cents, reference }
        : 'reference: up to 64 letters, digits or hyphens'
    }
    case 'order.shipped': {
      const { tracking } = command
      return matches(tracking, references) ? { type, tracking } : 'tracking: up to 64 letters, digits or hyphens'
    }
    case 'operator.assigned':
    case 'operator.released':
    case 'operator.closed': {
      const { operatorId } = command
      return matches(operatorId, operatorIds) ? { type, operatorId } : 'operatorId: who does it'
    }
    default:
      return `type: '${type.slice(0, 64)}' is not a command of an order`
  }
}

function matches(value: Json | undefined, pattern: RegExp): value is string {
  return typeof value === 'string' && pattern.test(value)
}
