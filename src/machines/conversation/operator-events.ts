/**
 * What operators do to a conversation, as facts. `operatorId` is who did it, `at` as in `events.ts`. An
 * *agent* is a first-line operator, *support* the second line.
 */
import type { Json, JsonObject } from '../json.ts'
import { replyCharactersMax } from './draft.ts'

export type Line = 'agent' | 'support'

/** Somebody (a program, when `operatorId` is null) asked for a person. */
export type HandoffRequested = {
  readonly type: 'handoff.requested'
  readonly operatorId: string | null
  readonly reason: string
  readonly at: number
}

/** A person took the conversation over, out of the queue or from the assistant. */
export type OperatorAssigned = { readonly type: 'operator.assigned'; readonly operatorId: string; readonly at: number }

/** The assigned operator wrote to the user: text, media, or a template of the provider. */
export type OperatorReplied = {
  readonly type: 'operator.replied'
  readonly operatorId: string
  readonly body: string
  readonly mediaUrls: readonly string[]
  readonly contentSid: string | null
  /** The template's variables, `{"1": "Ana"}`, as JSON text; absent: it has none. */
  readonly contentVariables?: string
  readonly at: number
}

/** The assigned operator gave the conversation back to the assistant. */
export type OperatorReleased = { readonly type: 'operator.released'; readonly operatorId: string; readonly at: number }

/** The assigned operator handed it to a colleague. */
export type OperatorTransferred = {
  readonly type: 'operator.transferred'
  readonly operatorId: string
  readonly to: string
  readonly at: number
}

/** An operator moved it to the queue of the second line. */
export type OperatorEscalated = {
  readonly type: 'operator.escalated'
  readonly operatorId: string
  readonly reason: string
  readonly at: number
}

/** The assigned operator asked for more time: the silence counts anew. */
export type OperatorExtended = { readonly type: 'operator.extended'; readonly operatorId: string; readonly at: number }

/** An operator closed the conversation, as the first line or the second. */
export type OperatorClosed = {
  readonly type: 'operator.closed'
  readonly operatorId: string
  readonly as: Line
  readonly reason: string
  readonly at: number
}

type WithoutMoment<Event> = Event extends unknown ? Omit<Event, 'at'> : never

/** As a command asks for it: the host adds the moment. */
export type OperatorCommand = WithoutMoment<OperatorEvent>

export type OperatorEvent =
  | HandoffRequested
  | OperatorAssigned
  | OperatorReplied
  | OperatorReleased
  | OperatorTransferred
  | OperatorEscalated
  | OperatorExtended
  | OperatorClosed

const operatorIds = /^[A-Za-z0-9][\w.@-]{0,127}$/
const reasonCharactersMax = 500
const mediaMax = 10
const variablesMax = 100
const variableCharactersMax = 1_024
const contentSids = /^HX[0-9a-fA-F]{32}$/
const mediaUrlCharactersMax = 2_000
/** A name with a dot that is not all digits: the provider fetches it, from wherever that is in the world. */
const publicHost = /^(?=.{4,253}$)(?:[a-z0-9_-]{1,63}\.)+[a-z][a-z0-9-]{1,62}$/u
const localHost = /\.(?:localhost|local|internal|home|lan|arpa|test|invalid|onion)$/u

/**
 * Reads what a command asks for. Answers the event without its moment, or a sentence that says what is wrong
 * with it: nothing of a command is believed before it has been here.
 */
export function readOperatorEvent(command: JsonObject): OperatorCommand | string {
  const { operatorId } = command
  const type = typeof command['type'] === 'string' ? command['type'] : ''
  if (type === 'handoff.requested') return readHandoff(command)
  if (!isOperatorId(operatorId)) return 'operatorId: up to 128 letters, digits, dots, hyphens, underscores or @'
  switch (type) {
    case 'operator.assigned':
    case 'operator.released':
    case 'operator.extended':
      return { type, operatorId }
    case 'operator.replied':
      return readReply(command, operatorId)
    case 'operator.transferred':
      return isOperatorId(command['to']) ? { type, operatorId, to: command['to'] } : 'to: the id of another operator'
    case 'operator.escalated': {
      const reason = readReason(command)
      return reason === null ? reasonForm : { type, operatorId, reason }
    }
    case 'operator.closed': {
      const reason = readReason(command)
      if (reason === null) return reasonForm
      const as = command['as']
      return as === 'agent' || as === 'support' ? { type, operatorId, as, reason } : 'as: agent or support'
    }
    default:
      return `type: '${type.slice(0, 64)}' is not a command of this machine`
  }
}

function readHandoff(command: JsonObject): OperatorCommand | string {
  const { operatorId = null } = command
  if (operatorId !== null && !isOperatorId(operatorId)) return 'operatorId: not the id of an operator'
  const reason = readReason(command)
  return reason === null ? reasonForm : { type: 'handoff.requested', operatorId, reason }
}

function readReply(command: JsonObject, operatorId: string): OperatorCommand | string {
  const { body = '', mediaUrls = [], contentSid = null, contentVariables = null } = command
  if (typeof body !== 'string' || body.length > replyCharactersMax)
    return `body: up to ${replyCharactersMax} characters`
  const isMedia = Array.isArray(mediaUrls) && mediaUrls.length <= mediaMax && mediaUrls.every(isMediaUrl)
  if (!isMedia) return `mediaUrls: up to ${mediaMax} public https addresses`
  if (contentSid !== null && !(typeof contentSid === 'string' && contentSids.test(contentSid))) {
    return 'contentSid: HX and 32 hexadecimal digits'
  }
  const variables = contentVariables === null ? null : toVariables(contentVariables)
  if (variables === undefined) return `contentVariables: an object of up to ${variablesMax} texts`
  if (variables !== null && contentSid === null) return 'contentVariables: only with contentSid'
  const urls = mediaUrls as readonly string[]
  if (contentSid !== null && (body !== '' || urls.length > 0))
    return 'contentSid: a template goes without body and media'
  if (contentSid === null && body.trim() === '' && urls.length === 0) return 'body: a reply says something'
  const withVariables = variables === null ? {} : { contentVariables: JSON.stringify(variables) }
  return { type: 'operator.replied', operatorId, body, mediaUrls: urls, contentSid, ...withVariables }
}

/** As they come: an object, or its JSON text. Undefined when it is neither. */
function toVariables(given: Json): JsonObject | undefined {
  const parsed = typeof given === 'string' ? parseJson(given) : given
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return undefined
  const entries = Object.entries(parsed)
  const areTexts = entries.every(
    ([name, value]) => name.length <= 64 && typeof value === 'string' && value.length <= variableCharactersMax,
  )
  return areTexts && entries.length <= variablesMax ? (parsed as JsonObject) : undefined
}

function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}

const reasonForm = `reason: up to ${reasonCharactersMax} characters`

function readReason({ reason = '' }: JsonObject): string | null {
  return typeof reason === 'string' && reason.length <= reasonCharactersMax ? reason : null
}

function isOperatorId(value: Json | undefined): value is string {
  return typeof value === 'string' && operatorIds.test(value)
}

function isMediaUrl(value: Json): boolean {
  if (typeof value !== 'string' || value.length > mediaUrlCharactersMax || /[\s\\]/u.test(value)) return false
  const url = URL.parse(value)
  if (url === null || url.protocol !== 'https:' || url.username !== '' || url.password !== '') return false
  return url.port === '' && publicHost.test(url.hostname) && !localHost.test(url.hostname)
}
