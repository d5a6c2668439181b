import { createMachine } from 'xstate'
import { expect, test } from 'vitest'

import { extractChart } from '../../src/charts/extract-chart.ts'
import { allowances } from '../../src/charts/lint/allowances.ts'
import { lintChart, lintRules } from '../../src/charts/lint/lint-chart.ts'
import type { LintRule } from '../../src/charts/lint/lint-chart.ts'
import { registeredMachines } from '../../src/machines/registered.ts'

type Config = Parameters<typeof createMachine>[0]
type Case = { readonly bad: unknown; readonly good: unknown; readonly about: string | null }

const after = { 1_000: 'b' }
const two = (a: object, b: object = { type: 'final' }): object => ({ id: 'm', initial: 'a', states: { a, b } })

/** One machine that has the fault and one that almost has it. */
const cases: { readonly [rule in LintRule]: Case } = {
  unreachable: {
    bad: { ...two({ after }), states: { a: { after }, b: { type: 'final' }, lost: { after: { 5: 'a' } } } },
    good: {
      ...two({ after }),
      states: { a: { after, on: { GO: 'lost' } }, b: { type: 'final' }, lost: { after: { 5: 'a' } } },
    },
    about: 'm.lost',
  },
  'dead-end': { bad: two({ after }, {}), good: two({ after }, { on: { BACK: 'a' } }), about: 'm.b' },
  shadowed: {
    bad: two({ after, on: { GO: [{ target: 'b' }, { guard: 'isReady', target: 'b' }] } }),
    good: two({ after, on: { GO: [{ guard: 'isReady', target: 'b' }, { target: 'b' }] } }),
    about: 'm.a|GO|1',
  },
  'no-timeout': { bad: two({ on: { GO: 'b' } }), good: two({ on: { GO: 'b' }, after }), about: 'm.a' },
  undeclared: {
    bad: two({ after, on: { GO: { guard: 'isUnknown', target: 'b' } } }),
    good: two({ after, on: { GO: { guard: 'isReady', target: 'b' } } }),
    about: 'm.a|GO|0',
  },
  unused: { bad: two({ after }), good: two({ after, on: { GO: { guard: 'isReady', target: 'b' } } }), about: null },
  'always-cycle': {
    bad: two(
      { after, always: { guard: 'isReady', target: 'b' } },
      { after: { 5: 'a' }, always: { guard: 'isReady', target: 'a' } },
    ),
    good: two({ after, always: { guard: 'isReady', target: 'b' } }),
    about: 'm.a||0',
  },
  'both-regions': {
    bad: parallel('GO', 'GO'),
    good: parallel('GO', 'STOP'),
    about: 'm.both',
  },
}

test.each(lintRules)('%s is found where it is, and not where it is not', (rule) => {
  const { bad, good, about } = cases[rule]
  const found = lint(bad).filter((finding) => finding.rule === rule)
  expect(found.map(({ id }) => id)).toContain(about)
  expect(lint(good).filter((finding) => finding.rule === rule)).toEqual([])
})

test('an event that the machine is not written for is undeclared', () => {
  const chart = extractChart(createMachine(two({ after, on: { GO: 'b', GONE: 'b' } }) as Config))
  const found = lintChart(chart, { events: ['GO'] }).filter(({ rule }) => rule === 'undeclared')
  expect(found.map(({ sentence }) => sentence)).toEqual(['the event GONE is not declared'])
})

test('an event that is stopped further in leads nowhere from there', () => {
  const stops = { ...two({ after }, { on: { GO: {} } }), on: { GO: '.a' } }
  expect(lint(stops).some(({ rule, id }) => rule === 'dead-end' && id === 'm.b')).toBe(true)
  const passes = { ...two({ after }, {}), on: { GO: '.a' } }
  expect(lint(passes).some(({ rule, id }) => rule === 'dead-end' && id === 'm.b')).toBe(false)
})

test('a finding that is allowed carries its reason', () => {
  const chart = extractChart(createMachine(two({ on: { GO: 'b' } }) as Config))
  const allowance = { rule: 'no-timeout', about: 'm.a', reason: 'it may wait for ever' } as const
  const [finding] = lintChart(chart, { allowances: [allowance] }).filter(({ rule }) => rule === 'no-timeout')
  expect(finding?.allowedBecause).toBe('it may wait for ever')
})

test.each(Object.keys(registeredMachines))('nothing about %s is doubtful without a reason', (name) => {
  const chart = extractChart(registeredMachines[name]!.machine)
  const findings = lintChart(chart, { allowances: allowances[name] ?? [] })
  expect(findings.filter(({ allowedBecause }) => allowedBecause === null)).toEqual([])
  // An allowance that allows nothing any more is taken out.
  const used = findings.filter(({ allowedBecause }) => allowedBecause !== null)
  expect(used.length).toBe((allowances[name] ?? []).length)
})

function lint(config: unknown) {
  return lintChart(extractChart(createMachine(config as Config, { guards: { isReady: () => true } })))
}

function parallel(left: string, right: string): object {
  const region = (event: string): object => ({ initial: 'x', states: { x: { on: { [event]: 'y' } }, y: {} } })
  const both = { type: 'parallel', after, states: { left: region(left), right: region(right) } }
  return { id: 'm', initial: 'both', states: { both, b: { type: 'final' } } }
}
