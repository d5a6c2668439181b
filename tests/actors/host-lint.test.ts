import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'

import { describe, expect, test } from 'vitest'
import {
  assign,
  enqueueActions,
  fromCallback,
  fromObservable,
  fromPromise,
  fromTransition,
  not,
  raise,
  sendTo,
  setup,
  spawnChild,
} from 'xstate'

import { assertHostable, lintMachine, lintMachines } from '../../src/actors/host-lint.ts'
import type { Finding } from '../../src/actors/host-lint.ts'
import { conversationRegistration } from '../../src/machines/conversation/registration.ts'
import { registeredMachines } from '../../src/machines/registered.ts'
import type { MachineRegistration } from '../../src/machines/registry.ts'
import { createMemoryWorld } from '../support/memory-world.ts'
import { surveyOne, surveyThree, surveyTwo } from '../support/machines/survey.ts'

type Fixture = {
  readonly states: object
  readonly root?: object
  readonly context?: unknown
  readonly actions?: object
  readonly guards?: object
  readonly delays?: object
  readonly actors?: object
  readonly rest?: Partial<MachineRegistration>
}

const promise = fromPromise(async () => null)
const draft = { id: 'draft', src: 'draftReply', onDone: '#m.b', onError: '#m.b' }
const closed = { tags: 'closed' }

function register({ states, root, context = { count: 0 }, actions, guards, delays, actors, rest }: Fixture) {
  const machine = setup({
    types: { context: {} as { count: number } },
    actors: { draftReply: promise, ...actors },
    actions: { sendMessage: () => {}, ...actions },
    guards: { isFew: ({ context: given }: { context: { count: number } }) => given.count < 3, ...guards },
    delays: { soon: 1_000, ...delays },
  }).createMachine({
    id: 'm',
    version: '1',
    context,
    initial: 'a',
    options: { maxIterations: 50 },
    ...root,
    states: { b: closed, ...states },
  } as never)
  const registration = { ...surveyOne, machine: machine as unknown as MachineRegistration['machine'], ...rest }
  return { ...registration, toStatus: () => 'PENDING' as const, toSpeaker: () => 'assistant' }
}

/** A state that is as it should be, with `part` of the fixture in it. */
function inState(part: object, rest: Omit<Fixture, 'states'> = {}): Fixture {
  return { ...rest, states: { a: { after: { soon: 'b' }, ...part } } }
}

function rules(fixture: Fixture): string[] {
  return [...new Set(lintMachine(register(fixture)).map(({ rule }) => rule))]
}

const doing = (actions: unknown) => inState({ on: { go: { actions } } })
const guardedCircle = (guard: string): Fixture => ({
  states: {
    a: { after: { soon: 'b' }, on: { go: 'c' } },
    c: { after: { soon: 'b' }, always: { guard, target: 'd' } },
    d: { after: { soon: 'b' }, always: { guard, target: 'c' } },
  },
  guards: { isNever: () => false },
})
const counting = (assignment: unknown, rest: object = {}) =>
  inState({ on: { go: { actions: 'count' } } }, { actions: { count: assign(assignment as never) }, ...rest })

