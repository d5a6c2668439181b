/** Who stands where: counted as it changes, and the same as the rows say, whatever is written. */
import { describe, expect, test } from 'vitest'

import { createCall } from '../../../src/infra/supabase/call.ts'
import { createLiveReadModel } from '../../../src/infra/supabase/live-read-model.ts'
import { batchOf, claimAll, conversationSteps, newSession, nextStep, opening } from './batches.ts'
import type { DatabaseInUse } from './use-database.ts'

const counted = `
  select coalesce(jsonb_object_agg(shape::text || ' ' || partition, count || ' ' || open), '{}') as counts
  from duologue.shape_counts where count > 0`
const standing = `
  select coalesce(jsonb_object_agg(shape::text || ' ' || partition, count || ' ' || open), '{}') as counts
  from (select shape, partition, count(*) as count, count(*) filter (where closed_at is null) as open
    from duologue.conversations group by shape, partition) as rows`

export function describeLive(database: () => DatabaseInUse): void {
  describe('who stands where', () => {
    test('the counts are those of the rows after openings, steps and refused steps, and the list is as long', async () => {
      const { store, deployment, sql, client } = database()
      const live = createLiveReadModel(createCall(client))
      const owned = await claimAll(database(), 'a')
      const sessions = Array.from({ length: 7 }, (_, index) => newSession(deployment, index % 3))
      for (const [index, session] of sessions.entries()) {
        await store.commitSteps(batchOf('a', owned, [opening(session, index + 1)]))
      }
      for (const [index, session] of sessions.slice(0, 4).entries()) {
        await store.commitSteps(batchOf('a', owned, [nextStep(session, 1, 20 + index)]))
      }
      const [first] = sessions
      if (first === undefined) throw new Error('no session was made')
      await store.commitSteps(batchOf('a', owned, [nextStep(first, 1, 40)]))
      expect(await sql(counted)).toEqual(await sql(standing))

      const view = await live.liveView({ machine: 'conversation', windowSeconds: 3_600, list: { path: [], limit: 3 } })
      expect(view.states.reduce((sum, { count }) => sum + count, 0)).toBe(7)
      expect(view.list?.total).toBe(7)
      const ids = new Set(view.list?.items.map(({ id }) => id))
      let cursor = view.list?.next ?? null
      while (cursor !== null) {
        const { list } = await live.liveView({ machine: 'conversation', list: { path: [], limit: 3, cursor } })
        for (const { id } of list?.items ?? []) ids.add(id)
        cursor = list?.next ?? null
      }
      expect([...ids].toSorted()).toEqual(sessions.map(({ conversationId }) => conversationId).toSorted())
      // Openings and the steps that were committed; the refused one moved nobody.
      expect(view.moves?.reduce((sum, { count }) => sum + count, 0)).toBe(11)
    })

    test('who stands too long is judged by its own timer, and by the limit where none is armed; the list is as long', async () => {
      const { store, deployment, client } = database()
      const live = createLiveReadModel(createCall(client))
      const owned = await claimAll(database(), 'a')
      const minute = 60_000
      const now = Date.now()
      /** Came an hour ago; `dueIn` of null: no timer. */
      const come = async (dueIn: number | null, partition: number, clockOffsetMs = 0): Promise<string> => {
        const session = newSession(deployment, partition)
        const { conversationId } = session
        const at = now - 60 * minute
        const event = { type: 'xstate.after.idle' }
        const timers = dueIn === null ? {} : { idle: { dueAt: now + dueIn + clockOffsetMs, token: 't', event } }
        const part = { timers, nextTimerAt: dueIn === null ? null : now + dueIn, updatedAt: at }
        await store.commitSteps(
          batchOf('a', owned, [
            opening(session, (sequence += 1), {
              clockOffsetMs,
              conversations: [conversationSteps(session, 0, null, ['PENDING'], part)],
            }),
          ]),
        )
        return conversationId
      }
      let sequence = 0
      const late = [await come(-minute, 0), await come(-3 * minute, 1), await come(-minute, 2, 24 * 60 * minute)]
      await come(30 * minute, 0)
      await come(minute, 1, 24 * 60 * minute)
      const unarmed = [await come(null, 0), await come(null, 2)]
      const state = { id: 'PENDING', path: ['PENDING'], timers: ['idle'] }
      const look = async (limitMs: number | null) => {
        const stuck = await live.stuckView({ machine: 'conversation', states: [{ ...state, limitMs }] })
        const over = { timers: state.timers, limitMs }
        const listed: string[] = []
        for (let cursor: string | null = null; ;) {
          const asked = { path: state.path, over, cursor, limit: 2 }
          const { list } = await live.liveView({ machine: 'conversation', list: asked })
          listed.push(...(list?.items ?? []).map(({ id }) => id))
          expect(list?.total).toBe(stuck.states[0]?.older)
          cursor = list?.next ?? null
          if (cursor === null) break
        }
        expect(listed).toHaveLength(stuck.states[0]?.older ?? 0)
        return { ...stuck.states[0], listed: listed.toSorted() }
      }
      // Ten minutes would be too short for all of them, were it not for the timers that they have.
      expect(await look(10 * minute)).toMatchObject({ open: 7, older: 5, listed: [...late, ...unarmed].toSorted() })
      expect(await look(90 * minute)).toMatchObject({ older: 3, listed: late.toSorted() })
      const { ownLimitsMs } = await look(null)
      expect(ownLimitsMs?.map((ms) => Math.round(ms / minute))).toEqual([57, 90])
    })

    test('nothing that is listed holds a whole address', async () => {
      const { store, deployment, client } = database()
      const live = createLiveReadModel(createCall(client))
      const owned = await claimAll(database(), 'a')
      const session = newSession(deployment)
      await store.commitSteps(batchOf('a', owned, [opening(session, 1)]))
      const answer = JSON.stringify(await live.liveView({ machine: 'conversation', list: { path: [] } }))
      const { userKey } = session.created
      expect(answer).not.toContain(userKey)
      expect(answer).not.toContain(userKey.slice(-4))
    })

    test('minutes become hours, and nothing of the counts is lost', async () => {
      const { store, deployment, sql, client } = database()
      const live = createLiveReadModel(createCall(client))
      const owned = await claimAll(database(), 'a')
      await store.commitSteps(batchOf('a', owned, [opening(newSession(deployment), 1)]))
      await sql(`update duologue.move_counts set since = since - interval '5 hours'`)
      await live.tidyMoves()
      const day = await live.liveView({ machine: 'conversation', windowSeconds: 86_400 })
      expect(day.moves?.map(({ count }) => count)).toEqual([1])
      expect((await live.liveView({ machine: 'conversation', windowSeconds: 3_600 })).moves).toEqual([])
    })
  })
}
