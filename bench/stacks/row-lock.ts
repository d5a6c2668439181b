/** The row-lock baseline: one process and the same PostgreSQL server. */
import { join } from 'node:path'
import { authToken } from '../load/identities.ts'
import { findFreePort } from '../../tests/support/postgres.ts'
import { startChild } from './child.ts'
import type { BenchPostgres } from './postgres.ts'
import type { Stack, StoredConversation, StoredMessage } from './stack.ts'

const program = join(import.meta.dirname, '../baselines/row-lock/server.ts')

export async function startRowLock(postgres: BenchPostgres): Promise<Stack> {
  await using opened = new AsyncDisposableStack()
  const database = opened.adopt(await postgres.createEmptyDatabase(), async ({ drop }) => drop())
  const { sql } = database
  const port = await findFreePort()
  const service = await startChild({
    name: 'the row-lock baseline',
    program: process.execPath,
    parameters: [program],
    env: { PORT: String(port), DATABASE_URL: database.url, AUTH_TOKEN: authToken },
    readyPattern: /^listening$/mu,
  })
  opened.adopt(service, async ({ stop }) => stop())
  const closing = opened.move()
  return {
    name: 'row-lock',
    webhookUrl: `http://127.0.0.1:${port}/webhooks/twilio/messages`,
    parts: [{ name: 'service', pid: service.pid }, postgres.part],
    sql,
    async countStored(userPrefix) {
      const statement = `select count(*) from messages where conversation like $1`
      const [row] = await sql<{ count: number }>(statement, [`%|${userPrefix}%`])
      return row?.count ?? 0
    },
    readMessages: async (userPrefix) => sql<StoredMessage>(readMessages, [`%|${userPrefix}%`]),
    readConversations: async (userPrefix) => sql<StoredConversation>(readConversations, [`%|${userPrefix}%`]),
    settle: async () => {},
    holdAnswers: async () => {},
    async describeWork(userPrefix) {
      const statement = 'select count(*) as steps from journal where conversation like $1'
      const [row] = await sql<{ steps: number }>(statement, [`%|${userPrefix}%`])
      return { steps: row?.steps ?? 0 }
    },
    stop: async () => closing.disposeAsync(),
  }
}

const readMessages = `select message.provider_id as "providerId", split_part(message.conversation, '|', 2) as "user",
    message.conversation as "conversationId", step.version
  from messages as message
  left join journal as step
    on step.conversation = message.conversation and step.event ->> 'messageId' = message.provider_id
  where message.conversation like $1
  order by message.conversation, step.version`

const readConversations = `select conversation.conversation as "conversationId", conversation.version,
    count(step.version) as steps, min(step.version) as "firstStep", max(step.version) as "lastStep"
  from conversations as conversation
  left join journal as step on step.conversation = conversation.conversation
  where conversation.conversation like $1
  group by conversation.conversation, conversation.version`
