/** A draft as the host asks for it, against a fake endpoint and a store that is a list. */
import type { Clock, Effect, EffectRequest, EffectResult, MessageRecord, Telemetry } from '../../../src/actors/ports.ts'
import { createChatEndpoint } from '../../../src/infra/ai/chat-endpoint.ts'
import { createModelAssistant } from '../../../src/infra/ai/model-assistant.ts'
import type { Reservation, SpendLedger } from '../../../src/infra/ai/spend.ts'
import { processClock } from '../../../src/infra/process/clock.ts'
import type { DraftRequest } from '../../../src/machines/conversation/draft.ts'
import type { JsonObject } from '../../../src/machines/json.ts'

export type Line = { readonly text: string; readonly fields: object }

export type Setup = {
  readonly ai: { readonly baseUrl: string; readonly apiKey: string; readonly model: string }
  readonly records?: readonly MessageRecord[]
  readonly ledger?: SpendLedger
  readonly clock?: Clock
  readonly pauseMs?: number
}

export function createAssistant({ ai, records = [], ledger, clock = processClock, pauseMs = 1 }: Setup) {
  const told = createTelemetry()
  const spent = createLedger()
  const asked: { sessionId: string; limit: number }[] = []
  const performer = createModelAssistant({
    endpoint: createChatEndpoint(ai),
    store: {
      async recentMessages(sessionId, limit) {
        asked.push({ sessionId, limit })
        return limit === 0 ? [] : records.slice(-limit)
      },
    },
    ledger: ledger ?? spent.ledger,
    clock,
    telemetry: told.telemetry,
    pauseMs,
  })
  const perform = async (request: EffectRequest): Promise<EffectResult> => performer.perform(request)
  return { perform, ...told, ...spent, asked }
}

export type RequestPart = {
  readonly bodies?: readonly string[]
  readonly draft?: Partial<DraftRequest>
  readonly settings?: JsonObject
  readonly signal?: AbortSignal
}

export function toRequest({ bodies = ['hello'], draft = {}, settings = {}, signal }: RequestPart = {}): EffectRequest {
  const messages = bodies.map((body, index) => ({ messageId: `m8-${index}`, body, media: [], notes: [], voices: [] }))
  const params = { turn: 1, attempt: 1, messages, omitted: 0, language: 'en', recovery: null, ...draft }
  return {
    effect: { effectId: 'c1:2:0', conversationId: 'c1', kind: 'draftReply', params } as unknown as Effect,
    session: {
      sessionId: 's1',
      tenantId: 't1',
      channelId: 'n1',
      businessAddress: 'whatsapp:+14155238886',
      replyAddress: 'whatsapp:+15005550006',
      settings,
    },
    deadlineMonotonicMs: Infinity,
    signal: signal ?? new AbortController().signal,
  }
}

/** Ids sort by `place`; the turn's messages of `toRequest` have 8. */
export function toRecord(
  place: string,
  author: MessageRecord['author'],
  body: string,
  part: Partial<MessageRecord> = {},
): MessageRecord {
  return {
    messageId: `m${place}`,
    conversationId: 'c1',
    direction: author === 'user' ? 'inbound' : 'outbound',
    author,
    body,
    media: [],
    providerId: null,
    raw: null,
    at: 1,
    ...part,
  }
}

function createTelemetry() {
  const counted = new Map<string, number>()
  const lines: Line[] = []
  const telemetry: Telemetry = {
    count(name, labels = {}, by = 1) {
      const key = [name, ...Object.values(labels)].join(' ')
      counted.set(key, (counted.get(key) ?? 0) + by)
    },
    observe: (name) => void counted.set(name, (counted.get(name) ?? 0) + 1),
    gauge: () => {},
    log: (_level, text, fields = {}) => void lines.push({ text, fields }),
  }
  return { telemetry, counted, lines }
}

function createLedger() {
  const reserved: Reservation[] = []
  const settled: { readonly reservation: Reservation; readonly micros: number }[] = []
  const ledger: SpendLedger = {
    async reserve({ tenantId, micros, maxMicros }) {
      if (micros > maxMicros) return null
      const reservation = { tenantId, day: '2026-11-25', micros }
      reserved.push(reservation)
      return reservation
    },
    async settle(reservation, { micros }) {
      settled.push({ reservation, micros })
    },
  }
  return { ledger, reserved, settled }
}
