/** What waits in quarantine, and how it stops waiting. */
import { describe, expect, test } from 'vitest'
import { toSessionKey } from '../../../src/actors/session-key.ts'
import { batchOf, claimAll, commitOf, incarnation, newSession, nextId, opening, parkedEvent } from './batches.ts'
import type { TestSession } from './batches.ts'
import type { DatabaseInUse } from './use-database.ts'

export function describeQuarantine(database: () => DatabaseInUse): void {
  const load = async ({ created, partition }: TestSession) => {
    const sessionKey = toSessionKey(created.businessAddress, created.userKey)
    const request = { sessionKey, partition, duplicateKeys: [] }
    const { sessions } = await database().store.loadSessions([], [request])
    return sessions[0]
  }
  /** A session of which the events at the positions 2, 3 and 4 wait. */
  const start = async (deployment = database().deployment) => {
    const owned = await claimAll(database(), 'a')
    const session = newSession(deployment)
    const parked = [
      parkedEvent(2),
      parkedEvent(3, { kind: 'waiting', error: null }),
      parkedEvent(4, { kind: 'waiting', error: null }),
    ]
    await database().store.commitSteps(batchOf('a', owned, [opening(session, 1)]))
    await database().store.commitSteps(batchOf('a', owned, [commitOf(session, 4, { quarantined: true, parked })]))
    return { owned, session, parked }
  }

  describe('quarantine', () => {
    test('a quarantined session is loaded with what waits, in the order of the log; any other with nothing', async () => {
      const { session, owned } = await start()
      const { parked } = (await load(session)) ?? {}
      expect(parked?.count).toBe(3)
      expect(parked?.events.map(({ position, kind, error }) => [position.sequence, kind, error])).toEqual([
        [2, 'poison', 'could not parse'],
        [3, 'waiting', null],
        [4, 'waiting', null],
      ])
      const other = newSession(database().deployment)
      await database().store.commitSteps(batchOf('a', owned, [opening(other, 5)]))
      expect((await load(other))?.parked).toBeNull()
    })

    test('a queue is loaded up to half a megabyte, and never less than its first event', async () => {
      const { session, owned } = await start()
      const dataBase64 = Buffer.alloc(300 * 1_024).toString('base64')
      const large = [5, 6, 7].map((sequence) => parkedEvent(sequence, { kind: 'waiting', error: null, dataBase64 }))
      await database().store.commitSteps(
        batchOf('a', owned, [commitOf(session, 7, { quarantined: true, parked: large })]),
      )
      const { parked } = (await load(session)) ?? {}
      expect(parked?.count).toBe(6)
      expect(parked?.events.map(({ position }) => position.sequence)).toEqual([2, 3, 4, 5, 6])
    })

    test('an event that is written again is the same row: applied, skipped, or poison with the new reason', async () => {
      const { session, owned, parked } = await start()
      const [first, second, third] = parked.map((event) => ({ ...event, dataBase64: '' }))
      const settled = [
        { ...first, kind: 'skipped', error: null },
        { ...second, kind: 'applied', error: null },
        { ...third, kind: 'poison', error: 'fails now' },
      ] as typeof parked
      await database().store.commitSteps(
        batchOf('a', owned, [commitOf(session, 5, { quarantined: true, parked: settled })]),
      )
      const rows = await database().sql(
        'select kind, error, attempts, data_base64 from duologue.quarantine order by position_sequence',
      )
      expect(rows).toEqual([
        { kind: 'skipped', error: 'could not parse', attempts: 1, data_base64: 'AAECAw==' },
        { kind: 'applied', error: null, attempts: 1, data_base64: 'AAECAw==' },
        { kind: 'poison', error: 'fails now', attempts: 1, data_base64: 'AAECAw==' },
      ])
      expect((await load(session))?.parked).toMatchObject({ count: 1 })
      expect(
        (await database().store.listQuarantine({})).items.map(({ sequence, attempts }) => [sequence, attempts]),
      ).toEqual([[4, 1]])
    })

    test('a session whose release has stopped halfway is work for its next owner; one that is poisoned is not', async () => {
      const { session, owned, parked } = await start()
      const { store } = database()
      const due = async () => {
        const request = { partitions: [0, 1, 2], of: 'effects', horizon: 0, after: null, limit: 10 } as const
        return (await store.loadDue(request)).sessions
      }
      expect(await due()).toEqual([])
      const [first] = parked
      const applied = first === undefined ? [] : [{ ...first, kind: 'applied' as const, error: null }]
      await store.commitSteps(batchOf('a', owned, [commitOf(session, 5, { quarantined: true, parked: applied })]))
      const sessionKey = toSessionKey(session.created.businessAddress, session.created.userKey)
      expect(await due()).toEqual([expect.objectContaining({ sessionKey, partition: 0 })])
    })

    test('what failed does not become waiting by coming once more', async () => {
      const { session, owned } = await start()
      const again = [parkedEvent(2, { kind: 'waiting', error: null })]
      await database().store.commitSteps(
        batchOf('a', owned, [commitOf(session, 5, { quarantined: true, parked: again })]),
      )
      expect((await load(session))?.parked?.events[0]).toMatchObject({ kind: 'poison', error: 'could not parse' })
    })

    test('what waits no more stays so, whoever parks it again', async () => {
      const { session, owned, parked } = await start()
      const applied = parked.map((event) => ({ ...event, kind: 'applied' as const }))
      await database().store.commitSteps(batchOf('a', owned, [commitOf(session, 5, { parked: applied })]))
      await database().store.commitSteps(batchOf('a', owned, [commitOf(session, 6, { quarantined: true, parked })]))
      expect(await database().sql('select distinct kind from duologue.quarantine')).toEqual([{ kind: 'applied' }])
      await expect(database().sql(`update duologue.quarantine set kind = 'waiting'`)).rejects.toThrow(/waits no more/u)
    })

    test('an event is read with its session and the first one that waits before it', async () => {
      const { session } = await start()
      const { store } = database()
      const { items } = await store.listQuarantine({})
      const [first, second] = items
      expect(await store.getQuarantined(second?.id ?? '')).toEqual({
        ...second,
        businessAddress: session.created.businessAddress,
        userKey: session.created.userKey,
        firstId: first?.id,
      })
      expect(await store.getQuarantined(nextId())).toBeNull()
      expect(await store.getQuarantined('no id')).toBeNull()
    })

    test('another tenant reads nothing of it', async () => {
      await start()
      const { store } = database()
      const { items } = await store.listQuarantine({})
      expect((await store.listQuarantine({ tenantId: nextId() })).items).toEqual([])
      expect(await store.getQuarantined(items[0]?.id ?? '', nextId())).toBeNull()
    })

    test('a foreign event is put aside once; one that has a session is not', async () => {
      const { owned } = await start()
      const { store } = database()
      const [partition] = owned
      const foreign = parkedEvent(9, { kind: 'foreign' })
      await store.commitSteps({
        ...batchOf('a', owned, []),
        partitions:
          partition === undefined ? [] : [{ ...partition, cursor: { incarnation, sequence: 9 }, parked: [foreign] }],
      })
      const { items } = await store.listQuarantine({})
      const ofSession = items.find(({ kind }) => kind === 'poison')
      const put = items.find(({ kind }) => kind === 'foreign')
      expect(await store.getQuarantined(put?.id ?? '')).toMatchObject({ businessAddress: null, firstId: null })
      expect(await store.dismissForeign(put?.id ?? '')).toBe(true)
      expect(await store.dismissForeign(put?.id ?? '')).toBe(false)
      expect(await store.dismissForeign(ofSession?.id ?? '')).toBe(false)
      expect((await store.listQuarantine({})).items).toHaveLength(3)
    })

    test('a release of a session that has no conversation yet leaves its outcome, too', async () => {
      const { session, owned } = await start()
      const outcome = { outcome: 'refused' as const, reason: 'fails again', status: null, version: null, at: 1 }
      const commands = [{ commandId: 'c1', conversationId: null, ...outcome }]
      await database().store.commitSteps(batchOf('a', owned, [commitOf(session, 5, { quarantined: true, commands })]))
      expect(await database().store.getCommand('c1')).toMatchObject({ outcome: 'refused', conversationId: null })
    })
  })
}
