/**
 * The alternative that Duologue is measured against: every webhook is one transaction that locks its
 * conversation's row, and 200 is its commit. Same checks at the door (signature, fields), same durable
 * facts: the message with its form, the conversation's snapshot with a version, a journal row.
 *
 * Written as fast as it stays simple: prepared statements, and statements that do not need each other's
 * answers go out together, so that the row is locked for two round trips and the commit.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import formbody from '@fastify/formbody'
import Fastify from 'fastify'
import postgres from 'postgres'
import twilio from 'twilio'
import { getInitialSnapshot, transition } from 'xstate'
import type { SnapshotFrom } from 'xstate'
import { machine } from './machine.ts'

const { PORT = '0', DATABASE_URL = '', AUTH_TOKEN = '', POOL_SIZE = '16' } = process.env
const emptyTwiml = '<?xml version="1.0" encoding="UTF-8"?><Response/>'

type Form = { readonly [field: string]: string }
type Row = { readonly version: number; readonly snapshot: SnapshotFrom<typeof machine> }
type Transaction = postgres.TransactionSql<{ bigint: number }>

const sql = postgres(DATABASE_URL, {
  max: Number(POOL_SIZE),
  onnotice: () => {},
  types: { bigint: { to: 20, from: [20], serialize: String, parse: Number } },
})
await sql.unsafe(await readFile(join(import.meta.dirname, 'schema.sql'), 'utf8')).simple()

const initialSnapshot = toJson(getInitialSnapshot(machine))
const publicUrl = `http://127.0.0.1:${PORT}`
const app = Fastify({ logger: false })
await app.register(formbody)
app.post('/webhooks/twilio/messages', async (request, reply) => {
  const form = request.body as Form
  const signature = request.headers['x-twilio-signature']
  if (typeof signature !== 'string' || !twilio.validateRequest(AUTH_TOKEN, signature, publicUrl + request.url, form)) {
    return reply.code(403).send()
  }
  const { MessageSid, From, To, Body } = form
  if (MessageSid === undefined || From === undefined || To === undefined) return reply.code(400).send()
  await sql.begin((transaction) => takeMessage(transaction, MessageSid, `${To}|${From}`, Body ?? '', form))
  return reply.header('content-type', 'text/xml').send(emptyTwiml)
})
await app.listen({ host: '127.0.0.1', port: Number(PORT) })
process.stdout.write('listening\n')
process.on('SIGTERM', () => process.exit(0))
process.stdin.on('end', () => process.exit(0)).resume()

async function takeMessage(
  transaction: Transaction,
  messageId: string,
  conversation: string,
  body: string,
  form: Form,
): Promise<void> {
  const [inserted, rows] = await Promise.all([
    transaction`
      insert into messages (provider_id, conversation, form) values (${messageId}, ${conversation}, ${transaction.json(form)})
      on conflict do nothing returning true as is_new`,
    lockConversation(transaction, conversation),
  ])
  if (inserted.length === 0) return
  const row = rows[0] ?? (await createConversation(transaction, conversation))
  const event = { type: 'message.received', messageId, body } as const
  const [next] = transition(machine, machine.resolveState(row.snapshot), event)
  const version = row.version + 1
  await Promise.all([
    transaction`
      update conversations set snapshot = ${transaction.json(toJson(next))}, version = ${version}, updated_at = now()
      where conversation = ${conversation}`,
    transaction`
      insert into journal (conversation, version, event) values (${conversation}, ${version}, ${transaction.json(event)})`,
  ])
}

function lockConversation(transaction: Transaction, conversation: string) {
  return transaction<Row[]>`select version, snapshot from conversations where conversation = ${conversation} for update`
}

async function createConversation(transaction: Transaction, conversation: string): Promise<Row> {
  await transaction`
    insert into conversations (conversation, version, snapshot)
    values (${conversation}, 0, ${transaction.json(initialSnapshot)}) on conflict do nothing`
  const [row] = await lockConversation(transaction, conversation)
  if (row === undefined) throw new Error(`could not create the conversation ${conversation}`)
  return row
}

/** What a restored snapshot needs. */
function toJson({ value, context, status }: SnapshotFrom<typeof machine>) {
  return { value: value as postgres.JSONValue, context, status }
}
