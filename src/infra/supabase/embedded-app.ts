/**
 * Supabase Lite on PGlite in one folder: what the worker thread runs. Requests are answered strictly one after the
 * other: PGlite has a single session, and Lite's driver gives it to every request at once, so two at a time would
 * share a transaction.
 */
import { App } from '@supabase/lite'
import { createPgliteConnection } from '@supabase/lite/pglite'
import { applyMigrations } from './migrations.ts'

export type WireRequest = {
  readonly url: string
  readonly method: string
  readonly headers: readonly (readonly [string, string])[]
  readonly body: string | null
}

export type WireResponse = {
  readonly status: number
  readonly headers: readonly (readonly [string, string])[]
  readonly body: string
}

export type EmbeddedApp = {
  fetch(request: WireRequest): Promise<WireResponse>
  query(sql: string, parameters: readonly unknown[]): Promise<readonly Record<string, unknown>[]>
  close(): Promise<void>
}

const hourMs = 3_600_000

/**
 * Opens the folder (made when missing), applies the missing migrations, and answers requests with the secret key.
 * PGlite has no autovacuum: it is done here between two requests, every `vacuumEveryMs`.
 */
export async function openEmbeddedApp(folder: string, secretKey: string, vacuumEveryMs = hourMs): Promise<EmbeddedApp> {
  const connection = await createPgliteConnection({ url: folder })
  const driver = connection.driver
  await driver.waitReady
  await applyMigrations({
    run: async (script) => {
      await driver.exec(script)
    },
    texts: async (query) => {
      const { rows } = await driver.query<string[]>(query, [], { rowMode: 'array' })
      return rows.map(([text]) => text as string)
    },
  })
  const app = new App({ connection, auth: { enabled: false, secret_key: secretKey } })
  await app.init()
  const inTurn = createTurns()
  const vacuuming = setInterval(
    () => void inTurn(() => driver.exec('vacuum (analyze)')).catch(console.error),
    vacuumEveryMs,
  )
  return {
    fetch: (request) => inTurn(() => answer(app, request)),
    query: (sql, parameters) =>
      inTurn(async () => (await driver.query<Record<string, unknown>>(sql, [...parameters])).rows),
    close: () => {
      clearInterval(vacuuming)
      return inTurn(() => connection.close())
    },
  }
}

async function answer(app: App, { url, method, headers, body }: WireRequest): Promise<WireResponse> {
  const request = new Request(url, { method, headers: headers.map(([name, value]) => [name, value]), body })
  const response = await app.fetch(request)
  return { status: response.status, headers: [...response.headers], body: await response.text() }
}

function createTurns(): <T>(task: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (task) => {
    const next = last.then(task)
    last = next.catch(() => {})
    return next
  }
}
