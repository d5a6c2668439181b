/** Random lives of a conversation for fast-check: what may happen, and how it is done to the pure driver. */
import fc from 'fast-check'

import { goodDraft, voiceNote } from './pure-conversation.ts'
import type { PureConversation } from './pure-conversation.ts'

export type Happening =
  | { readonly kind: 'message'; readonly body: string; readonly hasPicture: boolean; readonly isVoice?: boolean }
  | { readonly kind: 'pass'; readonly ms: number }
  /** Until the next timer, and a little less or more. */
  | { readonly kind: 'pass-until-due'; readonly offByMs: -1 | 0 | 1 }
  | { readonly kind: 'draft'; readonly output: unknown }
  | { readonly kind: 'draft-fails' }
  /** What was said in each awaited voice message. */
  | { readonly kind: 'heard'; readonly text: string | null }
  | { readonly kind: 'hearing-fails'; readonly code: string | null }
  | { readonly kind: 'event'; readonly event: { readonly type: string; readonly [field: string]: unknown } }

const bodies = [
  'hello',
  'and now?',
  'quando chega?',
  'ok',
  'onde está o meu pedido 4512?',
  '¿a qué hora abren?',
  'obrigado, mas ainda preciso de ajuda',
  'não quero sair',
  'sair',
  'obrigado!',
  'STOP',
  'START',
  'atendente',
  '',
  '\u0000 \uFFFD',
  'x'.repeat(5_000),
]

const outputs: readonly unknown[] = [
  goodDraft,
  { ...goodDraft, intent: 'handoff' },
  { ...goodDraft, intent: 'close' },
  { ...goodDraft, intent: 'close', confidence: 0.2 },
  { reply: '', intent: 'continue', confidence: 1 },
  null,
  'hello',
  { reply: 1 },
]

const operators = fc.constantFrom('ana', 'rui')

const operatorEvent = fc.oneof(
  operators.map((operatorId) => ({ type: 'operator.assigned', operatorId, at: 0 })),
  fc.record({ operatorId: operators, body: fc.constantFrom('a person here', 'x '.repeat(1_500)) }).map((reply) => ({
    type: 'operator.replied',
    mediaUrls: [],
    contentSid: null,
    at: 0,
    ...reply,
  })),
  operators.map((operatorId) => ({ type: 'operator.extended', operatorId, at: 0 })),
  operators.map((operatorId) => ({ type: 'operator.escalated', operatorId, reason: 'hard', at: 0 })),
  fc.record({ operatorId: operators, to: operators }).map((to) => ({ type: 'operator.transferred', at: 0, ...to })),
  fc.constant({ type: 'handoff.requested', operatorId: null, reason: '', at: 0 }),
  operators.map((operatorId) => ({ type: 'operator.released', operatorId, at: 0 })),
  fc
    .record({ operatorId: operators, as: fc.constantFrom('agent', 'support', 'nobody') })
    .map((closing) => ({ type: 'operator.closed', reason: 'solved', at: 0, ...closing })),
)

const otherEvent = fc.constantFrom(
  { type: 'delivery.updated', effectId: null, status: 'delivered', errorCode: null, at: 0 },
  { type: 'delivery.updated', effectId: null, status: 'failed', errorCode: '30003', at: 0 },
  { type: 'delivery.updated', effectId: null, status: 'undelivered', errorCode: '63024', at: 0 },
  { type: 'weather.changed' },
  { type: '' },
)

const message = fc.record({
  kind: fc.constant('message' as const),
  // Ordinary messages are the most frequent, or few lives would last.
  body: fc.oneof(
    { weight: 3, arbitrary: fc.constant('e agora?') },
    { weight: 1, arbitrary: fc.constantFrom(...bodies) },
  ),
  hasPicture: fc.boolean(),
  isVoice: fc.constantFrom(false, false, true),
})

export const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 6, arbitrary: message },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(0, 1, 700, 8_000, 3_600_000) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('pass-until-due' as const), offByMs: fc.constantFrom(-1, 0, 1) }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('draft' as const), output: fc.constantFrom(...outputs) }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'draft-fails' } as const) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('heard' as const),
      text: fc.constantFrom('onde está o meu pedido?', 'obrigado!', 'STOP', 'atendente', null),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('hearing-fails' as const),
      code: fc.constantFrom(null, 'not-configured', 'tenant-minute', 'tenant-hour'),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('event' as const), event: operatorEvent }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('event' as const), event: otherEvent }) },
)

/** The media of a message that happens. */
export function mediaOf({ hasPicture, isVoice = false }: Extract<Happening, { kind: 'message' }>) {
  return [...(isVoice ? [voiceNote] : []), ...(hasPicture ? [picture] : [])]
}

export const picture = { url: 'https://example.org/a.jpg', contentType: 'image/jpeg' } as const

/** How long a happening takes, ms; null when it takes no time. */
export function passedMs(conversation: PureConversation, what: Happening): number | null {
  if (what.kind === 'pass') return what.ms
  if (what.kind === 'pass-until-due') return Math.max(0, (conversation.nextDueMs ?? 0) + what.offByMs)
  return null
}

/** Does it to the conversation. False when it cannot happen there: a result without a draft. */
export function happen(conversation: PureConversation, what: Happening): boolean {
  switch (what.kind) {
    case 'message':
      conversation.message(what.body, mediaOf(what))
      return true
    case 'pass':
    case 'pass-until-due':
      conversation.advance(passedMs(conversation, what) ?? 0)
      return true
    case 'draft':
      if (conversation.draft === null) return false
      conversation.finishDraft(what.output)
      return true
    case 'draft-fails':
      if (conversation.draft === null) return false
      conversation.failDraft()
      return true
    case 'heard':
      if (conversation.hearing === null) return false
      conversation.finishHearing(...conversation.hearing.notes.map(() => what.text))
      return true
    case 'hearing-fails':
      if (conversation.hearing === null) return false
      conversation.failHearing(what.code)
      return true
    case 'event':
      conversation.send(what.event)
      return true
  }
}
