/**
 * The history checker itself: the true history of a small run has nothing against it; each contradiction, put into the
 * tables or into what the outside world remembers, is found under its number. Tables are changed in a transaction that
 * is rolled back, with the guards off.
 */
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { createCluster, plainTypes, untilShared } from '../support/cluster.ts'
import type { Cluster } from '../support/cluster.ts'
import { startLoad, toUsers } from '../support/cluster-load.ts'
import type { Sql } from '../support/database.ts'
import { checkHistory } from '../support/history-checker.ts'
import type { History, Verdict } from '../support/history-checker.ts'
import { startOperators } from '../support/operator-load.ts'
import { until } from '../support/service.ts'
import { toComplaints } from '../nemesis/nemesis.ts'
import type { NemesisReport } from '../nemesis/nemesis.ts'

const partitions = 4
const users = toUsers(6)

let cluster: Cluster
let history: History

beforeAll(async () => {
  cluster = await createCluster({
    partitions,
    settings: { quietMs: 50, quietMaxMs: 200, paceIntervalMs: 0, senderPerMinuteMax: 1_000, senderPerHourMax: 1_000 },
  })
  await cluster.start('a')
  await untilShared(cluster, partitions, 15_000)
  const load = startLoad({ url: cluster.publicUrl, perSecond: 6, users, pick: 'in turn', seed: 1, duplicates: 0.2 })
  await until(async () => (await count(`duologue.effects where status = 'done' and kind = 'sendMessage'`)) > 8, 30_000)
  const operators = startOperators({
    url: cluster.publicUrl,
    users: users.slice(0, 3),
    operators: ['ana', 'bia'],
    seed: 1,
    pauseMs: 50,
  })
  await until(async () => (await count(`duologue.commands where outcome = 'applied'`)) > 12, 30_000)
  await Promise.all([load.stop(), operators.stop()])
  await until(async () => {
    const stored = await count(`duologue.messages where direction = 'inbound'`)
    const open = await count(`duologue.effects where status in ('pending', 'running', 'uncertain')`)
    return stored === load.sent.length && open === 0
  }, 30_000)
  const accepted = await cluster.fake.sent()
  const { sql, log } = cluster
  history = { sent: load.sent, sql, natsUrl: log.url, accepted, calls: operators.calls }
}, 180_000)

afterAll(async () => cluster.remove())

async function count(from: string): Promise<number> {
  const [row] = await cluster.sql(`select count(*)::int as count from ${from}`)
  return Number(row?.['count'])
}

/** The verdict on tables that these statements have changed. */
async function judge(changes: readonly string[], part: Partial<History> = {}): Promise<Verdict> {
  const direct = postgres(cluster.databaseUrl, { max: 1, onnotice: () => {}, types: plainTypes })
  const sql: Sql = async (statement, parameters = []) => [...(await direct.unsafe(statement, parameters as never[]))]
  try {
    await sql('begin')
    await sql('set local session_replication_role = replica')
    for (const change of changes) {
      const result = await direct.unsafe(change)
      if (result.count === 0) throw new Error(`changed nothing: ${change}`)
    }
    return await checkHistory({ ...history, sql, ...part })
  } finally {
    await sql('rollback')
    await direct.end()
  }
}

/** The numbers of what is wrong, each once. */
function toNumbers({ violations }: Verdict): readonly string[] {
  return [...new Set(violations.map((violation) => violation.split(':')[0] ?? ''))].toSorted()
}

const oneMessage = `(select id from duologue.messages where direction = 'inbound' order by id limit 1)`
const oneConversation = `(select id from duologue.conversations where version > 4 order by id limit 1)`
const oneSend = `(select id from duologue.effects where kind = 'sendMessage' and status = 'done' order by id limit 1)`

test('a true history has nothing against it, and was not an empty one', async () => {
  const verdict = await judge([])
  expect(verdict.violations).toEqual([])
  expect(verdict).toMatchObject({ lost: 0, pending: 0, quarantined: 0, duplicateAnswers: 0, leftToPerson: 0 })
  expect(verdict.processed).toBe(history.sent.length)
  expect(verdict.answers).toBeGreaterThan(8)
  expect(verdict.commands.outcomes['applied']).toBeGreaterThan(12)
})

