/**
 * Charts over HTTP: the list, stable addresses of files, and what the page asks for. Everything here only
 * reads, and needs neither database nor log: charts can be read, compared and tried while both are down.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { toChartJson } from '../../charts/chart.ts'
import type { Theme } from '../../charts/drawing/chart-styles.ts'
import { toMarkdownTable, toReviewText } from '../../charts/export/to-markdown.ts'
import { toMermaid } from '../../charts/export/to-mermaid.ts'
import type { ChartLibrary, LibraryChart, ViewRequest } from '../../charts/library.ts'
import { compareCharts } from '../../charts/compare/compare-charts.ts'
import { readSteps, type Step } from '../../charts/simulate/steps.ts'
import { exportWalk, walkChart } from '../../charts/simulate/walk-chart.ts'
import { chartOperations as operations } from './chart-operations.ts'
import { HttpProblem } from './problem.ts'

export type ChartRouteOptions = {
  readonly library: ChartLibrary
  readonly renderPng: (svg: string, scale: number) => Promise<Buffer>
  /** Somebody looks at charts: a layout may be wanted soon. */
  readonly warm: () => void
}

type Query = { readonly [name: string]: string | readonly string[] | undefined }

const refPattern = /^[\w.@+-]{1,120}$/u
const filePattern = /^(?<ref>[\w.@+-]{1,120})\.(?<form>svg|png|json|mmd|md)$/u
const themes = ['auto', 'light', 'dark'] as const
const foldsMax = 500
/** Where an exported test finds the registry, from `tests/charts/`. */
const registryPath = '../../src/machines/registered.ts'

/** A file's own style sheet is written in it; it runs nothing and loads nothing. */
const svgPolicy = "default-src 'none'; style-src 'unsafe-inline'; sandbox"

export async function registerChartRoutes(app: FastifyInstance, options: ChartRouteOptions): Promise<void> {
  const { library } = options
  app.addHook('onRequest', async (_request, reply) => void reply.header('cache-control', 'no-store'))
  app.get('/api/charts', { config: { operation: operations.list } }, async () => {
    options.warm()
    return { items: library.list().map(toItem), next: null }
  })
  app.get('/api/charts/:chart', { config: { operation: operations.file } }, (request, reply) =>
    sendFile(request, reply, options),
  )
  app.get('/api/charts/:chart/view', { config: { operation: operations.view } }, async (request) =>
    library.view(readView(request, readRef(request), library)),
  )
  app.get('/api/charts/:chart/walk', { config: { operation: operations.walk } }, async (request) => {
    const entry = findChart(readRef(request), library)
    return walkChart(library, entry, readWalk(request), readBase(request, entry, library))
  })
  app.get('/api/charts/:chart/walk-test', { config: { operation: operations.walkTest } }, async (request, reply) => {
    const entry = findChart(readRef(request), library)
    const test = exportWalk(library, entry, readWalk(request), registryPath)
    if (test === null)
      throw new HttpProblem(404, `the code of ${entry.ref} is gone: there is nothing that a test could run`)
    return reply.type('text/plain; charset=utf-8').send(test)
  })
}

function toItem({ ref, chart, hash, source }: LibraryChart): object {
  const { machine, version, states, transitions } = chart
  return { ref, machine, version, hash, source, states: states.length, transitions: transitions.length }
}

async function sendFile(
  request: FastifyRequest,
  reply: FastifyReply,
  options: ChartRouteOptions,
): Promise<FastifyReply> {
  const { chart: name } = request.params as { readonly chart: string }
  const { ref = '', form = '' } = filePattern.exec(name)?.groups ?? {}
  if (form === '') throw new HttpProblem(404, 'a chart is a file: .svg, .png, .json, .mmd or .md')
  const view = readView(request, ref, options.library)
  switch (form) {
    case 'svg':
      return reply
        .type('image/svg+xml')
        .header('content-security-policy', svgPolicy)
        .send(await options.library.svg(view, readTheme(request)))
    case 'png': {
      const theme = readTheme(request)
      const svg = await options.library.svg(view, theme === 'dark' ? 'dark' : 'light')
      return reply.type('image/png').send(await options.renderPng(svg, readScale(request)))
    }
    case 'json':
      return reply.type('application/json').send(Buffer.from(toJson(view)))
    case 'md':
      return reply.type('text/markdown; charset=utf-8').send(toMarkdown(view))
    default:
      if (view.base !== null) throw new HttpProblem(400, 'base: a comparison has no Mermaid form')
      return reply.type('text/plain; charset=utf-8').send(toMermaid(view.entry.chart))
  }
}

function toJson({ entry, base }: ViewRequest): string {
  if (base === null) return toChartJson(entry.chart)
  const { union: _union, ...comparison } = compareCharts(base.chart, entry.chart)
  return `${JSON.stringify(comparison, null, 2)}\n`
}

function toMarkdown({ entry, base }: ViewRequest): string {
  return base === null ? toMarkdownTable(entry.chart) : toReviewText(compareCharts(base.chart, entry.chart))
}

// ── Reading requests ─────────────────────────────────────────────────────────────────────────────

export function readRef(request: FastifyRequest): string {
  return (request.params as { readonly chart: string }).chart
}

export function findChart(ref: string, library: ChartLibrary): LibraryChart {
  const entry = refPattern.test(ref) ? library.find(ref) : null
  if (entry === null) throw new HttpProblem(404, 'there is no such chart')
  return entry
}

function readView(request: FastifyRequest, ref: string, library: ChartLibrary): ViewRequest {
  const entry = findChart(ref, library)
  const folds = (readOne(request, 'fold') ?? '').split(',').filter((id) => id !== '')
  if (folds.length > foldsMax) throw new HttpProblem(400, `fold: more than ${foldsMax} states`)
  return { entry, base: readBase(request, entry, library), folds }
}

export function readBase(request: FastifyRequest, entry: LibraryChart, library: ChartLibrary): LibraryChart | null {
  const ref = readOne(request, 'base')
  if (ref === null) return null
  const base = refPattern.test(ref) ? library.find(ref) : null
  if (base === null) throw new HttpProblem(404, 'base: there is no such chart')
  if (base.chart.root !== entry.chart.root) throw new HttpProblem(400, 'base: it is the chart of another machine')
  return base
}

function readWalk(request: FastifyRequest): readonly Step[] {
  const reading = readSteps(readOne(request, 'steps') ?? '')
  if (reading.kind === 'malformed') throw new HttpProblem(400, `steps: ${reading.reason}`)
  return reading.steps
}

function readTheme(request: FastifyRequest): Theme {
  const name = readOne(request, 'theme') ?? 'auto'
  const theme = themes.find((one) => one === name)
  if (theme === undefined) throw new HttpProblem(400, `theme: not one of ${themes.join(', ')}`)
  return theme
}

function readScale(request: FastifyRequest): number {
  const text = readOne(request, 'scale') ?? '2'
  if (!/^[1-3]$/u.test(text)) throw new HttpProblem(400, 'scale: not a number from 1 to 3')
  return Number(text)
}

export function readOne(request: FastifyRequest, name: string): string | null {
  const value = (request.query as Query)[name]
  if (value === undefined) return null
  if (typeof value !== 'string') throw new HttpProblem(400, `${name}: given more than once`)
  return value
}