/** A name, the rule, a machine that breaks it, and one as near to it as can be that does not. */
const cases: readonly (readonly [name: string, rule: string, caught: Fixture, passes: Fixture])[] = [
  ['sending to another actor', 'send-to', doing(sendTo('other', { type: 'x' })), doing(raise({ type: 'x' }))],
  [
    'sending by a named action',
    'send-to',
    inState({ entry: 'tell' }, { actions: { tell: sendTo('other', { type: 'x' }) } }),
    inState({ entry: 'tell' }, { actions: { tell: assign({ count: 1 }) } }),
  ],
  [
    'sending out of enqueueActions, which only the walk can see',
    'refused',
    doing(enqueueActions(({ enqueue }) => enqueue.sendTo('other', { type: 'x' }))),
    doing(enqueueActions(({ enqueue }) => enqueue.assign({ count: 1 }))),
  ],
  ['an inline action', 'unnamed-action', doing(() => {}), doing('sendMessage')],
  ['an inline action in a list', 'unnamed-action', doing(['sendMessage', () => {}]), doing(['sendMessage'])],
  [
    'an action that nobody performs',
    'unregistered-action',
    inState({ entry: 'notify' }, { actions: { notify: () => {} } }),
    inState({ entry: 'notify' }, { actions: { notify: () => {} }, rest: { effectActions: ['sendMessage', 'notify'] } }),
  ],
  [
    'a spawned actor without an id',
    'spawn-id',
    doing(spawnChild('draftReply' as never)),
    doing(spawnChild('draftReply' as never, { id: 'one' })),
  ],
  [
    'a spawned actor without a name',
    'spawn-id',
    doing(spawnChild(promise, { id: 'one' })),
    doing(spawnChild('draftReply' as never, { id: 'one' })),
  ],
  [
    'an actor in the context',
    'spawn-in-assign',
    counting({
      ref: ({ spawn }: { spawn: (src: string, how: object) => unknown }) => spawn('draftReply', { id: 'one' }),
    }),
    counting({ ref: 'one' }),
  ],
  [
    'an inline guard',
    'unnamed-guard',
    inState({ on: { go: { guard: () => true, target: 'b' } } }),
    inState({ on: { go: { guard: 'isFew', target: 'b' } } }),
  ],
  [
    'an inline guard inside another',
    'unnamed-guard',
    inState({ on: { go: { guard: not(() => true), target: 'b' } } }),
    inState({ on: { go: { guard: not('isFew' as never), target: 'b' } } }),
  ],
  [
    'a guard that does not exist',
    'missing-implementation',
    inState({ on: { go: { guard: 'isGone', target: 'b' } } }),
    inState({ on: { go: { guard: 'isGone', target: 'b' } } }, { guards: { isGone: () => true } }),
  ],
  [
    'a delay that does not exist',
    'missing-implementation',
    { states: { a: { after: { later: 'b' } } } },
    { states: { a: { after: { later: 'b' } } }, delays: { later: 5 } },
  ],
  [
    'an inline delay',
    'unnamed-delay',
    doing(raise({ type: 'x' }, { id: 'x', delay: () => 5 })),
    doing(raise({ type: 'x' }, { id: 'x', delay: 'soon' } as never)),
  ],
  [
    'a delayed raise without an id',
    'raise-id',
    doing(raise({ type: 'x' }, { delay: 5 })),
    doing(raise({ type: 'x' }, { id: 'x', delay: 5 })),
  ],
  ['an inline actor', 'inline-actor', inState({ invoke: { ...draft, src: promise } }), inState({ invoke: draft })],
  [
    'an invoked effect without an id',
    'invoke-id',
    inState({ invoke: { src: 'draftReply', onDone: 'b', onError: 'b' } }),
    inState({ invoke: { id: 'draft', src: 'draftReply', onDone: 'b', onError: 'b' } }),
  ],
  [
    'an effect whose failure leads nowhere',
    'no-on-error',
    inState({ invoke: { id: 'draft', src: 'draftReply', onDone: 'b' } }),
    inState({ invoke: { id: 'draft', src: 'draftReply', onDone: 'b' } }, { root: { on: { 'xstate.error.*': '.b' } } }),
  ],
  [
    'a callback',
    'actor-logic',
    inState({ invoke: { ...draft, src: 'listen' } }, { actors: { listen: fromCallback(() => {}) } }),
    inState({ invoke: { ...draft, src: 'listen' } }, { actors: { listen: fromPromise(async () => 1) } }),
  ],
  [
    'an observable',
    'actor-logic',
    inState({}, { actors: { watch: fromObservable(() => ({ subscribe: () => ({ unsubscribe() {} }) })) } }),
    inState({}, { actors: { watch: promise } }),
  ],
  [
    'a transition function as an actor',
    'actor-logic',
    inState({}, { actors: { reduce: fromTransition((state: number) => state, 0) } }),
    inState({}, { actors: {} }),
  ],
  [
    'a machine inside the machine',
    'actor-logic',
    inState({}, { actors: { inner: surveyTwo.machine } }),
    inState({}, { actors: { inner: promise } }),
  ],
  ['undefined in the context', 'not-json', counting({ count: undefined }), counting({ count: null })],
  ['NaN in the context', 'not-json', counting({ count: Number.NaN }), counting({ count: 0 })],
  [
    'a Map in the initial context',
    'not-json',
    inState({}, { context: { count: new Map() } }),
    inState({}, { context: { count: {} } }),
  ],
  [
    'a Date that the context gets on the way',
    'not-json',
    counting({ count: ({ event }: { event: { at: number } }) => new Date(event.at) }),
    counting({ count: ({ event }: { event: { at: number } }) => new Date(event.at).getTime() }),
  ],
  ['a function in the context', 'not-json', counting({ count: () => () => 1 }), counting({ count: () => 1 })],
  [
    'a context that only a later state spoils',
    'not-json',
    { states: { a: { after: { soon: 'c' } }, c: { after: { soon: 'b' }, entry: assign({ count: Number.NaN }) } } },
    { states: { a: { after: { soon: 'c' } }, c: { after: { soon: 'b' }, entry: assign({ count: 1 }) } } },
  ],
  [
    'a guard that reads the clock',
    'impure',
    inState({ on: { go: { guard: 'isLate', target: 'b' } } }, { guards: { isLate: () => Date.now() > 5 } }),
    inState(
      { on: { go: { guard: 'isLate', target: 'b' } } },
      { guards: { isLate: ({ event }: { event: { at: number } }) => event.at > 5 } },
    ),
  ],
  [
    'an assignment of the moment',
    'impure',
    counting({ count: () => new Date().getTime() }),
    counting({ count: ({ event }: { event: { at: number } }) => new Date(event.at).getTime() }),
  ],
  [
    'a random delay',
    'impure',
    { states: { a: { after: { jitter: 'b' } } }, delays: { jitter: () => Math.random() * 9 } },
    { states: { a: { after: { jitter: 'b' } } }, delays: { jitter: () => 9 } },
  ],
  [
    'an assignment that waits',
    'impure',
    inState({ entry: assign(async () => ({ count: 1 })) }),
    inState({ entry: assign(() => ({ count: 1 })) }),
  ],
  [
    'a guard that asks the world',
    'impure',
    inState(
      { on: { go: { guard: 'isUp', target: 'b' } } },
      { guards: { isUp: () => Boolean(fetch('https://example.invalid')) } },
    ),
    inState({ on: { go: { guard: 'isUp', target: 'b' } } }, { guards: { isUp: () => "fetch('x')".length > 0 } }),
  ],
  [
    'an answer that differs the second time, which only the walk can see',
    'impure',
    counting({ count: () => (drifting += 1) }),
    counting({ count: ({ context }: { context: { count: number } }) => context.count + 1 }),
  ],
  [
    '`always` in a circle',
    'always-cycle',
    { states: { a: { after: { soon: 'b' }, on: { go: 'c' } }, c: { always: 'd' }, d: { always: 'c' } } },
    { states: { a: { after: { soon: 'b' }, on: { go: 'c' } }, c: { always: 'd' }, d: { always: 'b' } } },
  ],
  [
    '`always` in a circle through an initial state',
    'always-cycle',
    {
      states: { a: { after: { soon: 'b' }, on: { go: 'c' } }, c: { initial: 'd', states: { d: { always: '#m.c' } } } },
    },
    {
      states: { a: { after: { soon: 'b' }, on: { go: 'c' } }, c: { initial: 'd', states: { d: { always: '#m.b' } } } },
    },
  ],
  [
    'a guarded circle that does not come to rest, which only the walk can see',
    'always-cycle',
    guardedCircle('isFew'),
    guardedCircle('isNever'),
  ],
  [
    '`always` without a limit',
    'max-iterations',
    inState({ always: { guard: 'isNever', target: 'b' } }, { guards: { isNever: () => false }, root: { options: {} } }),
    inState({ always: { guard: 'isNever', target: 'b' } }, { guards: { isNever: () => false } }),
  ],
  [
    '`raise` without a limit',
    'max-iterations',
    { ...doing(raise({ type: 'x' })), root: { options: {} } },
    { ...doing(raise({ type: 'x' }, { id: 'x', delay: 5 })), root: { options: {} } },
  ],
  [
    'a state at the top that ends the machine',
    'final',
    { states: { a: { after: { soon: 'c' } }, c: { type: 'final' } } },
    { states: { a: { after: { soon: 'c' } }, c: closed } },
  ],
  [
    'a final state that wants events',
    'final',
    { states: { a: { initial: 'x', after: { soon: 'b' }, states: { x: { type: 'final', on: { go: '#m.b' } } } } } },
    { states: { a: { initial: 'x', after: { soon: 'b' }, states: { x: { type: 'final' } } } } },
  ],
  [
    'regions that end together with the machine',
    'final',
    {
      root: { type: 'parallel', initial: undefined },
      states: { b: { initial: 'x', states: { x: { type: 'final' } } } },
    },
    {
      root: { type: 'parallel', initial: undefined, after: { soon: '.b' } },
      states: { b: { initial: 'x', states: { x: { on: { go: 'y' } }, y: { on: { go: 'x' } } } } },
    },
  ],
  [
    'a state that nothing leads out of',
    'no-exit',
    { states: { a: { after: { soon: 'c' } }, c: {} } },
    { states: { a: { after: { soon: 'c' } }, c: closed } },
  ],
  [
    'a state that only leads to itself',
    'no-exit',
    { states: { a: { after: { soon: 'c' } }, c: { on: { go: { target: 'c', reenter: true } } } } },
    {
      states: { a: { after: { soon: 'c' } }, c: { after: { soon: 'b' }, on: { go: { target: 'c', reenter: true } } } },
    },
  ],
  [
    'a state without a timer',
    'no-timer',
    { states: { a: { on: { go: 'b' } } } },
    { states: { a: { on: { go: 'b' }, after: { soon: 'b' } } } },
  ],
  [
    'a state whose timer stands on its parent',
    'no-timer',
    { states: { a: { initial: 'x', states: { x: { on: { go: '#m.b' } } } } } },
    { states: { a: { initial: 'x', after: { soon: 'b' }, states: { x: { on: { go: '#m.b' } } } } } },
  ],
  [
    'a registration that makes no input',
    'opening',
    inState({}, { rest: { toInput: () => assert.fail('there is nothing to begin with') } }),
    inState({}, { rest: { toInput: () => ({}) } }),
  ],
]

