/** What the failure of a message says about the user's address (`delivery-rules.ts`). */
import { toDeliveryRule } from '../delivery-rules.ts'
import type { DeliveryUpdated } from '../events.ts'

export function isUnreachable({ status, errorCode }: DeliveryUpdated): boolean {
  const isLost = status === 'failed' || status === 'undelivered'
  return isLost && toDeliveryRule(errorCode).action.kind === 'bad-address'
}