describe('what happened to a message', () => {
  test('I1, I9: one that was answered with 200, is behind the cursor and not stored', async () => {
    const verdict = await judge([`delete from duologue.messages where id = ${oneMessage}`])
    expect(toNumbers(verdict)).toEqual(['I1'])
    expect(verdict.lost).toBe(1)
  })

  test('I1: one that was answered with 200 and never reached the log', async () => {
    const never = { sid: 'SM-never', user: users[0] ?? '', dueAt: 0, answeredAt: 1, attempts: 1 }
    expect(toNumbers(await judge([], { sent: [...history.sent, never] }))).toEqual(['I1'])
  })

  test('I13: one that is not stored and waits in the log or in quarantine is not lost', async () => {
    const inLog = [
      `update duologue.partitions set cursor_sequence = 0`,
      `delete from duologue.messages where id = ${oneMessage}`,
    ]
    expect(await judge(inLog)).toMatchObject({ violations: [], pending: 1, processed: history.sent.length - 1 })
    const parked = [
      `insert into duologue.quarantine (partition, position_incarnation, position_sequence, kind, subject, data_base64, error, at)
      select 0, 'log', 1, 'foreign', 'message.a.b', translate(encode(convert_to(provider_id, 'utf8'), 'base64'), E'\\n', ''), 'x', now()
      from duologue.messages where id = ${oneMessage}`,
      `delete from duologue.messages where id = ${oneMessage}`,
    ]
    expect(await judge(parked)).toMatchObject({ violations: [], quarantined: 1, processed: history.sent.length - 1 })
  })

  test('I2: one that is stored and was never sent', async () => {
    expect(toNumbers(await judge([], { sent: history.sent.slice(1) }))).toEqual(['I2'])
  })

  test('I5: two that were stepped in the other order', async () => {
    const verdict = await judge([
      `with two as (
        select conversation_id, version, event_id, row_number() over (order by version) as place
        from duologue.conversation_events
        where conversation_id = (
          select conversation_id from duologue.conversation_events where event_id like 'message:%'
          group by conversation_id having count(*) > 1 order by 1 limit 1)
          and event_id like 'message:%'
        order by version limit 2)
      update duologue.conversation_events as event set event_id = other.event_id
      from two, two as other
      where event.conversation_id = two.conversation_id and event.version = two.version and other.place <> two.place`,
    ])
    expect(toNumbers(verdict)).toEqual(['I5'])
  })
})

describe('a journal', () => {
  test('I3: whose conversation names another version', async () => {
    const changes = [`update duologue.conversations set version = version + 1 where id = ${oneConversation}`]
    expect(toNumbers(await judge(changes))).toContain('I3')
  })

  test('I3, I10: that lacks its last row, as if a stale commit had written the conversation', async () => {
    const verdict = await judge([
      `delete from duologue.conversation_events where conversation_id = ${oneConversation}
        and version = (select version from duologue.conversations where id = ${oneConversation})`,
    ])
    expect(toNumbers(verdict)).toContain('I3')
  })

  test.each([
    ['lacks a row in the middle', 'delete from duologue.conversation_events', ''],
    ['has another hash in the middle', `update duologue.conversation_events set hash = repeat('0', 64)`, ''],
    [
      'has another event in the middle',
      'update duologue.conversation_events set event = event || $${"x": 1}$$::jsonb',
      '',
    ],
  ])('I4, I10: that %s', async (_what, change) => {
    const verdict = await judge([`${change} where conversation_id = ${oneConversation} and version = 3`])
    expect(toNumbers(verdict)).toContain('I4')
  })

  test('I6: that gives another snapshot than is stored', async () => {
    const verdict = await judge([
      `update duologue.conversations set snapshot = jsonb_set(snapshot, '{context,forged}', '1') where id = ${oneConversation}`,
    ])
    expect(toNumbers(verdict)).toEqual(['I6'])
  })
})

describe('what Twilio accepted', () => {
  test('I7: under another id than the message has', async () => {
    const verdict = await judge([
      `update duologue.messages set provider_id = 'SM-other' where id = (select message_id from duologue.effects where id = ${oneSend})`,
    ])
    expect(toNumbers(verdict)).toEqual(['I7'])
  })

  test('I7: that no step wanted', async () => {
    const statusCallback = 'http://127.0.0.1/webhooks/twilio/status?effect=nobody:1:0'
    const accepted = [...history.accepted, { sid: 'SM-nobody', statusCallback }]
    expect(toNumbers(await judge([], { accepted }))).toEqual(['I7'])
  })

  test('I7: less than what is done', async () => {
    expect(toNumbers(await judge([], { accepted: history.accepted.slice(1) }))).toEqual(['I7'])
  })

  test('I8: one effect twice', async () => {
    const [first] = history.accepted
    const accepted = [...history.accepted, { sid: 'SM-again', statusCallback: first?.statusCallback ?? null }]
    const verdict = await judge([], { accepted })
    expect(toNumbers(verdict)).toEqual(['I8'])
    expect(verdict.duplicateAnswers).toBe(1)
  })

  test('I8: once more under a new id, though nothing was lost', async () => {
    const [first] = history.accepted
    const effectId = toEffectId(first?.statusCallback ?? '')
    const callback = new URL(first?.statusCallback ?? '')
    callback.searchParams.set('effect', `${effectId}:1`)
    const again = { sid: 'SM-again', statusCallback: callback.href }
    const part = { accepted: [...history.accepted, again] }
    const resent = `insert into duologue.effects select (jsonb_populate_record(effect,
        jsonb_build_object('id', effect.id || ':1', 'status', 'cancelled'))).*
      from duologue.effects as effect where id = '${effectId}'`
    const doneBy = `update duologue.effects set status = 'done' where id = '${effectId}:1'`
    const message = `update duologue.messages set provider_id = 'SM-again' where id = (
      select message_id from duologue.effects where id = '${effectId}')`
    const moved = `update duologue.effects set message_id = null where id = '${effectId}'`
    const wrong = await judge([resent, doneBy, message, moved], part)
    expect(wrong.violations.filter((violation) => violation.includes('was not lost'))).toHaveLength(1)
    const lost = `update duologue.deliveries set status = 'undelivered' where effect_id = '${effectId}'`
    const right = await judge([resent, doneBy, message, moved, lost], part)
    expect(right.violations.filter((violation) => violation.startsWith('I8'))).toEqual([])
  })

  test.each(['cancelled', 'pending', 'failed'])('I8: of an effect that is %s', async (status) => {
    const verdict = await judge([`update duologue.effects set status = '${status}' where id = ${oneSend}`])
    expect(toNumbers(verdict)).toContain('I8')
  })
})

