import fc from 'fast-check'
import { assign, createActor, createMachine, SimulatedClock } from 'xstate'
import type { AnyStateMachine } from 'xstate'
import { expect, test } from 'vitest'

import { extractChart } from '../../src/charts/extract-chart.ts'
import { compareWalks } from '../../src/charts/simulate/compare-walks.ts'
import { listOptions } from '../../src/charts/simulate/list-options.ts'
import { reviveMachine } from '../../src/charts/simulate/revive-machine.ts'
import { readSteps, stepsMax } from '../../src/charts/simulate/steps.ts'
import type { Step } from '../../src/charts/simulate/steps.ts'
import { listActive, walk } from '../../src/charts/simulate/walk.ts'
import { conversationRegistration } from '../../src/machines/conversation/registration.ts'
import { conversationMachine } from '../../src/machines/conversation/machine.ts'
import { toEventExample } from '../../src/machines/conversation/event-examples.ts'

const chart = extractChart(conversationMachine)
const input = conversationRegistration.toInput({
  at: 0,
  businessAddress: 'whatsapp:+14155238886',
  settings: {},
  previous: null,
})
const options = { machine: conversationMachine, input, toExample: toEventExample }
const eventNames = [
  ...new Set(
    chart.transitions
      .filter(({ kind }) => kind === 'event' || kind === 'done' || kind === 'error')
      .map(({ event }) => event),
  ),
]
const guardNames = chart.declared.guards

const randomSteps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        event: fc.constantFrom(...eventNames),
        choices: fc.dictionary(fc.constantFrom(...guardNames), fc.boolean(), { maxKeys: 5 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ waitMs: fc.constantFrom(500, 1_500, 60_000, 900_000, 86_400_000) }) },
  ),
  { maxLength: 8 },
)

test('a thousand random walks end where a real actor ends, and no action runs', { timeout: 60_000 }, () => {
  const called: string[] = []
  fc.assert(
    fc.property(randomSteps, (steps) => {
      const walked = walk({ ...options, machine: watch(conversationMachine, called), steps })
      expect(called).toEqual([])
      expect(walked.points.map(({ active }) => active)).toEqual(runActor(steps))
    }),
    { numRuns: 1_000 },
  )
})

test('a machine made again of its chart walks like the machine itself', { timeout: 60_000 }, () => {
  const revived = reviveMachine(chart, conversationMachine)
  fc.assert(
    fc.property(randomSteps, (steps) => {
      const [was, is] = [walk({ ...options, steps }), walk({ ...options, machine: revived, steps })]
      expect(compareWalks(was.points, is.points)).toEqual({ at: null, sentence: 'both versions take the same way' })
    }),
    { numRuns: 200 },
  )
  const again = extractChart(revived, input)
  expect({
    ...again,
    declared: chart.declared,
    states: again.states.map((state) => ({ ...state, description: null })),
  }).toEqual({
    ...chart,
    states: chart.states.map((state) => ({ ...state, description: null })),
  })
})

test('every branch that is offered is reached by the answers that are offered for it', () => {
  let offered = 0
  fc.assert(
    fc.property(randomSteps, (steps) => {
      const { end } = walk({ ...options, steps })
      for (const { event, dueInMs, branches } of listOptions(end, chart, toEventExample).options) {
        for (const { transitionId, choices } of branches) {
          if (choices === null) continue
          offered += 1
          const step: Step =
            dueInMs === null ? { event, choices: { ...choices } } : { waitMs: dueInMs, choices: { ...choices } }
          const last = walk({ ...options, steps: [...steps, step] }).points.at(-1)
          expect(last?.taken).toContain(transitionId)
        }
      }
    }),
    { numRuns: 25 },
  )
  expect(offered).toBeGreaterThan(50)
})

