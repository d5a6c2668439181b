import { describe, expect, test } from 'vitest'

import { EffectSlots } from '../../src/actors/effect-slots.ts'

/** Effects that wait for their end to be told; `started` names them in the order in which they began. */
function createBench(perKind: number, perTenant: number) {
  const slots = new EffectSlots(perKind, perTenant)
  const started: string[] = []
  const ends: (() => void)[] = []
  return {
    started,
    want(tenantId: string, count: number, weight = 1, kind = 'sendMessage') {
      for (let index = 0; index < count; index += 1) {
        void slots.run(kind, { tenantId, weight }, async () => {
          started.push(tenantId)
          await new Promise<void>((resolve) => void ends.push(resolve))
        })
      }
    },
    /** Ends the oldest running ones, one after the other. */
    async end(count: number) {
      for (let index = 0; index < count; index += 1) {
        ends.shift()?.()
        // The place passes on within a few turns of promises.
        for (let turn = 0; turn < 5; turn += 1) await Promise.resolve()
      }
    },
    countOf: (tenantId: string, from = 0) => started.slice(from).filter((each) => each === tenantId).length,
  }
}

describe('places for effects', () => {
  test('are bounded per kind, and per tenant', async () => {
    const bench = createBench(8, 6)
    bench.want('a', 100)
    expect(bench.started).toHaveLength(6)
    bench.want('b', 100)
    expect([bench.countOf('a'), bench.countOf('b')]).toEqual([6, 2])
    bench.want('a', 3, 1, 'draftReply')
    expect(bench.started).toHaveLength(11)
    await bench.end(4)
    expect(bench.started).toHaveLength(15)
  })

  test('go to a small tenant at once, however long the queue of a large one is', async () => {
    const bench = createBench(4, 3)
    bench.want('large', 10_000)
    bench.want('small', 1)
    expect(bench.countOf('small')).toBe(1)
    bench.want('small', 1)
    await bench.end(2)
    expect(bench.countOf('small')).toBe(2)
  })

  test.each([
    [1, 1, 0.5],
    [3, 1, 0.75],
    [1, 4, 0.2],
    [0.5, 0.5, 0.5],
  ])('are shared by weight: %d to %d', async (weightA, weightB, share) => {
    const bench = createBench(4, 4)
    bench.want('a', 500, weightA)
    bench.want('b', 500, weightB)
    await bench.end(200)
    expect(bench.countOf('a', 4) / 200).toBeCloseTo(share, 1)
  })

  test('are not saved up by a tenant that wanted none', async () => {
    const bench = createBench(2, 2)
    bench.want('a', 500)
    await bench.end(200)
    bench.want('b', 500)
    const from = bench.started.length
    await bench.end(100)
    expect(bench.countOf('b', from)).toBeGreaterThan(45)
    expect(bench.countOf('b', from)).toBeLessThan(55)
  })

  test.each([Number.NaN, -1, 0, 1e9])('a weight of %d starves nobody', async (weight) => {
    const bench = createBench(2, 2)
    bench.want('odd', 5_000, weight)
    bench.want('b', 5_000)
    await bench.end(4_000)
    expect(bench.countOf('b')).toBeGreaterThan(1)
    expect(bench.countOf('odd')).toBeGreaterThan(1)
  })

  test('are free again after an effect that threw', async () => {
    const slots = new EffectSlots(1, 1)
    const tenant = { tenantId: 'a', weight: 1 }
    await expect(slots.run('draftReply', tenant, async () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(await slots.run('draftReply', tenant, async () => 'done')).toBe('done')
  })
})