let drifting = 0

describe('what the host cannot honour is caught, and its neighbour is not', () => {
  test.each(cases)('%s: %s', (_name, rule, caught, passes) => {
    expect(rules(caught)).toContain(rule)
    expect(rules(passes)).toEqual([])
  })
})

test('every rule that the source names is broken by some machine here', () => {
  const folder = new URL('../../src/actors/', import.meta.url)
  const files = readdirSync(folder).filter((file) => file.startsWith('lint-') || file === 'host-lint.ts')
  const named = files.flatMap((file) =>
    [...readFileSync(new URL(file, folder), 'utf8').matchAll(/rule: '([a-z-]+)'/gu)].map(([, rule]) => rule ?? ''),
  )
  // These have tests of their own below: they are about registrations, or about who performs effects.
  const elsewhere = new Set(['no-performer', 'unused-allowance'])
  const broken = new Set(cases.map(([, rule]) => rule))
  expect(named.length).toBeGreaterThan(20)
  expect([...new Set(named)].filter((rule) => !broken.has(rule) && !elsewhere.has(rule))).toEqual([])
})

test('every finding says in a sentence what is wrong, and where', () => {
  const all: Finding[] = cases.flatMap(([, , caught]) => [...lintMachine(register(caught))])
  expect(all.length).toBeGreaterThan(cases.length)
  for (const { machine, version, where, sentence } of all) {
    expect([machine, version]).toEqual(['m', '1'])
    expect(where).not.toBe('')
    expect(sentence.length).toBeGreaterThan(20)
  }
})

