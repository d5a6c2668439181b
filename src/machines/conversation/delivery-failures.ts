/**
 * What the failure of a message says about the user's address. Codes: Twilio's error list, fact sheet 3.7.
 */
import type { DeliveryUpdated } from '../events.ts'

/** Nobody can be reached at this address, whatever is sent: not a number, not a mobile, not on WhatsApp. */
const unreachableCodes: ReadonlySet<string> = new Set(['21211', '21612', '21614', '63003', '63024', '30005', '30006'])

export function isUnreachable({ status, errorCode }: DeliveryUpdated): boolean {
  const isLost = status === 'failed' || status === 'undelivered'
  return isLost && errorCode !== null && unreachableCodes.has(errorCode)
}
