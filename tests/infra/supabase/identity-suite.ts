/** Where a user's keys lead: who comes first decides, owners that have not heard are refused, links are moved whole. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { toSessionKey } from '../../../src/actors/session-key.ts'
import { createIdentities } from '../../../src/infra/supabase/identities.ts'
import type { LinkRequest } from '../../../src/actors/identity-store.ts'
import {
  batchOf,
  businessAddress,
  claimAll,
  commitOf,
  inbound,
  newSession,
  nextId,
  nextStep,
  opening,
  outbound,
} from './batches.ts'
import type { TestSession } from './batches.ts'
import type { DatabaseInUse } from './use-database.ts'

const addressesCompared = 100_000
const bsuid = 'whatsapp:US.1234567890'
const phone = 'whatsapp:+15005550001'
const number = 'whatsapp:+15005550002'

export function describeIdentities(database: () => DatabaseInUse): void {
  const identities = () => createIdentities(database().client)
  const resolve = async (...userKeys: string[]) => {
    const { homes } = await identities().resolveIdentities([{ businessAddress, userKeys, claims: true }])
    return homes[0]?.home
  }

  describe('identities', () => {
    test('whoever comes first with a key decides where it leads, and takes along what came with it', async () => {
      expect(await resolve(bsuid)).toBe(bsuid)
      expect(await resolve(phone, bsuid)).toBe(bsuid)
      expect(await resolve(phone)).toBe(bsuid)
      expect(await resolve(number, bsuid)).toBe(bsuid)
      expect(await resolve(number)).toBe(bsuid)
    })

    test('of keys that lead apart the first one decides, and nothing moves', async () => {
      await resolve(phone, bsuid)
      await resolve(number, 'whatsapp:US.2')
      const asks = [{ businessAddress, userKeys: [number, bsuid], claims: true }]
      expect((await identities().resolveIdentities(asks)).homes).toEqual([
        { home: number, isHeld: false, isSplit: true },
      ])
      expect(await resolve(bsuid)).toBe(phone)
    })

    test('a phone number alone is written down by its session, not before', async () => {
      await identities().resolveIdentities([{ businessAddress, userKeys: [phone], claims: false }])
      expect(await database().sql('select from duologue.identities')).toEqual([])
    })

    test('a hundred questions at once, each key in many of them, all get the same answer', async () => {
      const asks = Array.from({ length: 100 }, (_, index) => {
        const user = index % 10
        const keys = [`whatsapp:+1500555${1000 + user}`, `whatsapp:US.${user}`]
        return { businessAddress, userKeys: index % 3 === 0 ? keys.slice(1) : keys, claims: true }
      })
      const answers = await Promise.all(asks.map(async (ask) => identities().resolveIdentities([ask])))
      const homes = new Map<number, Set<string>>()
      for (const [index, { homes: told }] of answers.entries()) {
        const user = index % 10
        homes.set(user, (homes.get(user) ?? new Set()).add(told[0]?.home ?? ''))
      }
      expect([...homes.values()].map((told) => told.size)).toEqual(Array(10).fill(1))
    })

    test('a new session is refused while its key belongs to another one, which loading tells', async () => {
      const owned = await claimAll(database(), 'a')
      await resolve(phone, bsuid)
      const session = sessionOf(bsuid)
      const { sessions } = await database().store.commitSteps(batchOf('a', owned, [opening(session, 1)]))
      expect(sessions.get(session.sessionId)).toEqual({ kind: 'stale' })
      expect(await database().sql('select from duologue.sessions')).toEqual([])
      const sessionKey = toSessionKey(businessAddress, bsuid)
      const loaded = await database().store.loadSessions(owned, [{ sessionKey, partition: 0, duplicateKeys: [] }])
      expect(loaded).toMatchObject({ sessions: [], aliases: [{ sessionKey, home: phone }] })
    })

    test('a session that was made first keeps its key, whatever comes with it later', async () => {
      const owned = await claimAll(database(), 'a')
      await database().store.commitSteps(batchOf('a', owned, [opening(sessionOf(phone), 1)]))
      expect(await resolve(bsuid)).toBe(bsuid)
      expect(await resolve(phone, bsuid)).toBe(phone)
      expect(await resolve(bsuid)).toBe(bsuid)
    })

    test('what a commit learns beside a message is written with it, and only with it', async () => {
      const owned = await claimAll(database(), 'a')
      const session = sessionOf(phone)
      const commit = { ...opening(session, 1), identities: [{ userKey: bsuid, messageId: null }] }
      await database().store.commitSteps(batchOf('a', owned, [commit]))
      expect(await resolve(bsuid)).toBe(phone)
      const stale = { ...nextStep(session, 7, 2), identities: [{ userKey: number, messageId: null }] }
      await database().store.commitSteps(batchOf('a', owned, [stale]))
      expect(await resolve(number)).toBe(number)
    })

    test('whoever decided without knowing of a link is refused, and an older node, which names no version, is not', async () => {
      const { owned, into, order } = await makeTwo()
      await identities().linkIdentities({ ...order, ...word, linkId: nextId(), closedConversationId: null })
      const late = { ...commitOf(into, 5), identityVersion: 0 }
      const { sessions } = await database().store.commitSteps(batchOf('a', owned, [late]))
      expect(sessions.get(into.sessionId)).toEqual({ kind: 'stale' })
      const older = await database().store.commitSteps(batchOf('a', owned, [commitOf(into, 6)]))
      expect(older.sessions.get(into.sessionId)).toEqual({ kind: 'committed' })
    })
  })

  const word = { operatorId: 'olga', reason: 'she called', fromKey: number }

  function sessionOf(userKey: string): TestSession {
    const session = newSession(database().deployment)
    return { ...session, created: { ...session.created, userKey } }
  }

  /** Two sessions with an open conversation each; the second is what the order is about. */
  async function makeTwo() {
    const owned = await claimAll(database(), 'a')
    const [into, from] = [sessionOf(phone), sessionOf(number)]
    await database().store.commitSteps(batchOf('a', owned, [opening(into, 1), opening(from, 2)]))
    await resolve(phone, bsuid)
    await resolve(number, 'whatsapp:US.2')
    const order: LinkRequest = { tenantId: null, sessionId: into.sessionId, userKey: number }
    return { owned, into, from, order }
  }

  describe('links', () => {
    test('while keys are held whoever asks is told to wait, and a hold that nobody ends runs out', async () => {
      const { order } = await makeTwo()
      const held = await identities().holdIdentities({ ...order, isUndoing: false, holdMs: 60_000 })
      expect(held).toMatchObject({
        outcome: 'held',
        from: { userKey: number, status: 'PENDING' },
        into: { userKey: phone },
      })
      const ask = async () =>
        identities().resolveIdentities([{ businessAddress, userKeys: ['whatsapp:US.2'], claims: true }])
      expect((await ask()).homes).toEqual([{ home: number, isHeld: true, isSplit: false }])
      await database().sql(`update duologue.identities set held_until = clock_timestamp() - interval '1 ms'`)
      expect((await ask()).homes).toEqual([{ home: number, isHeld: false, isSplit: false }])
    })

    test('every change of a link raises the generation', async () => {
      const { order } = await makeTwo()
      const generations = [await identities().identityGeneration()]
      await identities().holdIdentities({ ...order, isUndoing: false, holdMs: 1 })
      generations.push(await identities().identityGeneration())
      await identities().linkIdentities({ ...order, ...word, linkId: nextId(), closedConversationId: null })
      generations.push(await identities().identityGeneration())
      await identities().unlinkIdentities({ ...order, ...word, newSessionId: nextId() })
      generations.push(await identities().identityGeneration())
      expect(new Set(generations).size).toBe(4)
      expect(generations).toEqual(generations.toSorted((one, other) => one - other))
    })

    test('who opted out under one address has opted out under all that are linked, and stays so when they are parted', async () => {
      const { order, into, from } = await makeTwo()
      const optedOut = async (): Promise<readonly unknown[]> =>
        database().sql(
          `select session.user_key, (select source from duologue.opt_outs where id = duologue.opt_out_of(session)) as source
          from duologue.sessions as session where id in ('${into.sessionId}', '${from.sessionId}') order by user_key`,
        )
      await database().sql(
        `insert into duologue.opt_outs (tenant_id, scope, user_key, session_id, source, at, recorded_at)
        values ('${from.created.tenantId}', 'channel:${from.created.channelId}', '${number}', '${from.sessionId}', 'message', now(), now())`,
      )
      const byUser = (one: string | null, other: string | null): unknown =>
        [
          { user_key: phone, source: one },
          { user_key: number, source: other },
        ].toSorted((a, b) => (a.user_key < b.user_key ? -1 : 1))
      expect(await optedOut()).toEqual(byUser(null, 'message'))
      await identities().linkIdentities({ ...order, ...word, linkId: nextId(), closedConversationId: null })
      expect(await optedOut()).toEqual(byUser('message', 'message'))
      await identities().unlinkIdentities({ ...order, ...word, newSessionId: nextId() })
      expect(await optedOut()).toEqual(byUser('message', 'message'))
      const [rows] = await database().sql(
        `select count(*)::int as proofs from duologue.opt_outs where ended_at is null`,
      )
      expect(rows).toEqual({ proofs: 2 })
    })

    test('a link takes all keys of the other session along; undone, they are back, and asked twice it is made once', async () => {
      const { order, into, from } = await makeTwo()
      const linkId = nextId()
      const make = async () => identities().linkIdentities({ ...order, ...word, linkId, closedConversationId: null })
      expect([await make(), await make()]).toEqual([
        { outcome: 'applied', linkId },
        { outcome: 'applied', linkId },
      ])
      expect([await resolve(number), await resolve('whatsapp:US.2'), await resolve(bsuid)]).toEqual(
        Array(3).fill(phone),
      )
      const [linked] = await database().sql(`select redirects from duologue.sessions where id = '${from.sessionId}'`)
      expect(linked).toEqual({ redirects: { [number]: phone, 'whatsapp:US.2': phone } })
      const undone = await identities().unlinkIdentities({ ...order, ...word, newSessionId: nextId() })
      expect(undone).toMatchObject({ outcome: 'applied', sessionId: from.sessionId, linkId })
      expect([await resolve(number), await resolve('whatsapp:US.2'), await resolve(bsuid)]).toEqual([
        number,
        number,
        phone,
      ])
      const [back] = await database().sql(`select redirects from duologue.sessions where id = '${from.sessionId}'`)
      expect(back).toEqual({ redirects: {} })
      const [given] = await database().sql(`select redirects from duologue.sessions where id = '${into.sessionId}'`)
      expect(given).toEqual({ redirects: { [number]: number, 'whatsapp:US.2': number } })
    })

    test('what came under the keys goes back with the answers to it, and the rest stays where it is', async () => {
      const { owned, order, into, from } = await makeTwo()
      await identities().linkIdentities({ ...order, ...word, linkId: nextId(), closedConversationId: null })
      const messages = ['mine', 'theirs', 'theirs', 'mine'].flatMap((whose, index) => [
        { ...inbound(into, `SM-${nextId()}`), body: `${whose} ${index}` },
        { ...outbound(into), body: `answer to ${whose} ${index}` },
      ])
      const came = messages
        .filter(({ body }) => body.startsWith('theirs'))
        .map(({ messageId }) => ({ userKey: number, messageId }))
      const commit = { ...nextStep(into, 1, 9), messages, identities: came, identityVersion: 1 }
      const { sessions } = await database().store.commitSteps(batchOf('a', owned, [commit]))
      expect(sessions.get(into.sessionId)).toEqual({ kind: 'committed' })
      const undone = await identities().unlinkIdentities({ ...order, ...word, newSessionId: nextId() })
      expect(undone).toMatchObject({ outcome: 'applied', moved: 4 })
      const bodiesOf = async (session: TestSession) => {
        const rows = await database().sql(
          `select body from duologue.messages where session_id = '${session.sessionId}' order by id`,
        )
        return rows.map(({ body }) => String(body)).slice(1)
      }
      expect(await bodiesOf(into)).toEqual(['mine 0', 'answer to mine 0', 'mine 3', 'answer to mine 3'])
      expect(await bodiesOf(from)).toEqual(['theirs 1', 'answer to theirs 1', 'theirs 2', 'answer to theirs 2'])
    })

    test('while the assistant is about to answer what the other person wrote, nothing is parted', async () => {
      const { owned, order, into } = await makeTwo()
      await identities().linkIdentities({ ...order, ...word, linkId: nextId(), closedConversationId: null })
      const asked = inbound(into, `SM-${nextId()}`)
      const came = [{ userKey: number, messageId: asked.messageId }]
      const commit = { ...nextStep(into, 1, 9), messages: [asked], identities: came, identityVersion: 1 }
      await database().store.commitSteps(batchOf('a', owned, [commit]))
      const part = async () => identities().unlinkIdentities({ ...order, ...word, newSessionId: nextId() })
      expect(await part()).toEqual({ outcome: 'busy' })
      const answered = { ...nextStep(into, 2, 10), messages: [outbound(into)], identityVersion: 1 }
      await database().store.commitSteps(batchOf('a', owned, [answered]))
      expect(await part()).toMatchObject({ outcome: 'applied', moved: 2 })
    })

    test('what was moved by somebody else since it was held is left alone', async () => {
      const { order } = await makeTwo()
      const late = { ...word, fromKey: bsuid, linkId: nextId(), closedConversationId: null }
      const refused = { outcome: 'refused', reason: 'the address was moved meanwhile' }
      expect(await identities().linkIdentities({ ...order, ...late })).toEqual(refused)
      await identities().linkIdentities({ ...order, ...word, linkId: nextId(), closedConversationId: null })
      const parted = await identities().unlinkIdentities({ ...order, ...late, newSessionId: nextId() })
      expect(parted).toEqual(refused)
    })

    test('a STOP under either address holds for both while they are linked', async () => {
      const { order, into, from } = await makeTwo()
      await database().sql(`update duologue.sessions set opted_out = true where id = '${from.sessionId}'`)
      await identities().linkIdentities({ ...order, ...word, linkId: nextId(), closedConversationId: null })
      const [row] = await database().sql(`select opted_out from duologue.sessions where id = '${into.sessionId}'`)
      expect(row).toEqual({ opted_out: true })
    })

    test('what is not linked is not parted, what is linked is not linked again, and the record only grows', async () => {
      const { order, into } = await makeTwo()
      const parted = await identities().unlinkIdentities({ ...order, ...word, newSessionId: nextId() })
      expect(parted).toEqual({ outcome: 'refused', reason: 'the address is not linked to this session' })
      await identities().linkIdentities({ ...order, ...word, linkId: nextId(), closedConversationId: null })
      const again = await identities().linkIdentities({
        ...order,
        ...word,
        linkId: nextId(),
        closedConversationId: null,
      })
      expect(again).toEqual({ outcome: 'refused', reason: 'the address is of this session already' })
      await expect(database().sql('delete from duologue.session_links')).rejects.toThrow(/stays on record/u)
      await expect(
        database().sql(
          `update duologue.session_links set operator_id = 'x' where into_session_id = '${into.sessionId}'`,
        ),
      ).rejects.toThrow(/only undone/u)
    })

    test('links in a chain lead to the last one, and its history holds all of them', async () => {
      const { owned, order, into, from } = await makeTwo()
      const third = sessionOf('whatsapp:+15005550003')
      await database().store.commitSteps(batchOf('a', owned, [opening(third, 3)]))
      const link = async (request: LinkRequest) =>
        identities().linkIdentities({
          ...word,
          fromKey: request.userKey,
          ...request,
          linkId: nextId(),
          closedConversationId: null,
        })
      await link({ tenantId: null, sessionId: from.sessionId, userKey: third.created.userKey })
      await link(order)
      expect(await resolve(third.created.userKey)).toBe(phone)
      const [row] = await database().sql(`select redirects from duologue.sessions where id = '${third.sessionId}'`)
      expect(row).toEqual({ redirects: { [third.created.userKey]: phone } })
      const said = await database().store.listSessionMessages(into.sessionId, {})
      expect(new Set(said?.items.map(({ sessionId }) => sessionId)).size).toBe(3)
    })
  })

  describe('session keys', () => {
    test(`are the same by the code and by the database, over ${addressesCompared} addresses`, async () => {
      const addresses = fc.sample(anyAddress, { numRuns: addressesCompared, seed: 20_261_125 })
      const pairs = addresses.map((address, index) => [
        addresses[(index * 7 + 1) % addresses.length] ?? address,
        address,
      ])
      let compared = 0
      for (let start = 0; start < pairs.length; start += 20_000) {
        const chunk = pairs.slice(start, start + 20_000)
        const rows = await database().sql(
          `select duologue.session_key(pair ->> 0, pair ->> 1) as key
          from jsonb_array_elements($1::text::jsonb) with ordinality as pairs(pair, place) order by place`,
          [JSON.stringify(chunk)],
        )
        const wrong = chunk.filter(
          ([business = '', user = ''], index) => rows[index]?.['key'] !== toSessionKey(business, user),
        )
        expect(wrong).toEqual([])
        compared += rows.length
      }
      expect(compared).toBe(addressesCompared)
    }, 120_000)

    test('are what the generated columns hold', async () => {
      const owned = await claimAll(database(), 'a')
      const keys = fc.sample(anyAddress, { numRuns: 200, seed: 7 })
      const sessions = [...new Set(keys)].map((userKey) => sessionOf(userKey))
      const commits = sessions.map((session, index) => opening(session, index + 1))
      await database().store.commitSteps(batchOf('a', owned, commits))
      for (const table of ['sessions', 'identities']) {
        const rows = await database().sql(`select business_address, user_key, session_key from duologue.${table}`)
        expect(rows).toHaveLength(sessions.length)
        for (const { business_address, user_key, session_key } of rows) {
          expect(session_key).toBe(toSessionKey(String(business_address), String(user_key)))
        }
      }
    })
  })
}

/** What a token may be made of: real addresses, and any text that PostgreSQL can hold, up to 256 bytes. */
const anyText = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 40 })
  .filter((text) => text.isWellFormed() && !text.includes('\u0000') && Buffer.byteLength(text) <= 256)
const digits = fc.stringMatching(/^[1-9]\d{5,14}$/)
const anyAddress = fc.oneof(
  { weight: 4, arbitrary: digits.map((text) => `whatsapp:+${text}`) },
  { weight: 2, arbitrary: digits.map((text) => `sms:+${text}`) },
  {
    weight: 3,
    arbitrary: fc.stringMatching(/^[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,40}$/).map((text) => `whatsapp:${text}`),
  },
  { weight: 3, arbitrary: anyText },
  { weight: 1, arbitrary: fc.stringMatching(/^[ _.*>:+/%A-Za-z0-9-]{1,60}$/) },
)
