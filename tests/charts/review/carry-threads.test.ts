/** Threads find what they are about again: after another layout, a renaming, a move; and are seen when it is gone. */
import { describe, expect, test } from 'vitest'

import type { Chart } from '../../../src/charts/chart.ts'
import { extractChart } from '../../../src/charts/extract-chart.ts'
import { hashChart } from '../../../src/charts/hash-chart.ts'
import { carryThreads } from '../../../src/charts/review/carry-threads.ts'
import { findRenames } from '../../../src/charts/review/find-renames.ts'
import { conversationMachine } from '../../../src/machines/conversation/machine.ts'

const chart = extractChart(conversationMachine)

/** As if somebody had renamed a state in the code: in every id, target and generated event name. */
function rename(from: string, to: string): Chart {
  const text = JSON.stringify(chart)
  const [, key = ''] = /(?<key>[^.]+)$/u.exec(from) ?? []
  const [, newKey = ''] = /(?<key>[^.]+)$/u.exec(to) ?? []
  const renamed = JSON.parse(
    text.replaceAll(new RegExp(`${from.replaceAll('.', String.raw`\.`)}(?=["|.])`, 'gu'), to),
  ) as Chart
  return {
    ...renamed,
    version: 'renamed',
    states: renamed.states.map((state) => (state.id === to && state.key === key ? { ...state, key: newKey } : state)),
  }
}

function carry(about: string, shown: Chart) {
  const [thread] = carryThreads([{ id: 't', about, chartHash: hashChart(chart) }], { [hashChart(chart)]: chart }, shown)
  return thread
}

describe.each([
  ['conversation.IDLE_TIMEOUT', 'conversation.SILENT'],
  ['conversation.PROGRESS.waiting', 'conversation.PROGRESS.listening'],
  ['conversation.HUMAN_HANDOFF', 'conversation.PERSON'],
  ['conversation.HUMAN_HANDOFF.assigned', 'conversation.HUMAN_HANDOFF.taken'],
])('%s renamed to %s', (from, to) => {
  const shown = rename(from, to)

  test('keeps every thread on a state', () => {
    const isOf = (id: string): boolean => id === from || id.startsWith(`${from}.`)
    for (const { id } of chart.states) {
      expect(carry(id, shown)?.at, id).toBe(isOf(id) ? `${to}${id.slice(from.length)}` : id)
    }
  })

  test('keeps every thread on a transition, each on its own', () => {
    const places = chart.transitions.map(({ id }) => carry(id, shown)?.at)
    expect(places).not.toContain(null)
    expect(new Set(places).size).toBe(chart.transitions.length)
    for (const [place, { id, name }] of chart.transitions.entries()) {
      expect(shown.transitions.find((one) => one.id === places[place])?.name, id).toBe(name)
    }
  })
})

test('the same chart keeps every thread where it is', () => {
  for (const { id } of [...chart.states, ...chart.transitions]) expect(carry(id, chart)?.at).toBe(id)
})

test('a thread on what is gone has no place and says what it was about', () => {
  const without: Chart = {
    ...chart,
    states: chart.states.filter(({ id }) => id !== 'conversation.IDLE_TIMEOUT'),
    transitions: chart.transitions.filter(
      ({ source, targets }) => source !== 'conversation.IDLE_TIMEOUT' && !targets.includes('conversation.IDLE_TIMEOUT'),
    ),
  }
  expect(carry('conversation.IDLE_TIMEOUT', without)).toMatchObject({
    at: null,
    subject: expect.stringMatching(/^IDLE_TIMEOUT/u),
  })
  expect(carry('conversation.PENDING', without)?.at).toBe('conversation.PENDING')
})

test('a thread on a chart that nobody has any more is shown by its id', () => {
  const [thread] = carryThreads([{ id: 't', about: 'x', chartHash: 'gone' }], {}, chart)
  expect(thread).toEqual({ id: 't', about: 'x', at: null, subject: 'x' })
})

test('two states that came for one that went, and are equally like it, are not guessed between', () => {
  const state = (id: string, key: string) => ({
    ...chart.states.find(({ id: one }) => one === 'conversation.EXPIRED')!,
    id,
    key,
  })
  const from: Chart = { ...chart, transitions: [], states: [chart.states[0]!, state('conversation.old', 'old')] }
  const to: Chart = { ...from, states: [chart.states[0]!, state('conversation.a', 'a'), state('conversation.b', 'b')] }
  expect(findRenames(from, to).has('conversation.old')).toBe(false)
})