describe('what is fine passes', () => {
  test('history and parallel states', () => {
    const region = (name: string) => ({
      initial: 'x',
      states: { x: { on: { [name]: 'y' } }, y: { on: { [name]: 'x' } } },
    })
    expect(
      rules({
        states: {
          a: {
            type: 'parallel',
            on: { pause: 'p' },
            states: { one: region('first'), two: { ...region('second'), after: { soon: '#m.b' } } },
          },
          p: { on: { back: 'a' }, after: { soon: 'b' } },
        },
      }),
    ).toEqual([])
    expect(
      rules({
        states: {
          a: {
            initial: 'x',
            after: { soon: 'b' },
            on: { pause: 'p' },
            states: { x: { on: { go: 'y' } }, y: {}, h: { type: 'history', history: 'deep' } },
          },
          p: { on: { back: 'a.h' }, after: { soon: 'b' } },
        },
      }),
    ).toEqual([])
  })

  test('the machines of this build and of these tests', () => {
    const performers = ['draftReply', 'transcribe', 'sendMessage']
    expect(lintMachines(registeredMachines, { performers })).toEqual([])
    expect(lintMachines({ survey: surveyThree }, { performers })).toEqual([])
  })
})

describe('effects that nobody performs', () => {
  test('an invoked one and an action', () => {
    expect(lintMachine(conversationRegistration, { performers: [] }).map(({ rule, where }) => [rule, where])).toEqual([
      ['no-performer', 'effectActions'],
      ['no-performer', expect.stringContaining('invoke transcribe')],
      ['no-performer', expect.stringContaining('invoke draftReply')],
    ])
  })
})

