/**
 * The layout engine as the charts want it: a thread that is started when it is needed, ended when it was
 * idle for a while, and thrown away when a layout takes too long.
 *
 * 1. One layout at a time; others wait in order.
 * 2. The time of a layout counts from when the thread has it and is ready.
 */
import { Worker } from 'node:worker_threads'

import { LayoutTooSlow } from '../../charts/layout/lay-out-chart.ts'
import type { LayoutEngine } from '../../charts/layout/lay-out-chart.ts'

export type LayoutThread = {
  readonly engine: LayoutEngine
  /** Starts the thread before anybody waits for it. */
  warm(): void
  close(): Promise<void>
}

export type LayoutThreadOptions = {
  readonly timeoutMs?: number
  readonly idleMs?: number
  /** Another worker file; tests give one that never answers. */
  readonly workerUrl?: URL
}

type Answer = { readonly ready: true } | { readonly id: number; readonly placed?: object; readonly problem?: string }
type Graph = Parameters<LayoutEngine>[0]
type Job = { readonly graph: Graph; readonly done: PromiseWithResolvers<Graph> }
type Running = { readonly worker: Worker; readonly ready: Promise<void> }

const timeoutMsUsual = 2_000
const idleMsUsual = 60_000
/** A thread that never becomes ready is as good as one that fails. */
const startTimeoutMs = 20_000

export function openLayoutThread(options: LayoutThreadOptions = {}): LayoutThread {
  const { timeoutMs = timeoutMsUsual, idleMs = idleMsUsual } = options
  const url = options.workerUrl ?? new URL('./layout-worker.ts', import.meta.url)
  let running: Running | null = null
  let idle: NodeJS.Timeout | null = null
  let last: Promise<unknown> = Promise.resolve()

  const start = (): Running => {
    running ??= startWorker(url)
    return running
  }
  const stop = async (): Promise<void> => {
    const ending = running
    running = null
    await ending?.worker.terminate()
  }
  const run = async ({ graph, done }: Job): Promise<void> => {
    if (idle !== null) clearTimeout(idle)
    try {
      const { worker, ready } = start()
      await within(ready, startTimeoutMs)
      done.resolve(await within(ask(worker, graph), timeoutMs))
    } catch (error) {
      // Whatever it is doing now, its next answer would be one to this question.
      await stop()
      done.reject(error)
    }
    idle = setTimeout(() => void stop(), idleMs)
    idle.unref()
  }
  return {
    async engine(graph) {
      const done = Promise.withResolvers<Graph>()
      last = last.then(async () => run({ graph, done }))
      return done.promise
    },
    warm: () => void start(),
    async close() {
      if (idle !== null) clearTimeout(idle)
      await stop()
    },
  }
}

function startWorker(url: URL): Running {
  const worker = new Worker(url, { stdout: false })
  worker.unref()
  const ready = new Promise<void>((resolve, reject) => {
    worker.once('message', () => resolve())
    worker.once('error', reject)
    worker.once('exit', () => reject(new Error('the layout thread has ended')))
  })
  // Whoever asks next is told; until then nobody may be listening.
  ready.catch(() => {})
  worker.on('error', () => {})
  return { worker, ready }
}

async function ask(worker: Worker, graph: Graph): Promise<Graph> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      worker.off('message', onMessage)
      worker.off('error', onError)
      worker.off('exit', onExit)
    }
    const onMessage = (answer: Answer): void => {
      if ('ready' in answer) return
      end()
      if (answer.placed === undefined)
        reject(new Error(`elk could not lay out: ${answer.problem ?? 'no reason given'}`))
      else resolve(answer.placed as Graph)
    }
    const onError = (error: Error): void => (end(), reject(error))
    const onExit = (): void => (end(), reject(new Error('the layout thread has ended')))
    worker.on('message', onMessage)
    worker.once('error', onError)
    worker.once('exit', onExit)
    worker.postMessage({ id: 1, graph })
  })
}

async function within<Result>(result: Promise<Result>, ms: number): Promise<Result> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new LayoutTooSlow(`the layout took longer than ${ms} ms`)), ms)
  try {
    return await Promise.race([result, promise])
  } finally {
    clearTimeout(timer)
  }
}
