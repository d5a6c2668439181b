/** One thread of a run: takes every n-th seed, stops early when the time is over or enough has failed. */
import { parentPort, workerData } from 'node:worker_threads'
import { runSeed } from './seed-runner.ts'
import { addResult, createSummary } from './summary.ts'

export type SeedWorkerData = {
  readonly first: number
  readonly last: number
  readonly stride: number
  readonly failuresMax: number
}

const { first, last, stride, failuresMax } = workerData as SeedWorkerData
const summary = createSummary()
for (let seed = first; seed <= last && summary.failures.length < failuresMax; seed += stride) {
  addResult(summary, seed, await runSeed(seed))
}
parentPort?.postMessage(summary)
