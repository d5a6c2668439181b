/** `duologue.write_deliveries`: the highest status stays, with its own error code, whatever the order of arrival. */
import { deliveryStatuses } from '../../../src/machines/events.ts'
import type { DeliveryStatus } from '../../../src/machines/events.ts'
import type { DeliveryRecord } from '../../../src/actors/ports.ts'
import { toProviderKey } from './tables.ts'
import type { Tables } from './tables.ts'

const callbacksMax = 200

export function writeDeliveries(
  tables: Tables,
  { sessionId, channelId }: { readonly sessionId: string; readonly channelId: string },
  told: readonly DeliveryRecord[],
): void {
  for (const { providerId, effectId, status, errorCode, raw, at } of told) {
    const key = toProviderKey(channelId, providerId)
    const stored = tables.deliveries.get(key)
    const text = JSON.stringify(raw)
    if (stored === undefined) {
      tables.deliveries.set(key, { channelId, sessionId, providerId, effectId, status, errorCode, raw: [text], at })
      continue
    }
    const isHigher = toRank(status) - toRank(stored.status)
    tables.deliveries.set(key, {
      ...stored,
      effectId: greatest(stored.effectId, effectId),
      status: isHigher > 0 ? status : stored.status,
      errorCode: isHigher === 0 ? greatest(stored.errorCode, errorCode) : isHigher > 0 ? errorCode : stored.errorCode,
      raw: stored.raw.includes(text) || stored.raw.length >= callbacksMax ? stored.raw : [...stored.raw, text],
      at: Math.max(stored.at, at),
    })
  }
}

/** `duologue.delivery_rank`: canceled, undelivered and failed are final. */
function toRank(status: DeliveryStatus): number {
  const finals: readonly DeliveryStatus[] = ['canceled', 'undelivered', 'failed']
  const final = finals.indexOf(status)
  return final >= 0 ? 7 + final : 1 + deliveryStatuses.indexOf(status)
}

function greatest(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b
  return a > b ? a : b
}
