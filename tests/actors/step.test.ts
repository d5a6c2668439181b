import { describe, expect, test } from 'vitest'
import { assign, fromPromise, initialTransition, setup, spawnChild, stopChild, transition } from 'xstate'

import { applyEvent, openConversation } from '../../src/actors/step.ts'
import { conversationRegistration } from '../../src/machines/conversation/registration.ts'
import type { MachineRegistration } from '../../src/machines/registry.ts'

const kit = setup({
  types: { context: {} as { count: number } },
  actors: { draftReply: fromPromise(async () => null) },
  actions: { sendMessage: () => {}, unknown: () => {}, count: assign({ count: ({ context }) => context.count + 1 }) },
  delays: { soon: 1_500 },
})

function register(states: object, rest: object = {}): MachineRegistration {
  const machine = kit.createMachine({
    id: 'm',
    version: '1',
    context: { count: 0 },
    initial: 'a',
    states,
    ...rest,
  } as never)
  return {
    machine: machine as unknown as MachineRegistration['machine'],
    opensOn: () => true,
    toInput: () => null,
    toStatus: () => 'PENDING',
    toReason: () => null,
    readCommand: () => 'there are no commands',
    toRefusal: () => 'it is refused',
    toConsent: () => null,
    toSpeaker: () => 'assistant',
    effectActions: ['sendMessage'],
  }
}

describe('what the chart asks for becomes orders', () => {
  test('an `after` arms a timer, and leaving its state cancels it', () => {
    const registration = register({ a: { after: { soon: 'b' }, on: { go: 'b' } }, b: {} })
    const opened = openConversation(registration, null)
    const timerId = 'xstate.after.soon.m.a'
    expect(opened.orders).toEqual([{ kind: 'arm-timer', timerId, delayMs: 1_500, event: { type: timerId } }])
    expect(applyEvent(registration, opened.snapshot, { type: 'go' })?.orders).toEqual([
      { kind: 'cancel-timer', timerId },
    ])
  })

  test('an invoke starts a child by its name, and leaving its state stops it, also after a restore', () => {
    const registration = register({
      a: { invoke: { id: 'draft', src: 'draftReply', input: { turn: 1 } }, on: { go: 'b' } },
      b: {},
    })
    const opened = openConversation(registration, null)
    expect(opened.orders).toEqual([{ kind: 'start-child', childId: 'draft', source: 'draftReply', input: { turn: 1 } }])
    const left = applyEvent(registration, opened.snapshot, { type: 'go' })
    expect(left?.orders).toEqual([{ kind: 'stop-child', childId: 'draft' }])
    expect(JSON.parse(left?.snapshot ?? '')).toMatchObject({ value: 'b', children: {} })
  })

  test('a child that goes on stays in the snapshot, as XState would store it', () => {
    const states = {
      a: {
        invoke: { id: 'draft', src: 'draftReply', input: { turn: 1 } },
        on: { count: { actions: 'count' }, go: 'b' },
      },
      b: {},
    }
    const registration = register(states)
    const opened = openConversation(registration, null)
    const children = { draft: { src: 'draftReply', snapshot: { status: 'active', input: { turn: 1 } } } }
    expect(JSON.parse(opened.snapshot)).toMatchObject({ children })
    const counted = applyEvent(registration, opened.snapshot, { type: 'count' })
    expect(JSON.parse(counted?.snapshot ?? '')).toMatchObject({ context: { count: 1 }, children })
    const left = applyEvent(registration, counted?.snapshot ?? '', { type: 'go' })
    expect(left?.orders).toEqual([{ kind: 'stop-child', childId: 'draft' }])
  })

  test('entering a state anew stops its child and starts another', () => {
    const registration = register({
      a: { invoke: { id: 'draft', src: 'draftReply' }, on: { go: { target: 'a', reenter: true } } },
    })
    const again = applyEvent(registration, openConversation(registration, null).snapshot, { type: 'go' })
    expect(again?.orders.map(({ kind }) => kind)).toEqual(['stop-child', 'start-child'])
  })

  test('an action that is registered as an effect carries its params', () => {
    const action = { type: 'sendMessage', params: { author: 'system', body: 'hi' } }
    const registration = register({ a: { on: { go: { actions: action } } } })
    const step = applyEvent(registration, openConversation(registration, null).snapshot, { type: 'go' })
    expect(step?.orders).toEqual([{ kind: 'perform', action: 'sendMessage', params: action.params }])
  })
})

