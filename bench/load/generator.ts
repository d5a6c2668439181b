/** The parent's side of the load generator. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { GeneratorAnswer, GeneratorOrder } from './generator-process.ts'
import type { LoadSpecification } from './prepare-requests.ts'
import type { LoadResult } from './send-closed-loop.ts'

export type Generator = {
  readonly pid: number
  prepare(specification: LoadSpecification): Promise<void>
  /** Sends what was prepared last. */
  send(load: { readonly seconds: number; readonly connections: number }): Promise<LoadResult>
  stop(): Promise<void>
}

export function startGenerator(): Generator {
  const child = fork(join(import.meta.dirname, 'generator-process.ts'), { serialization: 'advanced' })
  const gone = once(child, 'exit')
  const order = async (what: GeneratorOrder): Promise<GeneratorAnswer> => {
    const answered = once(child, 'message')
    child.send(what)
    const [answer] = await Promise.race([
      answered as Promise<[GeneratorAnswer]>,
      gone.then(() => Promise.reject(new Error('the load generator ended'))),
    ])
    if (answer.kind === 'failed') throw new Error(`the load generator failed: ${answer.reason}`)
    return answer
  }
  return {
    pid: child.pid ?? 0,
    async prepare(specification) {
      await order({ kind: 'prepare', specification })
    },
    async send(load) {
      const answer = await order({ kind: 'send', ...load })
      if (answer.kind !== 'sent') throw new Error('the load generator answered something else')
      return answer.result
    },
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      await gone
    },
  }
}
