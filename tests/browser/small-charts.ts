/** The chart page with everything that it needs: the real HTTP application and charts; no log, no database, no phone. */
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'

import type { LayoutEngine } from '../../src/charts/layout/lay-out-chart.ts'
import { createChartLibrary } from '../../src/charts/library.ts'
import type { LibraryMachine } from '../../src/charts/library.ts'
import { listMachines, openCharts } from '../../src/parts/charts.ts'
import { createTestApp, type TestApp } from '../infra/http/test-app.ts'

export type SmallCharts = {
  readonly url: string
  readonly app: TestApp
  /** The link that signs in, to this view. */
  link(query?: string): string
  close(): Promise<void>
}

export type SmallChartsOptions = {
  /** Instead of the machines of this build, with no kept charts. */
  readonly machines?: { readonly [name: string]: LibraryMachine }
  readonly engine?: LayoutEngine
}

const webFolder = fileURLToPath(new URL('../../web/dist', import.meta.url))

export async function startSmallCharts({ machines, engine }: SmallChartsOptions = {}): Promise<SmallCharts> {
  const charts = openCharts({ onFailure: () => undefined, layoutTimeoutMs: 60_000 })
  const isOther = machines !== undefined || engine !== undefined
  const library = isOther
    ? createChartLibrary({
        machines: machines ?? listMachines(),
        stored: [],
        pictures: {},
        engine: engine ?? charts.engine,
        onFailure: () => undefined,
      })
    : charts.library
  const app = await createTestApp({
    charts: { library, renderPng: charts.renderPng, warm: charts.warm },
    pages: { folder: webFolder, phone: null },
  })
  await app.server.listen({ host: '127.0.0.1', port: 0 })
  const url = `http://127.0.0.1:${(app.server.server.address() as AddressInfo).port}`
  return {
    url,
    app,
    link: (query = '') => `${url}/?code=${app.issueSignInCode()}${query === '' ? '' : `&${query}`}`,
    async close() {
      await app.server.close()
      await charts.close()
    },
  }
}
