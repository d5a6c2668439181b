/** The API of the running service, asked by a command: what changes a session goes through its log, never around it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import type { Config } from '../config.ts'
import { WrongUse } from './command.ts'

export type ApiAnswer = { readonly status: number; readonly body: { readonly [field: string]: unknown } }

export type ServiceApi = {
  get(path: string): Promise<ApiAnswer>
  post(path: string, body?: object): Promise<ApiAnswer>
}

/** A command waits for its outcome at most so long as the service does, and a little. */
const timeoutMs = 15_000
const tokenFile = 'api-token'

/** `url`: where the service is; else where the settings say that it listens. */
export function openServiceApi(
  config: Pick<Config, 'http' | 'apiToken' | 'dataDir'>,
  url: string | undefined,
): ServiceApi {
  const base = url ?? toOwnUrl(config)
  const token = config.apiToken ?? readToken(config.dataDir)
  const ask = async (method: string, path: string, body?: object): Promise<ApiAnswer> => {
    const response = await fetch(new URL(path, base), {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(timeoutMs),
    }).catch((error: unknown) => {
      throw new Error(`could not reach a Duologue at ${base}: start it first, or name it with --url`, { cause: error })
    })
    return { status: response.status, body: (await response.json().catch(() => ({}))) as ApiAnswer['body'] }
  }
  return { get: async (path) => ask('GET', path), post: async (path, body) => ask('POST', path, body) }
}

function toOwnUrl({ http }: Pick<Config, 'http'>): string {
  if (http.port === 0) throw new WrongUse('the port of the service is not known: name it with --url')
  return `http://${http.host}:${http.port}`
}

function readToken(dataDir: string): string {
  try {
    return readFileSync(join(dataDir, tokenFile), 'utf8').trim()
  } catch (error) {
    throw new Error('the API token is needed: set DUOLOGUE_API_TOKEN as the service has it', { cause: error })
  }
}
