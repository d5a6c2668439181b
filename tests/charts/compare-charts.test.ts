import fc from 'fast-check'
import { createMachine } from 'xstate'
import { expect, test } from 'vitest'

import { compareCharts } from '../../src/charts/compare/compare-charts.ts'
import type { ChangeKind } from '../../src/charts/compare/compare-charts.ts'
import { toExtraSigns, toOverlay } from '../../src/charts/compare/to-overlay.ts'
import { extractChart } from '../../src/charts/extract-chart.ts'
import { layOutChart } from '../../src/charts/layout/lay-out-chart.ts'
import { measurePicture } from '../../src/charts/layout/picture-metrics.ts'
import { elkEngine } from './layout-engine.ts'
import { randomMachines } from './random-machine.ts'

type Config = Parameters<typeof createMachine>[0]

const base = {
  id: 'm',
  version: '1',
  initial: 'idle',
  on: { STOP: '.ended' },
  states: {
    idle: {
      tags: ['quiet'],
      entry: 'greet',
      on: {
        GO: [
          { guard: 'isReady', target: 'busy' },
          { guard: 'isLate', target: 'ended' },
        ],
      },
      after: { 1_000: 'ended' },
    },
    busy: {
      initial: 'first',
      invoke: { id: 'work', src: 'work', onDone: 'idle' },
      states: { first: { on: { NEXT: 'second' } }, second: {} },
      on: { NOTE: { actions: 'write' } },
    },
    ended: {},
  },
} as const

/** Each changes one thing; what is said first about it. */
const edits: readonly (readonly [
  title: string,
  edit: (config: Config & typeof base) => unknown,
  said: readonly string[],
])[] = [
  [
    'a state is removed',
    ({ states: { ended: _, ...states }, on: _on, ...rest }) => ({
      ...rest,
      states: { ...states, idle: { ...states.idle, on: {}, after: {} } },
    }),
    ['the state ended is removed'],
  ],
  ['a state is added', (c) => ({ ...c, states: { ...c.states, extra: {} } }), ['the state extra is added']],
  [
    'a state is moved',
    ({ states: { ended, ...states }, ...c }) => ({
      ...c,
      on: { STOP: '.busy.ended' },
      states: {
        idle: {
          ...states.idle,
          on: {
            GO: [
              { guard: 'isReady', target: 'busy' },
              { guard: 'isLate', target: 'busy.ended' },
            ],
          },
          after: { 1_000: 'busy.ended' },
        },
        busy: { ...states.busy, states: { ...states.busy.states, ended } },
      },
    }),
    ['the state ended is now busy.ended'],
  ],
  ['a transition is removed', (c) => ({ ...c, on: {} }), ['removed: any state, STOP, to ended']],
  ['a transition is added', (c) => ({ ...c, on: { ...c.on, RESET: '.idle' } }), ['added: any state, RESET, to idle']],
  ['a target changes', (c) => ({ ...c, on: { STOP: '.busy' } }), ['any state, STOP leads to busy instead of ended']],
  [
    'a guard changes',
    (c) =>
      withIdle(c, {
        on: {
          GO: [
            { guard: 'isOpen', target: 'busy' },
            { guard: 'isLate', target: 'ended' },
          ],
        },
      }),
    ['idle, GO [isOpen]: asks isOpen instead of isReady'],
  ],
  [
    'a guard goes',
    (c) => withIdle(c, { on: { GO: [{ guard: 'isReady', target: 'busy' }, { target: 'ended' }] } }),
    ['idle, GO: no longer asks isLate'],
  ],
  [
    'a guard comes',
    (c) => ({ ...c, on: { STOP: { guard: 'isLate', target: '.ended' } } }),
    ['any state, STOP [isLate]: now asks isLate'],
  ],
  [
    'the order of guards changes',
    (c) =>
      withIdle(c, {
        on: {
          GO: [
            { guard: 'isLate', target: 'ended' },
            { guard: 'isReady', target: 'busy' },
          ],
        },
      }),
    ['idle, GO [isLate]: is asked first instead of second', 'idle, GO [isReady]: is asked second instead of first'],
  ],
  ['a delay changes', (c) => withIdle(c, { after: { 5_000: 'ended' } }), ['idle, after 5 s: after 5 s instead of 1 s']],
  [
    'an action comes',
    (c) => ({ ...c, on: { STOP: { target: '.ended', actions: 'write' } } }),
    ['any state, STOP: does write instead of nothing'],
  ],
  [
    'an action gets other params',
    (c) => ({ ...c, on: { STOP: { target: '.ended', actions: { type: 'write', params: { to: 'log' } } } } }),
    ['any state, STOP: does write instead of nothing'],
  ],
  [
    'an entry changes',
    (c) => withIdle(c, { entry: ['greet', 'write'] }),
    ['idle on entry does greet, write instead of greet'],
  ],
  ['an exit comes', (c) => withIdle(c, { exit: 'write' }), ['idle on exit does write instead of nothing']],
  [
    'another actor is invoked',
    (c) => withBusy(c, { invoke: { id: 'work', src: 'otherWork', onDone: 'idle' } }),
    ['busy invokes otherWork as work instead of work'],
  ],
  ['the initial state changes', (c) => ({ ...c, initial: 'busy' }), ['the machine starts in busy instead of idle']],
  [
    'a kind changes',
    (c) => ({ ...c, states: { ...c.states, ended: { type: 'final' } } }),
    ['ended is final instead of atomic'],
  ],
  ['a tag goes', (c) => withIdle(c, { tags: [] }), ['idle has the tags none instead of quiet']],
  [
    'a transition enters anew',
    (c) => ({ ...c, on: { STOP: { target: '.ended', reenter: true } } }),
    ['any state, STOP: enters its state anew'],
  ],
  ['a description changes', (c) => withIdle(c, { description: 'waits' }), ['idle is described in other words']],
]

