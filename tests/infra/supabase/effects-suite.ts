/** Effects, deliveries, and the work that is due. */
import { describe, expect, test } from 'vitest'
import type { DeliveryRecord, Effect, EffectUpdate, SessionCommit } from '../../../src/actors/ports.ts'
import { deliveryStatuses } from '../../../src/machines/events.ts'
import {
  at,
  batchOf,
  claimAll,
  commitOf,
  conversationSteps,
  newEffect,
  newSession,
  noticeOf,
  opening,
  outbound,
  leaseMs,
  type TestSession,
} from './batches.ts'
import type { DatabaseInUse } from './use-database.ts'

const dayMs = 86_400_000

export function describeEffects(database: () => DatabaseInUse): void {
  /** A session with one effect, committed by the node `a`. */
  const start = async (
    part: Partial<Effect> = {},
    session: Partial<SessionCommit> = {},
    messages = [] as SessionCommit['messages'],
  ) => {
    const { store, deployment } = database()
    const owned = await claimAll(database(), 'a')
    const made = newSession(deployment)
    const effect = newEffect(made, 1, 0, part)
    const lastInboundAt = Date.now()
    await store.commitSteps(
      batchOf('a', owned, [opening(made, 1, { effects: [effect], lastInboundAt, messages, ...session })]),
    )
    const startIt = async (by = owned, nodeId = 'a') => {
      const wanted = [{ effectId: effect.effectId, partition: 0, sessionId: made.sessionId }]
      return (await store.startEffects(nodeId, leaseMs, by.slice(0, 1), wanted)).get(effect.effectId)
    }
    return { owned, session: made, effect, startIt }
  }
  const stored = async (effectId: string) => {
    const [row] = await database().sql(
      `select status, attempts, outcome, deadline > now() as is_alive, started_at <= clock_timestamp() as has_started
      from duologue.effects where id = $1`,
      [effectId],
    )
    return row
  }
  const update = (effect: Effect, part: Partial<EffectUpdate>): EffectUpdate => ({
    effectId: effect.effectId,
    status: 'done',
    attempts: 1,
    nextAttemptAt: null,
    outcome: { ok: true },
    providerId: null,
    ...part,
  })

  describe('effects', () => {
    test('a pending effect starts once, with the lease as its deadline', async () => {
      const { startIt, effect } = await start()
      const outcome = await startIt()
      expect(outcome).toMatchObject({
        kind: 'started',
        effect: { status: 'running', attempts: 1, params: { body: 'Hi' } },
      })
      expect(await stored(effect.effectId)).toMatchObject({ status: 'running', is_alive: true, has_started: true })
      expect(await startIt()).toEqual({ kind: 'not-pending' })
    })

    test('an effect committed as running has the lease as its deadline too', async () => {
      const { effect, session } = await start({ status: 'running', attempts: 1 })
      expect(await stored(effect.effectId)).toEqual({
        status: 'running',
        attempts: 1,
        outcome: null,
        is_alive: true,
        has_started: true,
      })
      expect(session.partition).toBe(0)
    })

    test.each(['b', 'a'])('an owner starts nothing after a later claim of %s', async (nodeId) => {
      const { startIt, owned, effect } = await start()
      await claimAll(database(), nodeId)
      expect(await startIt(owned)).toEqual({ kind: 'fenced' })
      expect(await stored(effect.effectId)).toMatchObject({ status: 'pending' })
    })

    test('an effect that is not there is not pending', async () => {
      const { owned, session } = await start()
      const missing = { effectId: 'nothing:1:0', partition: 0, sessionId: session.sessionId }
      const outcomes = await database().store.startEffects('a', leaseMs, owned, [missing])
      expect(outcomes.get('nothing:1:0')).toEqual({ kind: 'not-pending' })
    })

    const late = Date.now() - dayMs - 60_000
    test.each<[string, Partial<Effect>, Partial<SessionCommit>, object]>([
      ['a send after an opt-out', {}, { notices: [noticeOf('opted-out')] }, { kind: 'cancelled', reason: 'opted-out' }],
      [
        'a send of another speaker',
        { speakerToken: 4 },
        { speakerToken: 5 },
        { kind: 'cancelled', reason: 'speaker-changed' },
      ],
      [
        'a send outside the 24-hour window',
        {},
        { lastInboundAt: late },
        { kind: 'held', reason: 'window-closed', until: null },
      ],
      [
        'a send without any inbound message',
        {},
        { lastInboundAt: null },
        { kind: 'held', reason: 'window-closed', until: null },
      ],
      [
        "a send a day ahead by the session's clock",
        {},
        { clockOffsetMs: dayMs + 1_000 },
        { kind: 'held', reason: 'window-closed', until: null },
      ],
      [
        'a template outside the window',
        { params: { contentSid: 'HX1' } },
        { lastInboundAt: late },
        { kind: 'started' },
      ],
      [
        'a draft after an opt-out, of another speaker',
        { kind: 'draftReply', speakerToken: 4 },
        { notices: [noticeOf('opted-out')], speakerToken: 5 },
        { kind: 'started' },
      ],
    ])('%s is decided in the database', async (_name, effect, session, expected) => {
      const made = await start(effect, session)
      const outcome = await made.startIt()
      expect(outcome).toMatchObject(expected)
      const statuses = new Map([
        ['started', 'running'],
        ['held', 'pending'],
      ])
      const status = statuses.get(outcome?.kind ?? '') ?? 'cancelled'
      expect(await stored(made.effect.effectId)).toMatchObject({ status })
    })

    test('the window does not exist for SMS', async () => {
      const { store, deployment } = database()
      const owned = await claimAll(database(), 'a')
      const created = {
        ...newSession(deployment).created,
        channelId: deployment.secondChannelId,
        businessAddress: 'sms:+14155238887',
      }
      const session = { ...newSession(deployment), created }
      const effect = newEffect(session, 1, 0)
      await store.commitSteps(batchOf('a', owned, [opening(session, 1, { effects: [effect], lastInboundAt: late })]))
      const wanted = [{ effectId: effect.effectId, partition: 0, sessionId: session.sessionId }]
      expect((await store.startEffects('a', leaseMs, owned, wanted)).get(effect.effectId)).toMatchObject({
        kind: 'started',
      })
    })

    test('a settled effect never changes again', async () => {
      const { store } = database()
      const { owned, session, effect } = await start()
      const commit = (part: Partial<EffectUpdate>, sequence: number) =>
        store.commitSteps(batchOf('a', owned, [commitOf(session, sequence, { effectUpdates: [update(effect, part)] })]))
      await commit({ status: 'uncertain', outcome: null }, 2)
      expect(await stored(effect.effectId)).toMatchObject({ status: 'uncertain' })
      await commit({ status: 'done', outcome: { sid: 'SM1' } }, 3)
      await commit({ status: 'pending', outcome: null }, 4)
      await commit({ status: 'failed', outcome: { late: true } }, 5)
      expect(await stored(effect.effectId)).toMatchObject({ status: 'done', outcome: { sid: 'SM1' } })
    })

    test("an update of another session's effect changes nothing", async () => {
      const { store, deployment } = database()
      const { owned, effect } = await start()
      const other = newSession(deployment)
      await store.commitSteps(batchOf('a', owned, [opening(other, 2, { effectUpdates: [update(effect, {})] })]))
      expect(await stored(effect.effectId)).toMatchObject({ status: 'pending' })
    })

    test("a send's provider id fills its message, unless another message has it", async () => {
      const { store, sql, deployment } = database()
      const owned = await claimAll(database(), 'a')
      const session = newSession(deployment)
      const messages = [outbound(session), outbound(session)]
      const effects = messages.map((message, index) => newEffect(session, 1, index, { messageId: message.messageId }))
      await store.commitSteps(batchOf('a', owned, [opening(session, 1, { messages, effects })]))
      for (const effect of effects) {
        const effectUpdates = [update(effect, { providerId: 'SM-out' })]
        await store.commitSteps(batchOf('a', owned, [commitOf(session, 2, { effectUpdates })]))
      }
      expect(await sql('select provider_id from duologue.messages order by id')).toEqual([
        { provider_id: 'SM-out' },
        { provider_id: null },
      ])
      const known = await store.findKnownProviderIds(session.created.channelId, ['SM-out', 'SM-other'])
      expect(known).toEqual(new Set(['SM-out']))
    })

    test('a message keeps the provider id that it has', async () => {
      const { store, sql, deployment } = database()
      const owned = await claimAll(database(), 'a')
      const session = newSession(deployment)
      const message = outbound(session)
      const effect = newEffect(session, 1, 0, { messageId: message.messageId })
      await store.commitSteps(batchOf('a', owned, [opening(session, 1, { messages: [message], effects: [effect] })]))
      for (const [status, providerId] of [
        ['uncertain', 'SM-first'],
        ['done', 'SM-second'],
      ] as const) {
        const effectUpdates = [update(effect, { status, providerId })]
        await store.commitSteps(batchOf('a', owned, [commitOf(session, 2, { effectUpdates })]))
      }
      expect(await sql('select provider_id from duologue.messages')).toEqual([{ provider_id: 'SM-first' }])
    })

    test('unsettled effects come with their session, in the order of their making', async () => {
      const { store, deployment } = database()
      const owned = await claimAll(database(), 'a')
      const session = newSession(deployment)
      const first = [
        newEffect(session, 2, 0),
        newEffect(session, 10, 0),
        newEffect(session, 2, 10),
        newEffect(session, 2, 2),
      ]
      await store.commitSteps(batchOf('a', owned, [opening(session, 1, { effects: first })]))
      const { sessions } = await store.loadSessions(owned, [toRequest(session)])
      const suffixes = sessions[0]?.effects.map(({ effectId }) => effectId.replace(`${session.conversationId}:`, ''))
      expect(suffixes).toEqual(['2:0', '2:2', '2:10', '10:0'])
    })

    test('the pieces of a message stand where it stood, what is sent again behind everything', async () => {
      const { store, deployment } = database()
      const owned = await claimAll(database(), 'a')
      const session = newSession(deployment)
      const first = [newEffect(session, 1, 0), newEffect(session, 1, 1), newEffect(session, 1, 2)]
      await store.commitSteps(batchOf('a', owned, [opening(session, 1, { effects: first })]))
      const idOf = (suffix: string) => `${session.conversationId}:${suffix}`
      const again = newEffect(session, 1, 1, { effectId: idOf('1:1:1'), params: null })
      const places = Array.from({ length: 10 }, (_, index) => `1:0:${index + 1}`)
      const pieces = places.map((place) => newEffect(session, 1, 0, { effectId: idOf(place) }))
      const effects = [again, ...pieces]
      const effectUpdates = first.slice(0, 2).map((effect) => update(effect, { status: 'failed' }))
      await store.commitSteps(batchOf('a', owned, [commitOf(session, 2, { effects, effectUpdates })]))
      const { sessions } = await store.loadSessions(owned, [toRequest(session)])
      const suffixes = sessions[0]?.effects.map(({ effectId }) => effectId.replace(`${session.conversationId}:`, ''))
      expect(suffixes).toEqual([...places, '1:2', '1:1:1'])
    })
  })

  describe('deliveries', () => {
    const record = (part: Partial<DeliveryRecord>): DeliveryRecord => ({
      providerId: 'SM-out',
      effectId: null,
      status: 'sent',
      errorCode: null,
      raw: { MessageStatus: part.status ?? 'sent' },
      at,
      ...part,
    })

    test('callbacks in any order, together or apart, end the same', async () => {
      const { store, sql } = database()
      const { owned, session, effect } = await start()
      const told = deliveryStatuses
        .filter((status) => status !== 'canceled' && status !== 'undelivered')
        .map((status) =>
          record({
            status,
            effectId: status === 'sent' ? effect.effectId : null,
            errorCode: status === 'failed' ? '30008' : null,
          }),
        )
      let sequence = 1
      for (const order of [told, told.toReversed(), [...told.slice(3), ...told.slice(0, 3)]]) {
        await sql('delete from duologue.deliveries')
        for (const part of sequence % 2 === 0 ? order.map((one) => [one]) : [order]) {
          sequence += 1
          await store.commitSteps(batchOf('a', owned, [commitOf(session, sequence, { deliveries: part })]))
        }
        const [row] = await sql(
          'select status, error_code, effect_id, jsonb_array_length(raw) as callbacks from duologue.deliveries',
        )
        expect(row).toEqual({ status: 'failed', error_code: '30008', effect_id: effect.effectId, callbacks: 7 })
      }
    })

    test("a callback is proof of acceptance, whatever the send's own result says", async () => {
      const { store } = database()
      const { owned, session, effect } = await start()
      expect(await store.findDelivery(effect.effectId)).toBeNull()
      const deliveries = [record({ effectId: effect.effectId })]
      await store.commitSteps(batchOf('a', owned, [commitOf(session, 2, { deliveries })]))
      expect(await store.findDelivery(effect.effectId)).toBe('SM-out')
      expect(await store.findKnownProviderIds(session.created.channelId, ['SM-out'])).toEqual(new Set(['SM-out']))
    })
  })

  describe('due work', () => {
    test('sessions with due timers come page by page, without the quarantined', async () => {
      const { store, deployment } = database()
      const owned = await claimAll(database(), 'a')
      const sessions = Array.from({ length: 7 }, (_, index) => newSession(deployment, index % 3))
      const commits = sessions.map((session, index) =>
        opening(session, index + 1, {
          quarantined: index === 0,
          conversations: [
            conversationSteps(session, 0, null, ['PENDING'], { nextTimerAt: index === 1 ? null : at + index }),
          ],
        }),
      )
      await store.commitSteps(batchOf('a', owned, commits))
      const found: number[] = []
      let after: string | null = null
      do {
        const page = await store.loadDue({ partitions: [2, 1, 0], of: 'timers', horizon: at + 5, after, limit: 2 })
        expect(page.sessions.length).toBeLessThanOrEqual(2)
        found.push(...page.sessions.map(({ wakeAt }) => wakeAt - at))
        after = page.next
      } while (after !== null)
      expect(found).toEqual([3, 4, 2, 5])
    })

    test('sessions with unsettled effects come page by page, whatever the horizon', async () => {
      const { store, deployment } = database()
      const owned = await claimAll(database(), 'a')
      const sessions = Array.from({ length: 5 }, (_, index) => newSession(deployment, index % 2))
      const statuses = ['pending', 'running', 'uncertain', 'done', 'cancelled'] as const
      const commits = sessions.map((session, index) => {
        const status = statuses[index] ?? 'pending'
        return opening(session, index + 1, {
          quarantined: true,
          effects: [
            newEffect(session, 1, 0, { status, nextAttemptAt: at + index }),
            newEffect(session, 1, 1, { status: 'done' }),
          ],
        })
      })
      await store.commitSteps(batchOf('a', owned, commits))
      const first = await store.loadDue({ partitions: [0, 1, 5], of: 'effects', horizon: 0, after: null, limit: 2 })
      const second = await store.loadDue({
        partitions: [0, 1, 5],
        of: 'effects',
        horizon: 0,
        after: first.next,
        limit: 2,
      })
      expect([...first.sessions, ...second.sessions].map(({ partition }) => partition)).toEqual([0, 0, 1])
      expect(first.sessions.map(({ wakeAt }) => wakeAt)).toEqual([at, at + 2])
      expect(second.sessions[0]?.wakeAt).toBeGreaterThan(Date.now() - 60_000)
      expect(second.next).toBeNull()
    })
  })
}

function toRequest(session: TestSession) {
  const token = (address: string) => address.replaceAll(':', '_3A').replaceAll('+', '_2B')
  const sessionKey = `${token(session.created.businessAddress)}.${token(session.created.userKey)}`
  return { sessionKey, partition: session.partition, duplicateKeys: [] }
}