test('a branch that is always hidden by another one is marked', () => {
  const machine = createMachine(
    {
      id: 'm',
      initial: 'a',
      states: {
        a: { on: { GO: [{ guard: 'isReady', target: 'b' }, { target: 'c' }, { target: 'b' }] } },
        b: {},
        c: {},
      },
    },
    { guards: { isReady: () => false } },
  )
  const { end } = walk({ machine, steps: [], toExample: () => ({}) })
  const [go] = listOptions(end, extractChart(machine), () => ({})).options
  expect(go?.branches.map(({ order, choices }) => [order, choices])).toEqual([
    ['1', { isReady: true }],
    ['2', { isReady: false }],
    ['else', null],
  ])
})

test('guards that are exchanged after a snapshot was made would not be asked; here they are', () => {
  const first: Step = { event: 'message.received', choices: { asksForPerson: false, goesOn: true } }
  const second: Step = { event: 'message.received', choices: { asksForPerson: true } }
  const { points } = walk({ ...options, steps: [first, second] })
  expect(points.map(({ active }) => active.at(-1))).toEqual([
    'conversation.PENDING.collecting',
    'conversation.PENDING.collecting',
    'conversation.HUMAN_HANDOFF.queued',
  ])
  expect(points[2]?.asked[0]).toEqual({ guard: 'asksForPerson', answer: true, isChosen: true })
})

test('what a state does not take is ignored, and offered as such', () => {
  const { points, end } = walk({ ...options, steps: [{ event: 'operator.replied' }] })
  expect(points.at(-1)?.outcome).toBe('ignored')
  expect(listOptions(end, chart, toEventExample).ignored).toContain('operator.replied')
})

test('timers fire in order on a clock that only moves when it is told to', () => {
  const machine = createMachine({
    id: 'm',
    initial: 'a',
    states: { a: { after: { 300: 'b', 200: { actions: 'note' } } }, b: { after: { 100: 'c' } }, c: {} },
  })
  const { points } = walk({
    machine,
    steps: [{ waitMs: 250 }, { waitMs: 49 }, { waitMs: 1 }, { waitMs: 1_000 }],
    toExample: () => ({}),
  })
  expect(points.map(({ active, nowMs }) => [active.at(-1), nowMs])).toEqual([
    ['m.a', 0],
    ['m.a', 250],
    ['m.a', 299],
    ['m.b', 300],
    ['m.c', 1_300],
  ])
  expect(points[1]?.wishes).toEqual(['note'])
  expect(points[1]?.timers).toEqual([{ event: 'xstate.after.300.m.a', dueInMs: 50 }])
})

test('a machine that throws, or goes in circles, is told as such and stays where it was', () => {
  const machine = createMachine({
    id: 'm',
    initial: 'a',
    context: {},
    states: {
      a: {
        on: {
          BREAK: {
            target: 'b',
            actions: assign(() => {
              throw new Error('no such field')
            }),
          },
          SPIN: 'b',
        },
      },
      b: { always: 'c' },
      c: { always: 'b' },
    },
  })
  const { points } = walk({ machine, steps: [{ event: 'BREAK' }, { event: 'SPIN' }], toExample: () => ({}) })
  expect(points[1]).toMatchObject({ outcome: 'failed', problem: 'no such field', active: ['m', 'm.a'] })
  expect(points[2]?.outcome).toBe('failed')
  expect(points[2]?.problem).toMatch(/loop|microsteps/iu)
})

test('two versions part at the first step at which they differ', () => {
  const head = createMachine({
    id: 'm',
    initial: 'a',
    states: { a: { on: { GO: 'b' } }, b: { on: { GO: 'c' } }, c: {} },
  })
  const base = createMachine({
    id: 'm',
    initial: 'a',
    states: { a: { on: { GO: 'b' } }, b: { on: { GO: 'a' } }, c: {} },
  })
  const steps = [{ event: 'GO' }, { event: 'GO' }]
  const run = (machine: AnyStateMachine) => walk({ machine, steps, toExample: () => ({}) }).points
  expect(compareWalks(run(base), run(head))).toEqual({ at: 2, sentence: 'they part at step 2: m.c instead of m.a' })
})

