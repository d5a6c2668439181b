/**
 * `duologue quarantine`: the events that could not be applied, or wait behind one. Looking opens the store, or asks the
 * service that `--url` names; whatever changes a session asks the running service, which puts it into the session's log.
 */
import { readFile } from 'node:fs/promises'

import { MalformedCursor } from '../actors/read-model.ts'
import type { Page, PageRequest, QuarantinedItem, QuarantineItem } from '../actors/read-model.ts'
import { readConfig } from '../config.ts'
import { WrongUse } from './command.ts'
import type { CommandCall, CommandResult } from './command.ts'
import { withStore } from './open-store.ts'
import type { CommandStore } from './open-store.ts'
import { toPrintable } from './sentence.ts'
import { openServiceApi } from './service-api.ts'
import type { ApiAnswer } from './service-api.ts'

const limitMax = 200
const errorCharactersMax = 160
const idPattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/iu

export async function runQuarantine(call: CommandCall): Promise<CommandResult> {
  const [action, id, file, ...more] = call.words
  if (action === 'list' && id === undefined) return list(call)
  const isRelease = action === 'retry' || action === 'skip' || action === 'edit'
  if ((action !== 'show' && !isRelease) || more.length > 0 || (file !== undefined) !== (action === 'edit')) {
    throw new WrongUse('quarantine wants `list`, `show <id>`, `retry <id>`, `skip <id>` or `edit <id> <file>`')
  }
  if (id === undefined || !idPattern.test(id))
    throw new WrongUse(`quarantine ${action} wants the id of an event, as list shows it`)
  return isRelease ? release(call, action, id, file) : show(call, id)
}

// ── Looking ──────────────────────────────────────────────────────────────────────────────────────

async function list({ options, env }: CommandCall): Promise<CommandResult> {
  const request = toRequest(options)
  const { limit, cursor } = request
  const query = new URLSearchParams({
    ...(limit === undefined ? {} : { limit: String(limit) }),
    ...(cursor === undefined || cursor === null ? {} : { cursor }),
  })
  const page = await look<Page<QuarantineItem>>(
    { options, env },
    `/api/quarantine?${query.toString()}`,
    async (store) => store.listQuarantine(request),
  ).catch((error: unknown) => {
    throw error instanceof MalformedCursor ? new WrongUse('--cursor is not one that a list answered') : error
  })
  if (page === null) throw new Error('the service has no quarantine')
  return { exitCode: 0, value: page, text: describe(page) }
}

async function show(call: CommandCall, id: string): Promise<CommandResult> {
  const item = await look<QuarantinedItem>(call, `/api/quarantine/${id}`, async (store) => store.getQuarantined(id))
  if (item === null) throw new Error(`there is no event ${id} in quarantine`)
  const { kind, firstId, sessionId, attempts } = item
  const first = firstId === null || firstId === id ? [] : [`    it waits behind ${firstId}`]
  const tried = attempts === 0 ? [] : [`    looked at again: ${attempts}`]
  const releases = firstId === id ? [`    release it with: quarantine retry|skip|edit ${id}`] : []
  const text = [
    ...describeItem(item),
    ...first,
    ...tried,
    ...releases,
    `    ${kind}, session ${sessionId ?? 'unknown'}`,
  ]
  return { exitCode: 0, value: item, text: text.join('\n') }
}

/** Null: there is no such thing. */
async function look<T>(
  { options, env }: Pick<CommandCall, 'options' | 'env'>,
  path: string,
  read: (store: CommandStore) => Promise<T | null>,
): Promise<T | null> {
  const config = readConfig(env)
  if (options['url'] === undefined) return withStore(config, { mayMake: false }, read)
  const { status, body } = await openServiceApi(config, String(options['url'])).get(path)
  if (status === 404) return null
  if (status !== 200) throw new Error(toDetail({ status, body }))
  return body as T
}

function toRequest(options: CommandCall['options']): PageRequest {
  const { limit, cursor } = options
  if (limit === undefined) return { cursor: typeof cursor === 'string' ? cursor : null }
  const number = Number(limit)
  if (!/^\d{1,3}$/u.test(String(limit)) || number < 1 || number > limitMax) {
    throw new WrongUse(`--limit must be a whole number from 1 to ${limitMax}`)
  }
  return { limit: number, cursor: typeof cursor === 'string' ? cursor : null }
}

function describe({ items, next }: Page<QuarantineItem>): string {
  if (items.length === 0) return 'nothing is in quarantine'
  const lines = items.flatMap((item) => describeItem(item))
  return next === null ? lines.join('\n') : [...lines, `more: --cursor ${next}`].join('\n')
}

/** Without subject and bytes: they hold addresses and what users wrote. */
function describeItem({ id, at, kind, partition, sequence, sessionId, error }: QuarantineItem): string[] {
  return [
    `${at}  ${kind.padEnd(7)}  ${id}  partition ${partition}, sequence ${sequence}, session ${sessionId ?? 'unknown'}`,
    ...(error === null ? [] : [`    ${toPrintable(error).slice(0, errorCharactersMax)}`]),
  ]
}

// ── Releasing ────────────────────────────────────────────────────────────────────────────────────

async function release(
  { options, env }: CommandCall,
  action: 'retry' | 'skip' | 'edit',
  id: string,
  file: string | undefined,
): Promise<CommandResult> {
  const api = openServiceApi(readConfig(env), options['url'] === undefined ? undefined : String(options['url']))
  const body = file === undefined ? undefined : { event: await readEvent(file) }
  const answer = await api.post(`/api/quarantine/${id}/${action}`, body)
  if (answer.status === 200) {
    return {
      exitCode: 0,
      value: answer.body,
      text: `${action}: applied, and so is what waited behind it as far as it could be`,
    }
  }
  if (answer.status === 202) {
    const text = `accepted; its outcome is not known yet: ${String(answer.body['href'])}`
    return { exitCode: 0, value: answer.body, text }
  }
  return { exitCode: 1, value: answer.body, text: `not applied: ${toDetail(answer)}` }
}

async function readEvent(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as unknown
  } catch (error) {
    throw new WrongUse(`${file} is not a file with an event as JSON`, { cause: error })
  }
}

function toDetail({ status, body }: ApiAnswer): string {
  return typeof body['detail'] === 'string' ? toPrintable(body['detail']) : `the service answered ${status}`
}
