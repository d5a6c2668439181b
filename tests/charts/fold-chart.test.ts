import fc from 'fast-check'
import { expect, test } from 'vitest'

import { extractChart } from '../../src/charts/extract-chart.ts'
import { foldChart, listFoldable } from '../../src/charts/fold-chart.ts'
import { layOutChart } from '../../src/charts/layout/lay-out-chart.ts'
import { measurePicture } from '../../src/charts/layout/picture-metrics.ts'
import { conversationMachine } from '../../src/machines/conversation/machine.ts'
import { elkEngine } from './layout-engine.ts'
import { randomMachines } from './random-machine.ts'

test('a folded state is one box that says what is inside', async () => {
  const { chart, folded } = foldChart(extractChart(conversationMachine), ['conversation.PROGRESS'])
  expect(chart.states.some(({ id }) => id.startsWith('conversation.PROGRESS.'))).toBe(false)
  expect(folded['conversation.PROGRESS']).toMatchObject({ states: 4 })
  const picture = await layOutChart(chart, { engine: elkEngine, folded })
  const box = picture.boxes.find(({ stateId }) => stateId === 'conversation.PROGRESS')
  expect(box?.kind).toBe('folded')
  expect(box?.rows[0]?.lines[0]?.text).toMatch(/^4 states, \d+ transitions inside$/u)
})

test('what leads into a folded state or out of it leads to its box', () => {
  const whole = extractChart(conversationMachine)
  const { chart } = foldChart(whole, ['conversation.HUMAN_HANDOFF'])
  const released = 'conversation.HUMAN_HANDOFF.assigned|operator.released|0'
  expect(chart.transitions.find(({ id }) => id === released)?.source).toBe('conversation.HUMAN_HANDOFF')
})

test(
  'whatever is folded, every transition is drawn or counted, and nothing overlaps',
  { timeout: 60_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(randomMachines, fc.array(fc.nat(20), { maxLength: 5 }), async ({ machine }, places) => {
        const whole = extractChart(machine)
        const foldable = listFoldable(whole)
        const wanted = places.flatMap((place) => foldable[place % Math.max(1, foldable.length)] ?? [])
        const { chart, folded } = foldChart(whole, wanted)
        const hidden = Object.values(folded)
        const sum = (count: (one: (typeof hidden)[number]) => number): number =>
          hidden.reduce((total, one) => total + count(one), 0)
        expect(chart.states.length + sum(({ states }) => states)).toBe(whole.states.length)
        expect(chart.transitions.length + sum(({ transitions }) => transitions)).toBe(whole.transitions.length)
        const picture = await layOutChart(chart, { engine: elkEngine, folded })
        expect(picture.note).toBeNull()
        expect(measurePicture(picture).overlaps).toEqual([])
      }),
      { numRuns: 8, endOnFailure: true },
    )
  },
)

test('ids that name nothing to fold change nothing', () => {
  const chart = extractChart(conversationMachine)
  expect(foldChart(chart, ['nothing', 'conversation.EXPIRED', 'conversation']).chart).toEqual(chart)
})
