/**
 * The door of the log (DESIGN D9, D10): bytes become a typed event here or are refused with a sentence.
 * Other programs publish too, so nothing is believed: not the JSON, not its shape, not that it belongs to
 * the subject under which it came. `docs/nats.md` shows the JSON Schema made of these same definitions.
 */
import * as z from 'zod'

import { deliveryStatuses } from '../machines/events.ts'
import type { Json } from '../machines/json.ts'
import { assert } from './assert.ts'
import { contentSchema } from './content-schema.ts'
import type { EventKind, LogEntry, LoggedEvent } from './ports.ts'
import { toSessionKey } from './session-key.ts'

const bodyCharactersMax = 65_536
const advanceMsMax = 366 * 24 * 3_600_000

/** Text that PostgreSQL's jsonb can hold: no NUL, no lone surrogates. */
const text = (charactersMax: number) =>
  z
    .string()
    .max(charactersMax)
    .refine((value) => value.isWellFormed() && !value.includes('\u0000'), 'holds NUL or lone surrogates')

const address = text(256).min(1)
/** Ids go into lists that are separated by spaces. */
const id = text(128).regex(/^\S+$/u)
const moment = z.number().int().nonnegative()
const raw = z.record(text(256), z.union([text(bodyCharactersMax), z.array(text(bodyCharactersMax)).max(100)]))
const forwardsMax = 16
const session = {
  v: z.literal(1),
  businessAddress: address,
  userKey: address,
  forwarded: z.number().int().min(1).max(forwardsMax).optional(),
}

export const messageSchema = z.strictObject({
  ...session,
  type: z.literal('message.received'),
  identities: z.array(address).min(1).max(4).optional(),
  unresolved: z.literal(true).optional(),
  replyAddress: address,
  providerId: id,
  body: text(bodyCharactersMax),
  media: z.array(z.strictObject({ url: text(2_048), contentType: text(256) })).max(10),
  content: contentSchema.optional(),
  profileName: text(1_024).nullable(),
  receivedAt: moment,
  raw,
})

export const deliverySchema = z.strictObject({
  ...session,
  type: z.literal('delivery.updated'),
  identities: z.array(address).min(1).max(4).optional(),
  providerId: id,
  effectId: id.nullable(),
  status: z.enum(deliveryStatuses),
  errorCode: text(32).nullable(),
  receivedAt: moment,
  raw,
})

/** Any JSON object of bounded depth whose texts the database can hold; the machine reads it closer. */
const json: z.ZodType<Json> = z.lazy(() =>
  z.union([
    z.null(),
    z.boolean(),
    z.number(),
    text(bodyCharactersMax),
    z.array(json).max(100),
    z.record(text(256), json),
  ]),
)

export const commandSchema = z.strictObject({
  ...session,
  type: z.literal('command.issued'),
  commandId: id,
  conversationId: z.uuid(),
  seenVersion: z.number().int().nonnegative().nullable(),
  event: z
    .record(text(256), json)
    .refine(({ type }) => typeof type === 'string' && !type.startsWith('xstate.'), 'is not an event from outside'),
  issuedAt: moment,
})

/** What an edit may apply instead of the event that waits. */
export const releasedEventSchema = z.discriminatedUnion('type', [messageSchema, deliverySchema])

export const quarantineReleaseSchema = z.strictObject({
  ...session,
  type: z.literal('quarantine.released'),
  commandId: id,
  quarantineId: z.uuid(),
  action: z.enum(['retry', 'skip', 'edit']),
  event: releasedEventSchema.nullable(),
})

export const clockAdvanceSchema = z.strictObject({
  ...session,
  type: z.literal('clock.advanced'),
  commandId: id,
  byMs: z.number().int().positive().max(advanceMsMax),
})

export const loggedEventSchema = z.discriminatedUnion('type', [
  messageSchema,
  deliverySchema,
  commandSchema,
  quarantineReleaseSchema,
  clockAdvanceSchema,
])

const kindOfType: { readonly [type in LoggedEvent['type']]: EventKind } = {
  'message.received': 'message',
  'delivery.updated': 'status',
  'command.issued': 'command',
  'quarantine.released': 'command',
  'clock.advanced': 'command',
}

/** The kind under which an event is published. */
export function toKind(event: LoggedEvent): EventKind {
  return kindOfType[event.type]
}

/**
 * `<kind>:<channel>:<provider id>[:<status>[:<error code>]]`: the log recognises a repeated publication by it. What was sent
 * on to another session is another publication, or the log would take it for the first one and drop it.
 */
export function toPublicationId(event: LoggedEvent): string {
  const first = toFirstPublicationId(event)
  return event.forwarded === undefined ? first : `${first}:${event.forwarded}:${event.userKey}`
}

function toFirstPublicationId(event: LoggedEvent): string {
  switch (event.type) {
    case 'message.received':
      return `message:${event.businessAddress}:${event.providerId}`
    case 'delivery.updated':
      return `status:${event.businessAddress}:${event.providerId}:${event.status}${event.errorCode === null ? '' : `:${event.errorCode}`}`
    case 'command.issued':
    case 'quarantine.released':
    case 'clock.advanced':
      return `command:${event.businessAddress}:${event.commandId}`
  }
}

/** The event of a log entry. Throws with the reason when it is not one of ours. */
export function readLoggedEvent(entry: LogEntry): LoggedEvent {
  const parsed = loggedEventSchema.safeParse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(entry.data)))
  if (!parsed.success) throw new Error(`not an event of version 1: ${z.prettifyError(parsed.error).slice(0, 500)}`)
  const event: LoggedEvent = parsed.data
  assert(entry.kind === toKind(event), `a ${event.type} was published as '${entry.kind}'`)
  assert(
    entry.sessionKey === toSessionKey(event.businessAddress, event.userKey),
    'its subject names another session than the event itself',
  )
  assert(isReleaseOfItself(event), 'it releases an event of another session, or edits without an event')
  return event
}

function isReleaseOfItself(event: LoggedEvent): boolean {
  if (event.type !== 'quarantine.released') return true
  const { action, event: edited, businessAddress, userKey } = event
  if (edited === null) return action !== 'edit'
  return action === 'edit' && edited.businessAddress === businessAddress && edited.userKey === userKey
}
