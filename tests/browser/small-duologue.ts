/**
 * The phone with everything that it needs, without a log and a database: the real HTTP application,
 * the real webhook, sender and fake Twilio; only the actor between them is a few lines that answer
 * every message and keep one conversation per user.
 */
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { EffectRequest, LoggedEvent, LoggedMessage } from '../../src/actors/ports.ts'
import type { ConversationItem } from '../../src/actors/read-model.ts'
import { createFakeTwilio, type FakeTwilio } from '../../src/infra/phone/fake-twilio.ts'
import { createPhone } from '../../src/infra/phone/phone.ts'
import { processClock } from '../../src/infra/process/clock.ts'
import { toUserKey } from '../../src/infra/twilio/address.ts'
import { createTwilioSender } from '../../src/infra/twilio/sender.ts'
import { createMemoryReadModel, createTestApp, toConversation, type TestApp } from '../infra/http/test-app.ts'
import { accountSid, authToken } from '../infra/twilio/webhook-fixture.ts'

export type SmallDuologue = {
  readonly url: string
  readonly app: TestApp
  readonly fake: FakeTwilio
  readonly published: readonly LoggedEvent[]
  /** False: the log does not answer, and the webhook says so. */
  isLogUp: boolean
  close(): Promise<void>
}

const folder = fileURLToPath(new URL('../../web/dist', import.meta.url))
const business = 'whatsapp:+14155238886'

export async function startSmallDuologue(): Promise<SmallDuologue> {
  const published: LoggedEvent[] = []
  const conversations: ConversationItem[] = []
  let url = ''
  const statusDelaysMs = { sent: 30, delivered: 30, read: 60 }
  const fake = await createFakeTwilio({
    accountSid,
    authToken,
    clock: processClock,
    statusDelaysMs,
    ledgerFile: null,
    webhookBase: null,
  })
  const sender = createTwilioSender({
    accountSid,
    authToken,
    apiUrl: fake.url,
    clock: processClock,
    random: Math.random,
    statusCallbackBase: () => url,
    timeoutMs: 5_000,
    findKnownProviderIds: async () => new Set(),
  })
  const publisher = {
    async publish(event: LoggedEvent) {
      if (!duologue.isLogUp) throw new Error('the log does not answer')
      published.push(event)
      react(event, conversations, (body) => sender.perform(toSend(event, body)))
      return { sequence: published.length, duplicate: false }
    },
  }
  const phone = createPhone({
    fakeTwilio: fake,
    publisher,
    toUserKey,
    ids: { next: () => crypto.randomUUID() },
    businessAddresses: [business, 'sms:+14155238886'],
  })
  const app = await createTestApp({
    publisher,
    publicUrl: () => url,
    findChannel: async () => true,
    readModel: createMemoryReadModel(conversations),
    pages: { folder, phone },
  })
  const duologue: SmallDuologue = {
    app,
    fake,
    published,
    isLogUp: true,
    get url() {
      return url
    },
    async close() {
      await app.server.close()
      sender.close()
      await fake.close()
    },
  }
  await app.server.listen({ host: '127.0.0.1', port: 0 })
  url = `http://127.0.0.1:${(app.server.server.address() as AddressInfo).port}`
  fake.setWebhookBase(url)
  return duologue
}

/** What the actor would do, as far as a phone can see it. */
function react(event: LoggedEvent, conversations: ConversationItem[], send: (body: string) => Promise<unknown>): void {
  const step = (status: (now: ConversationItem['status']) => ConversationItem['status']): void => {
    const place = conversations.findIndex((one) => one.userAddress === event.userKey)
    const opened = toConversation({
      id: crypto.randomUUID(),
      userAddress: event.userKey,
      businessAddress: event.businessAddress,
      status: 'PENDING',
      version: 0,
    })
    const known = conversations[place] ?? opened
    conversations[place === -1 ? conversations.length : place] = {
      ...known,
      status: status(known.status),
      version: known.version + 1,
    }
  }
  if (event.type === 'clock.advanced') step(() => 'EXPIRED')
  else step((now) => now)
  if (event.type === 'message.received') void send(toAnswer(event)).then(() => step(() => 'PROGRESS'))
}

function toAnswer(event: LoggedMessage): string {
  return `You wrote “${event.body}”. How can I help?`
}

function toSend(event: LoggedEvent, body: string): EffectRequest {
  const effect = {
    effectId: `${crypto.randomUUID()}:1:0`,
    conversationId: crypto.randomUUID(),
    kind: 'sendMessage',
    params: { author: 'assistant', body },
    childId: null,
    speakerToken: 0,
    status: 'running' as const,
    attempts: 0,
    nextAttemptAt: null,
    deadline: null,
    startedAt: Date.now(),
    messageId: null,
  }
  const replyAddress = event.type === 'message.received' ? event.replyAddress : event.userKey
  const ids = { sessionId: crypto.randomUUID(), tenantId: 't', channelId: 'c' }
  const session = { ...ids, businessAddress: event.businessAddress, replyAddress, settings: {} }
  return { effect, session, deadlineMonotonicMs: Infinity, signal: new AbortController().signal }
}
