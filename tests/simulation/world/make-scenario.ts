/** Makes the scenario of a seed. Every kind of trouble is rare in most seeds and frequent in some. */
import type { JsonObject } from '../../../src/machines/json.ts'
import { createRandom } from '../engine/random.ts'
import type { SeededRandom } from '../engine/random.ts'
import { chanceFaults } from './faults.ts'
import type { ChanceFault, Rates } from './faults.ts'
import { operatorDeeds } from './scenario.ts'
import type { Action, Scenario } from './scenario.ts'

/** What a busy seed's chance of each fault is, per occasion. */
const usualRates: { readonly [fault in ChanceFault]: number } = {
  'node-killed-at-point': 0.01,
  'node-paused-at-point': 0.005,
  'store-slow': 0.02,
  'store-transaction-slow': 0.01,
  'store-error-before-commit': 0.02,
  'store-answer-lost': 0.02,
  'store-request-late': 0.005,
  'store-stale-read': 0.1,
  'log-ack-lost': 0.05,
  'log-duplicate-stored': 0.2,
  'log-delivery-late': 0.04,
  'twilio-timeout-after-accept': 0.06,
  'twilio-timeout-before-accept': 0.06,
  'twilio-accepted-late': 0.03,
  'twilio-429': 0.06,
  'twilio-refused': 0.04,
  'twilio-list-failed': 0.15,
  'twilio-undelivered': 0.1,
  'callback-lost': 0.1,
  'callback-duplicate': 0.1,
  'callback-early': 0.1,
  'callback-reordered': 0.1,
  'webhook-duplicate': 0.08,
  'webhook-reordered': 0.1,
  'ai-slow': 0.06,
  'ai-wrong-form': 0.05,
  'ai-error': 0.05,
  'ai-silent': 0.02,
  'ai-ignores-abort': 0.3,
}

const rateMax = 0.5

export const machinePoison = '☠ machine'
export const storePoison = '☠ store'
const ordinary = [
  'hello',
  'and my order?',
  'onde está meu pedido',
  '12345',
  'please',
  'gracias, pero necesito ayuda',
  'ok?',
]
const endings = ['tchau', 'obrigado!', 'thanks, bye', 'encerrar']
export const optOuts: readonly string[] = ['STOP', 'parar']
export const optIns: readonly string[] = ['START']
const forPerson = ['quero falar com um atendente', 'I want to talk to a person']

export function makeScenario(seed: number): Scenario {
  const random = createRandom(seed)
  const users = random.int(1, 6)
  const lengthMs = random.int(15, 150) * 1_000
  const nodes = random.pick([1, 2, 2, 3, 3, 4])
  const partitions = random.pick([1, 2, 3, 5])
  const shape = { users, lengthMs, nodes, partitions, leaseMs: random.pick([1_500, 3_000, 3_000, 10_000]) }
  const messages = makeMessages(random, shape)
  return {
    seed,
    ...shape,
    settings: makeSettings(random),
    rates: makeRates(random),
    lagMs: random.int(500, 5_000),
    actions: [...messages, ...makeOperators(random, shape), ...makeFaults(random, shape)].toSorted(
      (a, b) => a.at - b.at,
    ),
    night: random.chance(0.3) ? { days: random.pick([0.05, 1, 3, 4]), retried: pickRetried(random, messages) } : null,
  }
}

type Shape = Pick<Scenario, 'users' | 'lengthMs' | 'nodes' | 'partitions' | 'leaseMs'>

function makeSettings(random: SeededRandom): JsonObject {
  const short = {
    idleTimeoutMs: random.int(5, 60) * 1_000,
    idleExpiryMs: random.int(5, 60) * 1_000,
    handoffQueueMs: random.int(5, 60) * 1_000,
    handoffExpiryMs: random.int(10, 60) * 1_000,
    pendingExpiryMs: random.int(30, 120) * 1_000,
  }
  const answering = { answeringMs: random.pick([5_000, 15_000, 60_000]) }
  return random.chance(0.6) ? { ...short, ...answering } : answering
}

function makeRates(random: SeededRandom): Rates {
  const calm = random.chance(0.1)
  const rates: { [fault in ChanceFault]?: number } = {}
  for (const fault of chanceFaults) {
    const weight = calm ? 0 : random.pick([0, 0, 0.3, 1, 1, 3, 10])
    if (weight > 0) rates[fault] = Math.min(rateMax, usualRates[fault] * weight)
  }
  return rates
}

