/**
 * Who stands where now, over HTTP, and what a chart would do to them. Reading only; no actor is woken, and nothing that
 * is answered holds an address that is not masked, or a word that anybody wrote.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify'

import type { LiveReadModel } from '../../actors/live-read-model.ts'
import { indexChart } from '../../charts/chart-index.ts'
import type { ChartLibrary, LibraryChart } from '../../charts/library.ts'
import { countLive } from '../../charts/live/count-live.ts'
import { placeMoves } from '../../charts/live/place-moves.ts'
import { toPath } from '../../charts/live/value-states.ts'
import type { InFlightResult } from '../../charts/review/in-flight-result.ts'
import { read, readPage } from './conversation-routes.ts'
import { liveOperations as operations } from './live-operations.ts'
import { HttpProblem } from './problem.ts'

export type LiveRouteOptions = {
  readonly library: ChartLibrary
  readonly live: Pick<LiveReadModel, 'liveView'>
  readonly checkInFlight: (entry: LibraryChart) => Promise<InFlightResult>
}

type Query = { readonly [name: string]: string | readonly string[] | undefined }

const windows: { readonly [name: string]: number } = { '1h': 3_600, '24h': 86_400, '7d': 604_800 }

export async function registerLiveRoutes(app: FastifyInstance, options: LiveRouteOptions): Promise<void> {
  const { library, live, checkInFlight } = options
  app.addHook('onRequest', async (_request, reply) => void reply.header('cache-control', 'no-store'))
  app.get('/api/charts/:chart/live', { config: { operation: operations.live } }, async (request) => {
    const { chart } = find(request, library)
    const index = indexChart(chart)
    const query = request.query as Query
    const { window = '1h', state } = query
    const windowSeconds = typeof window === 'string' ? windows[window] : undefined
    if (windowSeconds === undefined) throw new HttpProblem(400, `window: not one of ${Object.keys(windows).join(', ')}`)
    if (state !== undefined && (typeof state !== 'string' || index.state(state) === undefined))
      throw new HttpProblem(400, 'state: the chart has no such state')
    const { cursor = null, limit = 50 } = readPage(query)
    const list = state === undefined ? null : { path: toPath(index, state), cursor, limit }
    const view = await read(live.liveView({ machine: chart.machine, windowSeconds, list }))
    const { at, snapshotId, states: standing, moves } = view
    return {
      at,
      snapshotId,
      window,
      ...countLive(index, standing),
      ...placeMoves(index, moves ?? []),
      list: view.list,
    }
  })
  app.get('/api/charts/:chart/in-flight', { config: { operation: operations.inFlight } }, async (request) =>
    checkInFlight(find(request, library)),
  )
}

function find(request: FastifyRequest, library: ChartLibrary): LibraryChart {
  const { chart: ref } = request.params as { readonly chart: string }
  const entry = /^[\w.@+-]{1,120}$/u.test(ref) ? library.find(ref) : null
  if (entry === null) throw new HttpProblem(404, 'there is no such chart')
  return entry
}
