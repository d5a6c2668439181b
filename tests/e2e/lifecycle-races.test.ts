/**
 * What raced in the predecessor, a thousand times each, against the running service: two closings, timers against
 * messages, first messages against each other, an operator against a draft.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'

import { createConversationClient, openLogClient } from '../support/conversation-client.ts'
import type { LogClient } from '../support/conversation-client.ts'
import { createProduction } from '../support/production.ts'
import type { Production } from '../support/production.ts'
import { until } from '../support/service.ts'
import type { ServiceProcess } from '../support/service.ts'

const trials = 1_000
const minuteMs = 60_000
const hourMs = 60 * minuteMs

let production: Production
let service: ServiceProcess
let log: LogClient
const client = createConversationClient(() => service)

beforeAll(async () => {
  production = await createProduction()
  await production.set({ quietMs: 100 })
  // A busy machine must not make sends look lost.
  const patience = { DUOLOGUE_LEASE_MS: '5000', DUOLOGUE_SEND_RESOLVE_AFTER_MS: '5000,10000' }
  service = await production.start({ DUOLOGUE_TEST_CLOCK: '1', ...patience })
  log = await openLogClient(production)
}, 120_000)

afterAll(async () => {
  await log.close()
  await production.remove()
})

const toUsers = (prefix: string, count = trials): readonly string[] =>
  Array.from({ length: count }, (_, index) => `whatsapp:+1${prefix}${String(index).padStart(4, '0')}`)

/** Runs the task for every user, so many at a time. */
async function forAll(users: readonly string[], task: (user: string) => Promise<unknown>, atOnce = 50): Promise<void> {
  const waiting = [...users]
  const work = async (): Promise<void> => {
    for (let user = waiting.pop(); user !== undefined; user = waiting.pop()) await task(user)
  }
  await Promise.all(Array.from({ length: atOnce }, work))
}

async function countIn(prefix: string, status: string): Promise<number> {
  const [row] = await production.sql(
    `select count(*)::int as count from duologue.conversations as conversation
     join duologue.sessions as session on session.id = conversation.session_id
     where session.user_key like $1 and conversation.status = $2`,
    [`whatsapp:+1${prefix}%`, status],
  )
  return Number(row?.['count'])
}

async function allIn(prefix: string, status: string, count = trials, withinMs = 60_000): Promise<void> {
  let found = 0
  await until(
    async () => (found = await countIn(prefix, status)) === count,
    withinMs,
    () => `${found} of ${count} are in ${status}`,
  )
}

/** Every conversation's journal has each version once, from 1 on, and each status at most once. */
async function expectWholeJournals(prefix: string): Promise<void> {
  const broken = await production.sql(
    `select conversation.id from duologue.conversations as conversation
     join duologue.sessions as session on session.id = conversation.session_id
     join duologue.conversation_events as event on event.conversation_id = conversation.id
     where session.user_key like $1
     group by conversation.id
     having count(*) <> conversation.version or max(event.version) <> conversation.version
       or count(distinct event.version) <> conversation.version`,
    [`whatsapp:+1${prefix}%`],
  )
  expect(broken).toEqual([])
}

async function readClosings(prefix: string) {
  return production.sql(
    `select conversation.id, array_agg(history.to_status order by history.version) as statuses
     from duologue.conversations as conversation
     join duologue.sessions as session on session.id = conversation.session_id
     join duologue.conversation_state_history as history on history.conversation_id = conversation.id
     where session.user_key like $1 and duologue.closed_rank(history.to_status) > 0
     group by conversation.id`,
    [`whatsapp:+1${prefix}%`],
  ) as Promise<readonly { readonly statuses: readonly string[] }[]>
}

/** Each conversation's next timer is due about two seconds from now, and its user writes within a second of that. */
async function sayAtTheTimer(prefix: string, text: string): Promise<void> {
  const rows = await production.sql(
    `select session.user_key as user, extract(epoch from conversation.next_timer_at)::float * 1000 as due
     from duologue.conversations as conversation
     join duologue.sessions as session on session.id = conversation.session_id
     where session.user_key like $1`,
    [`whatsapp:+1${prefix}%`],
  )
  const due = new Map(rows.map((row) => [String(row['user']), Number(row['due'])]))
  const said: Promise<unknown>[] = []
  await forAll([...due.keys()], async (user) => {
    await log.advance(user, Math.floor((due.get(user) ?? 0) - Date.now() - 2_000))
    said.push(
      new Promise<void>((resolve) => {
        setTimeout(resolve, 1_000 + Math.random() * 2_000)
      }).then(async () => client.say(user, text)),
    )
  })
  await Promise.all(said)
}

async function countSends(prefix: string, author: string, status: string): Promise<number> {
  const [row] = await production.sql(
    `select count(*)::int as count from duologue.effects as effect
     join duologue.sessions as session on session.id = effect.session_id
     where session.user_key like $1 and effect.params ->> 'author' = $2 and effect.status = $3`,
    [`whatsapp:+1${prefix}%`, author, status],
  )
  return Number(row?.['count'])
}

async function bringToProgress(users: readonly string[], prefix: string): Promise<void> {
  await forAll(users, async (user) => expect(await client.say(user, 'hello')).toBe(200))
  await allIn(prefix, 'PROGRESS', users.length)
}

