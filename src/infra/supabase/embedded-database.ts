/**
 * The embedded default: Supabase Lite on PGlite in a worker thread, used through supabase-js like any other project.
 * The client's fetch is a message to that thread, so there is no port, no second process, and nothing to clean up
 * when this process dies. The folder must have one owner: PGlite does not notice a second one, which would ruin it.
 */
import { randomBytes } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import { createClient, type SupabaseClient } from '@supabase/supabase-js'
import type { WireResponse } from './embedded-app.ts'
import type { EmbeddedWorkerData, FromWorker, ToWorker } from './embedded-worker.ts'

export type EmbeddedDatabase = {
  readonly client: SupabaseClient
  /** Direct SQL, one statement, in the same session: for tests and `doctor`. */
  query(sql: string, parameters?: readonly unknown[]): Promise<readonly Record<string, unknown>[]>
  /** Writes everything out and ends the thread. */
  close(): Promise<void>
}

type Waiting = { readonly resolve: (answer: never) => void; readonly reject: (error: Error) => void }

/** `onOutput` gets what Lite prints (it prints every refused statement); without it that is dropped. */
export async function openEmbeddedDatabase(
  folder: string,
  onOutput: (text: string) => void = () => {},
): Promise<EmbeddedDatabase> {
  const secretKey = `sb_secret_${randomBytes(24).toString('base64url')}`
  const worker = new Worker(new URL('./embedded-worker.ts', import.meta.url), {
    workerData: { folder, secretKey } satisfies EmbeddedWorkerData,
    stdout: true,
    stderr: true,
  })
  worker.stdout.setEncoding('utf8').on('data', onOutput)
  worker.stderr.setEncoding('utf8').on('data', onOutput)
  const thread = await connect(worker)
  const client = createClient('http://embedded.invalid', secretKey, {
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
    global: { fetch: (input, init) => thread.fetch(String(input instanceof Request ? input.url : input), init ?? {}) },
  })
  return { client, query: thread.query, close: thread.close }
}

type Thread = Pick<EmbeddedDatabase, 'query' | 'close'> & { fetch(url: string, init: RequestInit): Promise<Response> }

async function connect(worker: Worker): Promise<Thread> {
  const waiting = new Map<number, Waiting>()
  const opened = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<void>()
  let number = 0
  let stopped: Error | null = null
  const end = (error: Error): void => {
    stopped ??= error
    opened.reject(error)
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
  }
  worker.on('message', (message: FromWorker) => {
    if (message.kind === 'ready') opened.resolve()
    if (message.kind !== 'answered' && message.kind !== 'failed') return
    const caller = waiting.get(message.number)
    waiting.delete(message.number)
    if (message.kind === 'answered') caller?.resolve(message.answer as never)
    else caller?.reject(new Error(`the embedded database refused: ${message.message}`))
  })
  worker.on('error', (cause) => end(new Error('the embedded database stopped', { cause })))
  worker.on('exit', () => {
    end(new Error('the embedded database is closed'))
    ended.resolve()
  })
  const ask = async <T>(message: (number: number) => ToWorker): Promise<T> => {
    if (stopped !== null) throw stopped
    number += 1
    const answer = Promise.withResolvers<T>()
    waiting.set(number, answer)
    worker.postMessage(message(number))
    return answer.promise
  }
  await opened.promise
  return {
    fetch: async (url, init) => {
      init.signal?.throwIfAborted()
      const request = {
        url,
        method: init.method ?? 'GET',
        headers: [...new Headers(init.headers)],
        body: typeof init.body === 'string' ? init.body : null,
      }
      const answering = ask<WireResponse>((at) => ({ kind: 'fetch', number: at, request }))
      const { status, headers, body } = await unlessAborted(answering, init.signal ?? null)
      return new Response(body === '' ? null : body, { status, headers: headers.map(([name, value]) => [name, value]) })
    },
    query: (sql, parameters = []) => ask((at) => ({ kind: 'query', number: at, sql, parameters })),
    close: async () => {
      worker.postMessage({ kind: 'close' } satisfies ToWorker)
      await ended.promise
    },
  }
}

/** The thread finishes what it began; only the waiting ends. */
function unlessAborted<T>(answering: Promise<T>, signal: AbortSignal | null): Promise<T> {
  if (signal === null) return answering
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const abort = (): void => reject(signal.reason as Error)
  signal.addEventListener('abort', abort, { once: true })
  answering.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  return promise
}
