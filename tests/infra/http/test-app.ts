/**
 * The HTTP application with everything around it in memory: a publisher that keeps what it is given,
 * a read model of a few rows, a clock that stands still where a test wants it. No other process.
 */
import type { Clock, EventPublisher, LoggedEvent, Telemetry } from '../../../src/actors/ports.ts'
import type { ConversationItem, ReadModel } from '../../../src/actors/read-model.ts'
import { createApp, type App, type AppOptions } from '../../../src/infra/http/app.ts'
import { processClock } from '../../../src/infra/process/clock.ts'
import { processIds } from '../../../src/infra/process/ids.ts'
import { toUserKey } from '../../../src/infra/twilio/address.ts'
import { createTwilioWebhook } from '../../../src/infra/twilio/webhook.ts'
import { conversationRegistration } from '../../../src/machines/conversation/registration.ts'
import { accountSid, authToken, publicUrl, sign } from '../twilio/webhook-fixture.ts'

export const apiToken = 'a-token-of-the-api'
export const conversationId = '0198c0de-0000-7000-8000-00000000000a'

export type TestApp = App & {
  readonly published: LoggedEvent[]
  readonly logged: { readonly level: string; readonly message: string; readonly fields: unknown }[]
}

export type TestAppOptions = Partial<AppOptions> & {
  readonly publisher?: EventPublisher
  readonly findChannel?: (address: string) => Promise<boolean>
  readonly reached?: (point: string) => void | Promise<void>
  readonly publicUrl?: () => string
}

export async function createTestApp(options: TestAppOptions = {}): Promise<TestApp> {
  const published: LoggedEvent[] = []
  const logged: TestApp['logged'] = []
  const keep: EventPublisher = {
    async publish(event) {
      published.push(event)
      return { sequence: published.length, duplicate: false }
    },
  }
  const telemetry: Telemetry = {
    count: () => undefined,
    observe: () => undefined,
    gauge: () => undefined,
    log: (level, message, fields) => void logged.push({ level, message, fields }),
  }
  const app = await createApp({
    clock: options.clock ?? processClock,
    telemetry,
    checkReadiness: async () => ({ ready: true, parts: { log: 'ok', database: 'ok' } }),
    readMetrics: async () => '# HELP duologue_commits_total Commits.\n',
    apiToken,
    readModel: createMemoryReadModel([]),
    sending: { getSending: async () => null, listOptOuts: async () => ({ items: [], next: null }) },
    media: { of: () => ({ fetch: async () => ({ kind: 'refused', reason: 'gone', message: 'there is none' }) }) },
    toUserKey,
    charts: null,
    reviews: null,
    commands: {
      publisher: options.publisher ?? keep,
      ids: processIds,
      readCommand: (_machine, command) => conversationRegistration.readCommand(command),
      onCommandSettled: () => () => undefined,
    },
    dismissForeign: async () => false,
    webhooks: {
      webhook: createTwilioWebhook({
        accountSid,
        authTokens: [authToken],
        publicUrl: options.publicUrl ?? (() => publicUrl),
      }),
      publisher: options.publisher ?? keep,
      findChannel: async (address) => {
        const isKnown = options.findChannel ?? (async (asked: string) => asked === 'whatsapp:+14155238886')
        return (await isKnown(address)) ? { accountSid, authTokens: [authToken] } : null
      },
      reached: options.reached ?? (() => undefined),
    },
    pages: null,
    ...options,
  })
  return { ...app, published, logged }
}

export type SignedForm = { readonly [field: string]: string }

/** A request as Twilio makes it. */
export function toWebhookRequest(path: string, form: SignedForm) {
  return {
    method: 'POST',
    url: path,
    headers: {
      'content-type': 'application/x-www-form-urlencoded; charset=UTF-8',
      'x-twilio-signature': sign(publicUrl + path, form),
    },
    payload: new URLSearchParams(form).toString(),
  } as const
}

export function createFrozenClock(): Clock & { turn(byMs: number): void } {
  let moment = 1_790_000_000_000
  return {
    now: () => moment,
    monotonic: () => moment,
    schedule: (delayMs, task) => processClock.schedule(delayMs, task),
    turn: (byMs) => void (moment += byMs),
  }
}

export function toConversation(changes: Partial<ConversationItem> = {}): ConversationItem {
  return {
    id: conversationId,
    tenantId: '0198c0de-0000-7000-8000-0000000000aa',
    sessionId: '0198c0de-0000-7000-8000-0000000000bb',
    status: 'PROGRESS',
    version: 4,
    machine: 'conversation',
    machineVersion: '1',
    businessAddress: 'whatsapp:+14155238886',
    userAddress: 'whatsapp:+15005550006',
    speaker: 'assistant',
    optedOut: false,
    assignedOperator: null,
    line: null,
    openedAt: '2026-11-22T10:00:00.000Z',
    updatedAt: '2026-11-22T10:00:05.000Z',
    closedAt: null,
    nextTimerAt: null,
    previousId: null,
    quarantinedAt: null,
    ...changes,
  }
}

/** The rows as they are, without paging; `asked` keeps what was asked for. */
export function createMemoryReadModel(conversations: ConversationItem[]): ReadModel & { readonly asked: unknown[] } {
  const asked: unknown[] = []
  const find = (id: string): ConversationItem | null => conversations.find((one) => one.id === id) ?? null
  const listOf = async (id: string, request: unknown, items: readonly never[] = []) => {
    asked.push(request)
    return find(id) === null ? null : { items, next: null }
  }
  return {
    asked,
    async listConversations(request) {
      asked.push(request)
      const { address, status } = request
      const items = conversations.filter(
        (one) =>
          (address === undefined || one.userAddress === address || one.businessAddress === address) &&
          (status === undefined || one.status === status),
      )
      return { items, next: null }
    },
    getConversation: async (id) => find(id),
    listMessages: (id, request) => listOf(id, request),
    listEvents: (id, request) => listOf(id, request),
    findMedia: async () => null,
    async listHistory(id) {
      const found = find(id)
      if (found === null) return null
      const row = {
        reason: null,
        initiator: 'user',
        eventType: 'message.received',
        machineVersion: '1',
        occurredAt: found.openedAt,
      } as const
      const opened = { ...row, version: 1, fromStatus: null, toStatus: 'PENDING' } as const
      const answered = {
        ...row,
        version: 3,
        fromStatus: 'PENDING',
        toStatus: found.status,
        initiator: 'assistant',
      } as const
      return { items: found.version < 3 ? [opened] : [opened, answered], next: null }
    },
    getCommand: async () => null,
    getSession: async () => null,
    listSessionMessages: async () => null,
    findHomes: async () => [],
    listQuarantine: async () => ({ items: [], next: null }),
    getQuarantined: async () => null,
    findChannel: async () => null,
  }
}