test('when only one version takes an event, it is said which one ignores it', () => {
  const machine = (actions: object) => createMachine({ id: 'm', initial: 'a', states: { a: { on: actions } } })
  const run = (one: AnyStateMachine) => walk({ machine: one, steps: [{ event: 'GO' }], toExample: () => ({}) }).points
  const [plain, noting] = [run(machine({})), run(machine({ GO: { actions: 'note' } }))]
  expect(compareWalks(plain, noting).sentence).toBe('they part at step 1: the older one ignores it')
  expect(compareWalks(noting, plain).sentence).toBe('they part at step 1: the newer one ignores it')
})

test.each([
  ['{', 'the walk is no JSON'],
  ['{}', ''],
  ['[{"event":1}]', ''],
  ['[{"waitMs":-1}]', ''],
  ['[{"event":"GO","evil":1}]', ''],
  [JSON.stringify(Array.from({ length: stepsMax + 1 }, () => ({ waitMs: 1 }))), ''],
  [`["${'x'.repeat(9_000)}"]`, 'longer than 8000 characters'],
])('steps that are none are refused with a reason', (text, reason) => {
  const reading = readSteps(text)
  expect(reading.kind === 'malformed' ? reading.reason : 'understood').toContain(reason)
  expect(reading.kind).toBe('malformed')
})

/** The states after every step, as an actor with a simulated clock and the same answers reaches them. */
function runActor(steps: readonly Step[]): readonly (readonly string[])[] {
  let chosen: { readonly [guard: string]: boolean } = {}
  const real = conversationMachine.implementations.guards as Record<string, (scope: never, params: never) => boolean>
  const guards = Object.fromEntries(
    Object.entries(real).map(([name, guard]) => [
      name,
      (scope: never, params: never) => {
        if (Object.hasOwn(chosen, name)) return chosen[name]
        try {
          return guard(scope, params)
        } catch {
          return false
        }
      },
    ]),
  )
  const clock = new SimulatedClock()
  const machine = conversationMachine.provide({
    guards,
    actors: { draftReply: silent, transcribe: silent },
  } as never) as AnyStateMachine
  const actor = createActor(machine, { input, clock })
  actor.start()
  const places = [listActive(actor.getSnapshot())]
  for (const step of steps) {
    chosen = step.choices ?? {}
    if ('waitMs' in step) letPass(clock, step.waitMs)
    else if (isResult.test(step.event) && actor.getSnapshot().children[step.event.replace(isResult, '')] === undefined)
      chosen = {}
    else actor.send({ ...toEventExample(step.event), type: step.event, at: 1_767_225_600_000 + clock.now() })
    chosen = {}
    places.push(listActive(actor.getSnapshot()))
  }
  actor.stop()
  return places
}

const isResult = /^xstate\.\w+\.actor\./u

/** The clock of XState turns first and fires then; here it stops at every moment at which something is due. */
function letPass(clock: SimulatedClock, ms: number): void {
  const until = clock.now() + ms
  const { timeouts } = clock as unknown as {
    readonly timeouts: Map<number, { readonly start: number; readonly timeout: number }>
  }
  while (clock.now() < until) {
    const dues = [...timeouts.values()].map(({ start, timeout }) => start + timeout)
    clock.set(Math.min(until, ...dues.filter((due) => due > clock.now())))
  }
}

/** An actor that never answers: its results are steps of the walk. */
const silent = createMachine({ id: 'silent' })

/** The machine with every named action that is not XState's own telling that it was called. */
function watch(machine: AnyStateMachine, called: string[]): AnyStateMachine {
  const actions = Object.entries(machine.implementations.actions as Record<string, { readonly resolve?: unknown }>)
  const plain = actions.filter(([, action]) => typeof action === 'function' && !('resolve' in action))
  expect(plain.length).toBeGreaterThan(0)
  return machine.provide({
    actions: Object.fromEntries(plain.map(([name]) => [name, () => void called.push(name)])),
  } as never)
}