function makeMessages(random: SeededRandom, { users, lengthMs }: Shape): Extract<Action, { kind: 'message' }>[] {
  const messages: Extract<Action, { kind: 'message' }>[] = []
  const poison = random.chance(0.12) ? random.pick([machinePoison, storePoison]) : null
  for (let user = 0; user < users; user += 1) {
    let at = random.int(0, lengthMs / 3)
    for (let burst = random.int(1, 5); burst > 0 && at < lengthMs; burst -= 1) {
      for (let left = random.int(1, 4); left > 0; left -= 1) {
        messages.push({
          at,
          kind: 'message',
          user,
          body: makeBody(random, left === 1),
          id: `SM-${user}-${messages.length}`,
        })
        at += random.pick([0, 5, 300, 900, 1_700])
      }
      at += random.pick([1_600, 4_000, 9_000, 30_000, 70_000])
    }
  }
  const last = messages.at(-1)
  if (poison !== null && last !== undefined)
    messages.push({ ...last, body: poison, id: `SM-poison-${messages.length}` })
  return messages
}

/** Somebody takes a conversation over, answers, and gives it back or closes it; at times out of turn. */
function makeOperators(random: SeededRandom, { users, lengthMs }: Shape): Action[] {
  const deeds: Action[] = []
  for (let left = random.pick([0, 0, 1, 2, 3]); left > 0; left -= 1) {
    const user = random.int(0, users - 1)
    let at = random.int(1_000, lengthMs)
    const usual = [
      'assigned',
      'replied',
      'replied',
      random.pick(['released', 'closed', 'escalated', 'extended'] as const),
    ] as const
    for (const does of usual) {
      const deed = random.chance(0.9) ? does : random.pick(operatorDeeds)
      deeds.push({ at, kind: 'operator', user, does: deed, id: `C-${left}-${deeds.length}`, looks: random.chance(0.5) })
      at += random.pick([0, 400, 2_000, 6_000])
    }
  }
  return deeds
}

function makeBody(random: SeededRandom, isLast: boolean): string {
  if (!isLast || random.chance(0.6)) return random.pick(ordinary)
  return random.pick([...endings, ...optOuts, ...optIns, ...forPerson, ...forPerson])
}

function makeFaults(random: SeededRandom, shape: Shape): Action[] {
  const faults: Action[] = []
  for (let left = random.pick([0, 1, 2, 3, 5, 8]); left > 0; left -= 1) {
    faults.push(makeFault(random, random.int(0, shape.lengthMs), shape))
  }
  return faults
}

function makeFault(random: SeededRandom, at: number, { nodes, partitions, leaseMs, users }: Shape): Action {
  const node = random.int(0, nodes - 1)
  const kind = random.pick([
    'node-kill',
    'node-kill',
    'node-pause',
    'node-pause',
    'node-slow',
    'node-restart',
    'node-skew',
    'cut-from-log',
    'cut-from-store',
    'store-down',
    'log-down',
    'log-window-forgotten',
    'log-readers-restart',
    'log-partition-held',
    'foreign-event',
  ] as const)
  switch (kind) {
    case 'node-kill':
      return { at, kind, node, forMs: random.int(0, 8_000), keepsName: random.chance(0.3) }
    case 'node-pause':
      return { at, kind, node, forMs: random.pick([leaseMs / 2, leaseMs + 500, leaseMs * 2, leaseMs * 4]) }
    case 'node-slow':
      return { at, kind, node, forMs: random.int(2_000, 20_000), slowMs: random.int(10, 600) }
    case 'node-restart':
      return { at, kind, node }
    case 'node-skew':
      return { at, kind, node, skewMs: random.int(-5_000, 5_000) }
    case 'cut-from-log':
    case 'cut-from-store':
      return { at, kind, node, forMs: random.int(500, 15_000) }
    case 'store-down':
    case 'log-down':
      return { at, kind, forMs: random.int(500, 20_000) }
    case 'log-window-forgotten':
    case 'log-readers-restart':
      return { at, kind }
    case 'log-partition-held':
      return { at, kind, partition: random.int(0, partitions - 1), forMs: random.int(1_000, 20_000) }
    case 'foreign-event':
      return { at, kind, user: random.int(0, users - 1) }
  }
}

function pickRetried(
  random: SeededRandom,
  messages: readonly { readonly id: string; readonly body: string }[],
): string[] {
  return messages.filter(({ body }) => !body.startsWith('☠') && random.chance(0.2)).map(({ id }) => id)
}
