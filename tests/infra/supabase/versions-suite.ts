/** Which machine versions nodes announce, what all of them know, and who gets a partition that needs one. */
import { describe, expect, test } from 'vitest'
import type { ClaimAnswer, ClaimRequest, MachineVersions, OwnedPartition } from '../../../src/actors/ports.ts'
import { createAdministration } from '../../../src/infra/supabase/tenants.ts'
import { batchOf, claimAll, conversationSteps, leaseMs, newSession, opening } from './batches.ts'
import type { DatabaseInUse } from './use-database.ts'

const one: MachineVersions = { survey: ['1'] }
const both: MachineVersions = { survey: ['1', '2'] }
const two: MachineVersions = { survey: ['2'] }
const needsTwo = { machine: 'survey', version: '2' }

export function describeVersions(database: () => DatabaseInUse): void {
  const claim = (nodeId: string, machines: MachineVersions, part: Partial<ClaimRequest> = {}): Promise<ClaimAnswer> => {
    const request = { nodeId, leaseMs, held: [], machines, takeAll: false, renewOnly: false, ...part }
    return database().store.claimPartitions(request)
  }
  const withNeeds = (held: readonly OwnedPartition[], ...partitions: number[]): ClaimRequest['held'] =>
    held.map((each) => ({ ...each, needs: partitions.includes(each.partition) ? needsTwo : null }))
  const numbers = ({ partitions }: ClaimAnswer): number[] => partitions.map(({ partition }) => partition)
  const forget = (nodeId: string) =>
    database().sql(`update duologue.nodes set seen_at = now() - interval '1 minute' where node_id = $1`, [nodeId])

  describe('machine versions', () => {
    test('a claim answers the versions that every live node knows', async () => {
      expect((await claim('a', both)).machines).toEqual(both)
      expect((await claim('b', one)).machines).toEqual(one)
      expect((await claim('a', both)).machines).toEqual(one)
      await forget('b')
      expect((await claim('a', both)).machines).toEqual(both)
    })

    test('a node that does not have a machine at all does not hold it back', async () => {
      await claim('a', { conversation: ['1'] })
      expect((await claim('b', { ...both, conversation: ['1'] })).machines).toEqual({ ...both, conversation: ['1'] })
    })

    test('what a node announced before it was started anew does not count', async () => {
      await claim('a', one)
      expect((await claim('a', both)).machines).toEqual(both)
    })

    test('a node of a release that announced nothing runs the one version that there was', async () => {
      const { client } = database()
      const old = { node_id: 'old', lease_ms: leaseMs, held: [], take_all: false, renew_only: false }
      const { error } = await client.rpc('claim_partitions', { request: old })
      expect(error).toBeNull()
      const newer = await claim('new', { conversation: ['1', '2'] })
      expect(newer.machines).toEqual({ conversation: ['1'] })
    })

    test('a node without a version in common takes nothing until the others are gone, and takes nothing from their share', async () => {
      const held = (await claim('a', one)).partitions
      expect(await claim('b', two)).toEqual({ partitions: [], machines: { survey: [] } })
      expect(numbers(await claim('a', one, { held }))).toHaveLength(8)
      await database().store.releasePartitions('a', held)
      expect(numbers(await claim('b', two))).toHaveLength(8)
    })

    test('a partition that needs what its owner does not know stays with it while nobody else does', async () => {
      const held = (await claim('a', one)).partitions
      expect(numbers(await claim('a', one, { held: withNeeds(held, 3) }))).toHaveLength(8)
      expect(numbers(await claim('a', one, { held }))).toContain(3)
    })

    test('it goes to a live node that does, beyond its fair share if need be, and does not come back', async () => {
      const all = (await claim('a', one)).partitions
      await claim('b', both)
      const kept = await claim('a', one, { held: withNeeds(all, 0, 1, 2, 3, 4, 5) })
      expect(numbers(kept)).toEqual([6, 7])
      const taken = await claim('b', both)
      expect(numbers(taken)).toEqual([0, 1, 2, 3, 4, 5])
      for (let round = 0; round < 2; round += 1) {
        expect(numbers(await claim('a', one, { held: kept.partitions }))).toEqual([6, 7])
        expect(numbers(await claim('b', both, { held: taken.partitions }))).toEqual([0, 1, 2, 3, 4, 5])
      }
    })

    test('a newcomer that does not know it gets the others of an owner that has too many', async () => {
      const all = (await claim('b', both)).partitions
      await database().sql(`update duologue.partitions set needs = $1::text::jsonb where partition in (1, 6)`, [
        JSON.stringify(needsTwo),
      ])
      await claim('a', one)
      const renewed = await claim('b', both, { held: all })
      const surplus = renewed.partitions.filter(({ isSurplus }) => isSurplus)
      expect(surplus.map(({ partition }) => partition)).toEqual([3, 4, 5, 7])
      await database().store.releasePartitions('b', surplus)
      expect(numbers(await claim('a', one))).toEqual([3, 4, 5, 7])
    })

    test('what is stored is told by machine, version and state, with a snapshot of each', async () => {
      const { store, deployment, client } = database()
      const owned = await claimAll(database(), 'a')
      const sessions = Array.from({ length: 5 }, (_, index) => newSession(deployment, index))
      await store.commitSteps(
        batchOf(
          'a',
          owned,
          sessions.map((session, index) => {
            const through = index < 2 ? (['PENDING', 'USER_CLOSED'] as const) : (['PENDING'] as const)
            const machineVersion = index === 4 ? '2' : '1'
            return opening(session, 1, {
              conversations: [conversationSteps(session, 0, null, through, { machineVersion })],
            })
          }),
        ),
      )
      const { items, isWhole } = await createAdministration(client).distinctStates()
      expect(isWhole).toBe(true)
      expect(items.map(({ snapshot: _, ...item }) => item)).toEqual([
        { machine: 'conversation', machineVersion: '1', value: 'PENDING', count: 2, open: 2 },
        { machine: 'conversation', machineVersion: '1', value: 'USER_CLOSED', count: 2, open: 0 },
        { machine: 'conversation', machineVersion: '2', value: 'PENDING', count: 1, open: 1 },
      ])
      expect(items.map(({ snapshot }) => snapshot)).toContainEqual({ value: 'USER_CLOSED', context: { turns: 2 } })
    })
  })
}
