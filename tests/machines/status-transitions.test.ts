/** Which status may follow which, read off small charts; the conversation's own is compared with the database elsewhere. */
import { createMachine } from 'xstate'
import { expect, test } from 'vitest'

import { toStatusTransitions } from '../../src/machines/status-transitions.ts'
import type { Status } from '../../src/machines/status.ts'

function read(config: object): readonly string[] {
  const machine = createMachine(config as never)
  return toStatusTransitions(machine).map(({ from, to }) => `${from ?? 'new'} ${to}`)
}

const two = (states: { readonly [status in Status]?: object }, on: object = {}) =>
  read({ id: 'm', initial: 'PENDING', on, states: { PENDING: {}, PROGRESS: {}, FAILED: {}, ...states } })

test('a new conversation has the initial status, and every status follows itself', () => {
  expect(two({})).toEqual([
    'new PENDING',
    'PENDING PENDING',
    'PROGRESS PROGRESS',
    'HUMAN_HANDOFF HUMAN_HANDOFF',
    'IDLE_TIMEOUT IDLE_TIMEOUT',
    'AGENT_CLOSED AGENT_CLOSED',
    'SUPPORT_CLOSED SUPPORT_CLOSED',
    'USER_CLOSED USER_CLOSED',
    'EXPIRED EXPIRED',
    'FAILED FAILED',
  ])
})

test('one leads to another by an event, a time, an effect, an immediate transition, or out of a state within', () => {
  const found = (pending: object) => two({ PENDING: pending }).filter((each) => each.startsWith('PENDING'))
  const both = ['PENDING PENDING', 'PENDING PROGRESS']
  expect(found({ on: { go: 'PROGRESS' } })).toEqual(both)
  expect(found({ after: { 1_000: 'PROGRESS' } })).toEqual(both)
  expect(found({ invoke: { src: 'draft', onDone: 'PROGRESS' } })).toEqual(both)
  expect(found({ always: { guard: 'isReady', target: 'PROGRESS' } })).toEqual(both)
  const within = { initial: 'a', states: { a: { initial: 'b', states: { b: { on: { go: '#m.PROGRESS' } } } } } }
  expect(found(within)).toEqual(both)
  expect(found({ on: { go: [{ guard: 'isReady', target: 'FAILED' }, { actions: 'count' }] } })).toEqual([
    'PENDING PENDING',
    'PENDING FAILED',
  ])
})

test('they stand in the order of the statuses, each once', () => {
  expect(two({ PENDING: { on: { a: 'FAILED', b: 'PROGRESS', c: 'FAILED' } } }).slice(1, 4)).toEqual([
    'PENDING PENDING',
    'PENDING PROGRESS',
    'PENDING FAILED',
  ])
})

test('a transition of the root leads there from every status, but from one that refuses its event', () => {
  const on = { break: '.FAILED' }
  const failing = (states: Parameters<typeof two>[0]) =>
    two(states, on).filter((each) => each.endsWith(' FAILED') && !each.startsWith('FAILED'))
  expect(failing({})).toEqual(['PENDING FAILED', 'PROGRESS FAILED'])
  expect(failing({ PROGRESS: { on: { break: {} } } })).toEqual(['PENDING FAILED'])
  expect(failing({ PROGRESS: { on: { other: {} } } })).toEqual(['PENDING FAILED', 'PROGRESS FAILED'])
  expect(failing({ PROGRESS: { on: { break: [{ guard: 'isReady', target: 'PENDING' }, {}] } } })).toEqual([
    'PENDING FAILED',
  ])
  // With a guard on the last one the event may still reach the root.
  expect(failing({ PROGRESS: { on: { break: [{}, { guard: 'isReady' }] } } })).toHaveLength(2)
  expect(failing({ PROGRESS: { on: { break: { guard: 'isReady', target: 'PENDING' } } } })).toHaveLength(2)
})

test('a state that is no status is refused by its id', () => {
  const states = { PENDING: { on: { go: 'LOST' } }, LOST: {} }
  expect(() => read({ id: 'm', initial: 'PENDING', states })).toThrow('the state m.LOST belongs to no status')
})
