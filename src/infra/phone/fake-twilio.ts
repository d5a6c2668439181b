/**
 * A Twilio of our own on loopback: the built-in phone's other half, and the tests' Twilio.
 *
 * It takes Duologue's REST calls, tells by signed callbacks what became of each message, and brings
 * a user's message to the webhook exactly as Twilio would: it knows Duologue by two URLs only.
 */
import Fastify from 'fastify'
import type { AddressInfo } from 'node:net'
import type { Clock } from '../../actors/ports.ts'
import { registerControlRoutes } from './control-routes.ts'
import { createDeliveries, type StatusDelaysMs } from './deliveries.ts'
import { createFaultQueue, type Fault } from './faults.ts'
import { toInboundForm, type UserMessage } from './inbound-form.ts'
import { createMediaStore } from './media-store.ts'
import { openLedger, type Ledger, type LedgerMessage } from './ledger.ts'
import { createSid, registerRestRoutes } from './rest-routes.ts'
import { createWebhookCaller, type WebhookCaller } from './webhook-caller.ts'

export type FakeTwilioOptions = {
  readonly accountSid: string
  readonly authToken: string
  /** JSON lines, appended; read again at the start. Null: memory only. */
  readonly ledgerFile: string | null
  readonly clock: Clock
  /** Duologue's public URL; null until `setWebhookBase`. */
  readonly webhookBase: string | null
  /** Pauses before a message is sent, delivered and read. */
  readonly statusDelaysMs?: StatusDelaysMs
  /** 0 or nothing: any free port of loopback. */
  readonly port?: number
}

export type FakeTwilio = {
  /** Base of the REST API and of the `/fake` routes. */
  readonly url: string
  /** A user writes; resolves with the webhook's answer (0: none came). */
  receive(message: UserMessage): Promise<{ readonly sid: string; readonly statusCode: number }>
  /** Oldest first. */
  messagesOf(userAddress: string): readonly LedgerMessage[]
  subscribe(listener: (message: LedgerMessage) => void): () => void
  addFault(fault: Fault, count: number): void
  setWebhookBase(url: string): void
  close(): Promise<void>
}

const humanDelaysMs: StatusDelaysMs = { sent: 250, delivered: 500, read: 1_200 }
const noAnswerCode = 11200

export async function createFakeTwilio(options: FakeTwilioOptions): Promise<FakeTwilio> {
  const { accountSid, authToken, clock } = options
  const ledger = openLedger(options.ledgerFile)
  const faults = createFaultQueue()
  const media = createMediaStore()
  const call = createWebhookCaller(authToken)
  const delaysMs = options.statusDelaysMs ?? humanDelaysMs
  const deliveries = createDeliveries({ accountSid, ledger, call, clock, delaysMs })
  let webhookBase = options.webhookBase
  const setWebhookBase = (url: string): void => void (webhookBase = url)
  const receive = (message: UserMessage) => bring(message, webhookBase, { accountSid, ledger, call, clock })

  const app = Fastify({ logger: false, bodyLimit: 256 * 1024, forceCloseConnections: true })
  await app.register(async (scope) =>
    registerRestRoutes(scope, { accountSid, authToken, clock, ledger, deliveries, faults, media }),
  )
  await app.register(async (scope) => registerControlRoutes(scope, { ledger, faults, media, receive, setWebhookBase }))
  await app.listen({ host: '127.0.0.1', port: options.port ?? 0 })
  for (const message of ledger.all()) {
    if (message.direction === 'outbound-api') deliveries.follow(message.sid, { undeliveredCode: null, callbacks: true })
  }

  const { port } = app.server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    receive,
    messagesOf: (userAddress) => ledger.ofUser(userAddress),
    subscribe: (listener) => ledger.subscribe(listener),
    addFault: (fault, count) => faults.add(fault, count),
    setWebhookBase,
    async close() {
      deliveries.close()
      await app.close()
    },
  }
}

type Wire = {
  readonly accountSid: string
  readonly ledger: Ledger
  readonly call: WebhookCaller
  readonly clock: Clock
}

async function bring(message: UserMessage, webhookBase: string | null, { accountSid, ledger, call, clock }: Wire) {
  if (webhookBase === null) throw new Error('could not bring a message: nobody said where the webhook is')
  const sid = message.messageSid ?? createSid('SM')
  const now = clock.now()
  if (ledger.find(sid) === null) {
    const { from, to, body } = message
    const mediaUrls = (message.media ?? []).map(({ url }) => url)
    const state = { status: 'receiving', errorCode: null, statusCallback: null } as const
    const moments = { createdAt: now, sentAt: now, updatedAt: now }
    ledger.add({ sid, direction: 'inbound', from, to, body, mediaUrls, ...state, ...moments })
  }
  const url = `${webhookBase.replace(/\/$/, '')}/webhooks/twilio/messages`
  const statusCode = await call(url, toInboundForm(message, sid, accountSid))
  const isTaken = statusCode >= 200 && statusCode < 300
  // The same message may be brought twice at once: what was taken once stays taken.
  const wasTaken = ledger.find(sid)?.status === 'received'
  if (isTaken) ledger.change(sid, { status: 'received', errorCode: null, updatedAt: clock.now() })
  if (!isTaken && !wasTaken) ledger.change(sid, { status: 'failed', errorCode: noAnswerCode, updatedAt: clock.now() })
  return { sid, statusCode }
}
