/** The order as a machine that Duologue hosts: `DUOLOGUE_MACHINES=examples/order/order-registration.ts`. */
import type { AnyMachineSnapshot } from 'xstate'

import type { JsonObject } from '../../src/machines/json.ts'
import type { MachineRegistration, Opening } from '../../src/machines/registry.ts'
import { isClosed } from '../../src/machines/status.ts'
import type { Status } from '../../src/machines/status.ts'
import { readOrderCommand } from './order-events.ts'
import { orderMachine } from './order-machine.ts'
import type { OrderContext } from './order-machine.ts'

const statusOf: { readonly [state: string]: Status } = {
  choosing: 'PENDING',
  paying: 'PROGRESS',
  packing: 'PROGRESS',
  shipping: 'PROGRESS',
  asleep: 'IDLE_TIMEOUT',
  disputed: 'HUMAN_HANDOFF',
  delivered: 'AGENT_CLOSED',
  refunded: 'SUPPORT_CLOSED',
  cancelled: 'USER_CLOSED',
  lapsed: 'EXPIRED',
  unreachable: 'FAILED',
}

export const registration: MachineRegistration = {
  machine: orderMachine,
  opensOn: (event) => event.type === 'message.received' && consentOf(event) === null,
  toInput: ({ settings }) => ({ prices: readPrices(settings) }),
  toStatus,
  toReason: ({ context }) => (context as OrderContext).reason,
  toSpeaker(snapshot) {
    const { operatorId } = snapshot.context as OrderContext
    const status = toStatus(snapshot)
    if (isClosed(status)) return 'none'
    if (operatorId !== null) return `operator:${operatorId}`
    return status === 'HUMAN_HANDOFF' ? 'none' : 'assistant'
  },
  readCommand: readOrderCommand,
  toRefusal: (snapshot) => `the order is ${String(snapshot.value)}`,
  toConsent: (event) => consentOf(event),
  effectActions: ['sendMessage'],
}

function toStatus(snapshot: AnyMachineSnapshot): Status {
  const status = statusOf[String(snapshot.value)]
  if (status === undefined) throw new Error(`the order has no state ${String(snapshot.value)}`)
  return status
}

function consentOf(event: { readonly type: string }): 'withdrawn' | 'given' | null {
  const word = 'body' in event ? String(event.body).trim().toUpperCase() : ''
  if (word === 'STOP') return 'withdrawn'
  return word === 'START' ? 'given' : null
}

/** `prices` of the tenant's settings, in cents: `{ "tea": 350 }`. */
function readPrices({ prices }: Opening['settings']): JsonObject {
  if (typeof prices !== 'object' || prices === null || Array.isArray(prices)) return defaultPrices
  const usable = Object.entries(prices).filter(([, cents]) => typeof cents === 'number' && Number.isSafeInteger(cents))
  return usable.length === 0 ? defaultPrices : Object.fromEntries(usable)
}

const defaultPrices: JsonObject = { tea: 350, coffee: 420, cake: 510 }
