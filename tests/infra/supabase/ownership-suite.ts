/** Who owns a partition: claims, fair shares, leases, epochs. */
import { describe, expect, test } from 'vitest'
import type { ClaimRequest, OwnedPartition } from '../../../src/actors/ports.ts'
import { batchOf, leaseMs, newSession, opening } from './batches.ts'
import type { DatabaseInUse } from './use-database.ts'

export function describeOwnership(database: () => DatabaseInUse): void {
  const ask = (nodeId: string, part: Partial<ClaimRequest> = {}) => {
    const request = { nodeId, leaseMs, held: [], machines: {}, takeAll: false, renewOnly: false, ...part }
    return database().store.claimPartitions(request)
  }
  const claim = async (nodeId: string, part: Partial<ClaimRequest> = {}) => (await ask(nodeId, part)).partitions
  const expireAll = () => database().sql(`update duologue.partitions set lease_until = now() - interval '1 second'`)
  const owners = () => database().sql('select partition, owner, epoch from duologue.partitions order by partition')

  describe('ownership', () => {
    test('a node alone takes every partition, each with a new epoch and the cursor of an empty log', async () => {
      const claimed = await claim('a')
      expect(claimed.map(({ partition }) => partition)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
      expect(claimed[0]).toEqual({
        partition: 0,
        epoch: 1,
        cursor: { incarnation: '', sequence: 0 },
        isSurplus: false,
      })
    })

    test('what a node holds is renewed with its epoch unchanged', async () => {
      const held = await claim('a')
      await database().sql(`update duologue.partitions set lease_until = now() + interval '1 second'`)
      expect(await claim('a', { held })).toEqual(held)
      const [row] = await database().sql(
        `select bool_and(lease_until > now() + interval '2 seconds') as renewed from duologue.partitions`,
      )
      expect(row).toEqual({ renewed: true })
    })

    /** As a node does: what is surplus it gives back. */
    async function claimAndHandOver(nodeId: string, held: readonly OwnedPartition[]) {
      const claimed = await claim(nodeId, { held })
      const surplus = claimed.filter(({ isSurplus }) => isSurplus)
      if (surplus.length > 0) await database().store.releasePartitions(nodeId, surplus)
      return claimed.filter(({ isSurplus }) => !isSurplus)
    }

    test('a second node gets nothing until the first gave back what exceeds its fair share', async () => {
      const all = await claim('a')
      expect(await claim('b')).toEqual([])
      const renewed = await claim('a', { held: all })
      expect(renewed.map(({ isSurplus }) => isSurplus)).toEqual([false, false, false, false, true, true, true, true])
      expect(await claim('b')).toEqual([])
      const kept = await claimAndHandOver('a', all)
      expect(kept).toHaveLength(4)
      const taken = await claim('b')
      expect(taken).toHaveLength(4)
      expect(new Set([...kept, ...taken].map(({ partition }) => partition)).size).toBe(8)
      expect(taken.every(({ epoch }) => epoch === 2)).toBe(true)
    })

    test('a lease that has not expired is never taken, an expired one is', async () => {
      await claim('a')
      await database().sql(`update duologue.nodes set seen_at = now() - interval '1 hour'`)
      expect(await claim('b')).toEqual([])
      await expireAll()
      expect(await claim('b')).toHaveLength(8)
      expect(await owners()).toContainEqual({ partition: 3, owner: 'b', epoch: 2 })
    })

    test('a holder of an old epoch keeps nothing', async () => {
      const old = await claim('a')
      await expireAll()
      await database().sql(`update duologue.nodes set seen_at = now() - interval '1 minute'`)
      await claim('b')
      await database().sql(`update duologue.nodes set seen_at = now() - interval '1 minute' where node_id = 'b'`)
      expect(await claim('a', { held: old })).toEqual([])
    })

    test('what a node owns without knowing it, it claims anew', async () => {
      await claim('a')
      const again = await claim('a')
      expect(again).toHaveLength(8)
      expect(again.every(({ epoch }) => epoch === 2)).toBe(true)
    })

    test('takeAll takes what others hold, and forgets the other nodes', async () => {
      await claim('a')
      expect(await claim('b', { takeAll: true })).toHaveLength(8)
      expect(await database().sql('select node_id from duologue.nodes')).toEqual([{ node_id: 'b' }])
    })

    test('renewOnly renews and takes nothing, and its node counts no longer for the others', async () => {
      const held = (await claim('a')).slice(0, 5)
      await database().store.releasePartitions('a', (await claim('a', { held })).slice(5))
      const kept = await claim('a', { held, renewOnly: true })
      expect(kept.map(({ partition }) => partition)).toEqual(held.map(({ partition }) => partition))
      expect(await claim('b')).toHaveLength(3)
    })

    test('a release gives back at once, but only with the right epoch', async () => {
      const held = await claim('a')
      await database().store.releasePartitions(
        'a',
        held.map(({ partition }) => ({ partition, epoch: 99 })),
      )
      expect(await claim('b')).toEqual([])
      await database().store.releasePartitions('a', held)
      expect(await claim('b')).toHaveLength(8)
      expect(await database().sql('select node_id from duologue.nodes')).toEqual([{ node_id: 'b' }])
    })

    test('three nodes end with shares that differ by one at most', async () => {
      const held = new Map<string, readonly OwnedPartition[]>([
        ['a', []],
        ['b', []],
        ['c', []],
      ])
      for (let round = 0; round < 4; round += 1) {
        for (const [nodeId, own] of held) held.set(nodeId, await claimAndHandOver(nodeId, own))
      }
      expect([...held.values()].map((own) => own.length).toSorted((a, b) => a - b)).toEqual([2, 3, 3])
    })

    test('a program that knows no surplus gives back at once what exceeds its share', async () => {
      const held = await claim('a')
      await claim('b')
      const request = { node_id: 'a', lease_ms: leaseMs, held, take_all: false, renew_only: false }
      const { data } = await database().client.rpc('claim_partitions', { request })
      expect((data as { partitions: unknown[] }).partitions).toHaveLength(4)
      expect(await claim('b')).toHaveLength(4)
    })

    test('a node that cannot read claims nothing, and all it holds is surplus while another can', async () => {
      const held = await claim('a')
      const alone = await claim('a', { held, canRead: false })
      expect(alone.filter(({ isSurplus }) => isSurplus)).toEqual([])
      await database().store.releasePartitions('a', held.slice(0, 2))
      expect(await claim('a', { held: held.slice(2), canRead: false })).toHaveLength(6)
      expect(await claim('b')).toHaveLength(2)
      const cutOff = await claim('a', { held: held.slice(2), canRead: false })
      expect(cutOff.filter(({ isSurplus }) => isSurplus)).toHaveLength(6)
      await database().store.releasePartitions('a', cutOff)
      expect(await claim('a', { canRead: false })).toEqual([])
    })

    test('a claim answers the cursor that was committed, and forgets the last commit id', async () => {
      const { store, deployment, sql } = database()
      const owned = await claim('a')
      await store.commitSteps(batchOf('a', owned, [opening(newSession(deployment, 2), 41)]))
      const again = await claim('a', { takeAll: true })
      expect(again[2]).toEqual({
        partition: 2,
        epoch: 2,
        cursor: { incarnation: 'log-1', sequence: 41 },
        isSurplus: false,
      })
      expect(
        await sql('select count(*)::int as kept from duologue.partitions where last_commit_id is not null'),
      ).toEqual([{ kept: 0 }])
    })

    test('the number of partitions stays what the first start asked for', async () => {
      const { store } = database()
      const asked = { partitions: 99, businessAddresses: ['sms:+15005550001'], providerAccount: null }
      expect(await store.initializeDeployment(asked)).toEqual({ partitions: 8 })
      expect(await store.findChannel('sms:+15005550001')).toMatchObject({ address: 'sms:+15005550001' })
      expect(await store.findChannel('sms:+15005550002')).toBeNull()
    })
  })
}
