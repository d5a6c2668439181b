/** The model of sending over the same SQL functions as everything else; what a code means is said here. */
import { MalformedCursor } from '../../actors/read-model.ts'
import type { OptOutItem, SendingItem, SendingModel } from '../../actors/sending-model.ts'
import { toDeliveryRule } from '../../machines/delivery-rules.ts'
import type { Call } from './call.ts'
import { fromCursor, toCursor } from './cursor.ts'

type Stored = Omit<SendingItem, 'failed'> & {
  readonly failed: readonly Omit<SendingItem['failed'][number], 'meaning' | 'action'>[]
}
type OptOutPage = {
  readonly items: readonly OptOutItem[]
  readonly next: { readonly [name: string]: unknown } | null
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/iu
const isoWithOffset = /^\d{4}-\d\d-\d\dT[\d:.]+\+00:00$/u
const keyNames = ['recorded_at', 'id']

export function createSendingModel(call: Call): SendingModel {
  return {
    getSending: async (conversationId, tenantId) => {
      if (!uuid.test(conversationId)) return null
      const request = { conversation_id: conversationId, tenant_id: tenantId ?? null }
      const { sending } = (await call('get_sending', request)) as { sending: Stored | null }
      return sending === null ? null : toUtc({ ...sending, failed: sending.failed.map(toFailed) })
    },
    listOptOuts: async ({ userKey, cursor, limit, tenantId }) => {
      const answer = (await call('list_opt_outs', {
        user_key: userKey ?? null,
        after: readCursor(cursor ?? null),
        limit: limit ?? null,
        tenant_id: tenantId ?? null,
      })) as OptOutPage
      return { items: answer.items.map(toUtc), next: toCursor(answer.next) }
    },
  }
}

function toFailed(failed: Stored['failed'][number]): SendingItem['failed'][number] {
  const { action, meaning } = toDeliveryRule(failed.code)
  return { ...failed, meaning, action: action.kind }
}

function readCursor(cursor: string | null): object | null {
  if (cursor === null) return null
  const key = fromCursor(cursor, keyNames)
  const { recorded_at: at, id } = key
  const isKey = typeof at === 'string' && !Number.isNaN(Date.parse(at)) && typeof id === 'string' && uuid.test(id)
  if (!isKey) throw new MalformedCursor('could not read a cursor of another list')
  return key
}

/** Times end in Z as everywhere else in the API; what a user wrote stays as it is. */
function toUtc<T>(item: T): T {
  const isTime = (name: string): boolean => name === 'at' || name === 'until' || /(?:At|Since|Until)$/u.test(name)
  return JSON.parse(JSON.stringify(item), (name, value: unknown) =>
    typeof value === 'string' && isTime(name) && isoWithOffset.test(value) ? new Date(value).toISOString() : value,
  ) as T
}
