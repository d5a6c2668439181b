/** A random walk that fails is shrunk, and its seed and place are enough to fail the same way again. */
import { expect, test } from 'vitest'

import { orderModel } from './order/order-model.ts'
import { createGraph } from './kit/graph.ts'
import { createMemoryWalkWorld } from './kit/memory-world.ts'
import { listMutations } from './kit/mutations.ts'
import { shrinkRandomWalk, toRandomWalks } from './kit/random-walks.ts'
import { runWalks } from './kit/run-walks.ts'
import { Divergence } from './kit/walk.ts'

const graphs = orderModel.profiles.map((profile) => createGraph(orderModel, profile))
const options = { seed: 7, walks: 50 }

test('the same seed gives the same walks', () => {
  const walks = toRandomWalks(orderModel, graphs, options)
  expect(toRandomWalks(orderModel, graphs, options)).toEqual(walks)
  expect(new Set(walks.map(({ steps }) => steps.map(({ move }) => move).join())).size).toBeGreaterThan(40)
})

test(
  'a mistake in the machine is found, made small, and found again by the line that is printed',
  { timeout: 60_000 },
  async () => {
    const mistake = listMutations(orderModel.registration.machine).find(
      ({ name }) =>
        name === 'order.paying|message.received|0 leads to lapsed' ||
        name.startsWith('order.paying|order.paid|0 asks no'),
    )
    if (mistake === undefined) throw new Error('there is no such mistake')
    const world = createMemoryWalkWorld({ ...orderModel.registration, machine: mistake.machine() })
    const { failures } = await runWalks(orderModel, world, toRandomWalks(orderModel, graphs, options), 1)
    const first = failures[0]
    if (!(first instanceof Divergence)) throw new Error('no walk has found it')
    const path = / --seed 7 --walk (\d+)$/u.exec(first.message)?.[1] ?? ''
    const shrunk = await shrinkRandomWalk(orderModel, graphs, world, { seed: 7, path, withinMs: 10_000 })
    if (!(shrunk instanceof Divergence)) throw new Error('it does not fail again')
    expect(shrunk.stepIndex).toBeLessThanOrEqual(first.stepIndex)
    expect(shrunk.stepIndex).toBeLessThan(5)
    const [, again = ''] = / --seed 7 --walk (\S+)$/u.exec(shrunk.message) ?? []
    const repeated = await shrinkRandomWalk(orderModel, graphs, world, { seed: 7, path: again, withinMs: 5_000 })
    await world.close()
    expect(repeated?.message).toContain('went different ways')
  },
)
