/**
 * The conversation machine run by the pure functions alone, as the host runs it: timers are kept in a
 * map, the draft is an open request, messages to the user are a list. Time moves only by `advance`.
 */
import { createActor, initialTransition, transition } from 'xstate'
import type { AnyMachineSnapshot, EventObject, ExecutableActionObject } from 'xstate'

import type { ConversationContext, ConversationInput } from '../../src/machines/conversation/context.ts'
import type { DraftRequest } from '../../src/machines/conversation/draft.ts'
import { conversationMachine } from '../../src/machines/conversation/machine.ts'
import type { OutboundMessage } from '../../src/machines/conversation/to-replies.ts'
import type { TranscribeRequest } from '../../src/machines/conversation/transcription.ts'
import type { ContentPart } from '../../src/machines/content.ts'
import type { Json, JsonObject } from '../../src/machines/json.ts'

export const openedAt = 1_800_000_000_000

export const whatsapp: ConversationInput = {
  scheme: 'whatsapp',
  settings: {},
  previousStatus: null,
  previousReason: null,
}

/** One thing that the chart asked for, as plain data. */
export type Order =
  | { readonly kind: 'arm'; readonly id: string; readonly delayMs: number; readonly event: EventObject }
  | { readonly kind: 'cancel'; readonly id: string }
  | { readonly kind: 'start'; readonly id: string; readonly source: string; readonly input: unknown }
  | { readonly kind: 'stop'; readonly id: string }
  | { readonly kind: 'emit'; readonly event: unknown }
  | { readonly kind: 'perform'; readonly action: string; readonly params: unknown }

export type View = {
  readonly value: Json
  readonly context: ConversationContext
  readonly sent: readonly OutboundMessage[]
  readonly draft: DraftRequest | null
  readonly hearing: TranscribeRequest | null
}

export class PureConversation {
  now = openedAt
  snapshot: AnyMachineSnapshot
  readonly sent: OutboundMessage[] = []
  draft: DraftRequest | null = null
  hearing: TranscribeRequest | null = null
  /** Messages that the chart said it would not answer. */
  readonly limited: string[] = []
  readonly timers = new Map<string, { readonly dueAt: number; readonly event: EventObject }>()
  steps = 0
  /** Called before every step; a test may look at what is about to happen. */
  onStep: (snapshot: AnyMachineSnapshot, event: EventObject) => void = () => {}
  private messages = 0

  constructor(input: ConversationInput = whatsapp) {
    const [snapshot, actions] = initialTransition(conversationMachine, input)
    this.snapshot = snapshot
    this.follow(toOrders(actions))
  }

  get context(): ConversationContext {
    return this.snapshot.context as ConversationContext
  }

  /** `PROGRESS.waiting`, `EXPIRED`: where the chart stands. */
  get state(): string {
    const value = this.snapshot.value as string | Record<string, string>
    return typeof value === 'string' ? value : Object.entries(value).flat().join('.')
  }

  get view(): View {
    const { context, sent, draft, hearing } = this
    return structuredClone({ value: this.snapshot.value as Json, context, sent, draft, hearing })
  }

  send(event: EventObject): readonly Order[] {
    this.onStep(this.snapshot, event)
    const [next, actions] = transition(conversationMachine, this.snapshot as never, event as never)
    this.snapshot = next
    this.steps += 1
    const orders = toOrders(actions)
    this.follow(orders)
    return orders
  }

  message(
    body: string,
    media: readonly { url: string; contentType: string }[] = [],
    content?: readonly ContentPart[],
  ): readonly Order[] {
    this.messages += 1
    const parts = content === undefined ? {} : { content }
    const messageId = `m${this.messages}`
    return this.send({ type: 'message.received', messageId, body, media, ...parts, at: this.now } as never)
  }

  /** One voice message alone. */
  voice(): readonly Order[] {
    return this.message('', [voiceNote])
  }

