/**
 * A shop's order, by message: choose, pay, have it packed and shipped. Plain XState, and nothing of Duologue but the
 * shape of its events; `order-registration.ts` is what makes it one that Duologue hosts.
 *
 * Its states have names of their own. Which of the nine statuses each of them is stands in the registration.
 */
import { assign, fromPromise, setup } from 'xstate'

import type { DeliveryUpdated, MessageReceived } from '../../src/machines/events.ts'
import type { Json } from '../../src/machines/json.ts'
import type { OrderEvent } from './order-events.ts'

export type OrderInput = { readonly prices: { readonly [item: string]: number } }

type Line = { readonly item: string; readonly cents: number }

export type OrderContext = {
  readonly prices: { readonly [item: string]: number }
  readonly lines: readonly Line[]
  readonly paidCents: number
  readonly operatorId: string | null
  readonly reason: string
}

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const linesMax = 20

type AnyEvent = { readonly type: string }

const words = setup({
  types: {
    context: {} as OrderContext,
    events: {} as MessageReceived | DeliveryUpdated | OrderEvent,
    input: {} as OrderInput,
  },
  actors: {
    // The assistant of the deployment writes the confirmation; the host performs it.
    draftReply: fromPromise<Json, Json>(() => Promise.reject(new Error('draftReply is performed by the host'))),
  },
  delays: {
    choosing: hourMs,
    reminder: 30 * minuteMs,
    patience: 12 * hourMs,
    packing: 10 * minuteMs,
    shipping: 2 * hourMs,
    dispute: 3 * hourMs,
  },
  guards: {
    cancels: ({ event }) => wordOf(event) === 'cancel',
    paysSomething: ({ context, event }) => wordOf(event) === 'pay' && context.lines.length > 0,
    namesItem: ({ context, event }) => context.lines.length < linesMax && priceOf(context, event) !== null,
    isCovered: ({ context, event }) => context.paidCents + centsOf(event) >= totalOf(context),
    isAssigned: ({ context, event }) => 'operatorId' in event && event.operatorId === context.operatorId,
    isFree: ({ context }) => context.operatorId === null,
    neverArrives: ({ event }) =>
      event.type === 'delivery.updated' && event.status === 'undelivered' && event.errorCode === '63024',
  },
  actions: {
    sendMessage: (_, _message: { readonly author: 'assistant' | 'system'; readonly body: string }) => {},
    addItem: assign({ lines: ({ context, event }) => [...context.lines, ...toLine(context, event)] }),
    notePayment: assign({ paidCents: ({ context, event }) => context.paidCents + centsOf(event) }),
    assignOperator: assign({ operatorId: ({ event }) => ('operatorId' in event ? event.operatorId : null) }),
    dropOperator: assign({ operatorId: null }),
    noteReason: assign({ reason: (_, params: { readonly reason: string }) => params.reason }),
  },
})

function because(reason: string) {
  return { type: 'noteReason', params: { reason } } as const
}

function say(toBody: (context: OrderContext, event: AnyEvent) => string) {
  return {
    type: 'sendMessage',
    params: ({ context, event }: { readonly context: OrderContext; readonly event: AnyEvent }) => {
      return { author: 'system' as const, body: toBody(context, event) }
    },
  } as const
}

const cancels = {
  guard: 'cancels',
  target: 'cancelled',
  actions: [because('the user cancelled'), say(() => 'Cancelled.')],
} as const

const paid = [
  { guard: 'isCovered', target: 'packing', actions: ['notePayment', because('it is paid')] },
  {
    target: 'disputed',
    actions: [
      'notePayment',
      because('too little was paid'),
      say((context) => `${toPrice(dueOf(context))} are missing.`),
    ],
  },
] as const

