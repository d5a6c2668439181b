import { createMachine } from 'xstate'
import type { AnyStateMachine } from 'xstate'
import { expect, test } from 'vitest'

import { extractChart } from '../../src/charts/extract-chart.ts'
import { hashChart } from '../../src/charts/hash-chart.ts'
import { checkInFlight } from '../../src/charts/in-flight/check-in-flight.ts'
import type { StoredShape } from '../../src/charts/in-flight/check-in-flight.ts'
import { applyMigrationMap, emptyMigrationMap } from '../../src/machines/migration-map.ts'
import type { MigrationMap } from '../../src/machines/migration-map.ts'

const old = createMachine({
  id: 'parcel',
  version: '1',
  initial: 'A',
  states: {
    A: { initial: 'draft', states: { draft: { invoke: { id: 'work', src: 'write' } }, rest: {} } },
    B: { after: { 1_000: 'A' } },
    GONE: {},
    P: { type: 'parallel', states: { left: { initial: 'x', states: { x: {}, y: {} } }, right: {} } },
  },
})
const next = createMachine({
  id: 'parcel',
  version: '2',
  initial: 'A',
  states: {
    A: {
      initial: 'draft',
      states: { draft: { invoke: { id: 'work', src: 'compose' } }, rest: { after: { 5_000: 'draft' } } },
    },
    B: { after: { 1_000: 'A' } },
    P: { type: 'parallel', states: { left: { initial: 'y', states: { y: {} } }, right: {} } },
  },
})

function standing(value: StoredShape['value'], part: Partial<StoredShape> = {}): StoredShape {
  const shape = JSON.stringify(value)
  const empty = { timers: [], children: {}, history: {}, samples: [], oldestAt: null }
  return { shape, machineVersion: '1', value, count: 5, open: 4, ...empty, ...part }
}

function check(shapes: readonly StoredShape[], map: MigrationMap | null = null, machine: AnyStateMachine = next) {
  const chart = extractChart(machine)
  const writer = extractChart(old)
  return checkInFlight(
    {
      chart,
      hash: hashChart(chart),
      machine,
      mapOf: () => map,
      chartOf: (version) => (version === '1' ? { chart: writer, hash: hashChart(writer) } : null),
      isKnown: (version) => version === '1' || version === '2',
      bring: (_version, snapshot) => snapshot,
      tryOut: () => null,
    },
    { at: '2026-11-25T00:00:00Z', snapshotId: '1:1:', shapes },
  )
}

const wedged = [
  standing('GONE'),
  standing({ A: 'draft' }, { children: { work: 'write' } }),
  standing({ A: 'rest' }),
  standing({ P: { left: 'x', right: {} } }),
]

test('a removed state, a renamed source, a new `after` and a removed state in a region block, with the reason', () => {
  const { states, verdict, counts } = check([...wedged, standing('B', { timers: ['xstate.after.1000.parcel.B'] })])
  const reasons = Object.fromEntries(
    states.map(({ shape, reasons: own }) => [shape, own.map(({ kind }) => kind).join()]),
  )
  expect(reasons).toEqual({
    '"GONE"': 'state-removed',
    '{"A":"draft"}': 'source-renamed',
    '{"A":"rest"}': 'timer-not-armed',
    '{"P":{"left":"x","right":{}}}': 'state-removed',
    '"B"': '',
  })
  expect(verdict).toBe('blocked')
  expect(counts).toEqual({ ok: 5, mapped: 0, blocked: 20 })
})

test('a map that answers every reason makes it green; one that misses one does not', () => {
  const map: MigrationMap = {
    ...emptyMigrationMap('parcel', '1', '2'),
    states: { GONE: 'A.rest', 'P.left.x': 'P.left.y' },
    sources: { write: 'compose' },
    arm: ['A.rest'],
  }
  const mapped = check(wedged, map)
  expect(mapped.verdict).toBe('green')
  expect(mapped.states.map(({ outcome }) => outcome)).toEqual(['mapped', 'mapped', 'mapped', 'mapped'])
  expect(mapped.states.find(({ value }) => value === 'GONE')?.toValue).toEqual({ A: 'rest' })
  expect(check(wedged, { ...map, arm: [] }).counts).toEqual({ ok: 0, mapped: 15, blocked: 5 })
})

test('a pending timer that is gone, a version that nobody knows and a change without a new version block', () => {
  const lost = check([standing('B', { timers: ['xstate.after.9.parcel.B'] })])
  expect(lost.states[0]?.reasons.map(({ kind }) => kind)).toEqual(['timer-removed'])
  expect(check([standing('B', { machineVersion: '7' })]).states[0]?.reasons[0]?.kind).toBe('version-unknown')
  const same = createMachine({ ...next.config, version: '1' } as never) as AnyStateMachine
  const kinds = check([standing({ A: 'rest' })], null, same).states[0]?.reasons.map(({ kind }) => kind)
  expect(kinds).toEqual(['version-unchanged', 'timer-not-armed'])
})

test('the machine that wrote them finds nothing', () => {
  const shapes = wedged.map((shape) => shape)
  expect(check(shapes, null, old).verdict).toBe('green')
})

test('a value is moved by its own entry or by that of a state around it', () => {
  const snapshot = { status: 'active', value: 'GONE', context: {}, historyValue: {}, children: {} } as const
  expect(applyMigrationMap(next, { states: { GONE: 'P' }, drop: [] }, snapshot).value).toEqual('P')
  const inner = { ...snapshot, value: { OLD: 'rest' } }
  expect(applyMigrationMap(next, { states: { OLD: 'A' }, drop: [] }, inner).value).toEqual({ A: 'rest' })
})