test.each(edits)('%s, and that is what is said', (_title, edit, said) => {
  const { changes } = compareCharts(extract(base), extract(edit(base)))
  expect(changes.slice(0, said.length).map(({ sentence }) => sentence)).toEqual(said)
})

test('what is most dangerous stands first', () => {
  const [, remove] = edits[0] ?? []
  const head = { ...(remove?.(base) as object), initial: 'busy' }
  const risks = compareCharts(extract(base), extract(head)).changes.map(({ risk }) => risk)
  expect(risks[0]).toBe(0)
  expect(risks).toEqual(risks.toSorted((a, b) => a - b))
})

test('a chart compared with itself has not changed', () => {
  fc.assert(
    fc.property(randomMachines, ({ machine }) => {
      const chart = extractChart(machine)
      expect(compareCharts(chart, chart)).toMatchObject({ changes: [], onlyBase: [], onlyHead: [] })
    }),
    { numRuns: 100 },
  )
})

test('what one direction calls added the other calls removed', () => {
  const mirrored: { readonly [kind in ChangeKind]: ChangeKind } = {
    added: 'removed',
    removed: 'added',
    changed: 'changed',
    moved: 'moved',
    retargeted: 'retargeted',
  }
  fc.assert(
    fc.property(randomMachines, randomMachines, (one, other) => {
      const [a, b] = [extractChart(one.machine), extractChart(other.machine)]
      const kinds = (of: ReturnType<typeof compareCharts>, name: (kind: ChangeKind) => ChangeKind) =>
        of.changes.map(({ kind, what }) => `${name(kind)} ${what}`).toSorted()
      expect(kinds(compareCharts(a, b), (kind) => kind)).toEqual(kinds(compareCharts(b, a), (kind) => mirrored[kind]))
    }),
    { numRuns: 100 },
  )
})

test('the union is drawn whole and without overlaps, each id once', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(randomMachines, randomMachines, async (one, other) => {
      const compared = compareCharts(extractChart(one.machine), extractChart(other.machine))
      const { union } = compared
      expect(new Set(union.states.map(({ id }) => id)).size).toBe(union.states.length)
      expect(new Set(union.transitions.map(({ id }) => id)).size).toBe(union.transitions.length)
      const extra = toExtraSigns(toOverlay(compared))
      const picture = await layOutChart(union, { engine: elkEngine, extra })
      expect(picture.note).toBeNull()
      expect(measurePicture(picture).overlaps).toEqual([])
      const drawn = [
        ...picture.rootRows,
        ...picture.boxes.flatMap((box) => box.rows),
        ...picture.arrows.flatMap((arrow) => arrow.labels),
      ]
      expect(drawn.flatMap(({ transitionId }) => transitionId ?? []).length).toBe(union.transitions.length)
    }),
    { numRuns: 5, endOnFailure: true },
  )
})

test('charts of two machines are not compared', () => {
  expect(() => compareCharts(extract(base), extract({ ...base, id: 'other' }))).toThrow('two machines')
})

function extract(config: unknown) {
  return extractChart(createMachine(config as Config))
}

function withIdle(config: typeof base, change: object): object {
  return { ...config, states: { ...config.states, idle: { ...config.states.idle, ...change } } }
}

function withBusy(config: typeof base, change: object): object {
  return { ...config, states: { ...config.states, busy: { ...config.states.busy, ...change } } }
}
