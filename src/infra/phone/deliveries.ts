/**
 * What becomes of an accepted message: sent, delivered, read, each told to its sender by a signed
 * callback before the next one happens. A callback that is not answered with 2xx is tried again a
 * few times and then given up; the message itself goes on.
 */
import type { Clock } from '../../actors/ports.ts'
import type { Ledger, LedgerMessage, LedgerStatus } from './ledger.ts'
import { apiVersion } from './message-resource.ts'
import type { Form, WebhookCaller } from './webhook-caller.ts'

export type StatusDelaysMs = { readonly sent: number; readonly delivered: number; readonly read: number }

export type Deliveries = {
  /** Starts, or goes on, with a message as the ledger has it. */
  follow(sid: string, fate: DeliveryFate): void
  close(): void
}

export type DeliveryFate = { readonly undeliveredCode: number | null; readonly callbacks: boolean }

/** Delays before a refused callback is tried again. */
const callbackRetriesMs = [200, 1_000, 5_000] as const

export function createDeliveries(options: {
  readonly accountSid: string
  readonly ledger: Ledger
  readonly call: WebhookCaller
  readonly clock: Clock
  readonly delaysMs: StatusDelaysMs
}): Deliveries {
  const { ledger, clock, call, accountSid, delaysMs } = options
  const waiting = new Set<() => void>()
  let isClosed = false

  function after(delayMs: number, task: () => void): void {
    if (isClosed) return
    const cancel = clock.schedule(delayMs, () => {
      waiting.delete(cancel)
      task()
    })
    waiting.add(cancel)
  }

  function follow(sid: string, fate: DeliveryFate): void {
    const next = toNextStatus(ledger.find(sid), fate)
    if (next === null) return
    const delayMs = delaysMs[next === 'undelivered' ? 'delivered' : next]
    after(delayMs, () => {
      const now = clock.now()
      const errorCode = next === 'undelivered' ? fate.undeliveredCode : null
      const message = ledger.change(sid, {
        status: next,
        errorCode,
        updatedAt: now,
        ...(next === 'sent' ? { sentAt: now } : {}),
      })
      void tell(message, fate, 0)
    })
  }

  async function tell(message: LedgerMessage, fate: DeliveryFate, attempt: number): Promise<void> {
    if (message.statusCallback === null || !fate.callbacks) return follow(message.sid, fate)
    const statusCode = await call(message.statusCallback, toCallbackForm(message, accountSid))
    const retryMs = callbackRetriesMs[attempt]
    const isAnswered = statusCode >= 200 && statusCode < 300
    if (isAnswered || retryMs === undefined) return follow(message.sid, fate)
    after(retryMs, () => void tell(message, fate, attempt + 1))
  }

  return {
    follow,
    close() {
      isClosed = true
      for (const cancel of waiting) cancel()
    },
  }
}

type NextStatus = 'sent' | 'delivered' | 'read' | 'undelivered'

function toNextStatus(message: LedgerMessage | null, fate: DeliveryFate): NextStatus | null {
  if (message === null) return null
  const isWhatsApp = message.to.startsWith('whatsapp:')
  const next: { readonly [status in LedgerStatus]: NextStatus | null } = {
    receiving: null,
    received: null,
    queued: 'sent',
    sent: fate.undeliveredCode === null ? 'delivered' : 'undelivered',
    delivered: isWhatsApp ? 'read' : null,
    read: null,
    undelivered: null,
    failed: null,
  }
  return next[message.status]
}

function toCallbackForm(message: LedgerMessage, accountSid: string): Form {
  return {
    SmsSid: message.sid,
    SmsStatus: message.status,
    MessageStatus: message.status,
    To: message.to,
    MessageSid: message.sid,
    AccountSid: accountSid,
    From: message.from,
    ApiVersion: apiVersion,
    ...(message.errorCode === null ? {} : { ErrorCode: String(message.errorCode) }),
    ...(message.to.startsWith('whatsapp:') ? toWhatsAppFields(message) : {}),
  }
}

function toWhatsAppFields(message: LedgerMessage): Form {
  const eventType = { delivered: 'DELIVERED', read: 'READ', undelivered: 'UNDELIVERED' }[message.status as string]
  return {
    ChannelInstallSid: `XE${'0'.repeat(32)}`,
    ChannelPrefix: 'whatsapp',
    ChannelToAddress: `${message.to.slice('whatsapp:'.length, -4)}XXXX`,
    ...(message.status === 'sent' ? { StructuredMessage: 'false' } : {}),
    ...(eventType === undefined ? {} : { EventType: eventType }),
  }
}
