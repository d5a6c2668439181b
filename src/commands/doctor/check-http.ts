/** The port: free for a start, or answered by a Duologue that runs already, which then says whether it is ready. */
import { createServer } from 'node:net'

import type { Config } from '../../config.ts'
import { bad, ok, warn } from './finding.ts'
import type { Finding } from './finding.ts'

const answerMs = 3_000

export async function checkHttp({ http: { host, port } }: Config): Promise<readonly Finding[]> {
  const where = `${host.includes(':') ? `[${host}]` : host}:${port}`
  const code = await tryToListen(host, port)
  if (code === null) return [ok('HTTP', port === 0 ? `${host}, any free port` : `${where} is free`)]
  if (code === 'EADDRINUSE') return [await askReadiness(where)]
  return [bad('HTTP', `cannot listen at ${where}: ${code}`, 'correct DUOLOGUE_HOST and DUOLOGUE_PORT')]
}

/** The error's code; null when it listened. */
async function tryToListen(host: string, port: number): Promise<string | null> {
  const { promise, resolve } = Promise.withResolvers<string | null>()
  const server = createServer()
  server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
  server.listen(port, host, () => server.close(() => resolve(null)))
  return promise
}

async function askReadiness(where: string): Promise<Finding> {
  const taken = bad('HTTP', `${where} is taken by another program`, 'set DUOLOGUE_PORT to a free port')
  try {
    const response = await fetch(`http://${where}/readyz`, { signal: AbortSignal.timeout(answerMs) })
    const { ready, parts } = (await response.json()) as { ready?: unknown; parts?: Record<string, string> }
    if (typeof ready !== 'boolean' || parts === undefined) return taken
    if (ready) return ok('HTTP', `a Duologue runs at ${where} and is ready`)
    const wrong = Object.entries(parts).map(([part, state]) => `${part}: ${state}`)
    return warn('HTTP', `a Duologue runs at ${where} and is not ready (${wrong.join(', ')})`, 'read its log lines')
  } catch {
    return taken
  }
}
