/** The charts that are kept in `charts/`. When one of these fails after a change of a machine: `node scripts/store-charts.ts`. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

import { toChartJson } from '../../src/charts/chart.ts'
import { extractChart } from '../../src/charts/extract-chart.ts'
import { hashChart } from '../../src/charts/hash-chart.ts'
import { measurePicture } from '../../src/charts/layout/picture-metrics.ts'
import type { Picture } from '../../src/charts/picture.ts'
import { listMachines, readStoredCharts } from '../../src/parts/charts.ts'

const folder = fileURLToPath(new URL('../../charts', import.meta.url))
const stored = readStoredCharts(folder)

test.each(Object.keys(listMachines()))('the kept chart of %s is that of its machine', (name) => {
  const { machine, input } = listMachines()[name]!
  const chart = extractChart(machine, input)
  const kept = stored.find(({ machine: own, version }) => own === name && version === chart.version)
  expect(kept === undefined ? 'none' : toChartJson(kept)).toBe(toChartJson(chart))
})

test('every kept chart has one picture, and no picture is left over', () => {
  const names = readdirSync(`${folder}/pictures`).toSorted()
  expect(names).toEqual(stored.map((chart) => `${hashChart(chart)}.json`).toSorted())
})

test.each(stored.map((chart) => [`${chart.machine} ${chart.version}`, chart] as const))(
  'the kept picture of %s is whole, overlaps nowhere and crosses seldom',
  (_name, chart) => {
    const picture = JSON.parse(readFileSync(`${folder}/pictures/${hashChart(chart)}.json`, 'utf8')) as Picture
    const { overlaps, misplacedInitials, crossings } = measurePicture(picture)
    expect(overlaps).toEqual([])
    expect(misplacedInitials).toEqual([])
    expect(crossings).toBeLessThanOrEqual(chart.transitions.length / 8)
    const entries = [
      ...picture.rootRows,
      ...picture.boxes.flatMap(({ rows }) => rows),
      ...picture.arrows.flatMap(({ labels }) => labels),
    ]
    expect(entries.flatMap(({ transitionId }) => transitionId ?? []).toSorted()).toEqual(
      chart.transitions.map(({ id }) => id).toSorted(),
    )
    expect(picture.boxes.length).toBe(chart.states.length - 1)
  },
)