  /** Each awaited voice message was heard as the text at its place; null: it cannot be read. */
  finishHearing(...texts: readonly (string | null)[]): void {
    const notes = this.hearing?.notes ?? []
    const transcripts = notes.map(({ messageId, media }, index) => ({ messageId, media, text: texts[index] ?? null }))
    this.send({ type: 'xstate.done.actor.transcribe', output: { transcripts }, actorId: 'transcribe' } as never)
  }

  failHearing(code: string | null = null): void {
    const error = { message: 'no answer', code }
    this.send({ type: 'xstate.error.actor.transcribe', error, actorId: 'transcribe' } as never)
  }

  finishDraft(output: unknown): void {
    this.send({ type: 'xstate.done.actor.draftReply', output, actorId: 'draftReply' } as never)
  }

  failDraft(code: string | null = null): void {
    this.send({
      type: 'xstate.error.actor.draftReply',
      error: { message: 'no answer', ...(code !== null && { code }) },
      actorId: 'draftReply',
    } as never)
  }

  /** When the next timer is due, ms from now; null when none is armed. */
  get nextDueMs(): number | null {
    const dues = [...this.timers.values()].map(({ dueAt }) => dueAt)
    return dues.length === 0 ? null : Math.min(...dues) - this.now
  }

  /** Lets time pass; what is due in it fires in order, each at its own moment. */
  advance(byMs: number): void {
    const until = this.now + byMs
    for (let due = this.nextDueMs; due !== null && this.now + due <= until; due = this.nextDueMs) {
      this.now += due
      const [id, timer] = [...this.timers].find(([, { dueAt }]) => dueAt === this.now) ?? []
      if (id === undefined || timer === undefined) throw new Error('no timer is due')
      this.timers.delete(id)
      this.send(timer.event)
    }
    this.now = until
  }

  private follow(orders: readonly Order[]): void {
    for (const order of orders) {
      if (order.kind === 'arm') this.timers.set(order.id, { dueAt: this.now + order.delayMs, event: order.event })
      if (order.kind === 'cancel') this.timers.delete(order.id)
      if (order.kind === 'start' && order.source === 'draftReply') this.draft = order.input as DraftRequest
      if (order.kind === 'start' && order.source === 'transcribe') this.hearing = order.input as TranscribeRequest
      if (order.kind === 'stop' && order.id === 'draftReply') this.draft = null
      if (order.kind === 'stop' && order.id === 'transcribe') this.hearing = null
      if (order.kind === 'emit') this.limited.push(toLimited(order.event as { type: string; messageId: string }))
      if (order.kind === 'perform') this.sent.push(toSent(order))
    }
  }
}

export function toOrders(actions: readonly ExecutableActionObject[]): readonly Order[] {
  return actions.map(({ type, params }): Order => {
    const fields = params as Record<string, never>
    switch (type) {
      case 'xstate.raise':
        return { kind: 'arm', id: fields['id']!, delayMs: fields['delay']!, event: fields['event']! }
      case 'xstate.cancel':
        return { kind: 'cancel', id: fields['sendId']! }
      case 'xstate.spawnChild':
        return { kind: 'start', id: fields['id']!, source: fields['src']!, input: fields['input'] }
      case 'xstate.stopChild':
        return { kind: 'stop', id: fields['id']! }
      case 'xstate.emit':
        return { kind: 'emit', event: fields['event'] }
      default:
        return { kind: 'perform', action: type, params }
    }
  })
}

function toLimited({ type, messageId }: { readonly type: string; readonly messageId: string }): string {
  if (type !== 'message.limited') throw new Error(`nobody listens to ${type}`)
  return messageId
}

function toSent({ action, params }: Order & { readonly kind: 'perform' }): OutboundMessage {
  if (action !== 'sendMessage') throw new Error(`nobody performs ${action}`)
  return params as OutboundMessage
}

/** The snapshot as a row of the database keeps it. */
export function persist(snapshot: AnyMachineSnapshot): string {
  return JSON.stringify(conversationMachine.getPersistedSnapshot(snapshot as never))
}

export function restore(stored: string): AnyMachineSnapshot {
  return createActor(conversationMachine, { snapshot: JSON.parse(stored) as never, input: whatsapp }).getSnapshot()
}

// ── Ways to get somewhere ────────────────────────────────────────────────────────────────────────

