/** What pages read of all conversations at once: few calls, each of them one moment of the database. */
import type { ListAsked, LiveReadModel, LiveView, StandingList, ToWake } from '../../actors/live-read-model.ts'
import { MalformedCursor } from '../../actors/read-model.ts'
import type { Call } from './call.ts'
import { fromCursor, toCursor } from './cursor.ts'

type Key = { readonly [field: string]: unknown }
type Keyed<Answer> = Omit<Answer, 'next'> & { readonly next: Key | null }

export function createLiveReadModel(call: Call): LiveReadModel {
  return {
    async liveView({ machine, windowSeconds = null, list = null }) {
      const answer = (await call('live_view', {
        machine,
        windowSeconds,
        list: list === null ? null : toListRequest(list),
      })) as Omit<LiveView, 'list'> & { readonly list: Keyed<StandingList> | null }
      return { ...answer, list: answer.list === null ? null : withCursor(answer.list) }
    },
    stuckView: async ({ machine, machineVersion = null, states }) =>
      (await call('stuck_view', { machine, machineVersion, states })) as Awaited<
        ReturnType<LiveReadModel['stuckView']>
      >,
    inFlight: async (machine, samples) =>
      (await call('in_flight', { machine, samples })) as Awaited<ReturnType<LiveReadModel['inFlight']>>,
    async listToWake({ cursor = null, limit = 200, ...request }) {
      const after = readCursor(cursor, ['id'])
      return withCursor((await call('list_to_wake', { ...request, after, limit })) as Keyed<ToWake>)
    },
    async tidyMoves() {
      await call('tidy_moves', {})
    },
  }
}

function toListRequest({ path, machineVersion = null, openOnly = false, over = null, cursor, limit }: ListAsked) {
  const after = readCursor(cursor ?? null, ['since', 'id'])
  return { path, machineVersion, openOnly, over, after, limit: limit ?? null }
}

function readCursor(cursor: string | null, names: readonly string[]): Key | null {
  if (cursor === null) return null
  const key = fromCursor(cursor, names)
  const isSound = names.every((name) => typeof key[name] === 'string' && key[name].length < 64)
  const isTime = !names.includes('since') || !Number.isNaN(Date.parse(String(key['since'])))
  const isId = /^[0-9a-f-]{36}$/u.test(String(key['id']))
  if (!isSound || !isTime || !isId) throw new MalformedCursor('could not read a cursor of another list')
  return key
}

function withCursor<Answer extends { readonly next: Key | null }>(
  answer: Answer,
): Omit<Answer, 'next'> & { readonly next: string | null } {
  return { ...answer, next: toCursor(answer.next) }
}
