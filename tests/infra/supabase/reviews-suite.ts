/** Journals in bulk, comments and verdicts: what is written stays, once, and is read as it was written. */
import { describe, expect, test } from 'vitest'
import { createReviewStore } from '../../../src/infra/supabase/reviews.ts'
import { at, batchOf, claimAll, newSession, nextStep, opening } from './batches.ts'
import type { DatabaseInUse } from './use-database.ts'

const chart = { machine: 'conversation', version: '2', states: [] }
const thread = {
  commentId: '0198c0de-0000-7000-8000-0000000000c1',
  threadId: '0198c0de-0000-7000-8000-0000000000d1',
  machine: 'conversation',
  author: 'Ana',
  body: 'why <b>not</b>?',
  opens: { about: 'conversation.PENDING|a|0', chartHash: '0123456789abcdef', chart },
}
const verdict = {
  id: '0198c0de-0000-7000-8000-0000000000e1',
  base: { chart: 'a' },
  head: { chart: 'b' },
  verdict: 'approved',
  author: 'Ana',
  note: 'good',
} as const

export function describeReviews(database: () => DatabaseInUse): void {
  const store = () => createReviewStore(database().client)

  describe('journals in bulk', () => {
    test('are whole, the last changed first, page after page, each once', async () => {
      const owned = await claimAll(database(), 'a')
      const sessions = Array.from({ length: 5 }, () => newSession(database().deployment))
      for (const [place, session] of sessions.entries()) {
        await database().store.commitSteps(batchOf('a', owned, [opening(session, place * 2 + 1)]))
        await database().store.commitSteps(batchOf('a', owned, [nextStep(session, 1, place * 2 + 2)]))
      }
      const seen: string[] = []
      let after = null
      do {
        const page = await store().listJournals({ machine: 'conversation' }, after, 2)
        for (const { id, version, events } of page.items) {
          seen.push(id)
          expect(events?.map((event) => event.version)).toEqual(
            Array.from({ length: version }, (_, place) => place + 1),
          )
          expect(events?.every(({ occurredAt }) => occurredAt >= at)).toBe(true)
        }
        after = page.next
      } while (after !== null)
      expect(seen.toSorted()).toEqual(sessions.map(({ conversationId }) => conversationId).toSorted())
    })

    test('are those of a machine, a status, an address, a time', async () => {
      const owned = await claimAll(database(), 'a')
      const session = newSession(database().deployment)
      await database().store.commitSteps(batchOf('a', owned, [opening(session, 1)]))
      const count = async (filter: Parameters<ReturnType<typeof store>['listJournals']>[0]): Promise<number> =>
        (await store().listJournals(filter, null, 10)).items.length
      expect(await count({})).toBe(1)
      expect(await count({ machine: 'conversation', status: 'PENDING' })).toBe(1)
      expect(await count({ machine: 'survey' })).toBe(0)
      expect(await count({ status: 'FAILED' })).toBe(0)
      expect(await count({ address: session.created.userKey })).toBe(1)
      expect(await count({ address: 'whatsapp:+19999999999' })).toBe(0)
      expect(await count({ changedAfter: '2999-01-01T00:00:00.000Z' })).toBe(0)
    })
  })

  describe('comments', () => {
    test('the same comment twice is one; an answer opens its thread again', async () => {
      expect(await store().addComment(thread)).toBe(true)
      expect(await store().addComment(thread)).toBe(true)
      const settled = { threadId: thread.threadId, machine: 'conversation', isResolved: true, author: 'Bo' }
      expect(await store().settleThread(settled)).toBe(true)
      const [resolved] = (await store().listThreads('conversation')).items
      expect(resolved).toMatchObject({ about: thread.opens.about, resolvedBy: 'Bo', chartHash: '0123456789abcdef' })
      expect(resolved?.comments.map(({ body }) => body)).toEqual(['why <b>not</b>?'])
      const answer = { ...thread, commentId: '0198c0de-0000-7000-8000-0000000000c2', body: 'because', opens: null }
      expect(await store().addComment(answer)).toBe(true)
      const { items, charts } = await store().listThreads('conversation')
      expect(items[0]).toMatchObject({ resolvedAt: null, resolvedBy: null })
      expect(items[0]?.comments.map(({ body }) => body)).toEqual(['why <b>not</b>?', 'because'])
      expect(charts).toEqual({ '0123456789abcdef': chart })
    })

    test('a thread of another machine, or none, takes no comment', async () => {
      expect(await store().addComment({ ...thread, opens: null })).toBe(false)
      await store().addComment(thread)
      const foreign = { ...thread, commentId: '0198c0de-0000-7000-8000-0000000000c3', machine: 'survey', opens: null }
      expect(await store().addComment(foreign)).toBe(false)
      const settled = { threadId: thread.threadId, machine: 'survey', isResolved: true, author: 'Bo' }
      expect(await store().settleThread(settled)).toBe(false)
      expect((await store().listThreads('survey')).items).toEqual([])
    })
  })

  describe('verdicts', () => {
    test('the newest comes first, and the same one twice is one', async () => {
      await store().giveVerdict('conversation@2..3', verdict)
      const { at: first } = await store().giveVerdict('conversation@2..3', verdict)
      const other = { ...verdict, id: '0198c0de-0000-7000-8000-0000000000e2', verdict: 'rejected' } as const
      await store().giveVerdict('conversation@2..3', other)
      const verdicts = await store().listVerdicts('conversation@2..3')
      expect(verdicts.map((one) => one.verdict)).toEqual(['rejected', 'approved'])
      expect(verdicts[1]).toEqual({ ...verdict, at: first })
      expect(await store().listVerdicts('conversation@1..2')).toEqual([])
    })

    test.each(['review_verdicts', 'review_comments'])('%s are only ever added', async (table) => {
      await store().giveVerdict('conversation@2..3', verdict)
      await store().addComment(thread)
      await expect(database().sql(`update duologue.${table} set author = 'Mallory'`)).rejects.toThrow(/refused/u)
      await expect(database().sql(`delete from duologue.${table}`)).rejects.toThrow(/refused/u)
    })
  })
}
