/**
 * The thread of the embedded database: PGlite works synchronously, and would hold up every timer of the thread that
 * it lives in. Messages in: a request with a number, or `close`. Out: `ready`, then an answer per number.
 */
import { enableCompileCache } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'
import type { EmbeddedApp, WireRequest, WireResponse } from './embedded-app.ts'

export type ToWorker =
  | { readonly kind: 'fetch'; readonly number: number; readonly request: WireRequest }
  | { readonly kind: 'query'; readonly number: number; readonly sql: string; readonly parameters: readonly unknown[] }
  | { readonly kind: 'close' }

export type FromWorker =
  | { readonly kind: 'ready' }
  | {
      readonly kind: 'answered'
      readonly number: number
      readonly answer: WireResponse | readonly Record<string, unknown>[]
    }
  | { readonly kind: 'failed'; readonly number: number; readonly message: string }
  | { readonly kind: 'closed' }

export type EmbeddedWorkerData = { readonly folder: string; readonly secretKey: string }

const port = parentPort
if (port === null) throw new Error('could not start the embedded database outside a worker thread')
const { folder, secretKey } = workerData as EmbeddedWorkerData
// Lite brings a lot of code; compiled once, the next start is a third of a second shorter.
enableCompileCache()
const { openEmbeddedApp } = await import('./embedded-app.ts')
const app = await openEmbeddedApp(folder, secretKey)

const tell = (message: FromWorker): void => port.postMessage(message)

port.on('message', (message: ToWorker) => {
  if (message.kind === 'close') {
    void closeAll(app)
    return
  }
  const answering = message.kind === 'fetch' ? app.fetch(message.request) : app.query(message.sql, message.parameters)
  answering.then(
    (answer) => tell({ kind: 'answered', number: message.number, answer }),
    (error: unknown) => tell({ kind: 'failed', number: message.number, message: String(error) }),
  )
})
tell({ kind: 'ready' })

async function closeAll(opened: EmbeddedApp): Promise<void> {
  await opened.close()
  tell({ kind: 'closed' })
  port?.close()
}
