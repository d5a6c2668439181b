/**
 * Writes docs/nats.md, the page for other programs on the same NATS, from the code that it describes: subjects, tokens,
 * message ids, JSON Schemas and the example program. Run it with Node 24 after a change of any of them:
 * `node scripts/nats-doc.ts`. A test compares the page, others hold it against a running stream.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'

import {
  clockAdvanceSchema,
  commandSchema,
  deliverySchema,
  messageSchema,
  quarantineReleaseSchema,
  toKind,
  toPublicationId,
} from '../src/actors/logged-event.ts'
import type { LoggedEvent } from '../src/actors/ports.ts'
import { toSessionKey, toToken } from '../src/actors/session-key.ts'
import {
  publishedSubjects,
  streamName,
  toPartitionFilter,
  toPublishedSubject,
  toSubjectTransform,
} from '../src/infra/nats/subjects.ts'
import { toUserKey } from '../src/infra/twilio/address.ts'
import { deliveryStatuses } from '../src/machines/events.ts'

const root = join(import.meta.dirname, '..')
export const natsPageFile = join(root, 'docs/nats.md')
const exampleFile = join(root, 'docs/examples/publish-message.mjs')

const partitions = 64
const nanosPerMinute = 60_000_000_000

/** What the page says of the stream, by the names of its configuration; a test asks a running one. */
export const documentedStream = {
  name: streamName,
  subjects: [publishedSubjects],
  subject_transform: toSubjectTransform(partitions),
  storage: 'file',
  retention: 'limits',
  discard: 'new',
  max_age: 0,
  max_msg_size: 1_048_576,
  duplicate_window: 10 * nanosPerMinute,
  deny_delete: true,
  allow_atomic: true,
} as const

/** A server's users as the page gives them; a test runs a server with it, with both passwords put in. */
export const documentedUsers = `authorization {
  users = [
    { user: duologue, password: "…", permissions: {
      publish: ["duologue.in.>", "duologue.settled.*", "duologue.nodes.*", "$JS.API.>"]
      subscribe: ["_INBOX.>", "duologue.settled.*", "duologue.nodes.*"]
    } }
    { user: publisher, password: "…", permissions: {
      publish: ["duologue.in.message.>"]
      subscribe: ["_INBOX_publisher.>"]
    } }
  ]
}`

const session = { businessAddress: 'whatsapp:+14155238886', userKey: 'whatsapp:+15005550006' }
const providerId = 'SM00000000000000000000000000000001'
const receivedAt = 1_790_000_000_000

const examples: readonly { readonly event: LoggedEvent; readonly schema: z.ZodType; readonly words: string }[] = [
  {
    event: {
      v: 1,
      type: 'message.received',
      ...session,
      replyAddress: session.userKey,
      providerId,
      body: 'Hello!',
      media: [],
      profileName: 'Ana',
      receivedAt,
      raw: { From: session.userKey, Body: 'Hello!' },
    },
    schema: messageSchema,
    words: `The user wrote. \`providerId\` names the message for ever: a second one with the same id and business address is the
same message. \`replyAddress\` is where the answer goes, as the provider spells it. \`media\` are links; nothing is fetched
here. \`raw\` is what the provider sent, kept beside the message and read by nobody; it may be empty. In a message that
reconciliation took from the provider's list, since its webhook never arrived, \`raw.Recovered\` is \`"true"\`.`,
  },
  {
    event: {
      v: 1,
      type: 'delivery.updated',
      ...session,
      providerId,
      effectId: '01890000-0000-7000-8000-000000000001:4:0',
      status: 'delivered',
      errorCode: null,
      receivedAt,
      raw: {},
    },
    schema: deliverySchema,
    words: `What became of a message that Duologue sent. \`effectId\` is the parameter \`effect\` of the callback's URL, which is
given with every send; null when there was none. Statuses may come in any order and more than once: ${deliveryStatuses
      .map((status) => `\`${status}\``)
      .join(', ')}; the last three are final, and nothing moves back.`,
  },
  {
    event: {
      v: 1,
      type: 'command.issued',
      ...session,
      commandId: 'assign-1',
      conversationId: '01890000-0000-7000-8000-000000000001',
      seenVersion: 4,
      event: { type: 'operator.assigned', operatorId: 'ana' },
      issuedAt: receivedAt,
    },
    schema: commandSchema,
    words: `What an operator, or a program, asks of a conversation. \`event\` is what its chart is told: \`handoff.requested\`,
\`operator.assigned\`, \`operator.replied\`, \`operator.released\`, \`operator.transferred\`, \`operator.escalated\`,
\`operator.extended\` or \`operator.closed\`, with the fields of the API's commands of the same meaning. \`commandId\` names the
command for ever. \`seenVersion\` is the version that its author saw, or null: when the status, the speaker or the user's
messages have moved on since, the command is stale and changes nothing. The outcome is a row, \`GET /api/commands/<id>\`; when it
is there, \`duologue.settled.<token of the id>\` is published on core NATS, without a payload.`,
  },
  {
    event: {
      v: 1,
      type: 'quarantine.released',
      ...session,
      commandId: 'release-1',
      quarantineId: '01890000-0000-7000-8000-000000000002',
      action: 'retry',
      event: null,
    },
    schema: quarantineReleaseSchema,
    words: `A person's word on the first event that waits in the session's quarantine: \`retry\` applies it again, \`skip\` leaves
it out, \`edit\` applies \`event\` (a message or a delivery of the same session) instead. What waits behind it is then applied in
order, up to the next event that fails. The outcome is a row like that of any command; about any other event than the first
waiting one it is \`refused\`.`,
  },
  {
    event: { v: 1, type: 'clock.advanced', ...session, commandId: 'advance-1', byMs: 86_400_000 },
    schema: clockAdvanceSchema,
    words: `Moves the session's own clock forward, so that its timers fall due: the built-in phone's "advance" button. A
deployment with a real provider takes none: the event is parked as foreign, and the session goes on.`,
  },
]

