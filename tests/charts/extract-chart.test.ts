import fc from 'fast-check'
import type { AnyStateNode } from 'xstate'
import { assign, createMachine, raise } from 'xstate'
import { expect, test } from 'vitest'

import { parseChart, toChartJson } from '../../src/charts/chart.ts'
import { extractChart } from '../../src/charts/extract-chart.ts'
import { conversationMachine } from '../../src/machines/conversation/machine.ts'
import { randomMachines } from './random-machine.ts'

test('every state and transition of a random machine is in its chart exactly once', () => {
  fc.assert(
    fc.property(randomMachines, ({ machine, stateCount, transitionCount }) => {
      const chart = extractChart(machine)
      expect(chart.states.length).toBe(stateCount)
      expect(chart.transitions.length).toBe(transitionCount)
      expect(new Set(chart.states.map(({ id }) => id)).size).toBe(stateCount)
      expect(new Set(chart.transitions.map(({ id }) => id)).size).toBe(transitionCount)
      expect(chart.transitions.length).toBe(countTransitions(machine.root))
    }),
    { numRuns: 150 },
  )
})

test('a chart is read back from its JSON as the same bytes', () => {
  fc.assert(
    fc.property(randomMachines, ({ machine }) => {
      const json = toChartJson(extractChart(machine))
      expect(toChartJson(parseChart(JSON.parse(json)))).toBe(json)
    }),
    { numRuns: 100 },
  )
})

test('what is no chart is refused with a sentence that says where', () => {
  const chart = extractChart(conversationMachine)
  expect(() => parseChart({ ...chart, schema: 'duologue.chart/0' })).toThrow('not a chart of duologue.chart/1: schema')
  expect(() => parseChart({ ...chart, states: [{ id: 1 }] })).toThrow('states.0.id')
})

test('delays are named and known in milliseconds, also those that are computed', () => {
  const delays = extractChart(conversationMachine).transitions.flatMap(({ delay }) => (delay === null ? [] : [delay]))
  expect(delays).toContainEqual({ name: 'idleTimeout', ms: 900_000 })
  const machine = createMachine(
    { id: 'm', initial: 'a', states: { a: { after: { broken: 'b', 250: 'b' } }, b: {} } },
    { delays: { broken: () => Number(undefined) } },
  )
  expect(extractChart(machine).transitions.map(({ delay }) => delay)).toEqual([
    { name: '250', ms: 250 },
    { name: 'broken', ms: null },
  ])
})

test('the timers that every `after` adds by itself are left out, those of the author are not', () => {
  const machine = createMachine({
    id: 'm',
    initial: 'a',
    states: { a: { after: { 10: 'b' }, entry: [raise({ type: 'GO' }), assign({}), 'note'], on: { GO: 'b' } }, b: {} },
  })
  const [, state] = extractChart(machine).states
  expect(state?.entry.map(({ name }) => name)).toEqual(['raise GO', 'assign', 'note'])
  expect(state?.exit).toEqual([])
})

test('a transition that forbids has neither target nor actions, one that stays has actions', () => {
  const chart = extractChart(conversationMachine)
  const of = (id: string) => chart.transitions.find((transition) => transition.id === id)
  expect(of('conversation.USER_CLOSED|message.received|0')).toMatchObject({ targets: [], actions: [] })
  expect(of('conversation.HUMAN_HANDOFF.queued|message.received|0')).toMatchObject({
    targets: [],
    actions: [{ name: 'noteLanguage' }],
  })
})

/** Counted anew from the machine's own nodes. */
function countTransitions(node: AnyStateNode): number {
  const own = [...node.transitions.values()].reduce((sum, list) => sum + list.length, 0) + (node.always ?? []).length
  const states = Object.values(node.states)
  return states.reduce((sum, child) => sum + countTransitions(child), own)
}
