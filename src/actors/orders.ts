/**
 * Turns the orders of one step into rows: timers, effects and the messages that effects will send.
 * The table of DESIGN D1, from the host's side.
 */
import type { Json, JsonObject } from '../machines/json.ts'
import { assert } from './assert.ts'
import type { Effect, Ids, MessageRecord, Timer, Timers } from './ports.ts'
import type { ConversationState } from './session-state.ts'
import type { Order } from './step.ts'

export type OrdersResult = {
  readonly timers: Timers
  /** All unsettled effects of the session after the step. */
  readonly effects: readonly Effect[]
  readonly wanted: readonly Effect[]
  readonly cancelled: readonly Effect[]
  readonly messages: readonly MessageRecord[]
  readonly emitted: readonly Json[]
}

type OrdersContext = {
  readonly before: ConversationState
  readonly unsettled: readonly Effect[]
  readonly version: number
  readonly at: number
  readonly speakerToken: number
  readonly ids: Ids
}

/** The one action whose effect is a message to the user. */
const sendMessage = 'sendMessage'

export function toOrdersResult(orders: readonly Order[], context: OrdersContext): OrdersResult {
  const { before, version, at } = context
  const timers: Record<string, Timer> = { ...before.timers }
  const wanted: Effect[] = []
  const cancelled: Effect[] = []
  const messages: MessageRecord[] = []
  const emitted: Json[] = []
  let effects = [...context.unsettled]
  for (const [index, order] of orders.entries()) {
    switch (order.kind) {
      case 'arm-timer':
        // The token names this arming: a timer that was armed again is another one, though its id is the same.
        timers[order.timerId] = { dueAt: at + order.delayMs, token: `${version}:${index}`, event: order.event }
        break
      case 'cancel-timer':
        delete timers[order.timerId]
        break
      case 'start-child':
        wanted.push(toChildEffect(order, index, context))
        break
      case 'stop-child': {
        const isStopped = (effect: Effect): boolean =>
          effect.conversationId === before.conversationId && effect.childId === order.childId
        cancelled.push(...effects.filter(isStopped))
        effects = effects.filter((effect) => !isStopped(effect))
        break
      }
      case 'perform': {
        const message = order.action === sendMessage ? toOutboundMessage(order.params, context) : null
        if (message !== null) messages.push(message)
        wanted.push(toActionEffect(order, index, message?.messageId ?? null, context))
        break
      }
      case 'emit':
        emitted.push(order.event)
        break
    }
  }
  return { timers, effects: [...effects, ...wanted], wanted, cancelled, messages, emitted }
}

/** Nothing outside sees a draft: it is committed as running and starts with the commit. */
function toChildEffect(order: Extract<Order, { kind: 'start-child' }>, index: number, context: OrdersContext): Effect {
  const { source, childId, input } = order
  return { ...toEffect(source, index, context), params: input, childId, status: 'running', attempts: 1 }
}

/** What the world sees waits as pending until the database has checked once more that it may start. */
function toActionEffect(
  order: Extract<Order, { kind: 'perform' }>,
  index: number,
  messageId: string | null,
  context: OrdersContext,
): Effect {
  return { ...toEffect(order.action, index, context), params: order.params, messageId }
}

function toEffect(kind: string, index: number, { before, version, speakerToken }: OrdersContext): Effect {
  return {
    effectId: `${before.conversationId}:${version}:${index}`,
    conversationId: before.conversationId,
    kind,
    params: null,
    childId: null,
    speakerToken,
    status: 'pending',
    attempts: 0,
    nextAttemptAt: null,
    deadline: null,
    startedAt: null,
    messageId: null,
  }
}

function toOutboundMessage(params: Json, { before, at, ids }: OrdersContext): MessageRecord {
  const { author, body, mediaUrls = [], contentSid } = params as JsonObject
  assert(typeof body === 'string' && Array.isArray(mediaUrls), 'a reply is malformed')
  const isSomething = body !== '' || mediaUrls.length > 0 || typeof contentSid === 'string'
  assert(isSomething, 'a reply has no text, no media and no template')
  assert(author === 'assistant' || author === 'operator' || author === 'system', 'a reply has no author')
  return {
    messageId: ids.next(),
    conversationId: before.conversationId,
    direction: 'outbound',
    author,
    body,
    media: mediaUrls.map((url) => ({ url: String(url), contentType: '' })),
    providerId: null,
    raw: null,
    at,
  }
}