test(`3. ${trials} first messages at the same time: no error, one conversation each`, { timeout: 90_000 }, async () => {
  const users = toUsers('500600')
  const answers = await Promise.all(users.map(async (user) => client.say(user, 'hello')))
  expect(new Set(answers)).toEqual(new Set([200]))
  await allIn('500600', 'PROGRESS')
  await expectWholeJournals('500600')
  const metrics = await (await service.get('/metrics')).text()
  expect(metrics).toMatch(/duologue_events_parked_total\{kind="poison"\} 0/u)
})

test(
  `1. user closes while the conversation expires, ${trials} trials: USER_CLOSED each time, one row of history per closing, version +1 each step`,
  { timeout: 120_000 },
  async () => {
    const prefix = '500600'
    const users = toUsers(prefix)
    await forAll(users, async (user) => log.advance(user, 15 * minuteMs))
    await allIn(prefix, 'IDLE_TIMEOUT')
    await sayAtTheTimer(prefix, 'sair')
    await allIn(prefix, 'USER_CLOSED')
    await expectWholeJournals(prefix)
    const closings = await readClosings(prefix)
    const kinds = Object.groupBy(closings, ({ statuses }) => statuses.join(' then '))
    expect(Object.keys(kinds).toSorted()).toEqual(['EXPIRED then USER_CLOSED', 'USER_CLOSED'])
    console.log(
      Object.entries(kinds)
        .map(([kind, all]) => `${kind}: ${all?.length}`)
        .join(', '),
    )
    // What was in the log before the timer was due has won.
    const unfair = await production.sql(
      `select expired.conversation_id from duologue.conversation_state_history as expired
       join duologue.conversation_events as closed using (conversation_id)
       where expired.to_status = 'EXPIRED' and closed.to_status = 'USER_CLOSED'
         and closed.from_status = 'EXPIRED' and (closed.event ->> 'at')::bigint
           < floor(extract(epoch from expired.occurred_at) * 1000)`,
    )
    expect(unfair).toEqual([])
  },
)

test(
  `2. a stale idle timer never reopens or idles a closed conversation, ${trials} trials at the timer's moment`,
  { timeout: 120_000 },
  async () => {
    const prefix = '500601'
    const users = toUsers(prefix)
    await bringToProgress(users, prefix)
    await sayAtTheTimer(prefix, 'sair')
    await allIn(prefix, 'USER_CLOSED')
    await forAll(users, async (user) => log.advance(user, 48 * hourMs))
    const marker = await client.say('whatsapp:+15006019999', 'hello')
    expect(marker).toBe(200)
    await client.reaches('whatsapp:+15006019999', 'PROGRESS')
    await allIn(prefix, 'USER_CLOSED')
    await expectWholeJournals(prefix)
    const afterwards = await production.sql(
      `select after.to_status from duologue.conversation_state_history as closed
       join duologue.conversation_state_history as after
         on after.conversation_id = closed.conversation_id and after.version > closed.version
       where closed.to_status = 'USER_CLOSED'`,
    )
    expect(afterwards).toEqual([])
  },
)

test(
  `12. an operator takes over during a draft, ${trials} races: no assistant's message after the operator's first`,
  { timeout: 180_000 },
  async () => {
    const prefix = '500602'
    const users = toUsers(prefix)
    await bringToProgress(users, prefix)
    const rows = await production.sql(
      `select session.user_key as user, session.conversation_id as id from duologue.sessions as session
       where session.user_key like $1`,
      [`whatsapp:+1${prefix}%`],
    )
    const ids = new Map(rows.map((row) => [String(row['user']), String(row['id'])]))
    await forAll(
      users,
      async (user) => {
        const id = ids.get(user) ?? ''
        await client.say(user, 'and now?')
        // The draft begins 100 ms after the message and takes 300 ms.
        await new Promise((resolve) => {
          setTimeout(resolve, Math.random() * 1_200)
        })
        const assigned = await client.command(id, 'assign', { operatorId: 'ana' })
        expect(assigned.body.outcome).toBe('applied')
        const replied = await client.command(id, 'reply', { operatorId: 'ana', body: 'a person here' })
        expect(replied.body.outcome).toBe('applied')
      },
      25,
    )
    await until(
      async () => (await countSends(prefix, 'operator', 'done')) === trials,
      60_000,
      () => 'not every operator’s message was sent',
    )
    const ledger = await production.fake.sent()
    const sent = Map.groupBy(ledger, ({ to }) => to)
    const spokenOver = users.filter((user) => sent.get(user)?.at(-1)?.body !== 'a person here')
    expect(spokenOver.map((user) => sent.get(user)?.map(({ body }) => body))).toEqual([])
    const [cancelled] = await production.sql(
      `select count(*)::int as drafts from duologue.effects as effect
       join duologue.sessions as session on session.id = effect.session_id
       where session.user_key like $1 and effect.kind = 'draftReply' and effect.status = 'cancelled'`,
      [`whatsapp:+1${prefix}%`],
    )
    const answered = users.filter((user) => (sent.get(user)?.length ?? 0) > 2).length
    console.log(
      `${answered} answers came before the takeover, ${String(cancelled?.['drafts'])} drafts were cancelled by it`,
    )
    expect(cancelled?.['drafts']).toBeGreaterThan(0)
    for (const status of ['pending', 'running', 'uncertain'])
      expect(await countSends(prefix, 'assistant', status)).toBe(0)
  },
)
