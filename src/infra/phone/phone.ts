/**
 * The built-in phone behind its page. It sees what a user's phone would see, the fake Twilio's
 * ledger, and does what a user can do: write. Letting time pass is an event of the log, like
 * everything else that reaches a conversation.
 */
import type { EventPublisher, Ids } from '../../actors/ports.ts'
import type { FakeTwilio } from './fake-twilio.ts'
import type { LedgerMessage, LedgerStatus } from './ledger.ts'

export type PhoneOptions = {
  readonly fakeTwilio: FakeTwilio
  readonly publisher: EventPublisher
  readonly ids: Ids
  /** As channels name them: `whatsapp:+14155238886`. */
  readonly businessAddresses: readonly string[]
  /** The key of a user's session, from the address; null when it is malformed. */
  readonly toUserKey: (address: string) => string | null
}

export type PhoneMessage = {
  readonly id: string
  readonly direction: 'sent' | 'received'
  readonly body: string
  readonly status: 'sending' | 'sent' | 'delivered' | 'read' | 'failed'
  readonly at: number
}

export type Phone = {
  readonly businessAddresses: readonly string[]
  send(message: { readonly user: string; readonly business: string; readonly body: string }): Promise<number>
  messages(user: string, business: string): readonly PhoneMessage[]
  subscribe(user: string, business: string, listener: (message: PhoneMessage) => void): () => void
  advance(user: string, business: string, byMs: number): Promise<void>
}

/** The phone's ticks: `received` by Duologue is delivered, a user cannot see more of the other side. */
const statusOnPhone: { readonly [status in LedgerStatus]: PhoneMessage['status'] } = {
  receiving: 'sending',
  received: 'delivered',
  queued: 'sending',
  sent: 'sent',
  delivered: 'delivered',
  read: 'read',
  undelivered: 'failed',
  failed: 'failed',
}

export function createPhone({ fakeTwilio, publisher, ids, businessAddresses, toUserKey }: PhoneOptions): Phone {
  return {
    businessAddresses,
    async send({ user, business, body }) {
      const { statusCode } = await fakeTwilio.receive({ from: user, to: toWireAddress(business), body })
      return statusCode
    },
    messages(user, business) {
      const messages = fakeTwilio.messagesOf(user).filter((message) => isBetween(message, user, business))
      return messages.map(toPhoneMessage)
    },
    subscribe(user, business, listener) {
      return fakeTwilio.subscribe((message) => {
        if (isBetween(message, user, business)) listener(toPhoneMessage(message))
      })
    },
    async advance(user, business, byMs) {
      const userKey = toUserKey(user)
      if (userKey === null) throw new Error('could not advance the clock: the user has no key')
      await publisher.publish({
        v: 1,
        type: 'clock.advanced',
        businessAddress: business,
        userKey,
        commandId: ids.next(),
        byMs,
      })
    },
  }
}

function toPhoneMessage(message: LedgerMessage): PhoneMessage {
  return {
    id: message.sid,
    direction: message.direction === 'inbound' ? 'sent' : 'received',
    body: message.body,
    status: statusOnPhone[message.status],
    at: message.createdAt,
  }
}

function isBetween(message: LedgerMessage, user: string, business: string): boolean {
  const [mine, theirs] = message.direction === 'inbound' ? [message.from, message.to] : [message.to, message.from]
  return mine === user && theirs === toWireAddress(business)
}

/** Twilio writes SMS addresses without a scheme. */
function toWireAddress(businessAddress: string): string {
  return businessAddress.replace(/^sms:/, '')
}