export function renderNatsPage(): string {
  return `# Duologue over NATS

Everything that reaches a conversation from outside is an event in one JetStream stream. The webhook is one program that
publishes there; yours may be another, on the same server and by the rules of this page. This page is written by
\`scripts/nats-doc.ts\` from the code that reads and writes the stream; tests compare both.

A published event is answered in the world (the user gets a message) and in the database (\`GET /api/conversations\`),
not over NATS. The acknowledgement says that the log has the event, nothing more and nothing less.

${renderSubjects()}
${renderTokens()}
${renderPublishing()}
${renderStream()}
${renderPayloads()}
${renderRefusals()}
${renderUsers()}
## A whole program

\`docs/examples/publish-message.mjs\`; a test runs it against a running Duologue and waits for the answer.

\`\`\`js
${readFileSync(exampleFile, 'utf8').trimEnd()}
\`\`\`
`
}

function renderSubjects(): string {
  const rows = examples.map(({ event }) => {
    const key = toSessionKey(event.businessAddress, event.userKey)
    return `| \`${event.type}\` | \`${toKind(event)}\` | \`${toPublishedSubject(toKind(event), key)}\` |`
  })
  return `## Subjects

    published   ${toPublishedSubject('<kind>', '<business token>.<user token>')}
    stored      ${toPartitionFilter(0).replace('0.>', '<partition>')}.<kind>.<business token>.<user token>

Publish to the first; the stream maps it to the second, and nobody publishes there. The partition is a hash of the two
tokens, made by the server: all events of a session are in one partition, in the order in which the log took them.

| event | kind | published as (examples) |
| --- | --- | --- |
${rows.join('\n')}

The kind stands in the subject because permissions do: a publisher of messages need not be able to publish commands.
An event whose type does not belong to the kind of its subject is refused.
`
}

function renderTokens(): string {
  const addresses = [
    'whatsapp:+14155238886',
    'sms:+15005550006',
    'sms:12345',
    'whatsapp:US.13491208655302741918',
    'a_b c',
    'ü',
  ]
  const spellings = ['whatsapp:+551187654321', 'whatsapp:+5215512345678', 'whatsapp:+5491165324855', '+15005550006']
  return `## Addresses and their tokens

A token is an address with \`[A-Za-z0-9-]\` as they are and every other character as \`_\` and two upper-case hex digits
for each of its UTF-8 bytes. \`_\` itself is written \`_5F\`, so two addresses never share a token. An address has 1 to 256
bytes.

| address | token |
| --- | --- |
${addresses.map((address) => `| \`${address}\` | \`${toToken(address)}\` |`).join('\n')}

\`businessAddress\` is \`whatsapp:\` or \`sms:\` and the number in E.164, and one of the deployment's own (\`TWILIO_NUMBERS\`).
\`userKey\` names the user for ever: \`whatsapp:\` or \`sms:\` and the canonical number, else the business-scoped id that
WhatsApp gives for users without a number. Two spellings would be two sessions, so national variants are folded:

| the provider says | user key |
| --- | --- |
${spellings.map((address) => `| \`${address}\` | \`${toUserKey(address)}\` |`).join('\n')}

\`replyAddress\` is never folded: WhatsApp knows an account under one spelling only.

A user may have several keys: a phone number, the business-scoped id, a second number. \`identities\` lists those that an event
carries, the one that it came under first, and \`unresolved: true\` says that nobody was asked which session they lead to: the
owner then notes what it learns by them. An event that belongs to another session is sent on to it by the owner, with
\`forwarded\` counting how often (docs/decisions/2026-11-25-identity.md); a program never writes \`forwarded\`.
\`businessAddress\` may be any channel of any tenant.
`
}

