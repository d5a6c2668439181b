/**
 * The callbacks of a thousand messages in ten orders, each some times over, some before their send is settled: a real
 * node on a real database ends with the same rows and the same charts each time.
 */
import { expect, test } from 'vitest'
import { createNode } from '../../../src/actors/node.ts'
import { toCanonicalJson } from '../../../src/actors/canonical-json.ts'
import { toKind } from '../../../src/actors/logged-event.ts'
import type { EffectPerformers, LoggedDelivery, Telemetry } from '../../../src/actors/ports.ts'
import { toSessionKey } from '../../../src/actors/session-key.ts'
import { processClock } from '../../../src/infra/process/clock.ts'
import { processIds } from '../../../src/infra/process/ids.ts'
import { conversationRegistration } from '../../../src/machines/conversation/registration.ts'
import type { DeliveryStatus } from '../../../src/machines/events.ts'
import { createRandom } from '../../simulation/engine/random.ts'
import { createMemoryLog } from '../../support/memory-log.ts'
import { toMessage } from '../../support/memory-world.ts'
import { until } from '../../support/service.ts'
import { businessAddress } from './batches.ts'
import { useDatabase } from './use-database.ts'

const sessions = 334
/** So long an answer goes in three pieces. */
const answer = 'A sentence of forty characters is here. '.repeat(100)
const messages = sessions * 3
const orders = 10

/** What the provider tells of the messages of a session, by its number. */
const fates: readonly (readonly (readonly [DeliveryStatus, string | null])[])[] = [
  [
    ['queued', null],
    ['sending', null],
    ['sent', null],
    ['delivered', null],
    ['read', null],
  ],
  [
    ['sent', null],
    ['undelivered', '30003'],
  ],
  [
    ['sent', null],
    ['failed', '63016'],
  ],
  [
    ['queued', null],
    ['undelivered', '21211'],
  ],
  [
    ['sent', null],
    ['delivered', null],
    ['failed', null],
    ['failed', '30007'],
  ],
]

/** By conversation: how many were sent. */
const pieces = new Map<string, number>()
const telemetry: Telemetry = { count() {}, observe() {}, gauge() {}, log() {} }
const performers: EffectPerformers = {
  draftReply: {
    isVisible: false,
    perform: async () => ({
      kind: 'done',
      output: { reply: answer, intent: 'continue', confidence: 1 },
      providerId: null,
    }),
  },
  // Nobody speaks here.
  transcribe: { isVisible: false, perform: async () => ({ kind: 'done', output: null, providerId: null }) },
  sendMessage: {
    isVisible: true,
    // Of every third session's last piece the answer is lost: only a callback says that it was taken.
    perform: async ({ effect: { effectId, conversationId } }) => {
      const piece = (pieces.get(conversationId) ?? 0) + 1
      pieces.set(conversationId, piece)
      return piece === 3 && Number.parseInt(conversationId.slice(-4), 16) % 3 === 0
        ? { kind: 'uncertain', reason: 'the answer was lost' }
        : { kind: 'done', output: null, providerId: `SM${effectId}` }
    },
    resolve: async () => 'ambiguous',
  },
}

const tables = [
  'sessions',
  'conversations',
  'conversation_events',
  'messages',
  'effects',
  'deliveries',
  'opt_outs',
  'opt_out_blocks',
]

const database = useDatabase('pglite', 1)

test(`${messages} messages, ${orders} orders of their callbacks, one result`, { timeout: 300_000 }, async () => {
  const { store, sql } = database()
  const log = createMemoryLog(processClock)
  const open = async () => {
    const settings = { nodeId: 'a', defaultMachine: 'conversation', leaseMs: 3_000, isSoleOwner: true }
    const host = { clock: processClock, ids: processIds, random: Math.random, log, store, performers, telemetry }
    const node = createNode({
      ...host,
      reached: () => {},
      commandSettled: () => {},
      emitted: () => {},
      registry: { conversation: conversationRegistration },
      settings: { ...settings, mayAdvanceClock: false, resolveAfterMs: [] },
    })
    await node.start()
    return node
  }
  const read = async (query: string) => (await sql(query))[0]?.['count']
  await sql(`update duologue.tenants set settings = '{"quietMs": 0}'`)

  let node = await open()
  for (let user = 0; user < sessions; user += 1) await log.publish(toMessage(toUser(user), 'hello', `SMin${user}`))
  const unsettled = `select count(*)::int as count from duologue.effects where status in ('pending', 'running')`
  const sends = `select count(*)::int as count from duologue.effects where kind = 'sendMessage'`
  await until(async () => (await read(sends)) === messages && (await read(unsettled)) === 0, 120_000)
  await node.stop()
  expect(await read(`select count(*)::int as count from duologue.effects where status = 'uncertain'`)).toBeGreaterThan(
    50,
  )
  for (const table of tables) await sql(`create table before_${table} as select * from duologue.${table}`)

  const callbacks = toCallbacks(
    await sql(`
    select effect.id, session.user_key from duologue.effects as effect
    join duologue.sessions as session on session.id = effect.session_id where effect.kind = 'sendMessage'
    order by effect.id`),
  )
  for (const statement of noteMoves) await sql(statement)
  const results: string[] = []
  for (let order = 0; order < orders; order += 1) {
    await restore(sql, await log.lastSequence(0))
    node = await open()
    for (const event of shuffle(callbacks, order)) {
      log.append(
        toKind(event),
        toSessionKey(event.businessAddress, event.userKey),
        new TextEncoder().encode(JSON.stringify(event)),
      )
    }
    const last = await log.lastSequence(0)
    const held = `select count(*)::int as count from duologue.effects where held_because = 'window-closed'`
    const cursor = 'select cursor_sequence::int as count from duologue.partitions'
    await until(async () => (await read(cursor)) === last && (await read(held)) === 67 * 3, 60_000)
    await node.stop()
    results.push(JSON.stringify(await dump(sql)))
  }
  // Each of them is kept, whatever the row says in the end.
  expect(await keptOf(sql)).toEqual(toldOf(callbacks))
  expect(await read(movedBack)).toBe(0)
  expect(await read(movedOn)).toBeGreaterThan(messages)
  expect(results[0]).toContain('"status":"FAILED"')
  expect(results[0]).toContain('63016')
  expect(new Set(results).size).toBe(1)
})

