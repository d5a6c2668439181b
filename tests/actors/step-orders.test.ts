/** The less usual things that a chart may ask for, and what they become; found by mutants of the step. */
import { describe, expect, test } from 'vitest'
import { assign, cancel, emit, log, raise, sendTo, setup } from 'xstate'

import { applyEvent, openConversation, readContext, readReason, readRefusal } from '../../src/actors/step.ts'
import type { JsonObject } from '../../src/machines/json.ts'
import type { MachineRegistration } from '../../src/machines/registry.ts'

const kit = setup({
  types: { context: {} as { count: number } },
  actions: { count: assign({ count: ({ context }) => context.count + 1 }) },
  delays: { never: Number.POSITIVE_INFINITY, before: -1, atOnce: 0 },
})

function register(states: object, rest: object = {}): MachineRegistration {
  const config = { id: 'm', version: '1', context: { count: 0 }, initial: 'a', states, ...rest }
  return {
    machine: kit.createMachine(config as never) as unknown as MachineRegistration['machine'],
    opensOn: () => true,
    toInput: () => null,
    toStatus: () => 'PENDING',
    toReason: ({ context }) => `counted ${(context as { count: number }).count}`,
    readCommand: () => 'there are no commands',
    toRefusal: (snapshot, command) => `${String(snapshot.value)} takes no ${JSON.stringify(command['type'])}`,
    toConsent: () => null,
    toSpeaker: () => 'assistant',
    effectActions: ['sendMessage'],
  }
}

function go(registration: MachineRegistration, snapshot = openConversation(registration, null).snapshot) {
  return applyEvent(registration, snapshot, { type: 'go' })
}

function does(...actions: readonly unknown[]): MachineRegistration {
  return register({ a: { on: { go: { actions } } } })
}

describe('what becomes an order', () => {
  test('an emitted event', () => {
    expect(go(does(emit({ type: 'told' })))?.orders).toEqual([{ kind: 'emit', event: { type: 'told' } }])
  })

  test('a delayed raise with an id, and its cancellation', () => {
    const raised = go(does(raise({ type: 'later' }, { id: 'later', delay: 'atOnce' as never })))
    expect(raised?.orders).toEqual([{ kind: 'arm-timer', timerId: 'later', delayMs: 0, event: { type: 'later' } }])
    expect(go(does(cancel('later')))?.orders).toEqual([{ kind: 'cancel-timer', timerId: 'later' }])
  })
})

describe('what becomes none', () => {
  test('a log line: nothing is asked for, so it is no step', () => {
    expect(go(does(log('seen')))).toBeNull()
  })

  test('a raise without a delay: the chart has taken it already', () => {
    const registration = register({ a: { on: { go: { actions: raise({ type: 'on' }) }, on: 'b' } }, b: {} })
    const step = go(registration)
    expect(step?.orders).toEqual([])
    expect(JSON.parse(step?.snapshot ?? '')).toMatchObject({ value: 'b' })
  })

  test('a change of the context alone, which is a step all the same, with the reason that it leaves', () => {
    const step = go(does('count'))
    expect(step).toMatchObject({ orders: [], reason: 'counted 1', status: 'PENDING', speaker: 'assistant' })
  })
})

describe('what is refused with a sentence', () => {
  test.each([
    ['a message to another actor', sendTo('kid', { type: 'x' }), /cannot send to another actor/u],
    ['a delayed raise without an id', raise({ type: 'x' }, { delay: 5 }), /a delayed raise of "x" has no id/u],
    [
      'an endless delay',
      raise({ type: 'x' }, { id: 'x', delay: 'never' as never }),
      /the delay of the timer x is Infinity ms/u,
    ],
    [
      'a delay before now',
      raise({ type: 'x' }, { id: 'x', delay: 'before' as never }),
      /the delay of the timer x is -1 ms/u,
    ],
  ])('%s', (_name, action, sentence) => {
    const states = { a: { on: { go: { actions: action } } } }
    expect(() => go(register(states), stored('a', { kid: { src: 'kid', snapshot: { status: 'active' } } }))).toThrow(
      sentence,
    )
  })

  test('a stored snapshot that has ended', () => {
    const registration = register({ a: {} })
    const ended = openConversation(registration, null).snapshot.replace('"status":"active"', '"status":"done"')
    expect(() => go(registration, ended)).toThrow('a stored snapshot is not active')
  })
})

test('what a history state remembers is stored and found again', () => {
  const registration = register({
    a: {
      initial: 'one',
      states: { one: { on: { next: 'two' } }, two: {}, last: { type: 'history' } },
      on: { go: 'b' },
    },
    b: { on: { back: 'a.last' } },
  })
  let { snapshot } = openConversation(registration, null)
  for (const type of ['next', 'go']) snapshot = applyEvent(registration, snapshot, { type })?.snapshot ?? ''
  expect((JSON.parse(snapshot) as JsonObject)['historyValue']).toEqual({ 'm.a.last': [{ id: 'm.a.two' }] })
  const back = applyEvent(registration, snapshot, { type: 'back' })
  expect(JSON.parse(back?.snapshot ?? '')).toMatchObject({ value: { a: 'two' } })
})

test('the reason, the context and the refusal are read from what is stored', () => {
  const registration = register({ a: {} })
  const { snapshot } = openConversation(registration, null)
  expect(readReason(registration, snapshot)).toBe('counted 0')
  expect(readReason(undefined, snapshot)).toBeNull()
  expect(readContext(snapshot)).toEqual({ count: 0 })
  expect(readRefusal(registration, snapshot, { type: 'dance' })).toBe('a takes no "dance"')
})

function stored(value: string, children: JsonObject): string {
  return JSON.stringify({ status: 'active', value, context: { count: 0 }, historyValue: {}, children })
}
