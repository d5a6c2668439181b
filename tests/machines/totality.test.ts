/**
 * What is true of every event in every configuration that random lives reach. A life that breaks a rule
 * is shrunk by fast-check, and its seed is printed. Each kind of configuration and event is compared with
 * its stored twin a number of times, then believed: a comparison costs as much as several steps.
 */
import fc from 'fast-check'
import { transition } from 'xstate'
import type { AnyMachineSnapshot, EventObject } from 'xstate'
import { expect, test } from 'vitest'

import { conversationMachine } from '../../src/machines/conversation/machine.ts'
import { conversationRegistration } from '../../src/machines/conversation/registration.ts'
import { isClosed } from '../../src/machines/status.ts'
import { persist, places, PureConversation, restore, toOrders, whatsapp } from './pure-conversation.ts'
import { happen, happening } from './random-life.ts'
import type { Happening } from './random-life.ts'

/** Of about 35 steps each. The default keeps `npm run check` fast; `npm test` lives 1,500: over 50,000 steps. */
const livesToLive = Number(process.env['RANDOM_LIVES'] ?? 150)
const twinsPerKind = 8
const contextCharactersMax = 100_000

const lives = fc.record({
  scheme: fc.constantFrom('whatsapp' as const, 'sms' as const),
  settings: fc.constantFrom({}, { idleTimeoutMs: 1_009, pendingExpiryMs: 90_017 }, { quietMs: 0 }),
  previousStatus: fc.constantFrom(null, 'FAILED' as const),
  happenings: fc.array(happening, { minLength: 70, maxLength: 80, size: 'max' }),
})

test(
  'every step of a random life is total, storable, repeatable and lawful, and time alone ends it',
  { timeout: 600_000 },
  () => {
    const reached = new Set<string>()
    const twins = new Map<string, number>()
    let steps = 0
    fc.assert(
      fc.property(lives, ({ happenings, ...input }) => {
        const conversation = new PureConversation({ ...whatsapp, ...input })
        conversation.onStep = (snapshot, event) => {
          const kind = toKind(conversation, event)
          const seen = twins.get(kind) ?? 0
          twins.set(kind, seen + 1)
          if (seen < twinsPerKind) expectSameFromStored(snapshot, event)
        }
        for (const what of happenings) {
          checkRules(conversation, what)
          reached.add(conversation.state)
        }
        checkEndsByTime(conversation)
        steps += conversation.steps
      }),
      { numRuns: livesToLive },
    )
    expect(steps).toBeGreaterThan(livesToLive * 30)
    expect(twins.size).toBeGreaterThan(150)
    expect([...reached].toSorted()).toEqual(places.toSorted())
  },
)

function toKind({ state, context }: PureConversation, event: EventObject): string {
  const { turn, nobodyCame } = context
  return [state, event.type, turn.failures, turn.messages.length > 1, nobodyCame].join(' ')
}

/** The same step from the stored snapshot: the same next snapshot and the same orders, twice. */
function expectSameFromStored(snapshot: AnyMachineSnapshot, event: EventObject): void {
  const [next, actions] = transition(conversationMachine, snapshot as never, event as never)
  const stored = restore(persist(snapshot))
  const [fromStored, actionsFromStored] = transition(conversationMachine, stored as never, event as never)
  expect(JSON.parse(persist(fromStored))).toEqual(JSON.parse(persist(next)))
  expect(toOrders(actionsFromStored)).toEqual(toOrders(actions))
  // The context itself is plain: JSON loses and changes nothing of it.
  expect(JSON.parse(JSON.stringify(next.context))).toStrictEqual(next.context)
}

function checkRules(conversation: PureConversation, what: Happening): void {
  const before = { isClosed: isClosedNow(conversation), sent: conversation.sent.length, draft: conversation.draft }
  happen(conversation, what)
  const { snapshot, context, timers, draft } = conversation
  const spoken = conversation.sent.slice(before.sent)
  const closed = isClosedNow(conversation)

  check(snapshot.status === 'active', `the machine ended with ${snapshot.status}`)
  check((draft !== null) === conversation.state.endsWith('.answering'), 'a draft is open exactly while answering')
  check(!before.isClosed || closed, 'what was closed stays closed')
  check(closed === (timers.size === 0), 'an open conversation has a timer, a closed one has none')
  check(!closed || context.turn.messages.length === 0, 'a closed conversation holds no messages')
  check(closed || context.operatorId === null || conversation.state === 'HUMAN_HANDOFF.assigned', 'operators leave')
  const isAssistant = spoken.some(({ author }) => author === 'assistant')
  check(!isAssistant || before.draft !== null, 'the assistant speaks only by a draft that was open')
  check(
    spoken.every(({ body }) => body !== ''),
    'nobody says nothing',
  )
  check(JSON.stringify(context).length < contextCharactersMax, 'a context stays within its limits')
}

/** From wherever the life has led, with nobody doing anything any more. */
function checkEndsByTime(conversation: PureConversation): void {
  for (let fired = 0; fired < 12 && conversation.nextDueMs !== null; fired += 1) {
    conversation.advance(conversation.nextDueMs)
  }
  check(isClosedNow(conversation), `${conversation.state} does not end by time`)
}

function isClosedNow({ snapshot }: PureConversation): boolean {
  return isClosed(conversationRegistration.toStatus(snapshot))
}

/** Cheaper than `expect`, which would take most of the time here. */
function check(holds: boolean, rule: string): void {
  if (!holds) throw new Error(`broken: ${rule}`)
}
