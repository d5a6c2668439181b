import fc from 'fast-check'
import { expect, test } from 'vitest'

import { describeChart } from '../../src/charts/describe-chart.ts'
import { toSvg } from '../../src/charts/drawing/to-svg.ts'
import { extractChart } from '../../src/charts/extract-chart.ts'
import { LayoutTooSlow, layOutChart } from '../../src/charts/layout/lay-out-chart.ts'
import { measurePicture } from '../../src/charts/layout/picture-metrics.ts'
import type { Picture } from '../../src/charts/picture.ts'
import { registeredMachines } from '../../src/machines/registered.ts'
import { elkEngine } from './layout-engine.ts'
import { build, randomMachines } from './random-machine.ts'

const many = { timeout: 60_000 }

test('every state and transition of a random machine is drawn exactly once, and nothing overlaps', many, async () => {
  await fc.assert(
    fc.asyncProperty(randomMachines, async ({ machine }) => {
      const chart = extractChart(machine)
      const picture = await layOutChart(chart, { engine: elkEngine })
      expect(picture.note).toBeNull()
      expect(readIds(picture)).toEqual(toIds(chart))
      const svg = toSvg(picture, { theme: 'auto', overlay: null, describe: describeChart(chart) })
      expect(readSvgIds(svg)).toEqual(toIds(chart))
      expect(measurePicture(picture).overlaps).toEqual([])
    }),
    { numRuns: 15, endOnFailure: true },
  )
})

test.each(Object.entries(registeredMachines))(
  'the chart of %s reads from top to bottom',
  async (_name, { machine }) => {
    const picture = await layOutChart(extractChart(machine), { engine: elkEngine })
    const { overlaps, misplacedInitials } = measurePicture(picture)
    expect(picture.note).toBeNull()
    expect(overlaps).toEqual([])
    expect(misplacedInitials).toEqual([])
  },
)

test('hundreds of states are laid out without an overlap', many, async () => {
  const numbers = Array.from({ length: 997 }, (_, place) => ((place * place * 31 + place * 7_919) >> 3) % 1_000)
  const { machine, stateCount } = build(numbers, 300)
  expect(stateCount).toBeGreaterThan(250)
  const chart = extractChart(machine)
  const picture = await layOutChart(chart, { engine: elkEngine })
  expect(readIds(picture)).toEqual(toIds(chart))
  expect(measurePicture(picture).overlaps).toEqual([])
})

test('a layout that fails with all options is tried plainly first', async () => {
  const asked: boolean[] = []
  const chart = extractChart(registeredMachines['conversation']!.machine)
  const picture = await layOutChart(chart, {
    engine: async (graph) => {
      const isPlain = graph.layoutOptions?.['elk.randomSeed'] === undefined
      asked.push(isPlain)
      if (!isPlain) throw new Error("Cannot read properties of undefined (reading 'a')")
      return elkEngine(graph)
    },
  })
  expect(asked.slice(0, 4)).toEqual([false, false, false, true])
  expect(picture.note).toBeNull()
  expect(measurePicture(picture).overlaps).toEqual([])
})

test('when the engine always fails every state and transition is still drawn, with a note', async () => {
  await fc.assert(
    fc.asyncProperty(randomMachines, async ({ machine }) => {
      const chart = extractChart(machine)
      const engine = async () => Promise.reject(new Error('the engine is gone'))
      const picture = await layOutChart(chart, { engine })
      expect(picture.note).toContain('plain drawing')
      expect(readIds(picture)).toEqual(toIds(chart))
      expect(measurePicture(picture).overlaps).toEqual([])
    }),
    { numRuns: 40 },
  )
})

test('an engine that is too slow is not asked again', async () => {
  let asked = 0
  const engine = async () => {
    asked += 1
    return Promise.reject(new LayoutTooSlow('2 s have passed'))
  }
  const picture = await layOutChart(extractChart(registeredMachines['conversation']!.machine), { engine })
  expect(asked).toBe(1)
  expect(picture.boxes.length).toBeGreaterThan(9)
})

type Ids = { readonly states: readonly string[]; readonly transitions: readonly string[] }

function toIds(chart: ReturnType<typeof extractChart>): Ids {
  return {
    states: chart.states
      .map(({ id }) => id)
      .filter((id) => id !== chart.root)
      .toSorted(),
    transitions: chart.transitions.map(({ id }) => id).toSorted(),
  }
}

/** As lists, so that what is there twice shows. */
function readIds({ boxes, arrows, rootRows }: Picture): Ids {
  const entries = [...rootRows, ...boxes.flatMap(({ rows }) => rows), ...arrows.flatMap(({ labels }) => labels)]
  return {
    states: boxes.map(({ stateId }) => stateId).toSorted(),
    transitions: entries.flatMap(({ transitionId }) => transitionId ?? []).toSorted(),
  }
}

function readSvgIds(svg: string): Ids {
  const read = (name: string): readonly string[] =>
    [...svg.matchAll(new RegExp(`data-${name}="([^"]*)"`, 'gu'))].map(([, id]) => id ?? '').toSorted()
  return { states: read('state'), transitions: read('edge') }
}
