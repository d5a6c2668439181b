/**
 * Duologue as it is deployed: one service process with every role, a real nats-server that syncs every
 * write, Supabase Lite's HTTP server in a process of its own on PostgreSQL, and a Twilio to answer to.
 */
import { join } from 'node:path'
import { accountSid, authToken, business, toUserPrefix } from '../load/identities.ts'
import { findFreePort } from '../../tests/support/postgres.ts'
import { startChild, until } from './child.ts'
import type { Child } from './child.ts'
import { startNats } from './nats.ts'
import type { BenchNats } from './nats.ts'
import type { BenchDatabase, BenchPostgres } from './postgres.ts'
import type { Stack, StoredConversation, StoredMessage } from './stack.ts'

const root = join(import.meta.dirname, '../..')
const readyWithinMs = 30_000
const settledWithinMs = 60_000
/** The last status callback comes this long after its message. */
const callbacksMs = 2_500
const secretKey = 'sb_secret_of_the_benchmark'

export type DuologueStack = Stack & {
  readonly nats: BenchNats
  /** Ends the service alone, with time to write its CPU profile. */
  stopService(): Promise<void>
}

/** `nodeOptions` go to the service's Node. */
export async function startDuologue(
  postgres: BenchPostgres,
  nodeOptions: readonly string[] = [],
): Promise<DuologueStack> {
  await using opened = new AsyncDisposableStack()
  const database = opened.adopt(await postgres.createMigratedDatabase(), async ({ drop }) => drop())
  const nats = opened.adopt(await startNats(), async ({ stop }) => stop())
  const lite = opened.adopt(await startLite(database.url), async ({ stop }) => stop())
  const twilio = opened.adopt(await startTwilio(), async ({ stop }) => stop())
  const port = await findFreePort()
  const url = `http://127.0.0.1:${port}`
  const env = toEnvironment({
    port,
    nats,
    liteUrl: `http://127.0.0.1:${lite.ready[1]}`,
    twilioUrl: twilio.ready[1] ?? '',
  })
  const service = opened.adopt(await startService(env, nodeOptions), async ({ stop }) => stop())
  await untilReady(url, service)
  await set(database, limitless)
  const closing = opened.move()
  return {
    name: 'duologue',
    webhookUrl: `${url}/webhooks/twilio/messages`,
    nats,
    parts: [
      { name: 'service', pid: service.pid },
      { name: 'supabase lite', pid: lite.pid },
      { name: 'nats-server', pid: nats.pid },
      { name: 'fake twilio', pid: twilio.pid },
      postgres.part,
    ],
    sql: database.sql,
    ...createReading(database),
    settle: async () => settle(database),
    holdAnswers: async () => holdAnswers(database),
    stopService: async () => service.stop(),
    stop: async () => closing.disposeAsync(),
  }
}

export async function startLite(databaseUrl: string): Promise<Child> {
  const program = join(root, 'tests/support/lite-server.ts')
  return startChild({
    name: 'Supabase Lite',
    program: process.execPath,
    parameters: [program, databaseUrl, secretKey, 'sb_publishable_of_the_benchmark'],
    readyPattern: /^(\d+)$/mu,
  })
}

export function toLiteProject(lite: Child): { readonly url: string; readonly secretKey: string } {
  return { url: `http://127.0.0.1:${lite.ready[1]}`, secretKey }
}

async function startTwilio(): Promise<Child> {
  const program = join(root, 'src/infra/phone/fake-twilio-process.ts')
  return startChild({
    name: 'the fake Twilio',
    program: process.execPath,
    parameters: [program, JSON.stringify({ accountSid, authToken })],
    readyPattern: /"url":"([^"]+)"/u,
  })
}

async function startService(env: { readonly [name: string]: string }, nodeOptions: readonly string[]): Promise<Child> {
  return startChild({
    name: 'the service',
    program: process.execPath,
    parameters: [...nodeOptions, join(root, 'src/main.ts')],
    env,
    readyPattern: null,
  })
}

/** Everything else is as a deployment has it by default, but for the limits of `limitless`. */
function toEnvironment({
  port,
  nats,
  liteUrl,
  twilioUrl,
}: {
  port: number
  nats: BenchNats
  liteUrl: string
  twilioUrl: string
}) {
  return {
    DUOLOGUE_PORT: String(port),
    DUOLOGUE_API_TOKEN: 'api-token-of-the-benchmark',
    NATS_URL: nats.url,
    SUPABASE_URL: liteUrl,
    SUPABASE_SECRET_KEY: secretKey,
    TWILIO_ACCOUNT_SID: accountSid,
    TWILIO_AUTH_TOKEN: authToken,
    TWILIO_NUMBERS: business,
    TWILIO_API_URL: twilioUrl,
  }
}

