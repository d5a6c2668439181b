/**
 * `duologue session show|link|unlink`: who somebody is, and an operator's word on it. The running service does it: what moves
 * a user's addresses passes through the logs of both sessions.
 */
import { readConfig } from '../config.ts'
import { WrongUse } from './command.ts'
import type { CommandCall, CommandResult } from './command.ts'
import { toPrintable } from './sentence.ts'
import { openServiceApi } from './service-api.ts'
import type { ApiAnswer, ServiceApi } from './service-api.ts'

const idPattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/iu
const wanted =
  'session wants `show <id>`, `link <id> <address> --operator <id>` or `unlink <id> <address> --operator <id>`'

export async function runSession({ words, options, env }: CommandCall): Promise<CommandResult> {
  const [verb, id, address, ...more] = words
  const isWhole = verb === 'show' ? address === undefined : address !== undefined && more.length === 0
  if (!isWhole || id === undefined || !idPattern.test(id)) throw new WrongUse(wanted)
  if (verb === 'show') return show(await open(options, env).get(`/api/sessions/${id}`))
  if (verb !== 'link' && verb !== 'unlink') throw new WrongUse(wanted)
  const { operator, reason } = options
  if (typeof operator !== 'string')
    throw new WrongUse(`session ${verb} wants --operator <id>: the record says who did it`)
  const order = { address, operatorId: operator, reason: typeof reason === 'string' ? reason : '' }
  return tell(verb, await open(options, env).post(`/api/sessions/${id}/${verb}`, order))
}

function open(options: CommandCall['options'], env: CommandCall['env']): ServiceApi {
  return openServiceApi(readConfig(env), options['url'] === undefined ? undefined : String(options['url']))
}

function show(answer: ApiAnswer): CommandResult {
  if (answer.status !== 200) return fail(answer)
  const { id, addresses, links, linkedTo } = answer.body as unknown as {
    readonly id: string
    readonly linkedTo: string | null
    readonly addresses: readonly { readonly address: string }[]
    readonly links: readonly { readonly id: string; readonly operatorId: string; readonly unlinkedBy: string | null }[]
  }
  const text = [
    `session ${id}${linkedTo === null ? '' : `, linked to ${linkedTo}`}`,
    ...addresses.map(({ address }) => `  ${address}`),
    ...links.map(
      (link) =>
        `  link ${link.id} by ${link.operatorId}${link.unlinkedBy === null ? '' : `, undone by ${link.unlinkedBy}`}`,
    ),
  ].join('\n')
  return { exitCode: 0, value: answer.body, text: toPrintable(text) }
}

function tell(verb: 'link' | 'unlink', answer: ApiAnswer): CommandResult {
  if (answer.status !== 200) return fail(answer)
  const { linkId, closedConversationId, sessionId, moved } = answer.body
  const closed = typeof closedConversationId === 'string' ? `; conversation ${closedConversationId} is closed` : ''
  const text =
    verb === 'link'
      ? `linked, ${String(linkId)}${closed}`
      : `parted, ${String(linkId)}; ${String(moved)} messages went to session ${String(sessionId)}`
  return { exitCode: 0, value: answer.body, text }
}

function fail({ status, body }: ApiAnswer): CommandResult {
  const detail = typeof body['detail'] === 'string' ? toPrintable(body['detail']) : `the service answered ${status}`
  return { exitCode: 1, value: body, text: `not done: ${detail}` }
}
