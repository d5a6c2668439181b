/** The example order for the kit: another machine, other events, other states, the same service. */
import fc from 'fast-check'

import { registration } from '../../../examples/order/order-registration.ts'
import type { OrderContext } from '../../../examples/order/order-machine.ts'
import type { JsonObject } from '../../../src/machines/json.ts'
import type { Act, Model, Move } from '../kit/model.ts'

function says(name: string, ...texts: readonly string[]): Move {
  return { name, kind: 'say', acts: fc.constantFrom(...texts).map((text): Act => ({ kind: 'say', text })) }
}

function commands(name: string, path: string | null, events: fc.Arbitrary<JsonObject>): Move {
  return { name, kind: 'command', acts: events.map((event): Act => ({ kind: 'command', name: path, event })) }
}

const reference = fc.integer({ min: 1, max: 9_999 }).map((number) => `R-${number}`)

function paid(cents: fc.Arbitrary<number>): fc.Arbitrary<JsonObject> {
  return fc.record({ type: fc.constant('order.paid'), cents, reference })
}

const moves: readonly Move[] = [
  // The prices of the tenant: every item costs the same, so that any choice leads the same way.
  says('the user names an item', 'tea for {walk}', 'one Coffee, {walk}', 'CAKE please'),
  says('the user says something else', 'what do you have, {walk}?', 'hello {walk}'),
  says('the user wants to pay', 'pay', ' PAY '),
  says('the user cancels', 'cancel', 'Cancel'),
  says('the user opts out', 'STOP'),
  { name: 'time passes', kind: 'pass', acts: fc.constant({ kind: 'pass' }) },
  commands('everything is paid', null, paid(fc.integer({ min: 10_000, max: 20_000 }))),
  commands('too little is paid', null, paid(fc.integer({ min: 1, max: 2 }))),
  commands(
    'the parcel leaves',
    null,
    reference.map((tracking) => ({ type: 'order.shipped', tracking })),
  ),
  commands('Ana looks after it', 'assign', fc.constant({ type: 'operator.assigned', operatorId: 'ana' })),
  commands('Ana settles it', 'release', fc.constant({ type: 'operator.released', operatorId: 'ana' })),
  commands('Bia settles it', 'release', fc.constant({ type: 'operator.released', operatorId: 'bia' })),
  commands('support gives the money back', 'close', fc.constant({ type: 'operator.closed', operatorId: 'carl' })),
  {
    name: 'the confirmation is written',
    kind: 'result',
    acts: fc.constantFrom('Your tea is being packed!', 'All paid, thank you.').map((reply) => ({
      kind: 'result',
      result: { kind: 'done', output: { reply, intent: 'continue', confidence: 1 } },
    })),
  },
  {
    name: 'the confirmation fails',
    kind: 'result',
    acts: fc.constant({ kind: 'result', result: { kind: 'failed', code: 'malformed', content: 'no' } }),
  },
  {
    name: 'the user cannot be reached',
    kind: 'delivery',
    acts: fc.constant({ kind: 'delivery', status: 'undelivered', errorCode: '63024' }),
  },
  {
    name: 'a message is lost',
    kind: 'delivery',
    acts: fc.constant({ kind: 'delivery', status: 'failed', errorCode: '30003' }),
  },
]

export const orderModel: Model = {
  registration,
  module: 'examples/order/order-registration.ts',
  profiles: [
    {
      name: 'shop',
      businessAddress: 'whatsapp:+14155238892',
      settings: {
        machine: 'order',
        prices: { tea: 400, coffee: 400, cake: 400 },
        assistantTimeoutMs: 240_000,
        assistantInputPrice: 0,
        assistantOutputPrice: 0,
      },
    },
  ],
  moves,
  keep(context) {
    const { lines, operatorId } = context as unknown as OrderContext
    return [Math.min(lines.length, 1), operatorId]
  },
  isRisky: (state) => ['paying', 'packing', 'disputed', 'delivered', 'refunded', 'cancelled', 'lapsed'].includes(state),
  unwalked: [],
  isSilentAfterStop: false,
}