function toUser(user: number): string {
  return `whatsapp:+1600${String(user).padStart(7, '0')}`
}

function toCallbacks(sends: readonly Record<string, unknown>[]): readonly LoggedDelivery[] {
  return sends.flatMap(({ id, user_key }) => {
    const userKey = String(user_key)
    const fate = fates[Number(userKey.slice(-7)) % fates.length] ?? []
    return fate.map(([status, errorCode]): LoggedDelivery => {
      const raw = { MessageStatus: status, ...(errorCode !== null && { ErrorCode: errorCode }) }
      const ids = { providerId: `SM${String(id)}`, effectId: String(id) }
      return { v: 1, type: 'delivery.updated', businessAddress, userKey, ...ids, status, errorCode, receivedAt: 1, raw }
    })
  })
}

/** Each once to three times, in any order. */
function shuffle(callbacks: readonly LoggedDelivery[], seed: number): readonly LoggedDelivery[] {
  const random = createRandom(seed + 1)
  const told = callbacks.flatMap((callback) => Array.from({ length: random.int(1, 3) }, () => callback))
  return told
    .map((callback) => ({ callback, place: random.next() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ callback }) => callback)
}

type Sql = ReturnType<typeof database>['sql']
type Kept = ReadonlyMap<string, readonly string[]>

/** By message, every different callback that was told of it. */
function toldOf(callbacks: readonly LoggedDelivery[]): Kept {
  const told = Map.groupBy(callbacks, ({ providerId }) => providerId)
  return new Map([...told].map(([providerId, list]) => [providerId, toTexts(list.map(({ raw }) => raw))]))
}

async function keptOf(sql: Sql): Promise<Kept> {
  const rows = await sql('select provider_id, raw from duologue.deliveries')
  return new Map(rows.map(({ provider_id, raw }) => [String(provider_id), toTexts(raw as readonly object[])]))
}

function toTexts(raw: readonly object[]): readonly string[] {
  return raw.map((one) => toCanonicalJson(one)).toSorted()
}

/** Whatever is written over a status that stands higher is noted, in the statement that does it. */
const noteMoves = [
  'create table public.moves (ranks integer[])',
  `create function public.note_move() returns trigger language plpgsql as $$
  begin
    insert into public.moves values (array[duologue.delivery_rank(old.status), duologue.delivery_rank(new.status)]);
    return null;
  end $$`,
  'create trigger noted after update on duologue.deliveries for each row execute function public.note_move()',
]
const movedBack = 'select count(*)::int as count from public.moves where ranks[2] < ranks[1]'
const movedOn = 'select count(*)::int as count from public.moves where ranks[2] > ranks[1]'

/** As it was before the first callback; the log goes on. */
async function restore(sql: Sql, lastSequence: number): Promise<void> {
  for (const table of tables) {
    const columns = await sql(`
      select string_agg(quote_ident(attname), ', ') as list from pg_attribute
      where attrelid = 'duologue.${table}'::regclass and attnum > 0 and not attisdropped and attgenerated = ''`)
    const list = String(columns[0]?.['list'])
    await sql(`do $$ begin
      set local session_replication_role = replica;
      delete from duologue.${table};
      insert into duologue.${table} (${list}) select ${list} from before_${table};
    end $$`)
  }
  await sql('update duologue.partitions set cursor_sequence = greatest(cursor_sequence, $1)', [lastSequence])
}

async function dump(sql: Sql): Promise<object> {
  return {
    deliveries: await sql(
      'select provider_id, effect_id, status, error_code, raw from duologue.deliveries order by provider_id',
    ),
    messages: await sql('select id, provider_id from duologue.messages order by id'),
    effects: await sql('select id, status, held_because, message_id from duologue.effects order by id'),
    conversations: await sql('select id, status, version, snapshot from duologue.conversations order by id'),
    sessions: await sql(`
      select id, speaker, window_closed_at is not null as has_closed_window from duologue.sessions order by id`),
  }
}
