/**
 * Who stands where now, over HTTP, and what a chart would do to them. Reading only; no actor is woken, and nothing that
 * is answered holds an address that is not masked, or a word that anybody wrote.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify'

import type { ListAsked, LiveReadModel } from '../../actors/live-read-model.ts'
import type { Clock } from '../../actors/ports.ts'
import { indexChart } from '../../charts/chart-index.ts'
import type { ChartIndex } from '../../charts/chart-index.ts'
import type { ChartLibrary, LibraryChart } from '../../charts/library.ts'
import { countLive } from '../../charts/live/count-live.ts'
import { placeMoves } from '../../charts/live/place-moves.ts'
import { toPath } from '../../charts/live/value-states.ts'
import { compareCharts } from '../../charts/compare/compare-charts.ts'
import { findLimits } from '../../charts/live/find-limits.ts'
import { rankStuck } from '../../charts/live/rank-stuck.ts'
import { measureImpact } from '../../charts/live/measure-impact.ts'
import type { Impact } from '../../charts/live/measure-impact.ts'
import type { LiveAnswer, MapAnswer, StuckAnswer } from '../../charts/live/live-answer.ts'
import type { InFlightResult } from '../../charts/review/in-flight-result.ts'
import { readMigrationMap } from '../../machines/migration-map.ts'
import type { MigrationMap } from '../../machines/migration-map.ts'
import { read, readPage } from './conversation-routes.ts'
import { liveOperations as operations } from './live-operations.ts'
import { registerLiveStream } from './live-stream.ts'
import { HttpProblem } from './problem.ts'

export type LiveRouteOptions = {
  readonly library: ChartLibrary
  readonly live: Pick<LiveReadModel, 'liveView' | 'stuckView'>
  readonly checkInFlight: (entry: LibraryChart, edited?: MigrationMap | null) => Promise<InFlightResult>
  /** The map that an editor begins with. */
  readonly readMap: (entry: LibraryChart) => MapAnswer
  readonly clock: Pick<Clock, 'schedule'>
}

type Query = { readonly [name: string]: string | readonly string[] | undefined }

const windows: { readonly [name: string]: number } = { '1h': 3_600, '24h': 86_400, '7d': 604_800 }
const mapBytesMax = 256 * 1024

export async function registerLiveRoutes(app: FastifyInstance, options: LiveRouteOptions): Promise<void> {
  const { library, live, checkInFlight } = options
  app.addHook('onRequest', async (_request, reply) => void reply.header('cache-control', 'no-store'))
  const parser = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser('application/json', { parseAs: 'string', bodyLimit: mapBytesMax }, parser)
  app.get('/api/charts/:chart/live', { config: { operation: operations.live } }, async (request) => {
    const asked = readAsked(request, library)
    const query = request.query as Query
    return look(live, asked, readList(query, asked.index))
  })
  app.get('/api/charts/:chart/stuck', { config: { operation: operations.stuck } }, async (request) => {
    const { chart } = find(request, library)
    const limits = findLimits(indexChart(chart))
    const { at, snapshotId, states } = await read(live.stuckView({ machine: chart.machine, states: limits }))
    const answer: StuckAnswer = { at, snapshotId, states: rankStuck(limits, states) }
    return answer
  })
  app.get('/api/charts/:chart/in-flight', { config: { operation: operations.inFlight } }, async (request) =>
    checkInFlight(find(request, library)),
  )
  app.get('/api/charts/:chart/migration-map', { config: { operation: operations.map } }, async (request) =>
    options.readMap(find(request, library)),
  )
  app.post('/api/charts/:chart/in-flight', { config: { operation: operations.tryMap } }, async (request) => {
    const entry = find(request, library)
    return checkInFlight(entry, readMap(request.body, entry))
  })
  registerLiveStream(app, {
    ...options,
    operation: operations.stream,
    look: (request) => {
      const asked = readAsked(request, library)
      return {
        key: [asked.entry.ref, asked.base?.ref, asked.window].join(' '),
        read: async () => look(live, asked, null),
      }
    },
  })
}

type Asked = {
  readonly entry: LibraryChart
  readonly index: ChartIndex
  readonly base: LibraryChart | null
  readonly window: string
  readonly windowSeconds: number
}

/** One moment of the database, whatever of it is asked for. */
async function look(live: LiveRouteOptions['live'], asked: Asked, list: ListAsked | null): Promise<LiveAnswer> {
  const { entry, index, base, window, windowSeconds } = asked
  const view = await read(live.liveView({ machine: entry.chart.machine, windowSeconds, list }))
  const { at, snapshotId, states: standing, moves } = view
  const impact: readonly Impact[] | null =
    base === null ? null : measureImpact(compareCharts(base.chart, entry.chart), base.chart, standing)
  return {
    at,
    snapshotId,
    window,
    ...countLive(index, standing),
    ...placeMoves(index, moves ?? []),
    impact,
    list: view.list,
  }
}

function readAsked(request: FastifyRequest, library: ChartLibrary): Asked {
  const entry = find(request, library)
  const { window = '1h', base } = request.query as Query
  const windowSeconds = typeof window === 'string' ? windows[window] : undefined
  if (typeof window !== 'string' || windowSeconds === undefined)
    throw new HttpProblem(400, `window: not one of ${Object.keys(windows).join(', ')}`)
  const found = base === undefined ? null : typeof base === 'string' ? library.find(base) : null
  if (base !== undefined && found?.chart.machine !== entry.chart.machine)
    throw new HttpProblem(400, 'base: no chart of this machine')
  return { entry, index: indexChart(entry.chart), base: found, window, windowSeconds }
}

/** Null when no list is asked for. */
function readList(query: Query, index: ChartIndex): ListAsked | null {
  const { state } = query
  const openOnly = readFlag(query, 'open')
  const isOver = readFlag(query, 'over')
  if (state === undefined) return null
  if (typeof state !== 'string' || index.state(state) === undefined)
    throw new HttpProblem(400, 'state: the chart has no such state')
  const over = isOver ? findLimits(index).find(({ id }) => id === state) : null
  if (over === undefined) throw new HttpProblem(400, 'over: only states that nothing is inside of have a limit')
  const { cursor = null, limit = 50 } = readPage(query)
  return { path: toPath(index, state), cursor, limit, openOnly, over }
}

function readFlag(query: Query, name: string): boolean {
  const { [name]: value = 'false' } = query
  if (value !== 'true' && value !== 'false') throw new HttpProblem(400, `${name}: neither true nor false`)
  return value === 'true'
}

function readMap(body: unknown, { chart }: LibraryChart): MigrationMap {
  let map: MigrationMap
  try {
    map = readMigrationMap(body)
  } catch (error) {
    throw new HttpProblem(400, error instanceof Error ? error.message : 'no migration map')
  }
  if (map.machine !== chart.machine || map.to !== chart.version)
    throw new HttpProblem(400, `the map does not lead to ${chart.machine} ${chart.version}`)
  return map
}

function find(request: FastifyRequest, library: ChartLibrary): LibraryChart {
  const { chart: ref } = request.params as { readonly chart: string }
  const entry = /^[\w.@+-]{1,120}$/u.test(ref) ? library.find(ref) : null
  if (entry === null) throw new HttpProblem(404, 'there is no such chart')
  return entry
}
