import { expect, test } from 'vitest'

import type { LoggedEvent } from '../../src/actors/ports.ts'
import { wakeMapped } from '../../src/actors/wake-mapped.ts'
import type { Told } from '../../src/actors/wake-mapped.ts'
import { emptyMigrationMap } from '../../src/machines/migration-map.ts'

const map = { ...emptyMigrationMap('parcel', '1', '2'), arm: ['PENDING.resting'] }
const standing = [{ id: 'c-1', businessAddress: 'whatsapp:+14155238886', userKey: 'whatsapp:+15005550006' }]

function createScene() {
  const published: string[] = []
  const clock = { at: 1_000_000, now: () => clock.at }
  const scene = {
    clock,
    published,
    items: standing,
    told: new Map() as Told,
    look: async (): Promise<number> =>
      wakeMapped(
        {
          live: { listToWake: async () => ({ isReady: true, items: scene.items, next: null }) },
          publisher: {
            publish: async (event: LoggedEvent) => {
              published.push(event.type === 'command.issued' ? event.commandId : event.type)
              return { sequence: published.length, duplicate: false }
            },
          },
          clock,
        },
        map,
        scene.told,
      ),
  }
  return scene
}

test('a conversation that a map wants to go on is told once', async () => {
  const { look, published } = createScene()
  expect([await look(), await look()]).toEqual([1, 0])
  expect(published).toEqual(['wake:c-1:1:2'])
})

test('one that still stands there is told again under another id, ever more rarely, and not forever', async () => {
  const scene = createScene()
  const momentsMs: number[] = []
  for (let second = 0; second < 24 * 3_600; second += 3) {
    if ((await scene.look()) > 0) momentsMs.push(second)
    scene.clock.at += 3_000
  }
  expect(scene.published.slice(0, 3)).toEqual(['wake:c-1:1:2', 'wake:c-1:1:2:1', 'wake:c-1:1:2:2'])
  expect(momentsMs).toHaveLength(8)
  const pauses = momentsMs.slice(1).map((moment, index) => moment - (momentsMs[index] ?? 0))
  expect(pauses).toEqual([30, 60, 120, 240, 480, 960, 1_920])
})

test('one that has gone on is told no more', async () => {
  const scene = createScene()
  await scene.look()
  scene.items = []
  scene.clock.at += 3_600_000
  expect(await scene.look()).toBe(0)
})
