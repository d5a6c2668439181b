import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'

import { extractChart } from '../../../src/charts/extract-chart.ts'
import { layOutChart, LayoutTooSlow } from '../../../src/charts/layout/lay-out-chart.ts'
import { openLayoutThread } from '../../../src/infra/drawing/layout-thread.ts'
import type { LayoutThread, LayoutThreadOptions } from '../../../src/infra/drawing/layout-thread.ts'
import { openPngRenderer } from '../../../src/infra/drawing/png-renderer.ts'
import { conversationMachine } from '../../../src/machines/conversation/machine.ts'
import { build } from '../../charts/random-machine.ts'

const chart = extractChart(conversationMachine)
let folder = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'duologue-drawing-'))
})
afterAll(async () => rm(folder, { recursive: true, force: true }))

test('the thread lays a chart out', async () => {
  const picture = await layOutChart(chart, { engine: open().engine })
  expect(picture.note).toBeNull()
  expect(picture.arrows.length).toBeGreaterThan(20)
})

test('a layout that never ends is given up in time, the chart is drawn plainly, and the next one is laid out', async () => {
  const worker = join(folder, 'sometimes.mjs')
  const own = fileURLToPath(new URL('../../../src/infra/drawing/layout-worker.ts', import.meta.url))
  // The first graph that it gets keeps it busy for ever, as a real endless loop would.
  const text = `
    import { existsSync, writeFileSync } from 'node:fs'
    import { parentPort } from 'node:worker_threads'
    const mark = ${JSON.stringify(join(folder, 'mark'))}
    if (existsSync(mark)) await import(${JSON.stringify(pathToFileURL(own).href)})
    else {
      parentPort.on('message', () => { writeFileSync(mark, ''); for (;;); })
      parentPort.postMessage({ ready: true })
    }`
  await writeFile(worker, text)
  const thread = open({ timeoutMs: 2_000, workerUrl: pathToFileURL(worker) })
  const failures: unknown[] = []
  const startedAt = performance.now()
  const first = await layOutChart(chart, { engine: thread.engine, onFailure: (error) => failures.push(error) })
  expect(performance.now() - startedAt).toBeGreaterThan(1_900)
  expect(failures).toEqual([expect.any(LayoutTooSlow)])
  expect(first.note).toContain('plain drawing')
  expect(first.boxes.length).toBe(chart.states.length - 1)
  const second = await layOutChart(chart, { engine: thread.engine })
  expect(second.note).toBeNull()
})

test('a thread that cannot start fails with its reason, and the chart is drawn plainly', async () => {
  const worker = join(folder, 'broken.mjs')
  await writeFile(worker, "throw new Error('no such engine')")
  const failures: Error[] = []
  const { engine } = open({ workerUrl: pathToFileURL(worker) })
  const picture = await layOutChart(chart, { engine, onFailure: (error) => failures.push(error as Error) })
  expect(failures[0]?.message).toBe('no such engine')
  expect(picture.note).not.toBeNull()
})

test('a thread that nobody used for a while ends, and is started again', async () => {
  const thread = open({ idleMs: 1 })
  await layOutChart(chart, { engine: thread.engine })
  const picture = await layOutChart(chart, { engine: thread.engine })
  expect(picture.note).toBeNull()
})

test('five processes draw the same bytes', { timeout: 120_000 }, async () => {
  const program = join(folder, 'hash.ts')
  const source = (path: string): string => JSON.stringify(new URL(`../../../src/${path}`, import.meta.url).href)
  await writeFile(
    program,
    `import { createHash } from 'node:crypto'
import { extractChart } from ${source('charts/extract-chart.ts')}
import { describeChart } from ${source('charts/describe-chart.ts')}
import { toSvg } from ${source('charts/drawing/to-svg.ts')}
import { layOutChart } from ${source('charts/layout/lay-out-chart.ts')}
import { openLayoutThread } from ${source('infra/drawing/layout-thread.ts')}
import { conversationMachine } from ${source('machines/conversation/machine.ts')}
const thread = openLayoutThread({ timeoutMs: 60_000 })
const chart = extractChart(conversationMachine)
const picture = await layOutChart(chart, { engine: thread.engine })
const svg = toSvg(picture, { theme: 'auto', overlay: null, describe: describeChart(chart) })
console.log(createHash('sha256').update(svg).digest('hex'))
await thread.close()`,
  )
  const hashes = []
  for (let count = 0; count < 5; count += 1) {
    const { stdout } = await promisify(execFile)(process.execPath, [program])
    hashes.push(stdout.trim())
  }
  expect(hashes[0]).toMatch(/^[0-9a-f]{64}$/u)
  expect(new Set(hashes).size).toBe(1)
})

test('a hundred states are laid out in time', { timeout: 60_000 }, async () => {
  const numbers = Array.from({ length: 997 }, (_, place) => ((place * place * 31 + place * 7_919) >> 3) % 1_000)
  const { machine } = build(numbers, 100)
  const { engine } = open({ timeoutMs: 30_000 })
  const large = extractChart(machine)
  expect(large.states.length).toBeGreaterThan(95)
  await layOutChart(chart, { engine })
  const usage = process.cpuUsage()
  const picture = await layOutChart(large, { engine })
  // Processor time, threads included: what else runs on the machine does not count.
  const { user, system } = process.cpuUsage(usage)
  expect(picture.note).toBeNull()
  expect((user + system) / 1_000).toBeLessThan(1_500)
})

test('an SVG becomes a PNG of the wanted size, without a browser', async () => {
  const renderer = openPngRenderer()
  onTestFinished(() => renderer.close())
  const svg = (text: string): string =>
    `<svg xmlns="http://www.w3.org/2000/svg" width="120" height="40"><rect width="120" height="40" fill="#fff"/><text x="4" y="20" font-family="Arimo" font-size="14">${text}</text></svg>`
  const png = await renderer.render(svg('Hello'), 2)
  expect(png.subarray(1, 4).toString('latin1')).toBe('PNG')
  expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([240, 80])
  const empty = await renderer.render(svg(''), 2)
  // Letters are really drawn: a renderer without its font leaves them out in silence.
  expect(png.length).toBeGreaterThan(empty.length + 300)
})

function open(options: LayoutThreadOptions = {}): LayoutThread {
  const thread = openLayoutThread({ timeoutMs: 20_000, ...options })
  onTestFinished(async () => thread.close())
  return thread
}
