/** Runs a range of seeds in threads of their own, since a simulation takes a whole thread's clock away. */
import { Worker } from 'node:worker_threads'
import type { SeedWorkerData } from './seed-worker.ts'
import { addSummary, createSummary } from './summary.ts'
import type { Summary } from './summary.ts'

export type SeedRange = {
  readonly first: number
  readonly last: number
  readonly threads: number
  readonly failuresMax: number
}

export async function runSeeds({ first, last, threads, failuresMax }: SeedRange): Promise<Summary> {
  const summary = createSummary()
  const parts = await Promise.all(
    Array.from({ length: threads }, (_, index) =>
      runThread({ first: first + index, last, stride: threads, failuresMax }),
    ),
  )
  for (const part of parts) addSummary(summary, part)
  return summary
}

function runThread(data: SeedWorkerData): Promise<Summary> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./seed-worker.ts', import.meta.url), { workerData: data })
    worker.on('message', resolve)
    worker.on('error', reject)
    worker.on('exit', (code) => reject(new Error(`a thread of the simulation ended with ${code}`)))
  })
}
