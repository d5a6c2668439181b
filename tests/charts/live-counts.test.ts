import { expect, test } from 'vitest'

import { indexChart } from '../../src/charts/chart-index.ts'
import { extractChart } from '../../src/charts/extract-chart.ts'
import { countLive } from '../../src/charts/live/count-live.ts'
import { findLimits, roundLimit } from '../../src/charts/live/find-limits.ts'
import { toHeat } from '../../src/charts/live/heat-overlay.ts'
import { placeMoves } from '../../src/charts/live/place-moves.ts'
import { rankStuck } from '../../src/charts/live/rank-stuck.ts'
import { conversationMachine } from '../../src/machines/conversation/machine.ts'

const index = indexChart(extractChart(conversationMachine))
const one = { machineVersion: '2', open: 1, count: 2, oldestAt: null }

test('a state around others counts what stands inside, zero is named, and all adds up', () => {
  const counts = countLive(index, [
    { ...one, value: { PROGRESS: 'waiting' } },
    { ...one, value: { PROGRESS: 'answering' } },
    { ...one, value: 'NOWHERE' },
  ])
  expect(counts).toMatchObject({ total: 6, open: 3, elsewhere: 2 })
  expect(counts.states['conversation.PROGRESS']).toMatchObject({ count: 4, open: 2 })
  expect(counts.states['conversation.PROGRESS.waiting']).toMatchObject({ count: 2, open: 1 })
  expect(counts.states['conversation.EXPIRED']).toMatchObject({ count: 0, open: 0 })
})

test('a move is the transition that leads there, of several steps in one commit each', () => {
  const waiting = { PROGRESS: 'waiting' }
  const collecting = { PROGRESS: 'collecting' }
  const { transitions, unplaced } = placeMoves(index, [
    { from: waiting, events: ['message.received'], to: collecting, count: 3 },
    { from: waiting, events: ['message.received', 'message.received'], to: collecting, count: 2 },
    { from: waiting, events: ['nothing.known'], to: collecting, count: 1 },
  ])
  expect(unplaced).toBe(1)
  expect(Object.values(transitions).reduce((sum, count) => sum + count, 0)).toBe(7)
  expect(Object.keys(transitions).every((id) => id.startsWith('conversation.PROGRESS|message.received|'))).toBe(true)
})

test('a transition that every state has is placed, wherever somebody stood', () => {
  const closed = 'USER_CLOSED'
  const { transitions, unplaced } = placeMoves(index, [
    { from: { PROGRESS: 'waiting' }, events: ['message.received'], to: closed, count: 10 },
  ])
  expect(unplaced).toBe(0)
  expect(Object.keys(transitions).map((id) => id.split('|')[0])).toEqual(['conversation'])
  expect(Object.values(transitions)).toEqual([10])
})

test('who stands in a place that the chart does not have counts in the states around it, as the list does', () => {
  const counts = countLive(index, [{ ...one, value: { PROGRESS: 'dreaming' } }])
  expect(counts).toMatchObject({ total: 2, elsewhere: 2 })
  expect(counts.states['conversation.PROGRESS']).toMatchObject({ count: 2 })
  expect(counts.states['conversation']).toMatchObject({ count: 2 })
})

test('heat grows with the square root, and somebody is never nobody', () => {
  expect([0, 1, 25, 100].map((count) => toHeat(count, 100))).toEqual([0, 1, 4, 8])
})

test('a limit names the timers that leave a state; a guarded one among them counts only with an unguarded one beside it', () => {
  const limits = new Map(findLimits(index).map((limit) => [limit.id, limit]))
  const timer = (name: string): string => `xstate.after.${name}`
  expect(limits.get('conversation.PROGRESS.waiting')).toEqual({
    id: 'conversation.PROGRESS.waiting',
    path: ['PROGRESS', 'waiting'],
    timers: [timer('idleTimeout.conversation.PROGRESS.waiting')],
    limitMs: 15 * 60_000,
  })
  expect(limits.get('conversation.IDLE_TIMEOUT')?.timers).toEqual([timer('idleExpiry.conversation.IDLE_TIMEOUT')])
  expect(limits.get('conversation.USER_CLOSED')).toMatchObject({ timers: [], limitMs: null })
  expect(limits.has('conversation.PROGRESS')).toBe(false)
})

test('what was measured is the chart’s limit where it is nearly that, else whole seconds or minutes', () => {
  expect(roundLimit(899_200, 900_000)).toBe(900_000)
  expect(roundLimit(59_100, 900_000)).toBe(59_000)
  expect(roundLimit(3_599_100, 900_000)).toBe(3_600_000)
  expect(roundLimit(3_599_100, null)).toBe(3_600_000)
})

test('states stand by how much of their time is used up, by the conversations’ own limits where they have some', () => {
  const limitsOf = (id: string, limitMs: number | null) => ({ id, path: [id], timers: [], limitMs })
  const state = { open: 1, oldestMs: 1, older: 0, ownLimitsMs: null }
  const ranked = rankStuck(
    [
      limitsOf('long', 10_000),
      limitsOf('own', 1_000),
      limitsOf('none', null),
      limitsOf('nobody', 1_000),
      limitsOf('over', 100),
    ],
    [
      { ...state, id: 'none', p95Ms: 90_000 },
      { ...state, id: 'nobody', p95Ms: null },
      { ...state, id: 'long', p95Ms: 5_000 },
      { ...state, id: 'own', p95Ms: 5_000, ownLimitsMs: [60_000, 600_000] },
      { ...state, id: 'over', p95Ms: 150 },
    ],
  )
  expect(ranked.map(({ id }) => id)).toEqual(['over', 'long', 'own', 'none', 'nobody'])
  expect(ranked[2]).toMatchObject({ limitMs: 1_000, ownLimitsMs: [60_000, 600_000] })
})
