/** `duologue quarantine list`: the events that could not be applied, or wait behind one. */
import { MalformedCursor } from '../actors/read-model.ts'
import type { Page, PageRequest, QuarantineItem } from '../actors/read-model.ts'
import { readConfig } from '../config.ts'
import { WrongUse } from './command.ts'
import type { CommandCall, CommandResult } from './command.ts'
import { withStore } from './open-store.ts'
import { toPrintable } from './sentence.ts'

const limitMax = 200
const errorCharactersMax = 160

export async function runQuarantine({ words, options, env }: CommandCall): Promise<CommandResult> {
  if (words.length !== 1 || words[0] !== 'list') throw new WrongUse('quarantine wants `list`')
  const request = toRequest(options)
  const page = await withStore(readConfig(env), { mayMake: false }, async (store) =>
    store.listQuarantine(request),
  ).catch((error: unknown) => {
    throw error instanceof MalformedCursor ? new WrongUse('--cursor is not one that a list answered') : error
  })
  return { exitCode: 0, value: page, text: describe(page) }
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

/** Without subject and bytes: they hold addresses and what users wrote. */
function describe({ items, next }: Page<QuarantineItem>): string {
  if (items.length === 0) return 'nothing is in quarantine'
  const lines = items.flatMap(({ at, kind, partition, sequence, sessionId, error }) => [
    `${at}  ${kind.padEnd(7)}  partition ${partition}, sequence ${sequence}, session ${sessionId ?? 'unknown'}`,
    ...(error === null ? [] : [`    ${toPrintable(error).slice(0, errorCharactersMax)}`]),
  ])
  return next === null ? lines.join('\n') : [...lines, `more: --cursor ${next}`].join('\n')
}
