/**
 * Every chart that this build can show: those of its own machines and older ones that were kept as data. It
 * lays out, compares, walks and exports them, remembers what was laid out by what was asked, and does no
 * I/O: the layout engine and the files come from outside.
 */
import type { AnyStateMachine } from 'xstate'

import { hashChart } from './hash-chart.ts'
import type { Chart } from './chart.ts'
import { compareCharts } from './compare/compare-charts.ts'
import type { Comparison } from './compare/compare-charts.ts'
import { toExtraSigns, toOverlay } from './compare/to-overlay.ts'
import { describeChart } from './describe-chart.ts'
import type { Theme } from './drawing/chart-styles.ts'
import type { Overlay } from './drawing/overlay.ts'
import { toSvg } from './drawing/to-svg.ts'
import { extractChart } from './extract-chart.ts'
import { foldChart, listFoldable } from './fold-chart.ts'
import { layOutChart } from './layout/lay-out-chart.ts'
import type { LayoutEngine } from './layout/lay-out-chart.ts'
import { lintChart } from './lint/lint-chart.ts'
import type { Allowance, Finding } from './lint/lint-chart.ts'
import type { Picture } from './picture.ts'
import { createRecent } from './recent.ts'
import type { LayOut } from './draw-chart.ts'

/** A machine of this build, with what a reviewer needs besides. */
export type LibraryMachine = {
  readonly machine: AnyStateMachine
  /** Opens the conversation that is simulated. */
  readonly input: unknown
  /** Fields of an event that nobody wrote, by its type. */
  readonly toExample: (event: string) => { readonly [field: string]: unknown }
  readonly allowances: readonly Allowance[]
  /** Where states and transitions stand in the source, by id: `src/machines/…:120`. */
  readonly places: { readonly [id: string]: string }
}

export type LibraryOptions = {
  readonly machines: { readonly [name: string]: LibraryMachine }
  /** Proposed ones, by the name of the machine that they would replace. */
  readonly drafts?: { readonly [name: string]: LibraryMachine }
  readonly stored: readonly Chart[]
  /** Pictures that were made before, the best of many, by the chart's hash. */
  readonly pictures: { readonly [hash: string]: Picture }
  readonly engine: LayoutEngine
  readonly onFailure: (error: unknown) => void
}

export type LibraryChart = {
  /** `conversation@1`. */
  readonly ref: string
  readonly chart: Chart
  readonly hash: string
  readonly source: 'build' | 'draft' | 'stored'
}

export type View = {
  readonly ref: string
  readonly hash: string
  readonly source: LibraryChart['source']
  /** Of a comparison: the union. */
  readonly chart: Chart
  readonly picture: Picture
  readonly foldable: readonly string[]
  readonly folded: readonly string[]
  readonly findings: readonly Finding[]
  readonly places: { readonly [id: string]: string }
  readonly comparison: (Omit<Comparison, 'union'> & { readonly overlay: Overlay; readonly baseRef: string }) | null
}

export type ViewRequest = {
  readonly entry: LibraryChart
  readonly base: LibraryChart | null
  readonly folds: readonly string[]
}

export type ChartLibrary = {
  list(): readonly LibraryChart[]
  /** By `name@version`, or `name` alone for the one of this build. */
  find(ref: string): LibraryChart | null
  /** The machine that the chart is of: a draft's own, else that of this build. */
  machineOf(entry: LibraryChart): LibraryMachine | null
  view(request: ViewRequest): Promise<View>
  svg(request: ViewRequest, theme: Theme): Promise<string>
  /** Of any chart; a kept picture is taken where there is one. */
  readonly layOut: LayOut
}

const viewsRemembered = 64