function renderPublishing(): string {
  const ids = examples.map(({ event }) => `| \`${event.type}\` | \`${toPublicationId(event)}\` |`)
  return `## Publishing, acknowledgements, duplicates

Publish with JetStream (a request that the stream answers), the JSON as UTF-8, and one header:

| event | \`Nats-Msg-Id\` (examples) |
| --- | --- |
${ids.join('\n')}

- The form is kind, business address, the provider's id, and for a delivery its status, separated by \`:\`.
- The answer \`{ "stream": "${streamName}", "seq": … }\` means that the event is stored, on a server that syncs every write on
  disk. Tell your own caller "done" after it, never before.
- No answer in time says nothing: publish the same bytes under the same id again. Within
  ${documentedStream.duplicate_window / nanosPerMinute} minutes the stream recognises the id and answers \`"duplicate": true\` with the first sequence.
- Later, and without the header, the database recognises a message by its business address and \`providerId\`; a delivery
  that is told twice changes nothing. So a message is stepped once, however often it is published.
- Error 10158 (\`duplicate message id is in process\`): ask again. Error 10077 (\`maximum bytes exceeded\`): the log is full,
  nothing was stored; keep the event and try later. No responders: JetStream is not up, try later.
- Other headers are ignored. An event has at most ${documentedStream.max_msg_size / 1_048_576} MiB.
`
}

function renderStream(): string {
  const { subject_transform: transform } = documentedStream
  return `## The stream

The first start makes it; later starts check the number of partitions (\`DUOLOGUE_PARTITIONS\`, ${partitions} unless told), which never
changes. \`npm run duologue -- doctor\` compares all of this.

| field | value | why |
| --- | --- | --- |
| \`name\` | \`${documentedStream.name}\` | one log for a deployment |
| \`subjects\` | \`${documentedStream.subjects.join()}\` | what programs publish |
| \`subject_transform\` | \`${transform.src}\` → \`${transform.dest}\` | the partition |
| \`storage\`, \`retention\` | \`${documentedStream.storage}\`, \`${documentedStream.retention}\` | the cursor in the database says what was read, not the stream |
| \`discard\` | \`${documentedStream.discard}\` | a full log refuses; it never forgets |
| \`max_age\` | \`${documentedStream.max_age}\` | no age limit |
| \`max_msg_size\` | \`${documentedStream.max_msg_size}\` | |
| \`duplicate_window\` | ${documentedStream.duplicate_window / nanosPerMinute} minutes | |
| \`deny_delete\` | \`${documentedStream.deny_delete}\` | single events cannot be taken out |
| \`allow_atomic\` | \`${documentedStream.allow_atomic}\` | the webhook stores many events with one sync of the disk |

Reading along is free: an ordered consumer with one filter, such as \`${toPartitionFilter(7)}\`, disturbs nobody.
Duologue itself acknowledges nothing; its place in the stream is committed in the database together with what the events
did. It purges by itself what is behind every partition's cursor, less a day. Leave that to it: events that are missing
in front of a cursor, a stream that is shorter than it was, and one that was made anew are an incident. Then an error is
logged, \`duologue_log_incidents_total\` grows, a recreated or shortened stream is read from its first event, and the
provider's list of the last day is compared before any timer fires.
`
}

function renderPayloads(): string {
  const sections = examples.map(
    ({ event, schema, words }) => `### \`${event.type}\`

${words}

\`\`\`json
${JSON.stringify(event, null, 2)}
\`\`\`

\`\`\`json
${JSON.stringify(z.toJSONSchema(schema), null, 2)}
\`\`\`
`,
  )
  return `## Payloads

One JSON object in UTF-8. \`v\` is the version of its form; this page is version 1. Unknown fields are refused, so that a
misspelt one is not lost in silence. What a JSON Schema cannot say: no text may hold NUL or a lone surrogate (PostgreSQL's
jsonb cannot), and times are milliseconds since 1970.

${sections.join('\n')}`
}

function renderRefusals(): string {
  return `## What the owner of a partition refuses

The stream takes whatever has a right subject; the owner of the partition reads it, and believes nothing. An event is
copied into the quarantine with the reason, and reading goes on, when

- it is not UTF-8, not JSON, or not one of the forms above (an unknown \`v\` included);
- its type does not belong to the kind of its subject;
- its \`businessAddress\` and \`userKey\` give other tokens than those of its subject;
- no channel of the deployment has its business address.

XState's own events (\`xstate.…\`), timers and results of effects cannot be published: they are none of the forms above.
An event that is well-formed and breaks the machine puts its session into quarantine; other sessions go on.
\`npm run duologue -- quarantine list\` shows both.
`
}

function renderUsers(): string {
  return `## Users and permissions

Give each publisher a user of its own, with the kinds that it may publish and an inbox prefix that nobody else reads
(its client's \`inboxPrefix\`). On a server of your own, besides \`jetstream { sync_interval: always }\`:

\`\`\`conf
${documentedUsers}
\`\`\`

In production each role of Duologue has a user of its own as well: [deploy/nats/identities.conf](../deploy/nats/identities.conf)
is what the compose file mounts, and a test tries every forbidden verb. With \`NATS_INBOX_PREFIX\` a role reads its own answers only.
\`duologue.settled.*\` and \`duologue.nodes.*\` are hints between the nodes on core NATS: losing one costs a moment.

Duologue takes its user as \`NATS_URL=nats://duologue:<password>@<host>:4222\`, or as \`NATS_CREDENTIALS_FILE\`. The embedded
nats-server has one user, whose password is made anew at every start: other programs need a server of your own.
`
}

if (import.meta.main) {
  writeFileSync(natsPageFile, renderNatsPage())
  process.stdout.write('wrote docs/nats.md\n')
}