describe('the rest', () => {
  test('I11: a row of another tenant, or of another session', async () => {
    const tenant = `insert into duologue.tenants (name, settings) values ('other', '{}')`
    const moved = `update duologue.conversations set tenant_id = (select id from duologue.tenants where name = 'other') where id = ${oneConversation}`
    expect(toNumbers(await judge([tenant, moved]))).toEqual(['I11'])
    const elsewhere = `update duologue.effects set session_id = (
      select id from duologue.sessions where id <> session_id order by id limit 1) where kind = 'draftReply' and id = (
      select id from duologue.effects where kind = 'draftReply' order by id limit 1)`
    expect(toNumbers(await judge([elsewhere]))).toEqual(['I11'])
  })

  test('I12: something is left to do', async () => {
    const verdict = await judge([`update duologue.effects set status = 'pending' where id = ${oneSend}`])
    expect(toNumbers(verdict)).toContain('I12')
    expect(verdict.unsettledEffects).toBe(1)
  })

  test('I14: an outcome that the operator was not told, is not in the journal, or the model does not give', async () => {
    const applied = `(select id from duologue.commands where outcome = 'applied' order by id limit 1)`
    const others = [
      `update duologue.commands set outcome = 'refused', reason = 'x' where id = ${applied}`,
      `delete from duologue.commands where id = ${applied}`,
    ]
    for (const change of others) expect(toNumbers(await judge([change]))).toEqual(['I14'])
    const refused = history.calls.find(({ outcomes }) => outcomes[0]?.outcome === 'refused')
    const calls = history.calls.map((call) =>
      call === refused ? { ...call, outcomes: [{ outcome: 'applied', version: 1, status: null }] } : call,
    )
    expect(toNumbers(await judge([], { calls }))).toEqual(['I14'])
  })

  test('I14: a command that came later was judged before one that had been answered', async () => {
    const own = [...Map.groupBy(history.calls, ({ conversationId }) => conversationId).values()].find(
      ({ length }) => length > 1,
    )
    const [first, second] = own ?? []
    const calls = history.calls.map((call) => {
      if (call === first) return { ...call, invokedAt: 1_000, answeredAt: 1_001 }
      return call === second ? { ...call, invokedAt: 1, answeredAt: 2 } : call
    })
    expect(toNumbers(await judge([], { calls }))).toEqual(['I14'])
  })
})

test('a run in which little was acknowledged, something waits, or nobody was ever late does not count', async () => {
  const verdict = await judge([])
  const report: NemesisReport = {
    ...verdict,
    seed: 1,
    seconds: 1,
    sent: history.sent.length,
    faults: {},
    staleAttempted: 1,
    staleAccepted: 0,
    settledAfterMs: 0,
    webhookMs: { p50: 0, p99: 0, max: 0 },
    commitMs: { p50: 0, p99: 0, max: 0 },
  }
  expect(toComplaints(report)).toEqual([])
  expect(toComplaints({ ...report, sent: 2 * report.sent })).toHaveLength(1)
  expect(toComplaints({ ...report, processed: report.processed - 1 })).toHaveLength(1)
  expect(toComplaints({ ...report, processed: report.processed - 1, pending: 1 })).toHaveLength(1)
  expect(toComplaints({ ...report, staleAttempted: 0 })).toHaveLength(1)
  expect(toComplaints({ ...report, leftToPerson: report.answers })).toHaveLength(1)
  expect(toComplaints({ ...report, violations: ['I1: x'] })).toHaveLength(1)
})

function toEffectId(statusCallback: string): string {
  return new URL(statusCallback).searchParams.get('effect') ?? ''
}