export function createChartLibrary(options: LibraryOptions): ChartLibrary {
  const entries = listEntries(options)
  // A plain drawing is better than none, but the next reader may get the right one.
  const views = createRecent<View>(viewsRemembered, ({ picture }) => picture.note === null)
  const machineOf = ({ chart, source }: LibraryChart): LibraryMachine | null => {
    const machines = source === 'draft' ? (options.drafts ?? {}) : options.machines
    return Object.hasOwn(machines, chart.machine) ? (machines[chart.machine] ?? null) : null
  }
  const view = async (request: ViewRequest): Promise<View> => {
    const folds = foldsOf(request)
    const key = JSON.stringify([request.entry.ref, request.entry.hash, request.base?.ref, request.base?.hash, folds])
    return views.take(key, async () => makeView({ ...request, folds }, machineOf(request.entry), options))
  }
  const layOut: LayOut = async (chart, wanted) => {
    const isPlain = Object.keys(wanted).length === 0
    const kept = isPlain ? options.pictures[hashChart(chart)] : undefined
    return kept ?? layOutChart(chart, { ...wanted, engine: options.engine, onFailure: options.onFailure })
  }
  return {
    layOut,
    list: () => entries,
    find: (ref) =>
      entries.find((entry) => entry.ref === ref) ?? entries.find(({ chart }) => chart.machine === ref) ?? null,
    machineOf,
    view,
    async svg(request, theme) {
      const { picture, chart, comparison } = await view(request)
      return toSvg(picture, { theme, overlay: comparison?.overlay ?? null, describe: describeChart(chart) })
    },
  }
}

/** Those of the build first, then drafts. A kept chart of the same version and content is the same chart. */
function listEntries({ machines, drafts = {}, stored }: LibraryOptions): readonly LibraryChart[] {
  const built = Object.values(machines).map(({ machine, input }): LibraryChart => {
    const chart = extractChart(machine, input)
    return { ref: `${chart.machine}@${chart.version}`, chart, hash: hashChart(chart), source: 'build' }
  })
  const kept = stored
    .map((chart): LibraryChart => ({ ref: toRef(chart, built), chart, hash: hashChart(chart), source: 'stored' }))
    .filter(({ chart, hash }) => !built.some((own) => own.chart.machine === chart.machine && own.hash === hash))
  const proposed = Object.values(drafts).map(({ machine, input }): LibraryChart => {
    const chart = extractChart(machine, input)
    return { ref: `${chart.machine}@${chart.version}+draft`, chart, hash: hashChart(chart), source: 'draft' }
  })
  return [...built, ...proposed, ...kept]
}

function toRef({ machine, version }: Chart, built: readonly LibraryChart[]): string {
  const ref = `${machine}@${version}`
  return built.some((own) => own.ref === ref) ? `${ref}+stored` : ref
}

/** In one order and without what cannot be folded, so that equal views are one. */
function foldsOf({ entry, base, folds }: ViewRequest): readonly string[] {
  const foldable = new Set([...listFoldable(entry.chart), ...(base === null ? [] : listFoldable(base.chart))])
  return [...new Set(folds)].filter((id) => foldable.has(id)).toSorted()
}

async function makeView(
  { entry, base, folds }: ViewRequest,
  machine: LibraryMachine | null,
  { pictures, engine, onFailure }: LibraryOptions,
): Promise<View> {
  const compared = base === null ? null : compareCharts(base.chart, entry.chart)
  const whole = compared?.union ?? entry.chart
  const overlay = compared === null ? null : toOverlay(compared)
  const { chart, folded } = foldChart(whole, folds)
  const extra = overlay === null ? {} : toExtraSigns(overlay)
  const title = base === null ? toTitle(entry.chart) : `${toTitle(base.chart)} to ${toTitle(entry.chart)}`
  const kept = base === null && folds.length === 0 ? pictures[entry.hash] : undefined
  const picture = kept ?? (await layOutChart(chart, { engine, title, extra, folded, onFailure }))
  return {
    ref: entry.ref,
    hash: entry.hash,
    source: entry.source,
    chart: whole,
    picture,
    foldable: listFoldable(whole),
    folded: folds,
    findings: lintChart(entry.chart, { allowances: machine?.allowances ?? [] }),
    places: entry.source === 'stored' ? {} : (machine?.places ?? {}),
    comparison:
      compared === null || overlay === null || base === null ? null : toComparisonView(compared, overlay, base.ref),
  }
}

function toComparisonView(compared: Comparison, overlay: Overlay, baseRef: string): View['comparison'] {
  const { union: _union, ...rest } = compared
  return { ...rest, overlay, baseRef }
}

function toTitle({ machine, version }: Chart): string {
  return `${machine} ${version}`
}