describe('registrations', () => {
  const fine = register(inState({}))

  test('a machine without a version, or under another name, is refused', () => {
    const nameless = register(inState({}, { root: { version: undefined } }))
    expect(lintMachines({ other: nameless }).map(({ where }) => where)).toEqual(['id', 'version'])
  })

  test('older versions that are listed twice, or whose chart is another one, are refused', () => {
    const versions = [
      { version: '0', registration: null, migrate: (given: never) => given },
      { version: '0', registration: surveyOne, migrate: (given: never) => given },
    ] as unknown as NonNullable<MachineRegistration['versions']>
    expect(lintMachines({ m: { ...fine, versions } }).map(({ rule, where }) => [rule, where])).toEqual([
      ['versions', 'versions'],
      ['versions', 'version 0'],
    ])
  })

  test('a finding that is meant so is allowed by rule and place; one that is not there is told', () => {
    const stuck = { states: { a: { after: { soon: 'c' } }, c: {} } }
    const allowances = [
      { rule: 'no-exit', where: 'm.c', reason: 'an operator clears it by hand' },
      { rule: 'no-exit', where: 'm.gone', reason: 'was there once' },
    ]
    expect(lintMachine(register({ ...stuck, rest: { allowances } })).map(({ rule, where }) => [rule, where])).toEqual([
      ['unused-allowance', 'm.gone'],
    ])
  })

  test('a node does not start with a machine that it cannot host, and says every reason', async () => {
    const registration = register({ states: { a: { entry: () => {} } } })
    await expect(createMemoryWorld({ registration })).rejects.toThrow(
      /m 1, m\.a entry: the host cannot write down an inline function/u,
    )
    expect(() => assertHostable({ m: registration }, {})).toThrow(/m\.a: nothing leads out of this state/u)
  })
})