export const voiceNote = { url: 'https://example.org/voice.ogg', contentType: 'audio/ogg' } as const

export const goodDraft = { reply: 'Hello, how can I help?', intent: 'continue', confidence: 0.9 } as const

export type Place =
  | 'PENDING.collecting'
  | 'PENDING.transcribing'
  | 'PENDING.answering'
  | 'PROGRESS.waiting'
  | 'PROGRESS.collecting'
  | 'PROGRESS.transcribing'
  | 'PROGRESS.answering'
  | 'HUMAN_HANDOFF.queued'
  | 'HUMAN_HANDOFF.assigned'
  | 'IDLE_TIMEOUT'
  | 'EXPIRED'
  | 'AGENT_CLOSED'
  | 'SUPPORT_CLOSED'
  | 'USER_CLOSED'
  | 'FAILED'

const waysTo: { readonly [place in Place]: (conversation: PureConversation) => void } = {
  'PENDING.collecting': (c) => void c.message('hello'),
  'PENDING.transcribing': (c) => {
    c.voice()
    c.advance(c.context.settings.quietMs)
  },
  'PENDING.answering': (c) => reach(c, 'PENDING.collecting').advance(c.context.settings.quietMs),
  'PROGRESS.waiting': (c) => reach(c, 'PENDING.answering').finishDraft(goodDraft),
  'PROGRESS.collecting': (c) => void reach(c, 'PROGRESS.waiting').message('where is my order?'),
  'PROGRESS.transcribing': (c) => {
    reach(c, 'PROGRESS.waiting').voice()
    c.advance(c.context.settings.quietMs)
  },
  'PROGRESS.answering': (c) => reach(c, 'PROGRESS.collecting').advance(c.context.settings.quietMs),
  'HUMAN_HANDOFF.queued': (c) => failThrice(reach(c, 'PROGRESS.answering')),
  'HUMAN_HANDOFF.assigned': (c) => void reach(c, 'HUMAN_HANDOFF.queued').send(operator(c, 'assigned')),
  IDLE_TIMEOUT: (c) => reach(c, 'PROGRESS.waiting').advance(c.context.settings.idleTimeoutMs),
  EXPIRED: (c) => reach(c, 'IDLE_TIMEOUT').advance(c.context.settings.idleExpiryMs),
  AGENT_CLOSED: (c) => void reach(c, 'PROGRESS.waiting').send(operator(c, 'closed', { as: 'agent', reason: 'done' })),
  SUPPORT_CLOSED: (c) =>
    void reach(c, 'PROGRESS.waiting').send(operator(c, 'closed', { as: 'support', reason: 'done' })),
  USER_CLOSED: (c) => void reach(c, 'PROGRESS.waiting').message('exit'),
  FAILED: (c) => {
    reach(c, 'HUMAN_HANDOFF.queued').advance(c.context.settings.handoffQueueMs)
    c.message('are you there?')
    c.advance(c.context.settings.quietMs)
    failThrice(c)
  },
}

export const places = Object.keys(waysTo) as readonly Place[]

/** Leads a new conversation to a place in the chart, by the events of a usual life. */
export function reach(conversation: PureConversation, place: Place): PureConversation {
  waysTo[place](conversation)
  if (conversation.state !== place) throw new Error(`the way to ${place} led to ${conversation.state}`)
  return conversation
}

export function at(place: Place, settings: JsonObject = {}): PureConversation {
  return reach(new PureConversation({ ...whatsapp, settings }), place)
}

export function failThrice(conversation: PureConversation): void {
  for (let failed = 0; failed < 3; failed += 1) conversation.failDraft()
}

export function operator(
  conversation: PureConversation,
  what: 'assigned' | 'replied' | 'released' | 'transferred' | 'escalated' | 'extended' | 'closed',
  more: JsonObject = {},
): EventObject {
  const parts = { replied: { mediaUrls: [], contentSid: null }, escalated: { reason: '' } } as {
    [what: string]: object
  }
  return { type: `operator.${what}`, operatorId: 'ana', at: conversation.now, ...parts[what], ...more } as EventObject
}
