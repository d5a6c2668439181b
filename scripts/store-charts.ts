/**
 * Keeps charts as data: `node scripts/store-charts.ts` writes those of this build into `charts/`, each with the best
 * of many layouts; `node scripts/store-charts.ts --ref <git ref> --as <version>` adds the one of another commit.
 * Run it after a change of a machine; a test says when it is due.
 */
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

import { toChartJson } from '../src/charts/chart.ts'
import type { Chart } from '../src/charts/chart.ts'
import { extractChart } from '../src/charts/extract-chart.ts'
import { hashChart } from '../src/charts/hash-chart.ts'
import { findBestPicture } from '../src/charts/layout/find-best-picture.ts'
import { readChart } from '../src/commands/charts/read-chart.ts'
import { openLayoutThread } from '../src/infra/drawing/layout-thread.ts'
import { listMachines, openCharts, readStoredCharts } from '../src/parts/charts.ts'

const folder = fileURLToPath(new URL('../charts', import.meta.url))
const { values } = parseArgs({
  options: { ref: { type: 'string' }, as: { type: 'string' }, machine: { type: 'string' } },
})

await mkdir(join(folder, 'pictures'), { recursive: true })
for (const chart of await listCharts()) {
  await writeFile(join(folder, `${chart.machine}@${chart.version}.json`), toChartJson(chart))
}
const thread = openLayoutThread({ timeoutMs: 20_000 })
const kept = readStoredCharts(folder)
for (const chart of kept) {
  const { picture, metrics, tried } = await findBestPicture(chart, thread.engine)
  await writeFile(join(folder, 'pictures', `${hashChart(chart)}.json`), `${JSON.stringify(picture)}\n`)
  const { crossings, bends } = metrics
  console.log(`${chart.machine} ${chart.version}: ${crossings} crossings, ${bends} bends, the best of ${tried}`)
}
await thread.close()
const hashes = new Set(kept.map(hashChart))
for (const name of await readdir(join(folder, 'pictures'))) {
  if (!hashes.has(basename(name, '.json'))) await rm(join(folder, 'pictures', name))
}

async function listCharts(): Promise<readonly Chart[]> {
  const { ref, as: version, machine = 'conversation' } = values
  const built = Object.values(listMachines()).map((own) => extractChart(own.machine, own.input))
  if (ref === undefined) return built
  if (version === undefined) throw new Error('--ref needs --as <version>')
  const charts = openCharts({ onFailure: () => {} })
  try {
    return [...built, { ...(await readChart(ref, machine, charts.library)).chart, version }]
  } finally {
    await charts.close()
  }
}
