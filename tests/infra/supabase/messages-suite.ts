/** What a message holds: written with it, noted by the effect that heard it, and read again. */
import { createClient } from '@supabase/supabase-js'
import { describe, expect, test } from 'vitest'
import type { EffectUpdate, MessageRecord } from '../../../src/actors/ports.ts'
import type { ContentPart } from '../../../src/machines/content.ts'
import { createAssistantUsage } from '../../../src/infra/supabase/assistant-usage.ts'
import { batchOf, claimAll, commitOf, inbound, newEffect, newSession, nextId, opening } from './batches.ts'
import type { DatabaseInUse } from './use-database.ts'

const audio = { url: 'https://api.twilio.com/ME1', contentType: 'audio/ogg' }
const place: ContentPart = { kind: 'location', latitude: -23.5, longitude: -46.6, label: null, address: 'Rua A' }

export function describeMessages(database: () => DatabaseInUse): void {
  /** A session whose messages are these, with an invoked effect about the first. */
  const start = async (parts: readonly Partial<MessageRecord>[], kind = 'transcribe') => {
    const { store, deployment } = database()
    const owned = await claimAll(database(), 'a')
    const session = newSession(deployment)
    const messages = parts.map((part) => inbound(session, `SM-${nextId()}`, part))
    const list = kind === 'transcribe' ? 'notes' : 'messages'
    const effect = newEffect(session, 1, 0, {
      kind,
      childId: kind,
      status: 'running',
      params: { [list]: messages.map(({ messageId }) => ({ messageId, media: 0 })) },
    })
    await store.commitSteps(batchOf('a', owned, [opening(session, 1, { messages, effects: [effect] })]))
    const settle = async (part: Partial<EffectUpdate>) => {
      const update = { effectId: effect.effectId, attempts: 1, nextAttemptAt: null, providerId: null }
      const effectUpdates = [{ ...update, status: 'done' as const, outcome: null, ...part }]
      await store.commitSteps(batchOf('a', owned, [commitOf(session, 2, { effectUpdates })]))
    }
    const shown = async () => (await store.listMessages(session.conversationId, {}))?.items ?? []
    return { session, messages, settle, shown }
  }

  describe('messages', () => {
    test('keep their parts beside their form, and are marked where the assistant was not asked', async () => {
      const raw = { Body: '', Latitude: '-23.5', note: ['a', 'b'] }
      const { session, shown } = await start([{ body: '', raw, content: [place] }, { rateLimited: true }, {}])
      const rows = await database().sql('select raw, content, rate_limited from duologue.messages order by id')
      expect(rows).toEqual([
        { raw, content: [place], rate_limited: false },
        { raw: { Body: 'olá 👋' }, content: null, rate_limited: true },
        { raw: { Body: 'olá 👋' }, content: null, rate_limited: false },
      ])
      const text = { kind: 'text', text: 'olá 👋' }
      expect((await shown()).map(({ content, rateLimited }) => [content, rateLimited])).toEqual([
        [[place], false],
        [[text], true],
        [[text], false],
      ])
      const recent = await database().store.recentMessages(session.sessionId, 10)
      expect(recent.map(({ content, rateLimited }) => [content, rateLimited])).toEqual([
        [[place], undefined],
        [undefined, true],
        [undefined, undefined],
      ])
    })

    test('of before there were parts are shown by their text and media', async () => {
      const { shown } = await start([{ body: 'see', media: [{ url: 'https://x', contentType: 'image/png' }] }])
      expect((await shown())[0]?.content).toEqual([
        { kind: 'text', text: 'see' },
        { kind: 'image', media: 0 },
      ])
    })

    test('take nothing from a field of the form that is named like ours', async () => {
      const raw = { 'duologue.message': 'x' }
      const { shown } = await start([{ raw }, { raw: { 'duologue.message': ['x'] } }])
      expect((await shown()).map(({ content }) => content)).toEqual([
        [{ kind: 'text', text: 'olá 👋' }],
        [{ kind: 'text', text: 'olá 👋' }],
      ])
      const rows = await database().sql('select raw, content from duologue.messages order by id limit 1')
      expect(rows).toEqual([{ raw, content: null }])
    })

    test('get what was said in them with the effect that heard it, those of the session alone', async () => {
      // Before the other: who claims last is the owner.
      const other = await start([{ body: '', media: [audio] }])
      const { messages, settle, shown, session } = await start([
        { body: '', media: [audio] },
        { body: '', media: [audio] },
      ])
      const [first, second] = messages.map(({ messageId }) => messageId)
      const transcripts = [
        { messageId: first, media: 0, text: 'where is it?' },
        { messageId: second, media: 0, text: null },
        { messageId: other.messages[0]?.messageId, media: 0, text: 'nobody said this' },
      ]
      await settle({ outcome: { transcripts } as never })
      expect((await shown()).map(({ content }) => content)).toEqual([
        [{ kind: 'audio', media: 0, transcript: 'where is it?' }],
        [{ kind: 'audio', media: 0, transcript: null }],
      ])
      expect((await other.shown())[0]?.content).toEqual([{ kind: 'audio', media: 0, transcript: null }])
      const recent = await database().store.recentMessages(session.sessionId, 10)
      expect(recent[0]?.transcripts).toEqual({ 0: 'where is it?' })
    })

    test.each(['transcribe', 'draftReply'])(
      'are marked when a %s was refused for the tenant’s budget',
      async (kind) => {
        const { settle, shown } = await start([{}, {}], kind)
        await settle({ status: 'failed', outcome: { code: 'tenant-hour', message: 'used up' } })
        expect((await shown()).map(({ rateLimited }) => rateLimited)).toEqual([true, true])
      },
    )

    test('are not marked when it failed for another reason', async () => {
      const { settle, shown } = await start([{}], 'draftReply')
      await settle({ status: 'failed', outcome: { code: 'timeout', message: 'late' } })
      expect((await shown())[0]?.rateLimited).toBe(false)
    })

    test('give an attachment by its place, to their own conversation and tenant', async () => {
      const { session, messages } = await start([{ media: [audio] }])
      const other = await start([{}])
      const { store } = database()
      const id = messages[0]?.messageId ?? ''
      const { conversationId } = session
      expect(await store.findMedia(conversationId, id, 0)).toEqual(audio)
      expect(await store.findMedia(conversationId, id, 1)).toBeNull()
      expect(await store.findMedia(conversationId, id, -1)).toBeNull()
      expect(await store.findMedia(other.session.conversationId, id, 0)).toBeNull()
      expect(await store.findMedia(conversationId, id, 0, nextId())).toBeNull()
      expect(await store.findMedia(conversationId, 'no id', 0)).toBeNull()
    })
  })

  describe('the assistant’s calls', () => {
    const limits = { perMinuteMax: 100, perHourMax: 100 }
    const rows = async () => database().sql('select minute_calls, hour_calls from duologue.assistant_rates')

    test('of forty at once on two nodes never pass the limit together', async () => {
      const { http, client, deployment } = database()
      const usage = createAssistantUsage(client)
      const other = createAssistantUsage(http === null ? client : createClient(http.url, http.secretKey))
      const { tenantId } = deployment
      const answers = await Promise.all(
        Array.from({ length: 40 }, async (_, index) =>
          (index % 2 === 0 ? usage : other).reserveCall({ tenantId, ...limits, perHourMax: 9 }),
        ),
      )
      expect(answers.filter((answer) => answer === null)).toHaveLength(9)
      expect(new Set(answers)).toEqual(new Set([null, 'hour']))
      expect((await rows())[0]).toMatchObject({ hour_calls: 9 })
    })

    test('of the minute and the hour before do not count', async () => {
      const usage = createAssistantUsage(database().client)
      const { tenantId } = database().deployment
      const once = { tenantId, perMinuteMax: 1, perHourMax: 2 }
      // All of it within one minute: the clock is the database's.
      await database().sql(`do $$ begin
        if extract(second from clock_timestamp()) > 50 then perform pg_sleep(61 - extract(second from clock_timestamp())); end if;
      end $$`)
      expect(await usage.reserveCall(once)).toBeNull()
      expect(await usage.reserveCall(once)).toBe('minute')
      await database().sql(`update duologue.assistant_rates set minute_at = minute_at - interval '1 minute'`)
      expect(await usage.reserveCall(once)).toBeNull()
      await database().sql(`update duologue.assistant_rates set minute_at = minute_at - interval '1 minute'`)
      expect(await usage.reserveCall(once)).toBe('hour')
      await database().sql(`update duologue.assistant_rates set hour_at = hour_at - interval '1 hour'`)
      expect(await usage.reserveCall(once)).toBeNull()
      expect(await rows()).toEqual([{ minute_calls: 1, hour_calls: 1 }])
    })

    test('are each tenant’s own, and none of nobody', async () => {
      const usage = createAssistantUsage(database().client)
      const another = nextId()
      await database().sql(`insert into duologue.tenants (id, name) values ($1, 'another')`, [another])
      const once = { perMinuteMax: 100, perHourMax: 1 }
      expect(await usage.reserveCall({ tenantId: database().deployment.tenantId, ...once })).toBeNull()
      expect(await usage.reserveCall({ tenantId: another, ...once })).toBeNull()
      expect(await usage.reserveCall({ tenantId: another, ...once })).toBe('hour')
      await expect(usage.reserveCall({ tenantId: nextId(), ...once })).rejects.toThrow(/reserve_assistant_call/u)
    })
  })
}