test('a step is what xstate’s own pure functions make of the event', () => {
  const { machine } = conversationRegistration
  const opening = { at: 0, businessAddress: 'whatsapp:+14155238886', settings: {}, previous: null }
  const input = conversationRegistration.toInput(opening)
  let snapshot = openConversation(conversationRegistration, input).snapshot
  let [oracle] = initialTransition(machine, input as never)
  const output = { reply: 'hi', intent: 'continue', confidence: 1 }
  const events = [
    { type: 'message.received', messageId: 'm1', body: 'hello', media: [], at: 1 },
    { type: 'xstate.after.quiet.conversation.PENDING.collecting' },
    { type: 'xstate.done.actor.draftReply', output, actorId: 'draftReply' },
    { type: 'message.received', messageId: 'm2', body: 'and you?', media: [], at: 2 },
    { type: 'xstate.after.quiet.conversation.PROGRESS.collecting' },
    { type: 'message.received', messageId: 'm3', body: 'exit', media: [], at: 3 },
  ]
  for (const event of events) {
    const step = applyEvent(conversationRegistration, snapshot, event)
    const [next, actions] = transition(machine, oracle, event)
    const stepped = JSON.parse(step?.snapshot ?? 'null') as { value: unknown; context: unknown; children: object }
    expect(stepped).toMatchObject({ value: next.value, context: next.context })
    expect(Object.keys(stepped.children)).toEqual(Object.keys(next.children))
    const asked = actions.filter(
      ({ type, params }) => type !== 'xstate.raise' || (params as { delay?: number }).delay !== undefined,
    )
    expect(step?.orders).toHaveLength(asked.length)
    snapshot = step?.snapshot ?? ''
    oracle = next
  }
})

describe('what is no step', () => {
  test('an event that nothing handles', () => {
    const registration = register({ a: {} })
    expect(applyEvent(registration, openConversation(registration, null).snapshot, { type: 'unheard' })).toBeNull()
  })

  test('a child that is stopped and was never there', () => {
    const registration = register({ a: { on: { go: { actions: stopChild('nobody') } } } })
    expect(applyEvent(registration, openConversation(registration, null).snapshot, { type: 'go' })).toBeNull()
  })

  test('a forbidden transition', () => {
    const registration = register({ a: { on: { 'message.received': {} } } }, { on: { 'message.received': '.a' } })
    const { snapshot } = openConversation(registration, null)
    expect(applyEvent(registration, snapshot, { type: 'message.received' })).toBeNull()
  })
})

describe('what the host cannot honour is refused with a sentence', () => {
  test.each([
    ['an action that is not registered', { a: { on: { go: { actions: 'unknown' } } } }, /'unknown' is not one that m/u],
    ['an inline function', { a: { on: { go: { actions: () => {} } } } }, /not one that m is registered with/u],
    [
      'an inline actor',
      { a: { on: { go: 'b' } }, b: { invoke: { src: fromPromise(async () => 1) } } },
      /not named by a string/u,
    ],
    ['a machine that ends', { a: { on: { go: 'b' } }, b: { type: 'final' } }, /status done: no error given/u],
    [
      'an inline actor that is spawned',
      { a: { on: { go: { actions: spawnChild(fromPromise(async () => 1) as never, { id: 'one' }) } } } },
      /not named by a string/u,
    ],
    [
      'a spawned actor without an id',
      { a: { on: { go: { actions: spawnChild('draftReply') } } } },
      /the spawned actor 'draftReply' has no id/u,
    ],
  ])('%s', (_name, states, sentence) => {
    const registration = register(states)
    const { snapshot } = openConversation(registration, null)
    expect(() => applyEvent(registration, snapshot, { type: 'go' })).toThrow(sentence)
  })

  test.each([
    [new Error('no answer'), 'the machine ended with the status error: no answer'],
    [{ code: 'gone' }, 'the machine ended with the status error: {"code":"gone"}'],
    [undefined, 'the machine ended with the status error: no error given'],
  ])('a failure of an effect that the chart does not expect: %j', (error, sentence) => {
    const registration = register({ a: { invoke: { id: 'draft', src: 'draftReply' } } })
    const { snapshot } = openConversation(registration, null)
    const event = { type: 'xstate.error.actor.draft', error: error as never, actorId: 'draft' }
    expect(() => applyEvent(registration, snapshot, event)).toThrow(sentence)
  })

  test('a context that JSON cannot carry', () => {
    const registration = register({ a: { on: { go: { actions: assign({ count: Number.NaN }) } } } })
    const { snapshot } = openConversation(registration, null)
    expect(() => applyEvent(registration, snapshot, { type: 'go' })).toThrow(/NaN is not a JSON number/u)
  })

  test('a stored snapshot whose state is gone', () => {
    const registration = register({ a: {} })
    const snapshot = openConversation(registration, null).snapshot.replace('"value":"a"', '"value":"gone"')
    expect(() => applyEvent(registration, snapshot, { type: 'go' })).toThrow(/gone/u)
  })
})