async function untilReady(url: string, service: Child): Promise<void> {
  const isReady = async (): Promise<boolean> => {
    const response = await fetch(`${url}/readyz`).catch(() => null)
    await response?.arrayBuffer()
    return response?.status === 200
  }
  await until(isReady, { withinMs: readyWithinMs, sentence: () => `the service is not ready:\n${service.output()}` })
}

type Reading = Pick<Stack, 'countStored' | 'readMessages' | 'readConversations' | 'describeWork'>

function createReading({ sql }: BenchDatabase): Reading {
  return {
    async countStored(userPrefix) {
      const statement = `select count(*) from duologue.messages as message
        join duologue.sessions as session on session.id = message.session_id
        where message.direction = 'inbound' and session.user_key like $1`
      const [row] = await sql<{ count: number }>(statement, [`${userPrefix}%`])
      return row?.count ?? 0
    },
    readMessages: async (userPrefix) => sql<StoredMessage>(readMessages, [`${userPrefix}%`]),
    readConversations: async (userPrefix) => sql<StoredConversation>(readConversations, [`${userPrefix}%`]),
    async describeWork(userPrefix) {
      const [row] = await sql<{ [what: string]: number }>(countWork, [`${userPrefix}%`])
      return row ?? {}
    },
  }
}

const countWork = `with those as (select id from duologue.sessions where user_key like $1)
  select
    (select count(*) from duologue.conversation_events as step
      join duologue.conversations as conversation on conversation.id = step.conversation_id
      where conversation.session_id in (select id from those)) as steps,
    (select count(*) from duologue.messages where direction = 'outbound' and session_id in (select id from those)) as replies,
    (select coalesce(sum(jsonb_array_length(raw)), 0) from duologue.deliveries
      where session_id in (select id from those)) as callbacks`

const readMessages = `select message.provider_id as "providerId", session.user_key as "user",
    message.conversation_id as "conversationId", step.version
  from duologue.messages as message
  join duologue.sessions as session on session.id = message.session_id
  left join duologue.conversation_events as step
    on step.conversation_id = message.conversation_id and step.event ->> 'messageId' = message.id::text
  where message.direction = 'inbound' and session.user_key like $1
  order by session.user_key, message.conversation_id, step.version`

const readConversations = `select conversation.id as "conversationId", conversation.version,
    count(step.version) as steps, min(step.version) as "firstStep", max(step.version) as "lastStep"
  from duologue.conversations as conversation
  join duologue.sessions as session on session.id = conversation.session_id
  left join duologue.conversation_events as step on step.conversation_id = conversation.id
  where session.user_key like $1
  group by conversation.id, conversation.version`

/** Fewer users write more here than so many people may, and are answered more often than WhatsApp likes. */
const limitless = { senderPerMinuteMax: 100_000, senderPerHourMax: 1_000_000, paceIntervalMs: 0 }

/** The longest quiet moment that a tenant may set; the load's users are new and open with it. */
async function holdAnswers(database: BenchDatabase): Promise<void> {
  await set(database, { ...limitless, quietMs: 60_000, quietMaxMs: 600_000 })
}

async function set({ sql }: BenchDatabase, settings: object): Promise<void> {
  await sql(`update duologue.tenants set settings = '${JSON.stringify(settings)}'`)
}

/** Everybody of the warm-up has been answered, and the answers have been read. */
async function settle({ sql }: BenchDatabase): Promise<void> {
  const statement = `select
      (select count(*) from duologue.conversations as conversation
        join duologue.sessions as session on session.id = conversation.session_id
        where session.user_key like $1 and next_timer_at < now() + interval '1 minute')
      + (select count(*) from duologue.effects where status in ('pending', 'running', 'uncertain')) as unsettled,
    coalesce(extract(epoch from clock_timestamp() - (select max(started_at) from duologue.effects)), 1e9)::float8 * 1000
      as "quietMs"`
  const isSettled = async (): Promise<boolean> => {
    const [row] = await sql<{ unsettled: number; quietMs: number }>(statement, [`${toUserPrefix('2')}%`])
    return row !== undefined && row.unsettled === 0 && row.quietMs > callbacksMs
  }
  await until(isSettled, { withinMs: settledWithinMs, everyMs: 200, sentence: () => 'the warm-up does not settle' })
}