export const orderMachine = words.createMachine({
  id: 'order',
  version: '1',
  options: { maxIterations: 100 },
  context: ({ input }: { readonly input: OrderInput | undefined }) => {
    return { prices: input?.prices ?? {}, lines: [], paidCents: 0, operatorId: null, reason: 'the user wrote' }
  },
  initial: 'choosing',
  on: {
    'operator.closed': {
      target: '.refunded',
      actions: [because('support gave the money back'), say(() => 'Refunded.')],
    },
    'delivery.updated': {
      guard: 'neverArrives',
      target: '.unreachable',
      actions: because('the user cannot be reached'),
    },
  },
  states: {
    choosing: {
      description: 'The user puts things into the basket.',
      on: {
        'message.received': [
          cancels,
          {
            guard: 'paysSomething',
            target: 'paying',
            actions: [because('the basket is full'), say((context) => `Please pay ${toPrice(dueOf(context))}.`)],
          },
          {
            guard: 'namesItem',
            target: 'choosing',
            reenter: true,
            actions: [
              'addItem',
              say((context) => `That makes ${toPrice(totalOf(context))}. Write PAY when you are done.`),
            ],
          },
          {
            target: 'choosing',
            reenter: true,
            actions: say((context) => `We have ${toMenu(context).join(', ')}.`),
          },
        ],
      },
      after: { choosing: { target: 'lapsed', actions: because('the basket was left') } },
    },
    paying: {
      description: 'Waits for the money.',
      on: {
        'message.received': [cancels, { actions: say((context) => `${toPrice(dueOf(context))} are due.`) }],
        'order.paid': paid,
      },
      after: { reminder: { target: 'asleep', actions: [because('nobody paid'), say(() => 'Do you still want it?')] } },
    },
    asleep: {
      description: 'The user was reminded and has not answered.',
      on: {
        'message.received': [cancels, { target: 'paying', actions: because('the user came back') }],
        'order.paid': paid,
      },
      after: { patience: { target: 'lapsed', actions: because('nobody paid in the end') } },
    },
    packing: {
      description: 'It is paid; the assistant writes the confirmation while it is packed.',
      invoke: {
        id: 'confirmation',
        src: 'draftReply',
        input: ({ context }) => toConfirmationRequest(context),
        onDone: {
          target: 'shipping',
          actions: [because('it was confirmed'), { type: 'sendMessage', params: toConfirmation }],
        },
        onError: { target: 'shipping', actions: [because('it was confirmed plainly'), say(() => 'Paid, thank you!')] },
      },
      after: {
        packing: { target: 'shipping', actions: [because('it was confirmed plainly'), say(() => 'Paid, thank you!')] },
      },
    },
    shipping: {
      description: 'Packed; the carrier comes.',
      on: {
        'order.shipped': {
          target: 'delivered',
          actions: [
            because('it is on its way'),
            say((_, event) => `On its way: ${'tracking' in event ? String(event.tracking) : ''}`),
          ],
        },
      },
      after: { shipping: { target: 'disputed', actions: because('the carrier did not come') } },
    },
    disputed: {
      description: 'Something is wrong; a person looks after it.',
      exit: 'dropOperator',
      on: {
        'operator.assigned': { guard: 'isFree', actions: ['assignOperator', because('somebody looks after it')] },
        'operator.released': { guard: 'isAssigned', target: 'shipping', actions: because('it was settled') },
      },
      after: { dispute: { target: 'lapsed', actions: because('nobody looked after it') } },
    },
    delivered: {
      description: 'Done.',
      tags: 'closed',
      on: { 'operator.closed': { target: 'refunded', actions: because('support gave the money back') } },
    },
    refunded: { description: 'Support gave the money back.', tags: 'closed', on: { 'operator.closed': {} } },
    cancelled: { description: 'The user cancelled.', tags: 'closed', on: { 'operator.closed': {} } },
    lapsed: { description: 'Time ran out.', tags: 'closed' },
    unreachable: {
      description: 'The user cannot be reached.',
      tags: 'closed',
      on: { 'operator.closed': {}, 'delivery.updated': {} },
    },
  },
})

function wordOf(event: AnyEvent): string {
  return event.type === 'message.received' ? (event as MessageReceived).body.trim().toLowerCase() : ''
}

/** "2 tea, please" names tea. */
function toLine({ prices }: OrderContext, event: AnyEvent): readonly Line[] {
  const said = wordOf(event).split(/\W+/u)
  const item = toMenu({ prices }).find((name) => said.includes(name))
  return item === undefined ? [] : [{ item, cents: prices[item] ?? 0 }]
}

/** In an order of its own: a stored context comes back with its keys in another one. */
function toMenu({ prices }: Pick<OrderContext, 'prices'>): readonly string[] {
  return Object.keys(prices).toSorted()
}

function priceOf(context: OrderContext, event: AnyEvent): number | null {
  return toLine(context, event)[0]?.cents ?? null
}

function centsOf(event: AnyEvent): number {
  return 'cents' in event && typeof event.cents === 'number' ? event.cents : 0
}

function totalOf({ lines }: OrderContext): number {
  return lines.reduce((sum, { cents }) => sum + cents, 0)
}

function dueOf(context: OrderContext): number {
  return totalOf(context) - context.paidCents
}

function toPrice(cents: number): string {
  return `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`
}

/** The form that the assistant takes (`DraftRequest`). */
function toConfirmationRequest({ lines }: OrderContext): Json {
  const body = `Confirm in one friendly sentence that this order is paid: ${lines.map(({ item }) => item).join(', ')}`
  return {
    turn: 1,
    attempt: 1,
    messages: [{ messageId: 'confirmation', body, media: [] }],
    omitted: 0,
    language: 'en',
    recovery: null,
  }
}

function toConfirmation({ event }: { readonly event: AnyEvent }) {
  const { output } = event as { readonly output?: { readonly reply?: string } }
  return { author: 'assistant' as const, body: output?.reply ?? 'Paid, thank you!' }
}
