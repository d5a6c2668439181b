/**
 * A deployment on embedded parts that is started, killed and started again over the same data folder, and
 * looked into while it is down: by opening its database without Duologue.
 */
import { join } from 'node:path'

import { openEmbeddedDatabase } from '../../src/infra/supabase/embedded-database.ts'
import { findFreePort } from './postgres.ts'
import { makeTemporaryFolder, startFakeTwilio, startService } from './service.ts'
import type { FakeTwilioProcess, ServiceProcess } from './service.ts'

export type Rows = readonly Record<string, unknown>[]

export type Deployment = {
  readonly fake: FakeTwilioProcess
  readonly dataDir: string
  start(env?: { readonly [name: string]: string }): Promise<ServiceProcess>
  /** Only while no service runs. */
  sql(statement: string, parameters?: readonly unknown[]): Promise<Rows>
  remove(): Promise<void>
}

export async function createDeployment(settings: object | null = null): Promise<Deployment> {
  const folder = await makeTemporaryFolder()
  const fake = await startFakeTwilio()
  const port = await findFreePort()
  const running = new Set<ServiceProcess>()
  const deployment: Deployment = {
    fake,
    dataDir: folder.path,
    async start(env = {}) {
      const service = await startService({ dataDir: folder.path, fake, port, env })
      running.add(service)
      return service
    },
    async sql(statement, parameters = []) {
      const database = await openEmbeddedDatabase(join(folder.path, 'database'))
      try {
        return await database.query(statement, parameters)
      } finally {
        await database.close()
      }
    },
    async remove() {
      for (const service of running) if (service.child.exitCode === null) await service.stop()
      await fake.stop()
      await folder.remove()
    },
  }
  if (settings !== null) {
    const first = await deployment.start()
    await first.stop()
    await deployment.sql(`update duologue.tenants set settings = $1`, [JSON.stringify(settings)])
  }
  return deployment
}
