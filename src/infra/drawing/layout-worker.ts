/** ELK in a thread: it computes for hundreds of milliseconds, or for ever, and nobody else may wait for it. */
import Elk from 'elkjs/lib/elk.bundled.js'
import { parentPort } from 'node:worker_threads'

type Layout = { layout(graph: object): Promise<object> }

const elk = new (Elk as unknown as new () => Layout)()

parentPort?.on('message', ({ id, graph }: { readonly id: number; readonly graph: object }) => {
  elk.layout(graph).then(
    (placed) => parentPort?.postMessage({ id, placed }),
    (error: unknown) =>
      parentPort?.postMessage({ id, problem: error instanceof Error ? error.message : String(error) }),
  )
})
parentPort?.postMessage({ ready: true })
